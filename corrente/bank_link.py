"""How the platform reaches the central bank: addresses, certificates, clients.

In profile `embedded` they come from the bank that was started beside the platform, in profile
`services` from the settings. Either way they are known only when the tree has come to them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from actors import Answer, Continue, GenServer
from bacen import CertificateRefused, DictError
from bacen.dict import Category, DictClient, DictOptions, RateLimits, sign_in_pool
from bacen.icom import CatalogueMismatch, Icom, IcomAddress, IcomRefused, IcomUnknown
from bacen.signing import KeyFiles, KeySource, TokenKeys
from bacen.wire import (
    Admi002,
    KeyPair,
    Pacs002,
    Pacs008,
    Verifier,
    client_context,
    definition_of,
)
from config import BacenSettings, Settings
from corrente.servers import EMBEDDED_DICT_FACTOR, EMBEDDED_PER_SECOND

RELOAD_MS = 60_000
SIGNER = "bacen.signer"  # the pool that signs what we send
ICOM_TIMEOUT_MS = 15_000  # longer than the bank's long poll
DICT_TIMEOUT_MS = 5_000

CATALOGUE_RETRY_MS = 10_000
POLICIES_RETRY_MS = 10_000
LARGEST: Final[Category] = "A"  # until DICT has told our category it alone refuses
OPTIONAL: Final = ("icom_secondary_url", "dict_category")
NS_PER_MS = 1_000_000

_RELOAD = "read the bank's certificates"
_COMPARE = "compare versions of messages"
_OBSERVE = "take over the buckets of DICT"
_SENDS = (definition_of(Pacs008),)
_READS = (definition_of(Pacs002), definition_of(Admi002))
_log = structlog.get_logger("corrente")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLink:
    """Addresses and key material of one participant.

    Attributes:
        icom_url: Address of the ICOM, without path; its primary channel.
        icom_secondary_url: Address of its secondary channel, where there is one.
        icom_per_second: Tokens a second on the primary channel.
        dict_url: Address of DICT, without path.
        dict_category: Our category at DICT; None: what DICT says.
        dict_rate_factor: How many times as large DICT's buckets are.
        ca_file: Authorities that may sign the bank's TLS certificate.
        client_certificate_file: Our certificate for TLS.
        client_key_file: Its private key.
        bank_certificates_file: Certificates of the bank's message signatures.
        keys: Our keys for message signatures.
    """

    icom_url: str
    icom_secondary_url: str | None
    icom_per_second: int
    dict_url: str
    dict_category: Category | None
    dict_rate_factor: int
    ca_file: Path
    client_certificate_file: Path
    client_key_file: Path
    bank_certificates_file: Path
    keys: KeySource


def embedded_link(bank_home: Path, ispb: str) -> BankLink:
    """The link to the bank that runs with `bank_home` and has written its ready file there."""
    ready = json.loads((bank_home / "ready.json").read_text())
    url = ready["url"]
    pki = bank_home / "pki"
    participant = pki / "participants" / ispb
    return BankLink(
        icom_url=url,
        icom_secondary_url=ready["secondary_url"],
        icom_per_second=EMBEDDED_PER_SECOND,
        dict_url=url,
        dict_category=None,
        dict_rate_factor=EMBEDDED_DICT_FACTOR,
        ca_file=pki / "ca.pem",
        client_certificate_file=participant / "client.pem",
        client_key_file=participant / "client.key",
        bank_certificates_file=pki / "spi-signing.pem",
        keys=KeyFiles((participant / "signing.pem", participant / "signing.key")),
    )


def configured_link(settings: Settings) -> BankLink:
    """The link that profile `services` names; the settings guarantee that all of it is there."""
    bacen = settings.bacen
    named = [name for name in BankLink.__slots__ if name != "keys"]
    values = {name: getattr(bacen, name) for name in named}
    assert all(values[name] is not None for name in named if name not in OPTIONAL)
    return BankLink(**values, keys=_configured_keys(bacen))


def _configured_keys(bacen: BacenSettings) -> KeySource:
    certificates = bacen.signing_certificate_file
    assert certificates is not None  # the settings were checked
    if bacen.signing_module is not None:
        assert bacen.signing_token is not None
        assert bacen.signing_pin is not None
        pin = bacen.signing_pin.get_secret_value()
        return TokenKeys(bacen.signing_module, bacen.signing_token, pin, [certificates])
    assert bacen.signing_key_file is not None
    secret = bacen.signing_password
    password = None if secret is None else secret.get_secret_value().encode()
    return KeyFiles((certificates, bacen.signing_key_file), password)


class BankClients(GenServer):
    """Owner of the connections to the bank; others use `icom`, `dict_client` and the verifier.

    The bank's certificates are read again every `RELOAD_MS`, so that a new key of the bank is
    trusted without a restart. A file that cannot be read then changes nothing, and is logged.

    A bank that speaks other versions of our messages fails the start; one that cannot be asked does
    not, and is asked again. So is DICT, until it has told how much we may ask.

    Attributes:
        icom: Both channels of the ICOM, there while the process lives.
        dict_client: Client of DICT.
        verifier: Judges the bank's signatures, and their certificates by the node's clock.
    """

    trap_exit = True
    icom: Icom
    dict_client: DictClient
    verifier: Verifier

    def __init__(self, link: BankLink, ispb: str) -> None:
        self._link = link
        self._ispb = ispb

    async def init(self) -> Continue:
        """Read keys and certificates; a file that is missing or wrong fails the start."""
        link = self._link
        client = KeyPair(link.client_certificate_file, link.client_key_file)
        context = client_context(link.ca_file, client)
        certificates = [link.bank_certificates_file.read_bytes()]
        self.verifier = Verifier(certificates, now=self.node.clock.now)
        self.node.send_after(RELOAD_MS, self.pid, _RELOAD)
        address = IcomAddress(
            ispb=self._ispb,
            primary_url=link.icom_url,
            secondary_url=link.icom_secondary_url,
            timeout_ms=ICOM_TIMEOUT_MS,
            primary_per_second=link.icom_per_second,
        )
        self.icom = Icom(self.node, address, context)
        limits = RateLimits(
            link.dict_category or LARGEST,
            self.node.clock.monotonic_ns() // NS_PER_MS,
            link.dict_rate_factor,
        )
        self.dict_client = DictClient(
            link.dict_url,
            self._ispb,
            context,
            self.verifier,
            DictOptions(
                sign=sign_in_pool(self.node, SIGNER),
                limits=limits,
                clock=self.node.clock,
                timeout_ms=DICT_TIMEOUT_MS,
            ),
        )

        try:
            await self._compare_versions()
        except CatalogueMismatch:
            await self.terminate(None)  # a start that fails has no end of its own
            raise
        return Continue(_OBSERVE)

    async def handle_continue(self, argument: object) -> Answer:
        """Ask DICT how much we may ask; the start does not wait for it."""
        del argument
        await self._observe_policies()
        return None

    async def handle_info(self, message: object) -> Answer:
        """Read the bank's certificates again, its catalogue, or the buckets of DICT."""
        if message == _OBSERVE:
            await self._observe_policies()
            return None
        if message == _COMPARE:
            await self._compare_versions()
            return None
        if message != _RELOAD:
            return await super().handle_info(message)
        self.node.send_after(RELOAD_MS, self.pid, _RELOAD)
        try:
            self.verifier.replace([self._link.bank_certificates_file.read_bytes()])
        except (CertificateRefused, OSError) as error:
            _log.warning("bank_certificates_not_read", problem=str(error))
        return None

    async def _compare_versions(self) -> None:
        """Fail when the bank speaks other versions (CatalogueMismatch says which)."""
        try:
            await self.icom.check_catalogue(sends=_SENDS, reads=_READS)
        except (IcomUnknown, IcomRefused) as error:
            _log.warning("catalogue_not_read", problem=str(error))
            self.node.send_after(CATALOGUE_RETRY_MS, self.pid, _COMPARE)

    async def _observe_policies(self) -> None:
        """Take over the buckets as DICT has them; try again when it does not say."""
        try:
            category = await self.dict_client.observe_policies()
        except DictError as error:
            _log.warning("dict_policies_not_read", problem=str(error))
            self.node.send_after(POLICIES_RETRY_MS, self.pid, _OBSERVE)
            return
        _log.info("dict_policies_read", category=category)
        ours = self._link.dict_category
        if ours is not None and ours != category:
            _log.warning("dict_category_differs", settings=ours, dict=category)

    async def terminate(self, reason: object) -> None:
        """Close the connections."""
        del reason
        await self.icom.close()
        await self.dict_client.close()
