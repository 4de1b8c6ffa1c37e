"""How fast processes are and what they weigh, beside the bare event loop and beside other actors.

    python bench/runtime.py [--seconds-each 1] [--processes 100000] [--rivals PYTHON]

The bare limit is what a request and its answer cost when two tasks share a deque, a future for
each request and one timer each: no mailbox, no names, no links. It runs in turns with ours, so
that what else the machine does hits both alike. Rates are per second of CPU time of this program,
which fills one core: on a shared machine the wall clock measures the neighbours. That goes for the
other libraries too (`bench/rivals.py`), all their threads counted. Restarts are shown by both.
`--rivals` names a Python that has xoscar and thespian; `make bench-actors` makes one.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import structlog
import uvloop

from actors import Access, Failed, From, GenServer, Node, Pid, Reply, Shutdown, Stop, Table
from loadtest import machine_line
from supervisors import Supervisor, worker

ROUNDS = 5
PAIRS = 15
CALLS = 10_000
CASTS = 100_000
CAST_BURST = 5_000
STARTS = 5_000
RING = 1_000
LAPS = 100
RESTARTS = 1_000
LOOKUPS = 200_000
PARK_SECONDS_MAX = 60
RIVALS = ("queues", "pykka", "xoscar", "thespian", "erlang")
HERE = Path(__file__).parent


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


class Bars:
    """What must hold, and whether it did."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def check(self, what: str, value: float, *, least: float = 0, most: float = 0) -> None:
        holds = value >= least if least else value <= most
        bar = f"at least {least:,g}" if least else f"at most {most:,g}"
        print(f"  {'holds ' if holds else 'MISSED'}  {what}: {value:,.2f}, {bar}")
        if not holds:
            self.missed.append(what)


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


async def ring(node: Node) -> float:
    """Hops a second of a message that goes round."""
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
    return RING * LAPS / took


async def restart_us(node: Node, now: Callable[[], float]) -> list[float]:
    """From the cast that crashes a child to the first answer of the next one."""
    spec = worker("echo", Echo, name="restarted")
    supervisor = await node.start(Supervisor([spec], max_restarts=10 * RESTARTS))
    times = []
    for _ in range(RESTARTS):
        before, started = node.whereis("restarted"), now()
        node.cast("restarted", Stop(Failed("on purpose")))
        while node.whereis("restarted") in {None, before}:
            await asyncio.sleep(0)
        await node.call("restarted", 1)
        times.append((now() - started) * 1e6)
    await node.stop(supervisor, Shutdown())
    return sorted(times)


async def lookup_ns(node: Node) -> float:
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
    return took / LOOKUPS * 1e9


def telemetry_ns(node: Node) -> float:
    """An event that nobody listens to."""
    execute, event, nothing = node.telemetry.execute, ("bench", "event"), {}
    before = time.process_time()
    for _ in range(LOOKUPS):
        execute(event, nothing, nothing)
    return (time.process_time() - before) / LOOKUPS * 1e9


async def memory(processes: int) -> dict[str, float]:
    """What this many idle processes weigh; in a program of its own, whose memory is its own."""
    node, me = Node(), psutil.Process()
    before, started = me.memory_info().rss, time.process_time()
    pids = [await node.start(Echo()) for _ in range(processes)]
    took, idle = time.process_time() - started, me.memory_info().rss
    for pid in pids:
        await node.call(pid, 1)
    awake, deadline = me.memory_info().rss, time.monotonic() + PARK_SECONDS_MAX
    while node.parking.is_busy and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    parked = me.memory_info().rss
    for pid in pids:
        await node.call(pid, 1)
    await node.shutdown()
    return {
        "mb": idle / 1e6,
        "each": (idle - before) / processes,
        "awake_each": (awake - before) / processes,
        "parked_each": (parked - before) / processes,
        "seconds": took,
    }


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
    print(f"{name:<28}{middle:>12,.0f} {unit:<9} ({min(values):,.0f} to {max(values):,.0f})")
    return middle


