"""The filter behind every `--lines`: one JSON object a line in, one out.

The answers come in the same order, each written before the next line is read. A line that cannot
be read is answered too, and the others go on. An `id` may be any JSON and goes out as it came.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

NO_ID = msgspec.Raw(b"null")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a line has nothing to judge: `line_length`, `line_json` or `missing`, and in words."""

    path: str
    rule: str
    text: str


Answer = dict[str, object]
"""What is written for a line, less its id; `valid` decides about the exit code."""


def answer_lines(
    source: BinaryIO,
    field: str,
    answer: Callable[[Any], Answer],
    refuse: Callable[[Unreadable], Answer],
    line_bytes_max: int,
) -> int:
    """Answer every line that is not blank; the answer is the exit code.

    A reader that goes away ends it without a word, as it ends any filter.

    Args:
        source: The lines.
        field: Name of the member that is judged, beside `id`.
        answer: Judges its value, which may be any JSON; it never raises.
        refuse: Answers a line that cannot be read.
        line_bytes_max: Longer lines are not read.
    """
    are_valid = True
    out = sys.stdout.buffer
    try:
        for line in _lines(source, line_bytes_max):
            line_id, value = _read(line, field, line_bytes_max)
            found = refuse(value) if isinstance(value, Unreadable) else answer(value)
            are_valid = are_valid and found["valid"] is True
            out.write(_encoder.encode({"id": line_id, **found}) + b"\n")
            out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing at exit either
        return 1
    return 0 if are_valid else 1


def print_json(value: object) -> None:
    """Print one value as JSON for people and programs."""
    sys.stdout.write(msgspec.json.format(_encoder.encode(value), indent=2).decode() + "\n")


def _lines(source: BinaryIO, line_bytes_max: int) -> Iterator[bytes]:
    """Lines that are not blank; of a line that is too long, its beginning."""
    while line := source.readline(line_bytes_max + 1):
        rest = line
        while len(rest) > line_bytes_max and not rest.endswith(b"\n"):
            rest = source.readline(line_bytes_max + 1)
        if line.strip():
            yield line


def _read(line: bytes, field: str, line_bytes_max: int) -> tuple[msgspec.Raw, Any]:
    if len(line) > line_bytes_max:
        told = f"must hold at most {line_bytes_max} bytes"
        return NO_ID, Unreadable("line", "line_length", told)
    try:
        read = _decoder.decode(line.decode())
        line_id = read.get("id", NO_ID)
        if field not in read:
            return line_id, Unreadable(field, "missing", "must be there")
        return line_id, msgspec.json.decode(read[field])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NO_ID, Unreadable("line", "line_json", "must be one JSON object")
