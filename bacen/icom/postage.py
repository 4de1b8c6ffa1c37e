"""What the bytes of a message say about its carriage: which channel it takes and what it costs.

Nothing is parsed or verified: the sender pays before anybody looks inside, and the bank has to ask
its price of what may be no message at all. Whoever writes a message so that its payments cannot be
counted gets an admi.002 for it.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from bacen import TOKEN_MILLI

REPORT_COST_MILLI = 200  # a report in a pacs.002, Manual das Interfaces 1.12
HEAD_BYTES = 512  # the namespace stands on the first tag

_KIND = re.compile(rb"https://www\.bcb\.gov\.br/pi/([a-z]{4}\.[0-9]{3})/")
_SCHEDULED = b"<Prtry>PAGAGD</Prtry>"  # no other field has this value and this name


class ChannelName(StrEnum):
    """The two channels of ICOM (Manual das Interfaces 1.12).

    Attributes:
        PRIMARY: Immediate payments, returns, and everything about them.
        SECONDARY: Scheduled payments and reports of internal ones (trck.002), gzip both ways.
    """

    PRIMARY = "primary"
    SECONDARY = "secondary"


def kind_of(message: bytes) -> str:
    """Kind of a message by its namespace, such as `pacs.008`; empty when there is none."""
    found = _KIND.search(message, 0, HEAD_BYTES)
    return "" if found is None else found[1].decode("ascii")


def channel_of(message: bytes) -> ChannelName:
    """Tell the channel a message belongs on: the secondary for PAGAGD and trck.002 alone."""
    kind = kind_of(message)
    if kind == "trck.002" or (kind == "pacs.008" and _SCHEDULED in message):
        return ChannelName.SECONDARY
    return ChannelName.PRIMARY


def cost_milli(message: bytes) -> int:
    """Price of sending a message, in thousandths of a token (Manual das Interfaces 1.12)."""
    match kind_of(message):
        case "pacs.008":
            return max(1, message.count(b"</CdtTrfTxInf>")) * TOKEN_MILLI
        case "pacs.002":
            return max(1, message.count(b"</TxInfAndSts>")) * REPORT_COST_MILLI
        case _:
            return TOKEN_MILLI


def costs_milli(messages: Iterable[bytes]) -> tuple[int, int]:
    """Price of one POST: of all its messages but trck.002, and of its trck.002."""
    ordinary_milli = internal_milli = 0
    for message in messages:
        if kind_of(message) == "trck.002":
            internal_milli += cost_milli(message)
        else:
            ordinary_milli += cost_milli(message)
    return ordinary_milli, internal_milli
