"""Payments that do not pass the SPI, and its receipt for them: trck.002 1.1, camt.025 1.0.

No official schema at hand: they follow reconstructions from a public implementation of catalogue
5.13.
"""

from datetime import datetime
from typing import Annotated

from bacen.wire import fields
from bacen.wire.layout import Layout
from bacen.wire.messages import AccountId
from bacen.wire.part import At, Message, Part
from bacen.wire.schema import table_of

_TRANSFERS = "TrckrStsAndTx/Tx"
_MEMBER = "FinInstnId/ClrSysMmbId/MmbId"


class BookTransfer(Part, frozen=True, kw_only=True):
    """A payment or return that was settled without the SPI (`Tx`).

    Attributes:
        end_to_end_id: Of the (returned) payment.
        local_instrument: How it was initiated.
        scenario: `BOK1` one participant on both sides, `BOK2` two.
        amount_cents: Centavos from 0.
        settled_at: When the participant settled it.
        debtor_tax_id: CPF or CNPJ, as `creditor_tax_id`.
        debtor_account: Account of the payer, as `creditor_account` of the receiver.
        debtor_ispb: PSP of the payer, as `creditor_ispb` of the receiver.
        creditor_key: Pix key; compulsory for some local instruments, forbidden for others.
        return_id: RtrId, where it is a return.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    end_to_end_id: Annotated[str, At("PmtId/EndToEndId")]
    local_instrument: Annotated[str, At("PmtTpInf/LclInstrm/Prtry")]
    scenario: Annotated[str, At("PmtScnro/Prtry")]
    amount_cents: Annotated[int, At("IntrBkSttlmAmt")]
    settled_at: Annotated[datetime, At("ReqdExctnDt/DtTm")]
    debtor_tax_id: Annotated[str, At("Dbtr/Pty/Id/PrvtId/Othr/Id")]
    debtor_account: Annotated[AccountId, At("DbtrAcct")]
    debtor_ispb: Annotated[str, At(f"DbtrAgt/{_MEMBER}")]
    creditor_ispb: Annotated[str, At(f"CdtrAgt/{_MEMBER}")]
    creditor_tax_id: Annotated[str, At("Cdtr/Pty/Id/PrvtId/Othr/Id")]
    creditor_account: Annotated[AccountId, At("CdtrAcct")]
    creditor_key: Annotated[str | None, At("CdtrAcct/Prxy/Id")] = None
    return_id: Annotated[str | None, At("PmtId/InstrId")] = None


class Trck002(Message, frozen=True, kw_only=True):
    """Report of payments settled without the SPI, participant to SPI (`trck.002.spi.1.1`).

    Attributes:
        transfers: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    transfers: Annotated[tuple[BookTransfer, ...], At(_TRANSFERS)]


class Receipt(Part, frozen=True, kw_only=True):
    """What became of one reported payment (`RctDtls`).

    Attributes:
        original_message_id: `message_id` of the trck.002.
        original_id: EndToEndId of the payment, or RtrId of the return.
        status: `ACPT` or `RJCT`.
        reason: Of a rejection: AG01, AM01, AM18, DT02, ED05, FF08, RC09, RC10.
        text: 1 to 105 characters about the reason; only with one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    original_message_id: Annotated[str, At("OrgnlMsgId/MsgId")]
    original_id: Annotated[str, At("OrgnlPmtId/PrtryId", fields.INSTRUCTION_ID)]
    status: Annotated[str, At("ReqHdlg/Sts/Cd")]
    reason: Annotated[str | None, At("ReqHdlg/StsRsn/Rsn/Prtry")] = None
    text: Annotated[str | None, At("ReqHdlg/StsRsn/AddtlInf")] = None


class Camt025(Message, frozen=True, kw_only=True):
    """Receipt for reported payments, SPI to participant (`camt.025.spi.1.0`).

    Attributes:
        receipts: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    receipts: Annotated[tuple[Receipt, ...], At("RctDtls")]


LAYOUTS = tuple(
    Layout(kind, name, table_of(name))
    for kind, name in (
        (Trck002, "trck.002.spi.1.1"),
        (Camt025, "camt.025.spi.1.0"),
    )
)
