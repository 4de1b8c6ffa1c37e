"""Events of payments, as they stand in the outbox and travel to subscribers."""

from datetime import datetime

import msgspec

from ledger import Event
from pix.payments import EVENT_LEGS, Payment, PaymentStatus, leg, payment_reference


class _EventBody(msgspec.Struct, frozen=True, omit_defaults=True):
    payment_id: str
    end_to_end_id: str
    status: str
    amount_cents: int
    tenant: str
    at: datetime
    reason: str | None = None


_NAMES = {status: status.event for status in PaymentStatus}
_encode_event = msgspec.json.Encoder().encode


def payment_event(
    payment: Payment, status: PaymentStatus, reason: str | None, at: datetime
) -> Event:
    """The event that reports that `payment` reached `status` at `at`; no personal data in it."""
    name = _NAMES[status]
    body = _EventBody(
        payment_reference(payment.payment_id),
        payment.end_to_end_id,
        status.value,
        payment.amount_cents,
        payment.tenant,
        at,
        reason,
    )
    return Event(
        id=leg(payment.payment_id, EVENT_LEGS[name]),
        subject_id=payment.payment_id,
        name=name,
        at=at,
        payload=_encode_event(body),
    )
