"""What the bank keeps of a payment or a return, and the moment by which it judges."""

from datetime import UTC, date, datetime, timedelta, timezone

import msgspec

from bacen.validation import Window
from bacen.wire import CreditTransfer, PaymentReturn, StatusReport

PENDING = "PENDING"
SETTLED = "SETTLED"
REJECTED = "REJECTED"

# Brasília time has had no summer time since 2019, so no time zone table is needed.
BRASILIA = timezone(timedelta(hours=-3))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 24 * 3_600_000


class Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was asked for, as it came: a transfer, or a return of one."""

    transfer: CreditTransfer | None = None
    returned: PaymentReturn | None = None
    priority: str = "HIGH"
    service_level: str = "PAGPRI"


encode_details = msgspec.json.Encoder().encode
decode_details = msgspec.json.Decoder(Details).decode


class Payment(msgspec.Struct):
    """One payment, or the return of one; each of them moves money once.

    `instruction_id` names it: the EndToEndId of a payment, the RtrId of a return. `end_to_end_id`
    is that of the payment in both. `payer` and `receiver` are the ISPBs whose PI accounts move: of
    a return, the one that gives back is the payer. `details` are JSON of `Details`. The last two
    times are not stored: they are for those who watch.
    """

    instruction_id: str
    end_to_end_id: str
    message_id: str
    payer: str
    receiver: str
    amount_cents: int
    status: str = PENDING
    reason: str | None = None
    received_ms: int = 0
    deadline_ms: int = 0
    finished_ms: int = 0
    details: bytes = b""
    offered_ms: int = 0
    answered_ms: int = 0

    @property
    def is_return(self) -> bool:
        return self.instruction_id != self.end_to_end_id


class Moment:
    """The time of one batch in the forms that the rules and the reports need."""

    __slots__ = ("at", "ms", "settlement_date", "window")

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.ms = to_ms(at)
        self.settlement_date: date = at.astimezone(BRASILIA).date()
        self.window = Window(at)


def shown(payment: Payment) -> dict[str, object]:
    """Show a payment to whoever looks into the bank, without the data of the customers."""
    return {
        name: getattr(payment, name)
        for name in Payment.__struct_fields__
        if name not in {"details", "offered_ms", "answered_ms"}
    }


def to_ms(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    return EPOCH + ms * MILLISECOND


def settlement_day(ms: int) -> date:
    """Day of settlement: the day in Brasília."""
    return from_ms(ms).astimezone(BRASILIA).date()


def rejected_report(
    instruction_id: str, end_to_end_id: str, reason: str, *additional: str
) -> StatusReport:
    return StatusReport(
        original_instruction_id=instruction_id,
        end_to_end_id=end_to_end_id,
        status="RJCT",
        reasons=(reason,),
        additional=additional,
    )


def settled_report(payment: Payment, status: str, moment: Moment) -> StatusReport:
    return StatusReport(
        original_instruction_id=payment.instruction_id,
        end_to_end_id=payment.end_to_end_id,
        status=status,
        settled_at=moment.at,
        settlement_date=moment.settlement_date,
    )


def report_for(payment: Payment, ispb: str) -> StatusReport | None:
    """Say again how a payment ended, as `ispb` (payer or receiver) is told; None while pending."""
    if payment.status == REJECTED:
        reason = payment.reason or "ED05"
        return rejected_report(payment.instruction_id, payment.end_to_end_id, reason)
    if payment.status == PENDING:
        return None
    status = "ACSC" if payment.payer == ispb else "ACCC"
    return settled_report(payment, status, Moment(from_ms(payment.finished_ms)))
