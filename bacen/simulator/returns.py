"""The rules by which the SPI refuses a return (pacs.004) before any money is touched.

What needs no original stands in `bacen.validation`. A return goes the way of a payment with the
roles of the PI accounts exchanged; the agents that it names keep those of the original. Sources:
BCB message catalogue 5.13 (dictionary of pacs.004 1.5). What the catalogue leaves open is FF08: an
original that is unknown or was not settled.
"""

from collections.abc import Iterable

from bacen.simulator.payments import (
    DAY_MS,
    REJECTED,
    SETTLED,
    Moment,
    Payment,
    decode_details,
)
from bacen.validation import RETURNS_OF_THE_RECEIVER, return_rule
from bacen.wire import CreditTransfer, PaymentReturn

# Payments that are returns themselves: of a MED case, paid by pacs.008.
RETURNING_PURPOSES = frozenset({"IPRT", "REFU"})


def return_reason(
    one: PaymentReturn, original: Payment | None, sender: str, moment: Moment, return_days: int
) -> str | None:
    """Judge one return beside its original; what was returned before is not looked at.

    Args:
        one: The return.
        original: The payment that it names, where the bank knows it.
        sender: The participant that sent the return.
        moment: Now.
        return_days: How long after its settlement a payment may be returned.

    Returns:
        The reason of pacs.002, or None.
    """
    rule = return_rule(one, moment.window)
    if rule is not None:
        return rule.code
    if original is None or original.is_return or original.status != SETTLED:
        return "FF08"
    transfer = decode_details(original.details).transfer if original.details else None
    if transfer is None:  # a payment from before the bank kept details
        return "FF08"
    reason = agents_reason(one, transfer)
    if original.receiver != sender:
        reason = "AGNT"
    elif reason is None and transfer.purpose in RETURNING_PURPOSES:
        reason = "AG13"
    elif reason is None and is_late(one, original, moment, return_days):
        reason = "DT05"
    return reason


def is_late(one: PaymentReturn, original: Payment, moment: Moment, return_days: int) -> bool:
    """Say whether the receiver may no longer give the payment back."""
    late_ms = moment.ms - original.finished_ms - return_days * DAY_MS
    return late_ms > 0 and one.reason in RETURNS_OF_THE_RECEIVER


def agents_reason(one: PaymentReturn, transfer: CreditTransfer) -> str | None:
    """Judge whether a return names the agents of the original, in their roles there."""
    if one.debtor_ispb != transfer.debtor_ispb:
        return "RC09"
    return None if one.creditor_ispb == transfer.creditor_ispb else "RC10"


def returned_cents(original_id: str, payments: Iterable[Payment]) -> int:
    """Sum up what was given back of a payment or is about to be.

    Args:
        original_id: Its EndToEndId.
        payments: Among them all its returns, each once.
    """
    return sum(
        each.amount_cents
        for each in payments
        if each.end_to_end_id == original_id and each.is_return and each.status != REJECTED
    )
