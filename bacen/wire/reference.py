"""Reference verification: strict shape by lxml, digests over real exclusive C14N.

Signature wrapping is met by structure: exactly Envelope(AppHdr, Document), exactly one Signature
in AppHdr/Sgntr, references taken by position and never looked up by id, algorithms compared as
whole strings. What is read afterwards is parsed from the canonical octets that were hashed.
"""

import hmac
import re
from dataclasses import dataclass

from lxml import etree

from bacen import InvalidMessage, MalformedXml, SignatureInvalid
from bacen.wire.fields import escape, unescape
from bacen.wire.keys import Trusted, Verifier
from bacen.wire.profile import (
    DICT_SIGNED_INFO,
    DS,
    SPI_SIGNED_INFO,
    digest,
    signature_pattern,
)

OTHER_SENDER = "the certificate belongs to another participant"
MESSAGE_BYTES_MAX = 2 * 1024 * 1024  # 500 payments of a PAGAGD need about 1.2 MB

# Time of canonicalisation grows with the square of the attributes of one tag; the longest text that
# a schema of ours has is 1,000 characters, which may all be signs of equality.
TAG_EQUALS_MAX = 1_100

_WHITE = " \t\n\r"
_DECLARATION = re.compile(rb"\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*[\"']([^\"']{1,40})[\"']")
_SIGNATURE = f"{{{DS}}}Signature"
_SPI_SIGNATURE = re.compile(signature_pattern(SPI_SIGNED_INFO))
_DICT_SIGNATURE = re.compile(signature_pattern(DICT_SIGNED_INFO))
_SIGNATURE_ELEMENTS_MAX = 40  # the profile has 25
_BASE64_PARTS = frozenset({"DigestValue", "SignatureValue"})
_ATTRIBUTE = re.compile(r"[A-Za-z0-9#:/._-]*")
_SENDER = re.compile(r"<Fr>.*?<Id>([^<]*)</Id>")
_PARTS_NAMES = ("AppHdr", "Document")


@dataclass(frozen=True, slots=True)
class Parts:
    """The two signed parts of an Envelope as canonical text, their namespace removed."""

    namespace: str
    header: str
    document: str

    @property
    def sender(self) -> str | None:
        """ISPB that the header names as the sender."""
        found = _SENDER.search(self.header)
        return None if found is None else found[1]


@dataclass(frozen=True, slots=True)
class SignatureParts:
    """What a Signature of the profile says, and the canonical octets that its key signed."""

    signed_info: bytes
    digests: tuple[str, ...]
    value: str
    issuer: str
    serial: str
    key_info: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A signature, and the canonical octets that its references cover beside KeyInfo.

    In the SPI profile they are AppHdr and Document, in the DICT profile the root.
    """

    signature: SignatureParts
    namespace: str
    octets: tuple[bytes, ...]

    def digests(self) -> tuple[str, ...]:
        """What the digests of its references must be, KeyInfo's first."""
        return digest(self.signature.key_info), *map(digest, self.octets)

    def parts(self) -> Parts:
        """Read the two parts of the SPI profile.

        Raises:
            InvalidMessage: They are of no schema of ours.
        """
        return _parts(self.namespace, *self.octets)


def parse_xml(data: bytes) -> etree._Element:
    """Parse XML that may come from anybody.

    Raises:
        MalformedXml: Not UTF-8 or not well-formed, a DOCTYPE, thousands of attributes in one tag,
            or over `MESSAGE_BYTES_MAX`.
    """
    if len(data) > MESSAGE_BYTES_MAX:
        raise MalformedXml(f"more than {MESSAGE_BYTES_MAX} bytes")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise MalformedXml("a DOCTYPE is never accepted")
    if is_crowded(data):
        raise MalformedXml("too many attributes in one tag")
    declared = _DECLARATION.match(data.removeprefix(b"\xef\xbb\xbf"))
    if declared is not None and declared[1].lower() != b"utf-8":
        raise MalformedXml("the encoding must be UTF-8")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        collect_ids=False,
    )
    try:
        data.decode()  # libxml2 would guess UTF-16 and others from the first bytes
        root = etree.fromstring(data, parser)
    except (UnicodeDecodeError, etree.LxmlError, ValueError):
        raise MalformedXml("not well-formed XML in UTF-8") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedXml("a DOCTYPE is never accepted")
    return root


