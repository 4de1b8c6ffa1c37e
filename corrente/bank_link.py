"""How the platform reaches the central bank: addresses, certificates, clients.

In profile `embedded` they come from the bank that was started beside the platform, in profile
`services` from the settings. Either way they are known only when the tree has come to them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from actors import GenServer
from bacen.dict import DictClient
from bacen.icom import IcomClient
from bacen.wire import KeyPair, Signer, Verifier, client_context
from config import Settings

ICOM_TIMEOUT_MS = 15_000  # longer than the bank's long poll
DICT_TIMEOUT_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLink:
    """Addresses and key material of one participant.

    Attributes:
        icom_url: Address of the ICOM, without path.
        dict_url: Address of DICT, without path.
        ca_file: Authorities that may sign the bank's TLS certificate.
        client_certificate_file: Our certificate for TLS.
        client_key_file: Its private key.
        signing_certificate_file: Our certificate for message signatures.
        signing_key_file: Its private key.
        bank_certificates_file: Certificates of the bank's message signatures.
    """

    icom_url: str
    dict_url: str
    ca_file: Path
    client_certificate_file: Path
    client_key_file: Path
    signing_certificate_file: Path
    signing_key_file: Path
    bank_certificates_file: Path


def embedded_link(bank_home: Path, ispb: str) -> BankLink:
    """The link to the bank that runs with `bank_home` and has written its ready file there."""
    url = json.loads((bank_home / "ready.json").read_text())["url"]
    pki = bank_home / "pki"
    participant = pki / "participants" / ispb
    return BankLink(
        icom_url=url,
        dict_url=url,
        ca_file=pki / "ca.pem",
        client_certificate_file=participant / "client.pem",
        client_key_file=participant / "client.key",
        signing_certificate_file=participant / "signing.pem",
        signing_key_file=participant / "signing.key",
        bank_certificates_file=pki / "spi-signing.pem",
    )


def configured_link(settings: Settings) -> BankLink:
    """The link that profile `services` names; the settings guarantee that all of it is there."""
    bacen = settings.bacen
    values = {name: getattr(bacen, name) for name in BankLink.__slots__}
    assert None not in values.values()
    return BankLink(**values)


class BankClients(GenServer):
    """Owner of the connections to the bank; others use `icom`, `dict` and the keys.

    Attributes:
        icom: Client of the ICOM, there while the process lives.
        dict_client: Client of DICT.
        signer: Signs our messages.
        verifier: Judges the bank's signatures.
    """

    trap_exit = True
    icom: IcomClient
    dict_client: DictClient
    signer: Signer
    verifier: Verifier

    def __init__(self, link: BankLink, ispb: str) -> None:
        self._link = link
        self._ispb = ispb

    async def init(self) -> None:
        """Read keys and certificates; a file that is missing or wrong fails the start."""
        link = self._link
        signing = KeyPair(link.signing_certificate_file, link.signing_key_file)
        client = KeyPair(link.client_certificate_file, link.client_key_file)
        context = client_context(link.ca_file, client)
        self.signer = signing.signer()
        self.verifier = Verifier([link.bank_certificates_file.read_bytes()])
        self.icom = IcomClient(link.icom_url, self._ispb, context, timeout_ms=ICOM_TIMEOUT_MS)
        self.dict_client = DictClient(
            link.dict_url, self._ispb, context, self.verifier, timeout_ms=DICT_TIMEOUT_MS
        )

    async def terminate(self, reason: object) -> None:
        """Close the connections."""
        del reason
        await self.icom.close()
        await self.dict_client.close()
