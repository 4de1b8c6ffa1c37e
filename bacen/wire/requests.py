"""Returns and questions: pacs.004 1.5 and camt.060 1.9.

No official schema at hand: they follow reconstructions from a public implementation of catalogue
5.13.
"""

from datetime import date, time
from typing import Annotated

from bacen.wire import fields
from bacen.wire.layout import Layout
from bacen.wire.part import At, Message, Part
from bacen.wire.schema import table_of

RETURN_REASONS = frozenset({"BE08", "FR01", "MD06", "SL02"})
_MEMBER = "FinInstnId/ClrSysMmbId/MmbId"


class PaymentReturn(Part, frozen=True, kw_only=True):
    """One return of a pacs.004 (`TxInf`).

    Attributes:
        return_id: RtrId: `D`, ISPB of the PSP that returns, UTC minute, 11 characters.
        end_to_end_id: The payment that is returned, wholly or in part.
        amount_cents: Centavos from 0.
        reason: `MD06` receiver's wish, `BE08` and `FR01` MED, `SL02` Saque and Troco.
        debtor_ispb: PSP of the payer of the original payment, as `creditor_ispb` of its receiver:
            a return does not exchange the roles.
        priority: `HIGH` or `NORM`.
        additional: 1 to 105 characters about the reason.
        remittance: Free text, 1 to 140 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    return_id: Annotated[str, At("RtrId")]
    end_to_end_id: Annotated[str, At("OrgnlEndToEndId")]
    amount_cents: Annotated[int, At("RtrdIntrBkSttlmAmt")]
    reason: Annotated[str, At("RtrRsnInf/Rsn/Cd")]
    debtor_ispb: Annotated[str, At(f"OrgnlTxRef/DbtrAgt/{_MEMBER}")]
    creditor_ispb: Annotated[str, At(f"OrgnlTxRef/CdtrAgt/{_MEMBER}")]
    priority: Annotated[str, At("SttlmPrty")] = "HIGH"
    additional: Annotated[str | None, At("RtrRsnInf/AddtlInf")] = None
    remittance: Annotated[str | None, At("OrgnlTxRef/RmtInf/Ustrd")] = None


class Pacs004(Message, frozen=True, kw_only=True):
    """Returns, receiver to SPI to payer (`pacs.004.spi.1.5`).

    Attributes:
        returns: At least one.
        declared_count: `NbOfTxs` where it differs from the number of returns (AM18).

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    returns: Annotated[tuple[PaymentReturn, ...], At("TxInf")]
    declared_count: Annotated[int | None, At("GrpHdr/NbOfTxs", counts="returns")] = None


class ReportPeriod(Part, frozen=True):
    """What a report is asked about (`RptgPrd`): days, and times of the day in UTC.

    Attributes:
        first: First day.
        last: Last day, where there is one.
        start: First time of the day, aware and in UTC, written with milliseconds; only with `end`.
        end: Last time of the day, in the same form.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    first: Annotated[date, At("FrToDt/FrDt")]
    last: Annotated[date | None, At("FrToDt/ToDt")] = None
    start: Annotated[time | None, At("FrToTm/FrTm")] = None
    end: Annotated[time | None, At("FrToTm/ToTm")] = None


class Camt060(Message, frozen=True, kw_only=True):
    """A question about the PI account, participant to SPI (`camt.060.spi.1.9`).

    Attributes:
        report: What is asked for: `camt.053` balances, `camt.052` a file, `camt.054` one entry.
        owner_ispb: Whose account.
        entry_id: The entry of a camt.054: EndToEndId, RtrId, or the STR's control number.
        period: Days and times of a file.
        balance_type: `CSA` or `CRE` with camt.053, `TRD` or `TRT` with camt.052.

    Raises:
        InvalidMessage: A field has the wrong form. Which fields go together is the bank's to
            decide: only the schema's rules hold here.
    """

    report: Annotated[str, At("RptgReq/ReqdMsgNmId")]
    owner_ispb: Annotated[str, At(f"RptgReq/AcctOwnr/Agt/{_MEMBER}")]
    entry_id: Annotated[str | None, At("RptgReq/Id", fields.ENTRY_ID)] = None
    period: Annotated[ReportPeriod | None, At("RptgReq/RptgPrd")] = None
    balance_type: Annotated[str | None, At("RptgReq/ReqdBalTp/CdOrPrtry/Prtry")] = None


LAYOUTS = tuple(
    Layout(kind, name, table_of(name))
    for kind, name in (
        (Pacs004, "pacs.004.spi.1.5"),
        (Camt060, "camt.060.spi.1.9"),
    )
)
