"""Processes that the schedule kills."""

import contextlib
from collections.abc import Mapping
from typing import Any

from actors import Event, GenServer, ProcessInfo, StartFailed
from actors.simulation import Faults, Simulation, simulate
from supervisors import Supervisor, worker

SEEDS = range(100)


class Idle(GenServer):
    """Does nothing."""


async def live(simulation: Simulation) -> set[str]:
    """Two supervised workers and one that nobody started; gives who was killed."""
    node, ended = simulation.node, set[str]()

    def note(_event: Event, _: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
        if seen["reason"] == "Killed":
            ended.add(seen["name"])

    node.telemetry.attach(("process", "exit"), note)
    specs = [worker(name, Idle, name=name) for name in ("left", "right")]
    await node.start(Supervisor(specs), name="supervisor")
    with contextlib.suppress(StartFailed):
        await node.start(Idle(), name="free")
    for _ in range(50):
        await node.clock.sleep_ms(1)
    return set(ended)  # what the simulation itself ends is none of them


def killed(faults: Faults) -> list[set[str]]:
    """Who was killed, for each seed."""
    runs = [simulate(live, seed=seed, faults=faults) for seed in SEEDS]
    return [run.value for run in runs if run.value is not None]


def test_only_processes_that_somebody_started_are_killed_at_most_as_many_as_allowed() -> None:
    each = killed(Faults(crashes=1))

    assert {len(names) for names in each} == {0, 1}
    assert set().union(*each) == {"left", "right"}


def test_filter_decides_who_may_be_killed() -> None:
    def is_free(info: ProcessInfo) -> bool:
        return info.name == "free"

    assert set().union(*killed(Faults(crashes=3, may_crash=is_free))) == {"free"}


def test_nobody_is_killed_unless_asked_for() -> None:
    assert set().union(*killed(Faults())) == set()


def test_trace_says_who_was_killed() -> None:
    traces = [simulate(live, seed=seed, faults=Faults(crashes=1)).trace for seed in SEEDS]

    assert any("crash            kills left" in line for trace in traces for line in trace)
