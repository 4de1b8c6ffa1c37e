"""Verdicts on SPI messages as JSON: one message, or a stream of them with one object a line.

In: `{"id": ..., "xml": "..."}`; out: `{"id", "valid", "message", "violations"}`
(`corrente.json_lines`).
"""

from collections.abc import Callable
from typing import Any, BinaryIO, Final

from bacen.validation import Validation
from bacen.wire import MESSAGE_BYTES_MAX
from bacen.wire.schema import SchemaViolation
from corrente.json_lines import Answer, Unreadable, answer_lines, print_json

LINE_BYTES_MAX: Final = 8 * MESSAGE_BYTES_MAX  # JSON may write a byte as six

Judge = Callable[[bytes], Validation]


def show_one(source: BinaryIO, judge: Judge) -> int:
    """Judge all that the source holds and print the verdict; the answer is the exit code."""
    found = judge(source.read(MESSAGE_BYTES_MAX + 1))
    print_json(found)
    return 0 if found.valid else 1


def show_lines(source: BinaryIO, judge: Judge) -> int:
    """Judge every line and print its verdict; the answer is the exit code."""

    def answer(xml: Any) -> Answer:
        if not isinstance(xml, str):
            return _refused_line(Unreadable("xml", "missing", "must be text"))
        found = judge(xml.encode())
        return {"valid": found.valid, "message": found.message, "violations": found.violations}

    return answer_lines(source, "xml", answer, _refused_line, LINE_BYTES_MAX)


def _refused_line(found: Unreadable) -> Answer:
    """Answer a line that holds no message; the bank would see nothing of it, so without a code."""
    violation = SchemaViolation(found.path, "line_json", found.text, None)
    return {"valid": False, "message": None, "violations": (violation,)}
