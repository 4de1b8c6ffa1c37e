"""Is a message right? Schema, header, signature, and the rules of the SPI, one after another.

`validate` never raises and tells all it finds. The rules of a payment are those by which the
central bank in a box settles.
"""

from bacen.validation.rules import Window, message_reason, transfer_reason
from bacen.validation.validation import Signature, Validation, validate

__all__ = [
    "Signature",
    "Validation",
    "Window",
    "message_reason",
    "transfer_reason",
    "validate",
]
