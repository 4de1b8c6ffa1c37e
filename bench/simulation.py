"""How fast schedules are, and how many of them find a planted mistake.

    .venv/bin/python bench/simulation.py [--schedules 2000]

The ring is the yardstick: 8 processes hand on 50 messages. Rates are per second of CPU time of this
program, which fills one core: on a shared machine the wall clock measures the neighbours.
"""

import argparse
import asyncio
import time
from typing import Any

from actors import GenServer, Node
from actors.simulation import Faults, Simulation, explore, simulate
from loadtest import machine_line
from tests.simulation import planted

RING = 8
MESSAGES = 50
ROUNDS = 5


class Link(GenServer):
    """Hands a number on, one less each time."""

    def __init__(self, following: str, ended: list[str]) -> None:
        self.following = following
        self.ended = ended

    async def handle_cast(self, message: int) -> None:
        if message:
            self.node.cast(self.following, message - 1)
        else:
            self.ended.append(self.following)


async def ring_in(node: Node) -> None:
    """50 messages in two circles at once; a crash may end one early."""
    ended: list[str] = []
    for number in range(RING):
        link = Link(f"link{(number + 1) % RING}", ended)
        await node.start(link, name=f"link{number}")
    for first in ("link0", "link4"):
        node.cast(first, MESSAGES // 2 - 1)
    while len(ended) < 2 and all(node.whereis(f"link{number}") for number in range(RING)):
        await node.clock.sleep_ms(1)


async def ring(simulation: Simulation) -> None:
    await ring_in(simulation.node)


def measure_ordinary(runs: int) -> float:
    """Runs a second of the same program under the ordinary loop, its node made and shut down."""

    async def run() -> None:
        for _ in range(runs):
            node = Node("ordinary")
            await ring_in(node)
            await node.shutdown()

    before = time.process_time()
    asyncio.run(run())
    return runs / (time.process_time() - before)


def measure_rate(schedules: int, faults: Faults) -> tuple[float, float]:
    """Schedules a second, best and median of some rounds."""
    rates = []
    for number in range(ROUNDS):
        seeds = range(number * schedules, (number + 1) * schedules)
        before = time.process_time()
        report = explore(ring, seeds=seeds, faults=faults)
        assert report is None, report
        rates.append(schedules / (time.process_time() - before))
    return max(rates), sorted(rates)[ROUNDS // 2]


def measure_finds(tree: Any, property_: Any, faults: Faults, schedules: int) -> float:
    """Share of schedules that fail."""
    runs = (simulate(tree, property_, seed=seed, faults=faults) for seed in range(schedules))
    return sum(run.error is not None for run in runs) / schedules


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=2000)
    schedules = parser.parse_args().schedules
    print(machine_line())
    steps = simulate(ring, seed=1).steps
    print(f"ring of {RING}, {MESSAGES} messages, {steps} turns: schedules/s, median (best)")
    for name, faults in (
        ("order of turns", Faults()),
        ("and messages up to 20 ms late", Faults(delay_ms=20)),
        ("and one crash, jitter 5 ms", Faults(delay_ms=20, jitter_ms=5, crashes=1)),
    ):
        best, median = measure_rate(schedules // ROUNDS, faults)
        print(f"  {name:<32}{median:>8,.0f} ({best:,.0f}) = {1000 / median:.2f} ms each")
    rates = [measure_ordinary(schedules // ROUNDS) for _ in range(ROUNDS)]
    median = sorted(rates)[ROUNDS // 2]
    name = "(the ordinary loop, no seed)"
    print(f"  {name:<32}{median:>8,.0f} ({max(rates):,.0f}) = {1000 / median:.2f} ms each")
    print(f"share of {schedules} schedules that show a planted mistake")
    for tree, property_, faults in (
        (planted.race, planted.nothing_lost, Faults()),
        (planted.deadlock, None, Faults()),
        (planted.lost_wake_up, None, Faults()),
        (planted.late_message, planted.source_comes_first, Faults(delay_ms=20)),
        (planted.crash, planted.nothing_lost, Faults(crashes=1)),
    ):
        share = measure_finds(tree, property_, faults, schedules)
        print(f"  {tree.__name__:<32}{share:>8.1%}")


if __name__ == "__main__":
    main()
