"""A message of the SFN as a document: UTF-16BE text, fields by their tags (catalogue 5.11).

The real network wraps each document in a security header and carries it over message queues; here
the document travels alone over TLS. Values stay the texts that they are on the wire; what a field
means is for whoever acts upon it.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec
from lxml import etree

from bacen import InvalidMessage, MalformedXml, StrRefused
from bacen.str.tables import MESSAGES, REFUSABLE, event_of, fields_of, namespace_of, schemas
from bacen.wire import parse_xml, text_to_cents
from bacen.wire.schema import SchemaViolation, judge_element

STR_ISPB: Final = "00038166"
DOMAIN: Final = "SPB01"
ENCODING: Final = "utf-16-be"
MESSAGE_BYTES_MAX: Final = 2 * (2_768 + 30_000 + 1_048_576)
"""BCMSG, SISMSG and USERMSG at their longest, two bytes a character."""

_MARK: Final = b"\xfe\xff"
_PADDING: Final = b"\0\0"
_ODD: Final = re.compile(r"[^\t\n\r -~\x85\xa0-\xff]")
_DECLARATION: Final = re.compile(r"\s*<\?xml[^>]*\?>")


class StrMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message.

    Attributes:
        code: `CodMsg`: `LPI0001`, `LPI0001R1`, `LPI0001E`.
        sender: ISPB.
        receiver: ISPB.
        operation: `NUOp`, 23 characters; the answers to a message carry its own.
        fields: Texts by tag, a group's as `Group/tag`; without `CodMsg`.
        errors: Of a refused message: error code by tag, under "" where it is the whole message's.
        user_text: `USERMSG`; a request's comes back in its R2.
    """

    code: str
    sender: str
    receiver: str
    operation: str
    fields: Mapping[str, str]
    errors: Mapping[str, str] = {}
    user_text: str | None = None

    @property
    def amount_cents(self) -> int:
        """`VlrLanc` in centavos.

        Raises:
            InvalidMessage: It has none, or one below zero.
        """
        whole, _, part = self.fields.get("VlrLanc", "").strip().partition(".")
        return text_to_cents(f"{whole}.{part:0<2}")

    def refused(self, errors: Mapping[str, str]) -> "StrMessage":
        """The message as it goes back, with the codes of what is wrong in it."""
        return msgspec.structs.replace(
            self,
            code=f"{event_of(self.code)}E",
            sender=self.receiver,
            receiver=self.sender,
            errors=errors,
        )


def operation_number(ispb: str, day: date, sequence: int) -> str:
    """Make a `NUOp` of the domains other than SPB02: sender, day, and a number of seven digits."""
    return f"{ispb}{day:%Y%m%d}{sequence:07d}"


def control_number(day: date, sequence: int) -> str:
    """Make a `NumCtrlSTR`: the system, the day, and a number of nine digits."""
    return f"STR{day:%Y%m%d}{sequence:09d}"


def write_message(message: StrMessage) -> bytes:
    """Write a message as UTF-16BE without a byte order mark.

    Raises:
        InvalidMessage: It breaks its schema.
    """
    namespace = namespace_of(message.code)
    known = message.code in MESSAGES or (
        message.code.endswith("E") and event_of(message.code) in REFUSABLE
    )
    if not known:
        raise InvalidMessage("CodMsg", "is not known here")
    nsmap = {None: namespace}
    root = etree.Element(
        f"{{{namespace}}}DOC",
        nsmap=nsmap,  # type: ignore[arg-type] # the stubs forget the default namespace
    )
    control = _add(root, "BCMSG")
    _add(control, "IdentdEmissor", message.sender)
    _add(control, "IdentdDestinatario", message.receiver)
    _add(control, "DomSist", DOMAIN)
    _add(control, "NUOp", message.operation)
    is_refused = message.code.endswith("E")
    name = event_of(message.code) if is_refused else message.code
    body = _add(_add(root, "SISMSG"), name)
    _mark(body, message, "")
    _add(body, "CodMsg", message.code)
    for path in fields_of(message.code):
        if path in message.fields:
            _write_field(body, message, path)
    if message.user_text is not None:
        _add(root, "USERMSG", message.user_text)
    _require_valid(root)
    text = etree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0"?>{text}'.encode(ENCODING)


