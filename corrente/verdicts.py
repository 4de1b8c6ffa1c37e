"""Verdicts on texts: one text, or a stream of them with one JSON object a line.

In: `{"id": …, "text": …}`; out: `{"id": …, "valid": …, "message": …, "violations": […]}` with path,
rule and text of each (`corrente.json_lines`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from bacen import BrokenRule
from corrente.json_lines import Answer, Unreadable, answer_lines, print_json

TEXT_BYTES_MAX = 1 << 20

Judge = Callable[[Any], "Verdict"]
"""Judges the `text` of a line, which may be any JSON value; it never raises."""


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
    print_json({**_shown(verdict), **verdict.more})
    return 0 if verdict.is_valid else 1


def judge_lines(source: BinaryIO, judge: Judge) -> int:
    """Judge every line and print its verdict; the answer is the exit code."""
    return answer_lines(
        source, "text", lambda text: _shown(judge(text)), _refused_line, TEXT_BYTES_MAX
    )


def judge_text(source: BinaryIO, judge: Judge) -> Verdict:
    """Judge all that the source holds, less the line ends after it."""
    data = source.read(TEXT_BYTES_MAX + 1)
    if len(data) > TEXT_BYTES_MAX:
        return refused("text", "length", f"must hold at most {TEXT_BYTES_MAX} bytes")
    try:
        return judge(data.decode().rstrip("\r\n"))
    except UnicodeDecodeError:
        return refused("text", "utf8", "must be UTF-8")


def _shown(verdict: Verdict) -> Answer:
    return {
        "valid": verdict.is_valid,
        "message": verdict.message,
        "violations": verdict.violations,
    }


def _refused_line(found: Unreadable) -> Answer:
    return _shown(refused(found.path, found.rule, found.text))
