"""What exactly is wrong with a signature: for people and tools, where `decode` only says no.

Every check is made, whatever the others say, on the same octets as `bacen.wire.reference` hashes.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lxml import etree

from bacen import BrokenRule, InvalidMessage, MalformedXml, SignatureInvalid
from bacen.wire.fields import ISPB
from bacen.wire.keys import Trusted, Verifier
from bacen.wire.profile import KEY_INFO_ID
from bacen.wire.reference import OTHER_SENDER, Opened, open_dict, open_spi, parse_xml

_SIGNATURE = {"spi": "/Envelope/AppHdr/Sgntr/Signature", "dict": "/*/Signature"}
NAME_CHARACTERS_MAX = 100
_SHOWN = re.compile(r"[\w:/.-]{1,100}")  # what a stranger wrote goes to somebody's terminal
_SPI_REFERENCES = (("", "AppHdr"), (None, "Document"))


class SignatureProfile(StrEnum):
    """Where a signature stands, and what it covers."""

    SPI = "spi"
    DICT = "dict"


@dataclass(frozen=True, slots=True)
class ReferenceReport:
    """One reference: its `URI` (None where it has none), what it covers, whether that is whole."""

    uri: str | None
    element: str
    ok: bool


@dataclass(frozen=True, slots=True)
class CertificateReport:
    """The certificate that KeyInfo names; what only a trusted one tells is None otherwise."""

    issuer: str
    serial: str
    trusted: bool
    ispb: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What was found.

    Attributes:
        message: Namespace of the message (SPI) or name of the root (DICT); None if it has no form.
        profile: How it was read.
        sender: ISPB in the header (SPI).
        references: In the order of the profile; none if it has no form.
        signature: Whether SignatureValue is the certificate's; None without a trusted one.
        certificate: The one that KeyInfo names.
        violations: What is wrong: `well_formed`, `form`, `digest`, `certificate_unknown`,
            `certificate_expired`, `certificate_not_yet_valid`, `signature_value`, `sender`.
    """

    message: str | None
    profile: SignatureProfile
    sender: str | None = None
    references: tuple[ReferenceReport, ...] = ()
    signature: bool | None = None
    certificate: CertificateReport | None = None
    violations: tuple[BrokenRule, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether all of it holds."""
        return not self.violations


def inspect_signature(
    data: bytes,
    verifier: Verifier,
    *,
    profile: SignatureProfile | None = None,
    ispb: str | None = None,
) -> SignatureReport:
    """Make every check of a signature and say how each ended. Raises nothing.

    Args:
        data: The bytes as they came.
        verifier: Whose signatures count, and by which clock.
        profile: How it is signed; found out by the root's name where None.
        ispb: Whose certificate it must be; of the SPI profile the header says that.
    """
    try:
        name = etree.QName(parse_xml(data)).localname[:NAME_CHARACTERS_MAX]
    except (MalformedXml, ValueError) as error:
        problem = error.problem if isinstance(error, MalformedXml) else "the root is no element"
        told = BrokenRule("/", "well_formed", problem)
        return SignatureReport(None, profile or SignatureProfile.SPI, violations=(told,))
    is_spi = name == "Envelope" if profile is None else profile is SignatureProfile.SPI
    profile = SignatureProfile.SPI if is_spi else SignatureProfile.DICT
    try:
        opened = open_spi(data) if is_spi else open_dict(data)
    except (MalformedXml, SignatureInvalid) as error:
        told = BrokenRule(_SIGNATURE[profile], "form", error.problem)
        return SignatureReport(name, profile, violations=(told,))
    kind = opened.namespace.removeprefix("https://www.bcb.gov.br/pi/") if is_spi else name
    message = None if _SHOWN.fullmatch(kind) is None else kind
    covered = _SPI_REFERENCES if is_spi else (("", name),)
    return _report(SignatureReport(message, profile), opened, verifier, covered, ispb)


def _report(
    empty: SignatureReport,
    opened: Opened,
    verifier: Verifier,
    covered: tuple[tuple[str | None, str], ...],
    ispb: str | None,
) -> SignatureReport:
    parts, place = opened.signature, _SIGNATURE[empty.profile]
    named = ((f"#{KEY_INFO_ID}", "KeyInfo"), *covered)
    references = tuple(
        ReferenceReport(uri, element, hmac.compare_digest(made, signed))
        for (uri, element), made, signed in zip(named, opened.digests(), parts.digests, strict=True)
    )
    broken = [
        BrokenRule(_place(each.element, place), "digest", "differs from what was signed")
        for each in references
        if not each.ok
    ]
    trusted, problem = _trusted(opened, verifier)
    if problem is not None:
        broken.append(BrokenRule(f"{place}/KeyInfo", *problem))
    value = None if trusted is None else trusted.verify(parts.signed_info, parts.value)
    if value is False:
        told = "was not made by the key of the certificate over this SignedInfo"
        broken.append(BrokenRule(f"{place}/SignatureValue", "signature_value", told))
    sender = _sender(opened) if empty.profile is SignatureProfile.SPI else ispb
    if empty.profile is SignatureProfile.SPI and sender is None:
        broken.append(BrokenRule("/Envelope/AppHdr/Fr", "sender", "cannot be read"))
    elif trusted is not None and None not in (trusted.ispb, sender) and trusted.ispb != sender:
        path = "/Envelope/AppHdr/Fr" if empty.profile is SignatureProfile.SPI else place
        broken.append(BrokenRule(path, "sender", OTHER_SENDER))
    return SignatureReport(
        empty.message,
        empty.profile,
        sender,
        references,
        value,
        _certificate(opened, trusted),
        tuple(broken),
    )


def _place(element: str, signature: str) -> str:
    if element == "KeyInfo":
        return f"{signature}/KeyInfo"
    return f"/Envelope/{element}" if signature == _SIGNATURE["spi"] else f"/{element}"


def _trusted(opened: Opened, verifier: Verifier) -> tuple[Trusted | None, tuple[str, str] | None]:
    """The certificate, if it is in the trust set; which rule it breaks, and how."""
    parts = opened.signature
    trusted = verifier.look_up(parts.issuer, parts.serial)
    if trusted is None:
        return None, ("certificate_unknown", "nobody trusted has this issuer and serial number")
    problem = verifier.validity_problem(trusted)
    if problem is None:
        return trusted, None
    rule = "certificate_expired" if "expired" in problem else "certificate_not_yet_valid"
    return trusted, (rule, problem)


def _sender(opened: Opened) -> str | None:
    try:
        sender = opened.parts().sender
    except (InvalidMessage, MalformedXml):
        return None
    return sender if sender is not None and ISPB.fullmatch(sender) is not None else None


def _certificate(opened: Opened, trusted: Trusted | None) -> CertificateReport:
    issuer, serial = opened.signature.issuer, opened.signature.serial
    if trusted is None:
        return CertificateReport(issuer, serial, False)
    dates = trusted.validity
    return CertificateReport(issuer, serial, True, trusted.ispb, dates.begins, dates.ends)
