"""Is a message right? Schema, header, signature, and the rules of the SPI, one after another.

`validate` looks at bytes, never raises and tells all it finds; `check` looks at a typed message
before it is sent, and raises. The central bank in a box settles by the same rules: `RULES` has
them all, and the functions of one payment, return or report are for those who judge many.
"""

from bacen.validation.findings import RULES, broken_rules, check
from bacen.validation.payment_rules import Window, message_rule, transfer_rule
from bacen.validation.report_rules import REASONS_OF_PARTICIPANTS, report_rule
from bacen.validation.return_rules import RETURNS_OF_THE_RECEIVER, return_rule, returns_rule
from bacen.validation.rule import Finding, Rule
from bacen.validation.validation import Signature, Validation, validate

__all__ = [
    "REASONS_OF_PARTICIPANTS",
    "RETURNS_OF_THE_RECEIVER",
    "RULES",
    "Finding",
    "Rule",
    "Signature",
    "Validation",
    "Window",
    "broken_rules",
    "check",
    "message_rule",
    "report_rule",
    "return_rule",
    "returns_rule",
    "transfer_rule",
    "validate",
]
