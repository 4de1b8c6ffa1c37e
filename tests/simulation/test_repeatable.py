"""Equal seeds, equal traces: byte for byte, in this program and in any other."""

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors import GenServer
from actors.simulation import Faults, NotRepeatable, Run, Simulation, explore, simulate
from tests.simulation import planted
from tests.simulation.test_pool import lend, works_or_borrows

ROOT = Path(__file__).parents[2]
FAULTS = Faults(crashes=2, delay_ms=10, jitter_ms=5)
NAMES = [f"name{number}" for number in range(20)]

PRINT_DIGESTS = """
from tests.simulation.test_repeatable import busy_digests, pool_digests
print(busy_digests() + pool_digests())
"""


class Member(GenServer):
    """Links itself to others by a set of names, and dies with them."""

    async def handle_cast(self, message: str) -> None:
        pid = self.node.whereis(message)
        if pid is not None:
            self.node.link(pid)


async def busy(simulation: Simulation) -> list[object]:
    """Use everything that has an order of its own: sets, links, tasks, ids, time."""
    node = simulation.node
    for name in NAMES:
        await node.start(Member(), name=name)
    for one, other in itertools.pairwise(NAMES):
        node.cast(one, other)
    seen: list[object] = [node.ids.new_id(), node.ids.token(10), node.rng.random()]
    async with asyncio.TaskGroup() as group:
        tasks = {group.create_task(simulation.clock.sleep_ms(each)) for each in range(10)}
    done, _ = await asyncio.wait({asyncio.current_task().get_loop().create_task(nothing())})
    seen += [task.get_name() for task in tasks | done]
    simulation.note(seen)
    await simulation.clock.sleep_ms(20)
    return seen


async def nothing() -> None:
    """End at once."""


def digest(seed: int) -> str:
    return simulate(busy, seed=seed, faults=FAULTS).digest


def busy_digests() -> list[str]:
    return [digest(seed) for seed in range(5)]


def pool_digests() -> list[str]:
    faults = Faults(crashes=5, may_crash=works_or_borrows, delay_ms=5, jitter_ms=3)
    return [simulate(lend, seed=seed, faults=faults).digest for seed in range(20)]


def test_equal_seeds_give_equal_traces_and_others_differ() -> None:
    assert busy_digests() == busy_digests()
    assert len(set(busy_digests())) == len(busy_digests())


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_trace_does_not_depend_on_the_hash_of_strings(hash_seed: str) -> None:
    other = subprocess.run(
        [sys.executable, "-c", PRINT_DIGESTS],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )

    assert other.stdout.strip() == str(busy_digests() + pool_digests())


def test_schedule_of_a_seed_given_as_choices_gives_the_same_trace() -> None:
    for seed in range(20):
        drawn = simulate(busy, seed=seed, faults=FAULTS)
        given = simulate(busy, seed=seed, choices=text_of(drawn), faults=FAULTS)

        assert given.trace == drawn.trace


def text_of(run: Run[list[object]]) -> str:
    return ",".join(f"{kind.value}{at}:{option}" for (kind, at), option in run.schedule.items())


def test_tracing_does_not_change_what_happens() -> None:
    noted: list[int] = []

    async def program(simulation: Simulation) -> None:
        value = await planted.race_in(simulation.node)
        noted.append(value)

    explore(program, seeds=range(10))  # the first seed twice with a trace, then all without
    untraced = noted[2:]
    noted.clear()
    for seed in range(10):
        simulate(program, seed=seed)

    assert noted == untraced


def test_program_that_asks_the_world_is_called_not_repeatable() -> None:
    async def program(simulation: Simulation) -> None:
        simulation.note(os.urandom(8).hex())

    with pytest.raises(NotRepeatable) as caught:
        explore(program)

    assert caught.value.first != caught.value.second
    assert "note" in caught.value.first


def test_ids_and_randomness_of_nodes_come_from_the_seed() -> None:
    async def program(simulation: Simulation) -> list[object]:
        nodes = (simulation.node, simulation.new_node("second"))
        return [(node.ids.new_id(), node.rng.random()) for node in nodes]

    first, again, other = (simulate(program, seed=seed).value for seed in (1, 1, 2))

    assert first == again
    assert first is not None
    assert other is not None
    assert len({*first, *other}) == 4
