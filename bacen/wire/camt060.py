"""Text of a camt.060 document: `camt.060.spi.1.9`.

The bank's own schema was not at hand: order, cardinality and lengths follow a reconstruction
from a public implementation of catalogue 5.13.
"""

import re

from bacen import InvalidMessage
from bacen.wire.fields import text_to_day, text_to_time, time_to_text
from bacen.wire.grammar import TEXT, element, nested, optional, wrap
from bacen.wire.header import Header
from bacen.wire.requests import Camt060, ReportPeriod

DEFINITION = "camt.060.spi.1.9"
NAMESPACE = "https://www.bcb.gov.br/pi/camt.060/1.9"

_OWNER = "AcctOwnr/Agt/FinInstnId/ClrSysMmbId/MmbId"
_DOCUMENT = re.compile(
    nested(
        "Document/AcctRptgReq",
        element("GrpHdr", element("MsgId", TEXT), element("CreDtTm", TEXT))
        + element(
            "RptgReq",
            optional(element("Id", TEXT)),
            element("ReqdMsgNmId", TEXT),
            nested(_OWNER),
            optional(
                element(
                    "RptgPrd",
                    element("FrToDt", element("FrDt", TEXT), optional(element("ToDt", TEXT))),
                    optional(element("FrToTm", element("FrTm", TEXT), element("ToTm", TEXT))),
                    element("Tp", "ALLL"),
                )
            ),
            optional(nested("ReqdBalTp/CdOrPrtry/Prtry")),
        ),
    )
)


def write(message: Camt060, created: str) -> str:
    """Write the Document element without its namespace; `created` is `CreDt` as text."""
    entry, balance = message.entry_id, message.balance_type
    return (
        "<Document><AcctRptgReq><GrpHdr>"
        f"<MsgId>{message.message_id}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr><RptgReq>"
        f"{'' if entry is None else f'<Id>{entry}</Id>'}"
        f"<ReqdMsgNmId>{message.report}</ReqdMsgNmId>{wrap(_OWNER, message.owner_ispb)}"
        f"{_period(message.period)}"
        f"{'' if balance is None else wrap('ReqdBalTp/CdOrPrtry/Prtry', balance)}"
        "</RptgReq></AcctRptgReq></Document>"
    )


def read(header: Header, document: str) -> Camt060:
    """Read the canonical Document element, its namespace removed.

    Raises:
        InvalidMessage: It does not follow the schema.
    """
    found = _DOCUMENT.fullmatch(document)
    if found is None:
        raise InvalidMessage("Document/AcctRptgReq", "does not follow the schema")
    message_id, created, entry, report, owner, first, last, start, end, balance = found.groups()
    header.require_same(message_id, created)
    return Camt060(
        sender=header.sender,
        receiver=header.receiver,
        message_id=message_id,
        created_at=header.created_at,
        report=report,
        owner_ispb=owner,
        entry_id=entry,
        period=None if first is None else _read_period(first, last, start, end),
        balance_type=balance,
    )


def _period(period: ReportPeriod | None) -> str:
    if period is None:
        return ""
    last = "" if period.last is None else f"<ToDt>{period.last.isoformat()}</ToDt>"
    times = ""
    if period.times is not None:
        start, end = map(time_to_text, period.times)
        times = f"<FrToTm><FrTm>{start}</FrTm><ToTm>{end}</ToTm></FrToTm>"
    return (
        f"<RptgPrd><FrToDt><FrDt>{period.first.isoformat()}</FrDt>{last}</FrToDt>{times}"
        "<Tp>ALLL</Tp></RptgPrd>"
    )


def _read_period(first: str, last: str | None, start: str | None, end: str | None) -> ReportPeriod:
    times = None
    if start is not None and end is not None:
        times = text_to_time(start, "period.times"), text_to_time(end, "period.times")
    return ReportPeriod(
        text_to_day(first, "period.first"),
        None if last is None else text_to_day(last, "period.last"),
        times,
    )
