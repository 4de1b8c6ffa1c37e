"""What the bank keeps of a payment, and the moment by which it judges."""

from datetime import UTC, date, datetime, timedelta, timezone

import msgspec

from bacen.validation import Window
from bacen.wire import StatusReport

PENDING = "PENDING"
SETTLED = "SETTLED"
REJECTED = "REJECTED"

# Brasília time has had no summer time since 2019, so no time zone table is needed.
BRASILIA = timezone(timedelta(hours=-3))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Payment(msgspec.Struct):
    """One payment; `payer` and `receiver` are the ISPBs whose PI accounts move."""

    end_to_end_id: str
    message_id: str
    payer: str
    receiver: str
    amount_cents: int
    status: str = PENDING
    reason: str | None = None
    deadline_ms: int = 0
    finished_ms: int = 0


class Moment:
    """The time of one batch in the forms that the rules and the reports need."""

    __slots__ = ("at", "ms", "settlement_date", "window")

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.ms = to_ms(at)
        self.settlement_date: date = at.astimezone(BRASILIA).date()
        self.window = Window(at)


def to_ms(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    return EPOCH + ms * MILLISECOND


def rejected_report(end_to_end_id: str, reason: str, *additional: str) -> StatusReport:
    return StatusReport(
        original_instruction_id=end_to_end_id,
        end_to_end_id=end_to_end_id,
        status="RJCT",
        reasons=(reason,),
        additional=additional,
    )


def settled_report(end_to_end_id: str, status: str, moment: Moment) -> StatusReport:
    return StatusReport(
        original_instruction_id=end_to_end_id,
        end_to_end_id=end_to_end_id,
        status=status,
        settled_at=moment.at,
        settlement_date=moment.settlement_date,
    )


def report_for(payment: Payment, ispb: str) -> StatusReport | None:
    """Say again how a payment ended, as `ispb` (payer or receiver) is told; None while pending."""
    if payment.status == REJECTED:
        return rejected_report(payment.end_to_end_id, payment.reason or "ED05")
    if payment.status == PENDING:
        return None
    status = "ACSC" if payment.payer == ispb else "ACCC"
    return settled_report(payment.end_to_end_id, status, Moment(from_ms(payment.finished_ms)))