def read_message(data: bytes) -> StrMessage:
    """Read a message; nothing about its sender is believed.

    Args:
        data: UTF-16BE, with or without a byte order mark and padding of zeros.

    Raises:
        StrRefused: It cannot be taken; the code is that of a GEN0004.
    """
    root = _parse(_text(data))
    namespace, _, local = str(root.tag).removeprefix("{").rpartition("}")
    schema = schemas().get(namespace)
    if schema is None:
        raise StrRefused("EGEN0035", "namespace is not known here")
    if local != "DOC":
        raise StrRefused("EGEN0001", "root must be DOC")
    found = judge_element(root, schema)
    if found:
        raise StrRefused(_code_of(found[0]), f"{found[0].path} {found[0].text}")
    message = _read(root)
    sender, number = message.sender, message.operation
    if not number.startswith(sender) and message.code in REFUSABLE:
        raise StrRefused("EGEN0012", "NUOp is not the sender's", number)
    try:
        date.fromisoformat(f"{number[8:12]}-{number[12:14]}-{number[14:16]}")
    except ValueError:
        raise StrRefused("EGEN0013", "NUOp names no day", number) from None
    return message


def _text(data: bytes) -> str:
    if len(data) > MESSAGE_BYTES_MAX:
        raise StrRefused("EGEN0081", "is too long")
    octets = data.removeprefix(_MARK)
    while octets.endswith(_PADDING):
        octets = octets[:-2]
    try:
        text = octets.decode(ENCODING)
    except UnicodeDecodeError:
        raise StrRefused("EGEN0034", "must be UTF-16BE") from None
    if not text.lstrip().startswith("<"):
        raise StrRefused("EGEN0034", "must be UTF-16BE")
    if _ODD.search(text) is not None:
        raise StrRefused("EGEN0061", "holds a character that the network does not carry")
    declaration = _DECLARATION.match(text)  # at the start only: a search is quadratic in spaces
    return text if declaration is None else text[declaration.end() :]


def _parse(text: str) -> etree._Element:
    try:
        root = parse_xml(text.encode())
    except MalformedXml as error:
        raise StrRefused("EGEN0001", str(error)) from None
    # The text around a comment is one text, as in a schema.
    etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    return root


def _read(root: etree._Element) -> StrMessage:
    control, system = root[0], root[1]
    body = system[0]
    code = body.findtext("{*}CodMsg") or ""
    values, errors = {}, {}
    for element in (body, *body.iterdescendants()):
        path = _path_in(body, element)
        mark = element.get("CodErro")
        if mark is not None:
            errors[path] = mark
        if len(element) == 0 and path not in ("", "CodMsg"):
            values[path] = (element.text or "").strip()
    return StrMessage(
        code=code,
        sender=control.findtext("{*}IdentdEmissor") or "",
        receiver=control.findtext("{*}IdentdDestinatario") or "",
        operation=control.findtext("{*}NUOp") or "",
        fields=values,
        errors=errors,
        user_text=root.findtext("{*}USERMSG"),
    )


def _path_in(body: etree._Element, element: etree._Element) -> str:
    names: list[str] = []
    current: etree._Element | None = element
    while current is not None and current is not body:
        names.insert(0, etree.QName(current).localname)
        current = current.getparent()
    return "/".join(names)


def _write_field(body: etree._Element, message: StrMessage, path: str) -> None:
    group, _, name = path.rpartition("/")
    parent = body
    if group:
        found = body.find(f"{{*}}{group}")
        parent = found if found is not None else _add(body, group)
        _mark(parent, message, group)
    _mark(_add(parent, name, message.fields[path]), message, path)


def _mark(element: etree._Element, message: StrMessage, path: str) -> None:
    if path in message.errors:
        element.set("CodErro", message.errors[path])


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    try:
        child.text = text
    except ValueError:
        raise InvalidMessage(name, "holds a character that XML forbids") from None
    return child


def _require_valid(root: etree._Element) -> None:
    found = judge_element(root, schemas()[etree.QName(root).namespace or ""])
    if found:
        raise InvalidMessage(found[0].path, found[0].text)
    if any(_ODD.search(str(text)) for text in root.itertext()):
        raise InvalidMessage("DOC", "holds a character that the network does not carry")


def _code_of(violation: SchemaViolation) -> str:
    if violation.rule not in ("missing_element", "unexpected_element"):
        return "EGEN0043"
    *_, name, tag = violation.path.split("/")
    known = (
        {part for path in fields_of(name) for part in path.split("/")} if name in MESSAGES else ()
    )
    # A known tag where it does not belong: the one before it is missing.
    is_foreign = violation.rule == "unexpected_element" and tag not in known
    return "EGEN0018" if is_foreign else "EGEN0017"
