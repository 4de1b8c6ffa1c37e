"""Verdicts on texts: one text, or a stream of them with one JSON object a line.

In: `{"id": …, "text": …}`; out: `{"id": …, "valid": …, "message": …, "violations": […]}` with path,
rule and text of each, in the same order, written before the next line is read. A line that cannot
be read gets a verdict of its own, and the others go on.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from bacen import BrokenRule

TEXT_BYTES_MAX = 1 << 20

Judge = Callable[[Any], "Verdict"]
"""Judges the `text` of a line, which may be any JSON value; it never raises."""

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said about one text.

    Attributes:
        message: In a line: what the text is where it is right, what is wrong with it where not.
        violations: Rules that it breaks; none where it is right.
        more: What else a single verdict shows, by key.
    """

    message: str
    violations: tuple[BrokenRule, ...] = ()
    more: dict[str, object] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """Whether no rule is broken."""
        return not self.violations


class _Line(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw(b"null")  # goes out as it came
    text: Any = msgspec.UNSET


def refused(path: str, rule: str, text: str) -> Verdict:
    """A verdict with one broken rule."""
    return verdict_of((BrokenRule(path, rule, text),))


def verdict_of(violations: tuple[BrokenRule, ...], **more: object) -> Verdict:
    """A verdict of broken rules; its message names the first."""
    first, others = violations[0], len(violations) - 1
    rest = f" (and {others} more)" if others else ""
    return Verdict(f"{first.path}: {first.text}{rest}", violations, more)


def show(verdict: Verdict) -> int:
    """Print one verdict as JSON; the answer is the exit code."""
    shown = {
        "valid": verdict.is_valid,
        "message": verdict.message,
        "violations": verdict.violations,
        **verdict.more,
    }
    sys.stdout.write(msgspec.json.format(_encoder.encode(shown), indent=2).decode() + "\n")
    return 0 if verdict.is_valid else 1


def judge_lines(source: BinaryIO, judge: Judge) -> int:
    """Judge every line and print its verdict; the answer is the exit code.

    A reader that goes away ends it without a word, as it ends any filter.
    """
    are_valid = True
    out = sys.stdout.buffer
    try:
        for line in _lines(source):
            raw_id, verdict = _judge_line(line, judge)
            are_valid = are_valid and verdict.is_valid
            shown = {
                "id": raw_id,
                "valid": verdict.is_valid,
                "message": verdict.message,
                "violations": verdict.violations,
            }
            out.write(_encoder.encode(shown) + b"\n")
            out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing at exit either
        return 1
    return 0 if are_valid else 1


def judge_text(source: BinaryIO, judge: Judge) -> Verdict:
    """Judge all that the source holds, less the line ends after it."""
    data = source.read(TEXT_BYTES_MAX + 1)
    if len(data) > TEXT_BYTES_MAX:
        return refused("text", "length", f"must hold at most {TEXT_BYTES_MAX} bytes")
    try:
        return judge(data.decode().rstrip("\r\n"))
    except UnicodeDecodeError:
        return refused("text", "utf8", "must be UTF-8")


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """Lines that are not blank; of a line that is too long, its beginning."""
    while line := source.readline(TEXT_BYTES_MAX + 1):
        rest = line
        while len(rest) > TEXT_BYTES_MAX and not rest.endswith(b"\n"):
            rest = source.readline(TEXT_BYTES_MAX + 1)
        if line.strip():
            yield line


def _judge_line(line: bytes, judge: Judge) -> tuple[msgspec.Raw, Verdict]:
    if len(line) > TEXT_BYTES_MAX:
        told = f"must hold at most {TEXT_BYTES_MAX} bytes"
        return _Line().id, refused("line", "line_length", told)
    try:
        read = msgspec.json.decode(line.decode(), type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Line().id, refused("line", "line_json", "must be one JSON object")
    if read.text is msgspec.UNSET:
        return read.id, refused("text", "missing", "must be there")
    return read.id, judge(read.text)
