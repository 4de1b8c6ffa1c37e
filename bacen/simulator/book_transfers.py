"""Payments that did not pass the SPI: a participant reports them by trck.002, and gets a camt.025.

Each is judged by itself and kept by nobody. BCB message catalogue 5.13.
"""

from collections.abc import Mapping
from functools import partial

import msgspec

from bacen.simulator.changes import Changes
from bacen.simulator.participants import Participant
from bacen.simulator.payments import Moment
from bacen.validation import broken_rules
from bacen.wire import BookTransfer, Camt025, Receipt, Trck002


def take_report(
    message: Trck002, participants: Mapping[str, Participant], moment: Moment, changes: Changes
) -> None:
    """Take a report that was not seen before."""
    receipts = tuple(receipt(message, each, participants, moment) for each in message.transfers)
    changes.write(message.sender, partial(Camt025, receipts=receipts))


def receipt(
    message: Trck002, one: BookTransfer, participants: Mapping[str, Participant], moment: Moment
) -> Receipt:
    reason = report_reason(message, one, participants, moment)
    return Receipt(
        original_message_id=message.message_id,
        original_id=one.return_id or one.end_to_end_id,
        status="ACPT" if reason is None else "RJCT",
        reason=reason,
    )


def report_reason(
    message: Trck002, one: BookTransfer, participants: Mapping[str, Participant], moment: Moment
) -> str | None:
    """Judge one reported payment: by the rules, at this moment, then DT02, RC09, RC10, AG01."""
    alone = msgspec.structs.replace(message, transfers=(one,), created_at=moment.at)
    for finding in broken_rules(alone):
        return finding.rule.code
    payer, receiver = participants.get(one.debtor_ispb), participants.get(one.creditor_ispb)
    both, sender = (payer, receiver), message.sender
    found = {
        "DT02": one.settled_at > moment.at,
        "RC09": payer is None,
        "RC10": receiver is None,
        # It settles what it reports: on both sides stands somebody whose account it has.
        "AG01": any(each is not None and each.settled_by != sender for each in both),
    }
    return next((reason for reason, is_so in found.items() if is_so), None)
