"""Looks for a schedule under which a program breaks its promise."""

import inspect
import os
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, TypeVar

from actors.simulation.choices import Kind, format_choices
from actors.simulation.errors import NotRepeatable
from actors.simulation.shrink import Shrinking
from actors.simulation.simulation import (
    NO_FAULTS,
    STEPS_MAX,
    Faults,
    Property,
    Run,
    Tree,
    has_parent,
    place_of,
    run,
)

T = TypeVar("T")

TAIL_LINES: Final = 25


@dataclass(frozen=True, slots=True)
class Report:
    """A schedule that fails.

    Attributes:
        seed: Its seed.
        schedules: Schedules that were tried, this one included.
        choices: The fewest choices with which it fails, as text.
        choices_found: How many it had when it was found.
        runs: Runs that shrinking took.
        error: What was raised.
        trace: Of the shrunk run.
        command: Replays it; None when the program or a filter has no name to be found by.
    """

    seed: int
    schedules: int
    choices: str
    choices_found: int
    runs: int
    error: BaseException
    trace: tuple[str, ...]
    command: str | None

    def __str__(self) -> str:
        count = len(self.choices.split(",")) if self.choices else 0
        lines = [
            f"fails at seed {self.seed}, schedule {self.schedules}",
            f"  error    {type(self.error).__name__}: {self.error}",
            f"  choices  {self.choices or 'none: the plain schedule fails'}",
            f"           {count} of {self.choices_found}, shrunk in {self.runs} runs",
            f"  trace    last {min(TAIL_LINES, len(self.trace))} of {len(self.trace)} lines",
            *(f"    {line}" for line in self.trace[-TAIL_LINES:]),
            f"  replay   {self.command or 'simulate(..., seed=…, choices=…): it has no file'}",
        ]
        return "\n".join(lines)


def explore(
    tree: Tree[T],
    property_: Property[T] | None = None,
    *,
    seeds: Iterable[int] = range(1000),
    faults: Faults = NO_FAULTS,
) -> Report | None:
    """Run a program under one schedule for each seed, until one fails; shrink that one.

    Args:
        tree: The program. It fails when it raises, or waits for ever.
        property_: Judges what it returned; raises, or answers False, when it is broken.
        seeds: Schedules to try, in order.
        faults: What may go wrong besides the order of turns.

    Returns:
        The failing schedule, or None when there was none.

    Raises:
        NotRepeatable: The program takes something from outside, so that no schedule could be
            replayed.
    """
    for tried, seed in enumerate(seeds, 1):
        if tried == 1:
            _check_repeats(tree, property_, seed, faults)
        found = run(tree, property_, seed, None, faults, is_traced=False)
        if found.error is not None:
            return _report(tree, property_, found, tried, faults)
    return None


def _report(
    tree: Tree[T], property_: Property[T] | None, found: Run[T], tried: int, faults: Faults
) -> Report:
    assert found.error is not None
    _check_repeats(tree, property_, found.seed, faults)
    place = place_of(found.error)

    def fails(schedule: dict[tuple[Kind, int], int]) -> tuple[bool, int]:
        again = run(tree, property_, found.seed, schedule, faults, is_traced=False)
        return again.error is not None and place_of(again.error) == place, again.steps

    shrinking = Shrinking(fails)
    schedule = shrinking.smallest(found.schedule)
    shrunk = run(tree, property_, found.seed, schedule, faults, is_traced=True)
    if shrunk.error is None:
        raise NotRepeatable(found.seed, 0, str(found.error), "")
    choices = format_choices(schedule)
    return Report(
        seed=found.seed,
        schedules=tried,
        choices=choices,
        choices_found=len(found.schedule),
        runs=shrinking.runs,
        error=shrunk.error,
        trace=shrunk.trace,
        command=replay_command(tree, property_, found.seed, choices, faults),
    )


def _check_repeats(tree: Tree[T], property_: Property[T] | None, seed: int, faults: Faults) -> None:
    first, second = (run(tree, property_, seed, None, faults, is_traced=True) for _ in range(2))
    if first.digest != second.digest:
        pairs = enumerate(zip_longest(first.trace, second.trace, fillvalue=""), 1)
        line, (one, other) = next((line, pair) for line, pair in pairs if pair[0] != pair[1])
        raise NotRepeatable(seed, line, one, other)


def replay_command(
    tree: Tree[Any], property_: Property[Any] | None, seed: int, choices: str, faults: Faults
) -> str | None:
    """One line for a shell that runs one schedule again; None when there is none."""
    file = inspect.getsourcefile(tree)
    may_crash = None if faults.may_crash is has_parent else faults.may_crash
    named = [thing for thing in (tree, property_, may_crash) if thing is not None]
    if file is None or not all(_is_in_file(thing, file) for thing in named):
        return None
    words = ["python", "-m", "actors.simulation", f"{os.path.relpath(file)}:{_name(tree)}"]
    if property_ is not None:
        words += ["--property", _name(property_)]
    for option, value in (
        ("--crashes", faults.crashes),
        ("--delay-ms", faults.delay_ms),
        ("--jitter-ms", faults.jitter_ms),
    ):
        words += [option, str(value)] if value else []
    if may_crash is not None:
        words += ["--may-crash", _name(may_crash)]
    if faults.steps_max != STEPS_MAX:
        words += ["--steps-max", str(faults.steps_max)]
    words += ["--seed", str(seed), "--choices", choices]
    return shlex.join(words)


def _is_in_file(thing: Callable[..., object], file: str) -> bool:
    try:
        return inspect.getsourcefile(thing) == file and _name(thing).isidentifier()
    except TypeError:
        return False


def _name(thing: Callable[..., object]) -> str:
    return str(getattr(thing, "__qualname__", ""))
