"""What a borrowed worker and a blocking actor cost, beside a bare pykka actor.

All do nothing but answer. Each figure is the median of five rounds, and the slowest and fastest.

    python bench/borrowing.py [--calls 5000]
"""

import argparse
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pykka
import uvloop

from actors import (
    BlockingActor,
    BlockingServer,
    CallAnswer,
    From,
    GenServer,
    Node,
    Pool,
    Reply,
    checkin,
    checkout,
    transaction,
)
from loadtest import machine_line

ROUNDS = 5


class Bare(pykka.ThreadingActor):
    use_daemon_thread = True

    def on_receive(self, message: Any) -> Any:
        return message


class Blocking(BlockingActor):
    def handle_call(self, request: Any) -> Any:
        return request


class Worker(GenServer):
    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        del sender
        return Reply(request)


def say(name: str, rates: list[float]) -> None:
    middle = statistics.median(rates)
    print(f"{name:<42} {middle:>9,.0f}/s  ({min(rates):,.0f} to {max(rates):,.0f})")


async def measure(name: str, body: Callable[[], Awaitable[object]], calls: int) -> None:
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(calls):
            await body()
        rates.append(calls / (time.perf_counter() - started))
    say(name, rates)


def measure_pykka(calls: int) -> None:
    actor = Bare.start()
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for number in range(calls):
            actor.ask(number)
        rates.append(calls / (time.perf_counter() - started))
    actor.stop()
    say("pykka: ask", rates)


async def measure_ours(calls: int) -> None:
    node = Node()
    blocking = await node.start(BlockingServer(Blocking))
    worker = await node.start(Worker())
    pool = await node.start(Pool(Worker))

    async def borrow() -> None:
        checkin(node, await checkout(node, pool))

    async def borrow_and_call() -> None:
        async with transaction(node, pool) as borrowed:
            await node.call(borrowed, 1)

    await measure("blocking actor: call", lambda: node.call(blocking, 1), calls)
    await measure("server: call", lambda: node.call(worker, 1), calls)
    await measure("pool: checkout and checkin", borrow, calls)
    await measure("pool: transaction with a call", borrow_and_call, calls)
    await node.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5_000)
    calls = parser.parse_args().calls
    print(machine_line())
    measure_pykka(calls)
    uvloop.run(measure_ours(calls))


if __name__ == "__main__":
    main()
