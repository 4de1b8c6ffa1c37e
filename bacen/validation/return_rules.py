"""The rules by which the SPI refuses a return before it looks for the payment: of pacs.004.

Source: BCB message catalogue 5.13 (dictionary of pacs.004 1.5).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from bacen.validation.payment_rules import AMOUNT, END_TO_END_TOLERANCE, PARTICIPANTS, Window
from bacen.validation.rule import Rule
from bacen.wire import Pacs004, PaymentReturn

RETURNS_MAX: Final = 10
RETURN_DAYS_MAX: Final = 90
RETURNS_OF_THE_RECEIVER: Final = frozenset({"MD06", "SL02"})  # those of MED have times of their own
# A payment settles no later after the minute in its EndToEndId: PAGAGD waits 45 minutes.
SETTLED_WITHIN: Final = END_TO_END_TOLERANCE + timedelta(hours=1)

COUNT: Final = Rule(
    "number_of_returns", "AM18", f"NbOfTxs must be the number of returns, {RETURNS_MAX} at most"
)
ID_TIME: Final = Rule(
    "return_id_within_12_hours",
    "FF08",
    "the time in the RtrId must be within 12 hours of the message",
)
ID_OWNER: Final = Rule(
    "return_id_of_the_receiver", "FF08", "the RtrId must name the PSP that received the payment"
)
DEADLINE: Final = Rule(
    "return_within_90_days",
    "DT05",
    f"the receiver (MD06, SL02) gives back within {RETURN_DAYS_MAX} days",
)
RETURN_RULES: Final = (COUNT, ID_TIME, ID_OWNER, AMOUNT, PARTICIPANTS, DEADLINE)


def returns_rule(message: Pacs004) -> Rule | None:
    """Find the rule that every return of the message breaks."""
    count = len(message.returns)
    is_right = message.declared_count in {None, count} and count <= RETURNS_MAX
    return None if is_right else COUNT


def return_rule(one: PaymentReturn, window: Window) -> Rule | None:
    """Find the first rule that a return breaks by itself; when the payment settled is not known."""
    if not window.admits(one.return_id):
        return ID_TIME
    if one.return_id[1:9] != one.creditor_ispb:
        return ID_OWNER
    if one.amount_cents == 0:
        return AMOUNT
    return PARTICIPANTS if one.debtor_ispb == one.creditor_ispb else None


def deadline_rule(one: PaymentReturn, at: datetime) -> Rule | None:
    """Judge by the EndToEndId alone whether it is too late; the SPI knows when the payment settled.

    So what is refused here is late for certain.
    """
    if one.reason not in RETURNS_OF_THE_RECEIVER:
        return None
    try:
        began = datetime.strptime(one.end_to_end_id[9:21], "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None  # no time of the calendar; FF08 stood in the answer to the payment
    is_late = at - began > timedelta(days=RETURN_DAYS_MAX) + SETTLED_WITHIN
    return DEADLINE if is_late else None