def is_crowded(data: bytes) -> bool:
    """Say whether a tag may have more attributes and namespaces than any message needs."""
    return any(part.count(b"=") > TAG_EQUALS_MAX for part in data.split(b"<"))


def canonical(element: etree._Element) -> bytes:
    """Exclusive C14N without comments of one element.

    Raises:
        MalformedXml: It has no canonical form (a relative namespace, for example).
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    except (etree.LxmlError, ValueError):
        raise MalformedXml("has no canonical form") from None


def flatten(element: etree._Element, namespace: str, prefix: str = "") -> str:
    """Write an element without namespace declarations and without space between elements.

    Raises:
        InvalidMessage: Another namespace, text between elements, a comment or a
            processing instruction, or an attribute that no schema of ours has.
    """
    name = local_name(element, namespace)
    attributes = ""
    for key, value in element.attrib.items():
        key_text, value_text = str(key), str(value)  # the stubs allow bytes
        if not key_text.isalpha() or _ATTRIBUTE.fullmatch(value_text) is None:
            raise InvalidMessage(name, "holds an attribute that does not belong there")
        attributes += f' {key_text}="{value_text}"'
    text = element.text or ""
    if len(element):
        if text.strip(_WHITE) or any((child.tail or "").strip(_WHITE) for child in element):
            raise InvalidMessage(name, "holds text between elements")
        inner = "".join([flatten(child, namespace, prefix) for child in element])
    else:
        inner = escape(_leaf_text(name, text))
    return f"<{prefix}{name}{attributes}>{inner}</{prefix}{name}>"


def local_name(element: etree._Element, namespace: str) -> str:
    """Name of an element that must be in this namespace.

    Raises:
        InvalidMessage: It is not, or it is a comment, an entity or a processing instruction.
    """
    tag: object = element.tag  # a function for what is no element
    start = f"{{{namespace}}}" if namespace else ""
    if not isinstance(tag, str) or not tag.startswith(start):
        raise InvalidMessage("element", "does not belong to the schema")
    return tag[len(start) :]


def open_spi(data: bytes) -> Opened:
    """Find the signature of an SPI message of any spelling, and what it covers.

    Raises:
        MalformedXml: Not XML that we read.
        SignatureInvalid: Not in the profile's form.
    """
    namespace, header, document = _envelope(parse_xml(data))
    signature = _spi_signature(namespace, header)
    parts = _signature_parts(signature, _SPI_SIGNATURE)
    _detach(signature)
    return Opened(parts, namespace, (canonical(header), canonical(document)))


def open_dict(data: bytes) -> Opened:
    """Find the signature that is the first child of the root, and what it covers.

    Raises:
        MalformedXml: Not XML that we read.
        SignatureInvalid: Not in the profile's form.
    """
    root = parse_xml(data)
    first = root[0] if len(root) else None
    if first is None or first.tag != _SIGNATURE or _count_signatures(root) != 1:
        raise SignatureInvalid("there must be one Signature, first child of the root")
    parts = _signature_parts(first, _DICT_SIGNATURE)
    _detach(first)
    return Opened(parts, etree.QName(root).namespace or "", (canonical(root),))


def verify_parts(data: bytes, verifier: Verifier) -> Parts:
    """Verify an SPI message of any spelling and hand out the parts that were signed.

    Raises:
        MalformedXml: Not XML that we read.
        SignatureInvalid: Not signed by the named sender, or not in the profile's form.
        InvalidMessage: Signed, but the parts are of no schema of ours.
    """
    opened = open_spi(data)
    trusted = _check(opened, verifier)
    signed = opened.parts()
    if trusted.ispb not in (None, signed.sender):
        raise SignatureInvalid(OTHER_SENDER)
    return signed


def read_parts(data: bytes) -> Parts:
    """Read the parts of an unsigned message (`Sgntr` empty)."""
    namespace, header, document = _envelope(parse_xml(data))
    return _parts(namespace, canonical(header), canonical(document))


def unsigned_parts(data: bytes) -> tuple[etree._Element, etree._Element, etree._Element]:
    """AppHdr and Document of a message that is not signed yet, and the empty place in AppHdr.

    Raises:
        MalformedXml: Not XML that we read.
        InvalidMessage: Not of that form, or signed already.
    """
    try:
        namespace, header, document = _envelope(parse_xml(data))
    except SignatureInvalid as error:
        raise InvalidMessage("Envelope", error.problem) from None
    places = header.findall(f"{{{namespace}}}Sgntr")
    if len(places) != 1 or len(places[0]) or (places[0].text or "").strip(_WHITE):
        raise InvalidMessage("AppHdr/Sgntr", "must be there once, and empty")
    places[0].text = None
    return header, document, places[0]


def verify_root(data: bytes, verifier: Verifier, ispb: str | None) -> etree._Element:
    """Verify XML whose first child is its signature; return the signed root without it."""
    opened = open_dict(data)
    trusted = _check(opened, verifier)
    if ispb is not None and trusted.ispb not in (None, ispb):
        raise SignatureInvalid(OTHER_SENDER)
    return parse_xml(opened.octets[0])


def _leaf_text(name: str, text: str) -> str:
    if name in _BASE64_PARTS:
        return "".join(text.split())  # writers break Base64 into lines
    if name == "Sgntr" and not text.strip(_WHITE):
        return ""  # the space that stood around the signature
    return text


def _envelope(root: etree._Element) -> tuple[str, etree._Element, etree._Element]:
    namespace = etree.QName(root).namespace or ""
    tags = [child.tag for child in root]
    expected = [f"{{{namespace}}}{name}" for name in _PARTS_NAMES]
    if root.tag != f"{{{namespace}}}Envelope" or not namespace or tags != expected or root.attrib:
        raise SignatureInvalid("the message must be Envelope(AppHdr, Document)")
    if (root.text or "").strip(_WHITE) or any((part.tail or "").strip(_WHITE) for part in root):
        raise SignatureInvalid("the message holds text that nobody signed")
    return namespace, root[0], root[1]


def _spi_signature(namespace: str, header: etree._Element) -> etree._Element:
    places = header.findall(f"{{{namespace}}}Sgntr")
    if len(places) != 1 or [child.tag for child in places[0]] != [_SIGNATURE]:
        raise SignatureInvalid("AppHdr/Sgntr must hold one Signature")
    if _count_signatures(header.getroottree().getroot()) != 1:
        raise SignatureInvalid("there must be one Signature")
    return places[0][0]


def _count_signatures(root: etree._Element) -> int:
    return sum(1 for _ in root.iter(_SIGNATURE))


def _signature_parts(signature: etree._Element, shape: re.Pattern[str]) -> SignatureParts:
    """Read a Signature that has exactly the shape of the profile."""
    if sum(1 for _ in signature.iter()) > _SIGNATURE_ELEMENTS_MAX:
        raise SignatureInvalid("the Signature is not of the profile")
    try:
        flat = flatten(signature, DS, "ds:")
    except InvalidMessage:
        raise SignatureInvalid("the Signature is not of the profile") from None
    start = len("<ds:Signature")
    found = shape.fullmatch(f'{flat[:start]} xmlns:ds="{DS}"{flat[start:]}')
    if found is None:
        raise SignatureInvalid("the Signature is not of the profile")
    _, *digests, value, _, issuer, serial = found.groups()
    return SignatureParts(
        signed_info=canonical(signature[0]),
        digests=tuple(digests),
        value=value,
        issuer=unescape(issuer, "X509IssuerName"),
        serial=serial,
        key_info=canonical(signature[2]),
    )


def _detach(signature: etree._Element) -> None:
    """Take the signature out and leave the text around it: the enveloped-signature transform."""
    parent = signature.getparent()
    assert parent is not None  # callers found it below the root
    assert parent[0] is signature  # so the text before it is the parent's
    parent.text = (parent.text or "") + (signature.tail or "")
    signature.tail = None
    parent.remove(signature)


def _check(opened: Opened, verifier: Verifier) -> Trusted:
    """Check every digest and the signature; return the certificate that signed."""
    parts = opened.signature
    if not hmac.compare_digest("".join(opened.digests()), "".join(parts.digests)):
        raise SignatureInvalid("a digest differs")
    trusted = verifier.find(parts.issuer, parts.serial)
    if not trusted.verify(parts.signed_info, parts.value):
        raise SignatureInvalid("the signature does not verify")
    return trusted


def _parts(namespace: str, header: bytes, document: bytes) -> Parts:
    return Parts(
        namespace,
        flatten(parse_xml(header), namespace),
        flatten(parse_xml(document), namespace),
    )
