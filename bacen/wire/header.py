"""Business application header (`AppHdr`, head.001.001.01) and what every document shares."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from bacen import InvalidMessage
from bacen.wire.fields import instant_to_text, text_to_instant
from bacen.wire.grammar import element, nested
from bacen.wire.part import Message

_PARTY = "FIId/FinInstnId/Othr/Id"

# Without the signature; the patterns admit nothing that canonical text would write otherwise.
HEADER = (
    nested(f"Fr/{_PARTY}", "([0-9A-Z]{8})")
    + nested(f"To/{_PARTY}", "([0-9A-Z]{8})")
    + element("BizMsgIdr", "(M[0-9A-Z]{8}[a-zA-Z0-9]{23})")
    + element("MsgDefIdr", r"([a-zA-Z0-9.]{1,35})")
    + element("CreDt", "([0-9T:.Z-]{24})")
)
_HEADER = re.compile(f"<AppHdr>{HEADER}<Sgntr></Sgntr></AppHdr>")

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Header:
    """What AppHdr says: two ISPBs, the id, the kind and the time of the message."""

    sender: str
    receiver: str
    message_id: str
    definition: str
    created_at: datetime

    def fields(self) -> dict[str, Any]:
        """Fields that every message has."""
        return {
            "sender": self.sender,
            "receiver": self.receiver,
            "message_id": self.message_id,
            "created_at": self.created_at,
        }

    def require_same(self, message_id: str, created: str) -> None:
        """Refuse a group header that names another message (`MsgId` equals `BizMsgIdr`)."""
        if message_id != self.message_id:
            raise InvalidMessage("GrpHdr/MsgId", "differs from BizMsgIdr")
        text_to_instant(created, "GrpHdr/CreDtTm")


def write_header(message: Message, definition: str, created: str) -> str:
    """Write the content of AppHdr up to its signature."""
    return (
        f"<Fr><FIId><FinInstnId><Othr><Id>{message.sender}</Id></Othr></FinInstnId></FIId></Fr>"
        f"<To><FIId><FinInstnId><Othr><Id>{message.receiver}</Id></Othr></FinInstnId></FIId></To>"
        f"<BizMsgIdr>{message.message_id}</BizMsgIdr><MsgDefIdr>{definition}</MsgDefIdr>"
        f"<CreDt>{created}</CreDt>"
    )


def read_header(text: str) -> Header:
    """Read canonical AppHdr, its namespace and signature removed.

    Raises:
        InvalidMessage: It does not follow the schema.
    """
    found = _HEADER.fullmatch(text)
    if found is None:
        raise InvalidMessage("AppHdr", "does not follow the schema")
    return header_of(*found.groups())


def header_of(sender: str, receiver: str, message_id: str, definition: str, created: str) -> Header:
    """Build the header out of the groups of `HEADER`.

    Raises:
        InvalidMessage: `CreDt` is no time.
    """
    return Header(sender, receiver, message_id, definition, text_to_instant(created, "CreDt"))


def read_repeated(
    document: str,
    start: int,
    pattern: re.Pattern[str],
    read: Callable[[re.Match[str]], Part],
    end: str,
) -> tuple[Part, ...]:
    """Read the parts that follow each other from `start` until nothing but `end` is left.

    Raises:
        InvalidMessage: Something else stands between; the path says which part it was.
    """
    parts: list[Part] = []
    match = pattern.match
    try:
        while (found := match(document, start)) is not None:
            parts.append(read(found))
            start = found.end()
    except InvalidMessage as error:
        raise InvalidMessage(f"Document/*[{len(parts) + 1}]/{error.path}", error.problem) from None
    if start + len(end) != len(document) or not document.endswith(end):
        raise InvalidMessage(f"Document/*[{len(parts) + 1}]", "does not follow the schema")
    return tuple(parts)


def created_text(message: Message) -> str:
    """`CreDt` of a message as text."""
    return instant_to_text(message.created_at)
