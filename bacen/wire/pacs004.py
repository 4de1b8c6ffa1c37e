"""Text of a pacs.004 document: `pacs.004.spi.1.5`.

The bank's own schema was not at hand: order, cardinality and lengths follow a reconstruction
from a public implementation of catalogue 5.13.
"""

import re

from bacen import InvalidMessage
from bacen.wire.fields import cents_to_text, escape, text_to_cents, text_to_count, unescape
from bacen.wire.grammar import TEXT, element, nested, optional
from bacen.wire.header import Header, read_repeated
from bacen.wire.requests import Pacs004, PaymentReturn

DEFINITION = "pacs.004.spi.1.5"
NAMESPACE = "https://www.bcb.gov.br/pi/pacs.004/1.5"

_AMOUNT = 'Ccy="BRL"'
_RETURN = re.compile(
    element(
        "TxInf",
        element("RtrId", TEXT),
        element("OrgnlEndToEndId", TEXT),
        element("RtrdIntrBkSttlmAmt", TEXT, attributes=" " + _AMOUNT),
        element("SttlmPrty", TEXT),
        element("ChrgBr", "SLEV"),
        element("RtrRsnInf", nested("Rsn/Cd"), optional(element("AddtlInf", TEXT))),
        element(
            "OrgnlTxRef",
            optional(nested("RmtInf/Ustrd")),
            nested("DbtrAgt/FinInstnId/ClrSysMmbId/MmbId"),
            nested("CdtrAgt/FinInstnId/ClrSysMmbId/MmbId"),
        ),
    )
)
_START = re.compile(
    "<Document><PmtRtr>"
    + element(
        "GrpHdr",
        element("MsgId", TEXT),
        element("CreDtTm", TEXT),
        element("NbOfTxs", TEXT),
        nested("SttlmInf/SttlmMtd", "CLRG"),
    )
)
_END = "</PmtRtr></Document>"


def write(message: Pacs004, created: str) -> str:
    """Write the Document element without its namespace; `created` is `CreDt` as text."""
    count = message.declared_count
    return (
        "<Document><PmtRtr><GrpHdr>"
        f"<MsgId>{message.message_id}</MsgId><CreDtTm>{created}</CreDtTm>"
        f"<NbOfTxs>{len(message.returns) if count is None else count}</NbOfTxs>"
        "<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>"
        f"{''.join(map(_return, message.returns))}{_END}"
    )


def read(header: Header, document: str) -> Pacs004:
    """Read the canonical Document element, its namespace removed.

    Raises:
        InvalidMessage: It does not follow the schema.
    """
    start = _START.match(document)
    if start is None:
        raise InvalidMessage("Document/PmtRtr/GrpHdr", "does not follow the schema")
    message_id, created, count = start.groups()
    header.require_same(message_id, created)
    declared = text_to_count(count, "NbOfTxs")
    returns = read_repeated(document, start.end(), _RETURN, _read_return, _END)
    return Pacs004(
        sender=header.sender,
        receiver=header.receiver,
        message_id=message_id,
        created_at=header.created_at,
        returns=returns,
        declared_count=None if declared == len(returns) else declared,
    )


def _return(each: PaymentReturn) -> str:
    more = "" if each.additional is None else f"<AddtlInf>{escape(each.additional)}</AddtlInf>"
    free = each.remittance
    return (
        f"<TxInf><RtrId>{each.return_id}</RtrId>"
        f"<OrgnlEndToEndId>{each.end_to_end_id}</OrgnlEndToEndId>"
        f"<RtrdIntrBkSttlmAmt {_AMOUNT}>{cents_to_text(each.amount_cents)}</RtrdIntrBkSttlmAmt>"
        f"<SttlmPrty>{each.priority}</SttlmPrty><ChrgBr>SLEV</ChrgBr>"
        f"<RtrRsnInf><Rsn><Cd>{each.reason}</Cd></Rsn>{more}</RtrRsnInf><OrgnlTxRef>"
        f"{'' if free is None else f'<RmtInf><Ustrd>{escape(free)}</Ustrd></RmtInf>'}"
        "<DbtrAgt><FinInstnId><ClrSysMmbId>"
        f"<MmbId>{each.debtor_ispb}</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>"
        "<CdtrAgt><FinInstnId><ClrSysMmbId>"
        f"<MmbId>{each.creditor_ispb}</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt>"
        "</OrgnlTxRef></TxInf>"
    )


def _read_return(found: re.Match[str]) -> PaymentReturn:
    return_id, end_to_end_id, amount, priority, reason, more, free, debtor, creditor = (
        found.groups()
    )
    return PaymentReturn(
        return_id=return_id,
        end_to_end_id=end_to_end_id,
        amount_cents=text_to_cents(amount),
        reason=reason,
        debtor_ispb=debtor,
        creditor_ispb=creditor,
        priority=priority,
        additional=None if more is None else unescape(more, "additional"),
        remittance=None if free is None else unescape(free, "remittance"),
    )
