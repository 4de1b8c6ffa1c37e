"""The schemas of the SPI's messages as tables of ours, and the judge that walks them.

`judge` says what `xmllint --schema` would say with the bank's schemas and the W3C's schema of
XML Signature, and in addition where and why, in the place that `ErrLctn` of an admi.002 names.
"""

from bacen.wire.schema.judge import MESSAGES, examine, judge
from bacen.wire.schema.violation import VIOLATIONS_MAX, SchemaViolation

__all__ = [
    "MESSAGES",
    "VIOLATIONS_MAX",
    "SchemaViolation",
    "examine",
    "judge",
]
