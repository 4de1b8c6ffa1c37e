"""Typed messages beyond the payment: pacs.004 1.5, camt.060 1.9, pibr.001 and pibr.002 1.3.

The bank's own schemas were not at hand: they follow reconstructions from a public implementation of
catalogue 5.13. Each struct checks its fields when it is built: what exists can be written.
"""

from datetime import date, datetime, time

import msgspec

from bacen import InvalidMessage
from bacen.wire import fields

RETURN_REASONS = frozenset({"BE08", "FR01", "MD06", "SL02"})
REPORTS = frozenset({"camt.052", "camt.053", "camt.054"})
BALANCE_TYPES = frozenset({"CRE", "CSA", "REL", "TRD", "TRT"})
RETURN_PRIORITIES = frozenset({"HIGH", "NORM"})
RETURN_TEXT_CHARACTERS_MAX = 105
RETURN_REMITTANCE_CHARACTERS_MAX = 140
ECHO_CHARACTERS_MAX = 35


class PaymentReturn(msgspec.Struct, frozen=True, kw_only=True):
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

    return_id: str
    end_to_end_id: str
    amount_cents: int
    reason: str
    debtor_ispb: str
    creditor_ispb: str
    priority: str = "HIGH"
    additional: str | None = None
    remittance: str | None = None

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require(fields.RETURN_ID, self.return_id, "return_id")
        fields.require(fields.END_TO_END_ID, self.end_to_end_id, "end_to_end_id")
        fields.require_cents(self.amount_cents, "amount_cents")
        fields.require_one_of(RETURN_REASONS, self.reason, "reason")
        fields.require(fields.ISPB, self.debtor_ispb, "debtor_ispb")
        fields.require(fields.ISPB, self.creditor_ispb, "creditor_ispb")
        fields.require_one_of(RETURN_PRIORITIES, self.priority, "priority")
        if self.additional is not None:
            fields.require_text(self.additional, RETURN_TEXT_CHARACTERS_MAX, "additional")
        if self.remittance is not None:
            fields.require_text(self.remittance, RETURN_REMITTANCE_CHARACTERS_MAX, "remittance")


class Pacs004(msgspec.Struct, frozen=True, kw_only=True):
    """Returns, receiver to SPI to payer (`pacs.004.spi.1.5`).

    Attributes:
        sender: ISPB of the header; the signer's.
        receiver: ISPB of the header; the SPI's when a participant sends.
        message_id: `BizMsgIdr` and `MsgId`.
        created_at: Written with milliseconds.
        returns: At least one.
        declared_count: `NbOfTxs` where it differs from the number of returns (AM18).

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    sender: str
    receiver: str
    message_id: str
    created_at: datetime
    returns: tuple[PaymentReturn, ...]
    declared_count: int | None = None

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_header(self.sender, self.receiver, self.message_id, self.created_at)
        if not self.returns:
            raise InvalidMessage("returns", "must not be empty")
        count = self.declared_count
        if count is not None and (type(count) is not int or not 0 <= count <= fields.COUNT_MAX):
            raise InvalidMessage("declared_count", "must be a number of at most 15 digits")


class ReportPeriod(msgspec.Struct, frozen=True):
    """What a report is asked about (`RptgPrd`): days, and times of the day in UTC.

    Attributes:
        first: First day.
        last: Last day, where there is one.
        times: First and last time of the day, aware and in UTC, written with milliseconds.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    first: date
    last: date | None = None
    times: tuple[time, time] | None = None

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_day(self.first, "period.first")
        if self.last is not None:
            fields.require_day(self.last, "period.last")
        if self.times is not None:
            if len(self.times) != 2:
                raise InvalidMessage("period.times", "must be two")
            for each in self.times:
                fields.require_time(each, "period.times")


class Camt060(msgspec.Struct, frozen=True, kw_only=True):
    """A question about the PI account, participant to SPI (`camt.060.spi.1.9`).

    Attributes:
        sender: ISPB of the header; the signer's.
        receiver: ISPB of the header; the SPI's.
        message_id: `BizMsgIdr` and `MsgId`; the answer quotes it.
        created_at: Written with milliseconds.
        report: What is asked for: `camt.053` balances, `camt.052` a file, `camt.054` one entry.
        owner_ispb: Whose account.
        entry_id: The entry of a camt.054: EndToEndId, RtrId, or the STR's control number.
        period: Days and times of a file.
        balance_type: `CSA` or `CRE` with camt.053, `TRD` or `TRT` with camt.052.

    Raises:
        InvalidMessage: A field has the wrong form. Which fields go together is the bank's to
            decide: only the schema's rules hold here.
    """

    sender: str
    receiver: str
    message_id: str
    created_at: datetime
    report: str
    owner_ispb: str
    entry_id: str | None = None
    period: ReportPeriod | None = None
    balance_type: str | None = None

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_header(self.sender, self.receiver, self.message_id, self.created_at)
        fields.require_one_of(REPORTS, self.report, "report")
        fields.require(fields.ISPB, self.owner_ispb, "owner_ispb")
        if self.entry_id is not None:
            fields.require(fields.ENTRY_ID, self.entry_id, "entry_id")
        if self.period is not None and not isinstance(self.period, ReportPeriod):
            raise InvalidMessage("period", "must be a period")
        if self.balance_type is not None:
            fields.require_one_of(BALANCE_TYPES, self.balance_type, "balance_type")


class Pibr001(msgspec.Struct, frozen=True, kw_only=True):
    """Echo, participant to SPI (`pibr.001.spi.1.3`): is the line there?

    Attributes:
        sender: ISPB of the header; the signer's.
        receiver: ISPB of the header.
        message_id: `BizMsgIdr` and `MsgId`.
        created_at: Written with milliseconds.
        data: 1 to 35 characters, which the answer repeats.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    sender: str
    receiver: str
    message_id: str
    created_at: datetime
    data: str

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_header(self.sender, self.receiver, self.message_id, self.created_at)
        fields.require_text(self.data, ECHO_CHARACTERS_MAX, "data")


class Pibr002(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to an echo, SPI to participant (`pibr.002.spi.1.3`).

    Attributes:
        sender: ISPB of the header; the signer's.
        receiver: ISPB of the header.
        message_id: `BizMsgIdr` and `MsgId`.
        created_at: Written with milliseconds.
        original_data: `data` of the pibr.001, 1 to 35 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    sender: str
    receiver: str
    message_id: str
    created_at: datetime
    original_data: str

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_header(self.sender, self.receiver, self.message_id, self.created_at)
        fields.require_text(self.original_data, ECHO_CHARACTERS_MAX, "original_data")
