"""Text of a pacs.002 document: `pacs.002.spi.1.17`, BCB catalogue 5.13."""

import re

from bacen import InvalidMessage
from bacen.wire.fields import escape, instant_to_text, text_to_day, text_to_instant, unescape
from bacen.wire.grammar import TEXT, element, nested, optional
from bacen.wire.header import Header, read_repeated
from bacen.wire.messages import Pacs002, StatusReport

DEFINITION = "pacs.002.spi.1.17"
NAMESPACE = "https://www.bcb.gov.br/pi/pacs.002/1.17"

_PLAIN = r"[^<>\r]*"  # inside a repeated part nothing is captured
_REASON = element(
    "StsRsnInf",
    optional(nested("Rsn/Cd", _PLAIN)),
    f"(?:{element('AddtlInf', _PLAIN)})*",
)
_REASON_CODE = re.compile(nested("Rsn/Cd"))
_ADDITIONAL = re.compile(element("AddtlInf", TEXT))
_REPORT = re.compile(
    element(
        "TxInfAndSts",
        element("OrgnlInstrId", TEXT),
        element("OrgnlEndToEndId", TEXT),
        element("TxSts", TEXT),
        f"((?:{_REASON})*)",
        optional(nested("FctvIntrBkSttlmDt/DtTm")),
        optional(nested("OrgnlTxRef/IntrBkSttlmDt")),
    )
)
_START = re.compile(
    "<Document><FIToFIPmtStsRpt>"
    + element("GrpHdr", element("MsgId", TEXT), element("CreDtTm", TEXT))
)
_END = "</FIToFIPmtStsRpt></Document>"


def write(message: Pacs002, created: str) -> str:
    """Write the Document element without its namespace; `created` is `CreDt` as text."""
    return (
        "<Document><FIToFIPmtStsRpt><GrpHdr>"
        f"<MsgId>{message.message_id}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>"
        f"{''.join(map(_report, message.reports))}{_END}"
    )


def read(header: Header, document: str) -> Pacs002:
    """Read the canonical Document element, its namespace removed.

    Raises:
        InvalidMessage: It does not follow the schema.
    """
    start = _START.match(document)
    if start is None:
        raise InvalidMessage("Document/FIToFIPmtStsRpt/GrpHdr", "does not follow the schema")
    message_id, created = start.groups()
    header.require_same(message_id, created)
    return Pacs002(
        sender=header.sender,
        receiver=header.receiver,
        message_id=message_id,
        created_at=header.created_at,
        reports=read_repeated(document, start.end(), _REPORT, _read_report, _END),
    )


def _report(report: StatusReport) -> str:
    settled, day = report.settled_at, report.settlement_date
    reasons = _reasons(report) if report.reasons or report.additional else ""
    effective = (
        ""
        if settled is None
        else f"<FctvIntrBkSttlmDt><DtTm>{instant_to_text(settled)}</DtTm></FctvIntrBkSttlmDt>"
    )
    reference = (
        ""
        if day is None
        else f"<OrgnlTxRef><IntrBkSttlmDt>{day.isoformat()}</IntrBkSttlmDt></OrgnlTxRef>"
    )
    return (
        f"<TxInfAndSts><OrgnlInstrId>{report.original_instruction_id}</OrgnlInstrId>"
        f"<OrgnlEndToEndId>{report.end_to_end_id}</OrgnlEndToEndId>"
        f"<TxSts>{report.status}</TxSts>{reasons}{effective}{reference}</TxInfAndSts>"
    )


def _reasons(report: StatusReport) -> str:
    """All additional texts go with the first reason, or alone where there is none."""
    codes = [f"<Rsn><Cd>{code}</Cd></Rsn>" for code in report.reasons] or [""]
    codes[0] += "".join(f"<AddtlInf>{escape(text)}</AddtlInf>" for text in report.additional)
    return "".join(f"<StsRsnInf>{code}</StsRsnInf>" for code in codes)


def _read_report(found: re.Match[str]) -> StatusReport:
    instruction, end_to_end_id, status, reasons, settled, day = found.groups()
    return StatusReport(
        original_instruction_id=instruction,
        end_to_end_id=end_to_end_id,
        status=status,
        reasons=tuple(_REASON_CODE.findall(reasons)) if reasons else (),
        additional=_read_additional(reasons) if reasons else (),
        settled_at=None if settled is None else text_to_instant(settled, "settled_at"),
        settlement_date=None if day is None else text_to_day(day, "settlement_date"),
    )


def _read_additional(reasons: str) -> tuple[str, ...]:
    return tuple(unescape(text, "additional") for text in _ADDITIONAL.findall(reasons))
