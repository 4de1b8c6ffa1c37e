"""Verdicts on SPI messages as JSON: one message, or a stream of them with one object a line.

In: `{"id": ..., "xml": "..."}`; out: `{"id", "valid", "message", "violations"}` in the same order,
each written before the next line is read. A line that cannot be read is answered, and the others
go on.
"""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

import msgspec

from bacen.validation import Validation
from bacen.wire import MESSAGE_BYTES_MAX
from bacen.wire.schema import SchemaViolation

LINE_BYTES_MAX: Final = 8 * MESSAGE_BYTES_MAX  # JSON may write a byte as six

Judge = Callable[[bytes], Validation]

_encoder = msgspec.json.Encoder()


class _Line(msgspec.Struct):
    """A message to judge; its id goes out as it came."""

    id: msgspec.Raw = msgspec.Raw(b"null")
    xml: Any = None


_decoder = msgspec.json.Decoder(_Line)


def show_one(source: BinaryIO, judge: Judge) -> int:
    """Judge all that the source holds and print the verdict; the answer is the exit code."""
    found = judge(source.read(MESSAGE_BYTES_MAX + 1))
    shown = msgspec.json.format(_encoder.encode(found), indent=2)
    sys.stdout.write(f"{shown.decode()}\n")
    return 0 if found.valid else 1


def show_lines(source: BinaryIO, judge: Judge) -> int:
    """Judge every line and print its verdict; the answer is the exit code.

    A reader that goes away ends it without a word, as it ends any filter.
    """
    are_valid = True
    out = sys.stdout.buffer
    try:
        for line in _lines(source):
            shown = _judge_line(line, judge)
            are_valid = are_valid and shown["valid"] is True
            out.write(_encoder.encode(shown) + b"\n")
            out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing at exit either
        return 1
    return 0 if are_valid else 1


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """Lines that are not blank; of a line that is too long, its beginning."""
    while line := source.readline(LINE_BYTES_MAX + 1):
        rest = line
        while len(rest) > LINE_BYTES_MAX and not rest.endswith(b"\n"):
            rest = source.readline(LINE_BYTES_MAX + 1)
        if line.strip():
            yield line


def _judge_line(line: bytes, judge: Judge) -> dict[str, object]:
    if len(line) > LINE_BYTES_MAX:
        return _unreadable(_Line().id, f"the line must have {LINE_BYTES_MAX} bytes or fewer")
    try:
        read = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _unreadable(_Line().id, f"the line must be an object with id and xml: {error}")
    if not isinstance(read.xml, str):
        return _unreadable(read.id, "xml must be there and be text")
    found = judge(read.xml.encode())
    return {
        "id": read.id,
        "valid": found.valid,
        "message": found.message,
        "violations": found.violations,
    }


def _unreadable(line_id: msgspec.Raw, text: str) -> dict[str, object]:
    """Answer a line that holds no message; the bank would see nothing of it."""
    violation = SchemaViolation("line", "line_json", text, None)
    return {"id": line_id, "valid": False, "message": None, "violations": (violation,)}
