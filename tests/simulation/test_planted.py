"""Mistakes that ordinary tests do not show are found, shrunk, and replayed by one line."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from actors import Node
from actors.simulation import Broken, Deadlock, Faults, Report, explore, simulate
from tests.simulation import planted

ROOT = Path(__file__).parents[2]
ORDINARY_RUNS = 100
SEEDS = range(1000)

PLANTED = [
    pytest.param(planted.race, planted.nothing_lost, Faults(), Broken, id="race"),
    pytest.param(planted.deadlock, None, Faults(), Deadlock, id="deadlock"),
    pytest.param(planted.lost_wake_up, None, Faults(), Deadlock, id="lost wake-up"),
    pytest.param(
        planted.late_message,
        planted.source_comes_first,
        Faults(delay_ms=20),
        Broken,
        id="late message",
    ),
    pytest.param(
        planted.crash,
        planted.nothing_lost,
        Faults(crashes=1, may_crash=planted.is_account),
        Broken,
        id="crash",
    ),
]


@pytest.mark.parametrize(
    ("program", "property_"),
    [
        (planted.race_in, planted.nothing_lost),
        (planted.deadlock_in, None),
        (planted.lost_wake_up_in, None),
        (planted.late_message_in, planted.source_comes_first),
    ],
    ids=lambda thing: getattr(thing, "__name__", ""),
)
async def test_ordinary_loop_never_shows_the_mistake(
    program: Callable[[Node], Coroutine[Any, Any, Any]],
    property_: Callable[[Any], bool] | None,
) -> None:
    for _ in range(ORDINARY_RUNS):
        node = Node("ordinary")
        result = await program(node)
        await node.shutdown()

        assert property_ is None or property_(result)


@pytest.mark.parametrize(("tree", "property_", "faults", "error"), PLANTED)
def test_exploring_finds_the_mistake_and_the_plain_schedule_does_not(
    tree: Any, property_: Any, faults: Faults, error: type[Exception]
) -> None:
    assert simulate(tree, property_, choices="", faults=faults).error is None

    report = explore(tree, property_, seeds=SEEDS, faults=faults)

    assert report is not None
    assert type(report.error) is error


@pytest.mark.parametrize(("tree", "property_", "faults", "error"), PLANTED)
def test_no_choice_of_the_shrunk_schedule_can_be_left_out(
    tree: Any, property_: Any, faults: Faults, error: type[Exception]
) -> None:
    report = found(tree, property_, faults)
    choices = report.choices.split(",")

    assert 0 < len(choices) <= report.choices_found
    for left_out in choices:
        rest = ",".join(choice for choice in choices if choice != left_out)
        again = simulate(tree, property_, seed=report.seed, choices=rest, faults=faults)
        assert type(again.error) is not error


@pytest.mark.parametrize(("tree", "property_", "faults", "error"), PLANTED)
def test_printed_command_replays_the_same_failure_in_another_program(
    tree: Any, property_: Any, faults: Faults, error: type[Exception]
) -> None:
    report = found(tree, property_, faults)
    assert report.command is not None
    assert report.command in str(report)
    assert f"{error.__name__}: {report.error}" in str(report)

    python, *words = shlex.split(report.command)
    replayed = run_command(*words)

    assert python == "python"
    assert (replayed.returncode, replayed.stderr) == (1, "")
    assert replayed.stdout.splitlines() == list(report.trace)


@pytest.mark.parametrize(
    ("tree", "property_"),
    [
        (planted.mended_race, planted.nothing_lost),
        (planted.mended_wake_up, None),
        (planted.right, None),
    ],
)
def test_nothing_is_found_where_nothing_is_wrong(tree: Any, property_: Any) -> None:
    assert (
        explore(tree, property_, seeds=range(300), faults=Faults(delay_ms=5, jitter_ms=5)) is None
    )


def test_deadlock_names_who_waits_and_for_what() -> None:
    error = found(planted.deadlock, None, Faults()).error

    assert isinstance(error, Deadlock)
    assert "left: calls right with Deposit" in error.waiting
    assert "right: calls left with Deposit" in error.waiting
    assert error.idle == ("clerk",)


def test_lost_wake_up_names_the_line_that_waits() -> None:
    error = found(planted.lost_wake_up, None, Faults()).error

    assert isinstance(error, Deadlock)
    assert any("waits in take, planted.py:" in line for line in error.waiting)


def test_shrunk_late_message_is_one_message_one_millisecond_late() -> None:
    report = found(planted.late_message, planted.source_comes_first, Faults(delay_ms=20))

    assert report.choices == "delay1:1"


def found(tree: Any, property_: Any, faults: Faults) -> Report:
    report = explore(tree, property_, seeds=SEEDS, faults=faults)
    assert report is not None
    return report


def run_command(*words: str, hash_seed: str = "random") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
