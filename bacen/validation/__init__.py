"""Is a message right? Schema, header, signature, and the rules of the SPI, one after another.

`validate` looks at bytes, never raises and tells all it finds; `check` looks at a typed message
before it is sent, and raises. The rules of a payment are those by which the central bank in a box
settles.
"""

from bacen.validation.findings import broken_rules, check
from bacen.validation.rule import Finding, Rule
from bacen.validation.rules import (
    Window,
    message_reason,
    message_rule,
    transfer_reason,
    transfer_rule,
)
from bacen.validation.validation import Signature, Validation, validate

__all__ = [
    "Finding",
    "Rule",
    "Signature",
    "Validation",
    "Window",
    "broken_rules",
    "check",
    "message_reason",
    "message_rule",
    "transfer_reason",
    "transfer_rule",
    "validate",
]
