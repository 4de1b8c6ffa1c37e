"""How fast processes are: calls against the bare limit, casts, starts, memory, restarts, tables.

    .venv/bin/python bench/processes.py [--seconds-each 1] [--processes 100000]

The bare limit is what a request and its answer cost when two tasks share a deque, a future for
each request and one timer each: no mailbox, no names, no links. Rates are per second of CPU time
of this program, which fills one core: on a shared machine the wall clock measures the neighbours.
Restarts are latencies and use the wall clock.
"""

import argparse
import asyncio
import os
import platform
import resource
import statistics
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
import uvloop

from actors import (
    Access,
    From,
    GenServer,
    Node,
    Pid,
    Reply,
    Shutdown,
    Stop,
    Table,
)
from supervisors import Supervisor, worker

ROUNDS = 5
PAIRS = 15
CALLS = 10_000
CASTS = 100_000
CAST_BURST = 5_000
STARTS = 5_000
RING = 1_000
LAPS = 20
RESTARTS = 200
LOOKUPS = 200_000


class Echo(GenServer):
    async def handle_call(self, request: Any, _sender: From) -> Reply:
        return Reply(request)

    async def handle_cast(self, message: Any) -> Stop | None:
        return message if type(message) is Stop else None


class Link(GenServer):
    """Hands a number on, one less each time."""

    following: Pid
    done: "asyncio.Future[None]"

    async def handle_cast(self, message: int) -> None:
        if message:
            self.node.cast(self.following, message - 1)
        else:
            self.done.set_result(None)


async def bare_calls() -> int:
    loop = asyncio.get_running_loop()
    requests: deque[tuple[int, asyncio.Future[int]]] = deque()
    waiter: list[asyncio.Future[None] | None] = [None]

    async def serve() -> None:
        while True:
            if not requests:
                waiter[0] = loop.create_future()
                await waiter[0]
            number, future = requests.popleft()
            if not future.done():
                future.set_result(number)

    server = loop.create_task(serve())
    await asyncio.sleep(0)
    for number in range(CALLS):
        future = loop.create_future()
        timer = loop.call_later(5, future.cancel)
        requests.append((number, future))
        waiting = waiter[0]
        if waiting is not None:
            waiter[0] = None
            waiting.set_result(None)
        await future
        timer.cancel()
    server.cancel()
    return CALLS


async def calls(node: Node, pid: Pid) -> int:
    for number in range(CALLS):
        await node.call(pid, number)
    return CALLS


async def casts(node: Node, pid: Pid) -> int:
    for _ in range(CASTS // CAST_BURST):
        for number in range(CAST_BURST):
            node.cast(pid, number)
        await node.call(pid, None)
    return CASTS


async def starts(node: Node) -> int:
    for _ in range(STARTS):
        await node.stop(await node.start(Echo()))
    return STARTS


async def ring(node: Node) -> int:
    links = [Link() for _ in range(RING)]
    pids = [await node.start(link) for link in links]
    done = node.loop.create_future()
    for link, following in zip(links, [*pids[1:], pids[0]], strict=True):
        link.following, link.done = following, done
    before = time.process_time()
    node.cast(pids[0], RING * LAPS)
    await done
    took = time.process_time() - before
    for pid in pids:
        await node.stop(pid)
    return int(RING * LAPS / took)


async def restart_us(node: Node) -> list[float]:
    spec = worker("echo", Echo, name="restarted")
    supervisor = await node.start(Supervisor([spec], max_restarts=10 * RESTARTS))
    times = []
    for _ in range(RESTARTS):
        before, started = node.whereis("restarted"), time.perf_counter()
        node.cast("restarted", Stop(Shutdown()))
        while node.whereis("restarted") in {None, before}:
            await asyncio.sleep(0)
        await node.call("restarted", 1)
        times.append((time.perf_counter() - started) * 1e6)
    await node.stop(supervisor, Shutdown())
    return times


async def lookups(node: Node) -> int:
    class Owner(GenServer):
        async def init(self) -> None:
            self.table = Table(self.node, access=Access.PUBLIC)

    owner = Owner()
    pid = await node.start(owner)
    owner.table.insert(*((number, "value") for number in range(1_000)))
    before = time.process_time()
    for number in range(LOOKUPS):
        owner.table.get(number % 1_000)
    took = time.process_time() - before
    await node.stop(pid)
    return int(LOOKUPS / took)


async def bytes_each(processes: int) -> float:
    node = Node()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pids = [await node.start(Echo()) for _ in range(processes)]
    unit = 1 if platform.system() == "Darwin" else 1024
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
    for pid in pids:
        await node.stop(pid)
    await node.shutdown()
    return grown / processes


async def rate(
    measure: Callable[[], Awaitable[int]], seconds: float, rounds: int = ROUNDS
) -> list[float]:
    """Operations a second of each round."""
    rates = []
    for _ in range(rounds):
        count, before = 0, time.process_time()
        while not count or time.process_time() - before < seconds / rounds:
            count += await measure()
        rates.append(count / (time.process_time() - before))
    return rates


def show(name: str, values: list[float], unit: str) -> float:
    middle = statistics.median(values)
    print(f"{name:<28}{middle:>12,.0f} {unit:<8} ({min(values):,.0f} to {max(values):,.0f})")
    return middle


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds-each", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=100_000)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    print(f"uvloop {uvloop.__version__}; median of {ROUNDS} (lowest to highest)")
    node, each = Node(), options.seconds_each
    pid = await node.start(Echo())
    limits, ours = [], []
    for _ in range(PAIRS):  # in turns: what else the machine does hits both alike
        limits += await rate(bare_calls, each / PAIRS, rounds=1)
        ours += await rate(lambda: calls(node, pid), each / PAIRS, rounds=1)
    show("bare limit", limits, "calls/s")
    show("call", ours, "calls/s")
    ratio = statistics.median(our / limit for our, limit in zip(ours, limits, strict=True))
    print(f"{'call / bare limit':<28}{ratio:>12.2f}          (median of {PAIRS} pairs)")
    show("cast", await rate(lambda: casts(node, pid), each), "casts/s")
    show("start and stop", await rate(lambda: starts(node), each), "/s")
    show("ring of 1,000", [float(await ring(node)) for _ in range(ROUNDS)], "hops/s")
    show("restart to first answer", await restart_us(node), "µs")
    show("table lookup", [float(await lookups(node)) for _ in range(ROUNDS)], "/s")
    await node.shutdown()
    memory = await bytes_each(options.processes)
    print(f"{'memory':<28}{memory:>12,.0f} bytes    a process ({options.processes:,} alive)")


if __name__ == "__main__":
    uvloop.run(main())
