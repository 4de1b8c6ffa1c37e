"""Rules of a payment that the receiving PSP looks at, not the SPI: the parts of Saque and Troco.

REFU and IPRT need HIGH as well; the catalogue says so, and who refuses it is not said.
"""

from typing import Final

from bacen.validation.rule import Rule
from bacen.validation.rules import MANUAL_ONLY_PURPOSES
from bacen.wire import CreditTransfer, Pacs008

PRIORITY: Final = Rule(
    "purpose_refu_iprt_needs_high", "CH16", "REFU and IPRT go with the priority HIGH"
)
BOTH_PARTS: Final = Rule(
    "purpose_gscb_needs_both_parts", "FF07", "GSCB has a purchase (VLCP) and cash (VLDN)"
)
CASH_ONLY: Final = Rule("purpose_othr_needs_cash_only", "FF07", "OTHR has cash (VLDN) only")
SUM: Final = Rule("cash_parts_make_the_amount", "AM12", "the parts must add up to the amount")
_PARTS: Final = {"GSCB": ({"VLCP", "VLDN"}, BOTH_PARTS), "OTHR": ({"VLDN"}, CASH_ONLY)}


def receiver_rule(transfer: CreditTransfer, message: Pacs008) -> Rule | None:
    """Find the first of these rules that a payment breaks."""
    if transfer.purpose in MANUAL_ONLY_PURPOSES and message.priority != "HIGH":
        return PRIORITY
    if transfer.cash is None or transfer.purpose not in _PARTS:
        return None
    wanted, rule = _PARTS[transfer.purpose]
    if {each.reason for each in transfer.cash.parts} != wanted:
        return rule
    total_cents = sum(each.amount_cents for each in transfer.cash.parts)
    return SUM if total_cents != transfer.amount_cents else None
