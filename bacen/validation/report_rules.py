"""The rules of what a participant answers: of pacs.002.

The bank answers what breaks them by admi.002, and goes on waiting. Source: BCB message catalogue
5.13 (dictionary of pacs.002 1.17).
"""

from typing import Final

from bacen.codes import load_meanings
from bacen.validation.rule import Rule
from bacen.wire import StatusReport

REJECTED: Final = "admi.002"
REASONS_OF_PARTICIPANTS: Final = frozenset(
    each.code
    for each in load_meanings()
    if each.where == "pacs.002 reason" and each.raised_by != "SPI"
)

STATUS: Final = Rule(
    "status_of_a_participant", REJECTED, "a participant says ACSP or RJCT; the rest is the SPI's"
)
REASON: Final = Rule("reason_with_rejection_only", REJECTED, "RJCT, and only that, has a reason")
RAISED_BY: Final = Rule(
    "reason_of_a_participant", REJECTED, "the reason must be one that participants raise"
)
SETTLEMENT: Final = Rule(
    "settlement_told_by_spi_only", REJECTED, "when it settled is for the SPI to say"
)
REPORT_RULES: Final = (STATUS, REASON, RAISED_BY, SETTLEMENT)


def report_rule(report: StatusReport) -> Rule | None:
    """Find the first rule that the answer of a participant breaks by itself."""
    if report.status not in {"ACSP", "RJCT"}:
        return STATUS
    if bool(report.reasons) != (report.status == "RJCT"):
        return REASON
    if not REASONS_OF_PARTICIPANTS.issuperset(report.reasons):
        return RAISED_BY
    if report.settled_at is not None or report.settlement_date is not None:
        return SETTLEMENT
    return None
