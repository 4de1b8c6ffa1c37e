"""The schemas of the SPI's messages as tables of ours, and the judge that walks them.

`judge` says what `xmllint --schema` would say with the bank's schemas and the W3C's schema of
XML Signature, and in addition where and why, in the place that `ErrLctn` of an admi.002 names.
"""

from bacen.wire.schema.judge import MESSAGES, examine, judge, judge_element, table_of
from bacen.wire.schema.notation import UNBOUNDED, Group, Leaf, Particle, Repeated, parse_content
from bacen.wire.schema.pacs_tables import STATUS_REASONS
from bacen.wire.schema.schema import (
    ComplexType,
    Content,
    Schema,
    Table,
    TableCompiler,
    Value,
    compile_table,
)
from bacen.wire.schema.simple import Facets, SimpleType
from bacen.wire.schema.violation import VIOLATIONS_MAX, SchemaViolation

__all__ = [
    "MESSAGES",
    "STATUS_REASONS",
    "UNBOUNDED",
    "VIOLATIONS_MAX",
    "ComplexType",
    "Content",
    "Facets",
    "Group",
    "Leaf",
    "Particle",
    "Repeated",
    "Schema",
    "SchemaViolation",
    "SimpleType",
    "Table",
    "TableCompiler",
    "Value",
    "compile_table",
    "examine",
    "judge",
    "judge_element",
    "parse_content",
    "table_of",
]
