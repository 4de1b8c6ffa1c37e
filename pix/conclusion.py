"""The end of a payment as one entry of the ledger: its money, its events, its row."""

from datetime import datetime

from ledger import Entry, post, void
from pix.events import payment_event
from pix.payments import HOLD_LEG, RESOLUTION_LEG, Outcome, Payment, PaymentStatus, leg
from pix.records import Concluded


def conclusion(payment: Payment, outcome: Outcome, at: datetime, *, is_submitted: bool) -> Entry:
    """The entry that ends `payment`: its hold is posted when it was confirmed, else released.

    Args:
        payment: An open payment.
        outcome: How it ended.
        at: When that became known here.
        is_submitted: False when its SUBMITTED event is still owed, because the answer of the bank
            overtook the 201 of our POST; the entry then brings it along.
    """
    resolve = post if outcome.status is PaymentStatus.CONFIRMED else void
    events = [payment_event(payment, outcome.status, outcome.reason, at)]
    if not is_submitted:
        events.insert(0, payment_event(payment, PaymentStatus.SUBMITTED, None, at))
    return Entry(
        transfers=(
            resolve(leg(payment.payment_id, RESOLUTION_LEG), leg(payment.payment_id, HOLD_LEG)),
        ),
        events=tuple(events),
        record=Concluded(payment.payment_id, payment.end_to_end_id, outcome),
    )