async def measure_calls(node: Node, pid: Pid, each: float, bars: Bars) -> None:
    limits, ours = [], []
    for _ in range(PAIRS):
        limits += await rate(bare_calls, each / PAIRS, rounds=1)
        ours += await rate(lambda: calls(node, pid), each / PAIRS, rounds=1)
    show("bare limit", limits, "calls/s")
    show("call", ours, "calls/s")
    ratio = statistics.median(our / limit for our, limit in zip(ours, limits, strict=True))
    bars.check(f"calls to the bare limit, median of {PAIRS} pairs", ratio, least=0.7)


async def measure_runtime(each: float, bars: Bars) -> None:
    node = Node()
    pid = await node.start(Echo())
    await measure_calls(node, pid, each, bars)
    middle = show("cast", await rate(lambda: casts(node, pid), each), "casts/s")
    bars.check("casts a second", middle, least=1_000_000)
    show("start and stop", await rate(lambda: starts(node), each), "/s")
    show(f"ring of {RING:,}, {LAPS} laps", [await ring(node) for _ in range(ROUNDS)], "hops/s")
    walls = await restart_us(node, time.perf_counter)
    show("restart, wall clock", walls, "µs")
    times = await restart_us(node, time.process_time)
    show("restart to first answer", times, "µs")
    percentile = len(times) * 99 // 100
    print(f"  99th percentile by the wall clock: {walls[percentile]:,.0f} µs")
    bars.check("restart, 99th percentile in µs", times[percentile], most=1_000)
    middle = show("table lookup", [await lookup_ns(node) for _ in range(ROUNDS)], "ns")
    bars.check("table lookup in ns", middle, most=150)
    middle = show("telemetry, nobody listens", [telemetry_ns(node) for _ in range(ROUNDS)], "ns")
    bars.check("telemetry in ns", middle, most=50)
    node.telemetry.attach(("bench", "other"), print)
    show("…, others are listened to", [telemetry_ns(node) for _ in range(ROUNDS)], "ns")
    await node.shutdown()


def measure_memory(processes: int, bars: Bars) -> None:
    command = [sys.executable, __file__, "--memory", str(processes)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    print(
        f"{processes:,} alive: {found['mb']:,.0f} MB, started in {found['seconds']:.1f} s of CPU; "
        f"bytes each: {found['each']:,.0f} idle, {found['awake_each']:,.0f} just after work, "
        f"{found['parked_each']:,.0f} when all have parked (free again, for this program)"
    )
    bars.check("bytes of an idle process", found["each"], most=1_500)
    bars.check(f"MB of a program with {processes:,} idle processes", found["mb"], most=250)


def rival_rates(name: str, python: str) -> list[float] | str:
    """Calls a second of CPU time of each round, or why there are none."""
    done = subprocess.run(
        [python, HERE / "rivals.py", name], capture_output=True, check=False, text=True
    )
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return f"failed: {done.stderr.strip().splitlines()[-1:]}"
    return answer if isinstance(answer, list) else str(answer)


def measure_rivals(python: str, bars: Bars) -> None:
    print("calls one after another, a second of CPU time, each in a program of its own:")
    ours = rival_rates("corrente", sys.executable)
    assert isinstance(ours, list), ours
    our = show("corrente", ours, "calls/s")
    bar = {"pykka": 3, "xoscar": 10, "erlang": 0.25}
    for name in RIVALS:
        rates = rival_rates(name, python if name in {"xoscar", "thespian"} else sys.executable)
        if isinstance(rates, str):
            print(f"{name:<28}{rates}")
            continue
        ratio = our / show(name, rates, "calls/s")
        if name in bar:
            bars.check(f"corrente to {name}", ratio, least=bar[name])


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds-each", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=100_000)
    parser.add_argument("--rivals", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--memory", type=int, help="print the memory of this many, and no more")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    if options.memory:
        print(json.dumps(await memory(options.memory)))
        return
    print(machine_line())
    print(f"uvloop {uvloop.__version__}; median of {ROUNDS} rounds (lowest to highest)")
    bars = Bars()
    await measure_runtime(options.seconds_each, bars)
    measure_memory(options.processes, bars)
    measure_rivals(options.rivals, bars)
    print("pipelines:", flush=True)
    subprocess.run([sys.executable, HERE / "pipeline.py", "--messages", "50000"], check=True)
    print(f"missed: {', '.join(bars.missed)}" if bars.missed else "every bar holds")


if __name__ == "__main__":
    uvloop.run(main())
