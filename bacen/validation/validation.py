"""What is wrong with a message, in the order in which the bank looks."""

import re
from enum import Enum
from itertools import islice
from typing import Final

import msgspec
from lxml import etree

from bacen import InvalidMessage, MalformedXml, SignatureInvalid, UnknownMessage, WireError
from bacen.validation.findings import broken_rules
from bacen.wire import Verifier, check_signature, parse_xml, read_unsigned
from bacen.wire.schema import VIOLATIONS_MAX, SchemaViolation, examine

HEADER: Final = "/Envelope/AppHdr"
_SIGNATURE: Final = f"{HEADER}/Sgntr"
_NUMBERED = re.compile(r"Document/\*\[([0-9]+)\]/?(.*)")
# Where a message repeats BizMsgIdr.
_OWN_IDS: Final = ("GrpHdr/MsgId", "MsgHdr/MsgId", "Assgnmt/Id")


class Signature(Enum):
    """What is known of the signature.

    `UNVERIFIED` means that nobody looked: no certificate was given, or the schema failed.
    """

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    INVALID = "invalid"


class Validation(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        message: Kind and version, such as `pacs.008.spi.1.16`; None where no schema has the root.
        valid: Nothing was found against it.
        signature: Whether a trusted certificate signed it.
        violations: What is wrong, at most 100 of each kind, in the order of looking.
    """

    message: str | None
    valid: bool
    signature: Signature
    violations: tuple[SchemaViolation, ...]


def validate(
    xml: bytes, verifier: Verifier | None = None, *, schema_only: bool = False
) -> Validation:
    """Find what is wrong with a message.

    The schema first; a message that breaks it is not looked at further. Then the encoding and the
    header, the signature where a verifier is given, and the rules of the catalogue that need
    neither accounts nor a clock. Raises nothing.

    Args:
        xml: The message as it came.
        verifier: Whose signatures count.
        schema_only: Stop after the schema.
    """
    message, violations = examine(xml)
    if violations or schema_only:
        return Validation(message, not violations, Signature.UNVERIFIED, tuple(violations))
    try:
        root = parse_xml(xml)
    except MalformedXml as error:
        refused = SchemaViolation("/", "encoding", error.problem)
        return Validation(message, False, Signature.UNVERIFIED, (refused,))
    if etree.QName(root).localname != "Envelope":
        refused = SchemaViolation("/", "envelope", "a message must be an Envelope")
        return Validation(message, False, Signature.UNVERIFIED, (refused,))
    signature, unsigned = _signature(xml, verifier)
    found = unsigned + (_header(root, message or "") or _content(root))
    return Validation(message, not found, signature, found)


def _signature(
    xml: bytes, verifier: Verifier | None
) -> tuple[Signature, tuple[SchemaViolation, ...]]:
    if verifier is None:
        return Signature.UNVERIFIED, ()
    try:
        check_signature(xml, verifier)
    except SignatureInvalid as error:
        refused = SchemaViolation(_SIGNATURE, "signature", error.problem)
        return Signature.INVALID, (refused,)
    except InvalidMessage:
        return Signature.VERIFIED, ()  # signed; what is wrong with the content is found there
    except WireError as error:
        return Signature.INVALID, (SchemaViolation("/Envelope", "form", str(error)),)
    return Signature.VERIFIED, ()


def _header(root: etree._Element, message: str) -> tuple[SchemaViolation, ...]:
    """Check what the header says against the message that it stands on."""
    header = root[0]
    found: list[SchemaViolation] = []
    definition, own_id = header.findtext("{*}MsgDefIdr"), header.findtext("{*}BizMsgIdr")
    if definition != message:
        text = f"must be {message}, as the namespace says"
        found.append(SchemaViolation(f"{HEADER}/MsgDefIdr", "definition", text))
    document = root[1][0]
    for own in _OWN_IDS:
        for place in document.findall("/".join(f"{{*}}{name}" for name in own.split("/"))):
            if place.text != own_id:
                path = f"/Envelope/Document/{etree.QName(document).localname}/{own}"
                text = "must be the same as BizMsgIdr"
                found.append(SchemaViolation(path, "message_id", text))
    return tuple(found)


def _content(root: etree._Element) -> tuple[SchemaViolation, ...]:
    """Read the message as the platform does, and judge it by the rules beyond the schema."""
    for place in root[0].findall("{*}Sgntr"):
        place.clear()
    try:
        message = read_unsigned(etree.tostring(root))
    except UnknownMessage:
        return ()  # judged by its schema; its content is read by nobody here
    except InvalidMessage as error:
        return (SchemaViolation(_place(error.path), "content", error.problem),)
    except WireError as error:
        return (SchemaViolation("/Envelope", "form", str(error)),)
    return tuple(
        SchemaViolation(
            f"/Envelope/Document/{each.path}",
            "business",
            each.rule.text,
            each.rule.code,
            each.rule.name,
        )
        for each in islice(broken_rules(message), VIOLATIONS_MAX)
    )


def _place(path: str) -> str:
    """Turn the reader's path into that of an element, as near as it knows it."""
    numbered = _NUMBERED.fullmatch(path)
    if numbered is not None:
        return f"/Envelope/Document/*/*[{int(numbered[1]) + 1}]/{numbered[2]}".rstrip("/")
    return f"/Envelope/{path}"
