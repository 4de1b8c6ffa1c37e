"""Calls a second of CPU time of other actors, one after another: a line of JSON.

    python bench/rivals.py corrente | queues | pykka | xoscar | thespian | erlang

The time is that of all threads of the program. Each library runs as its own documentation shows, in
one program and on one machine: an actor that answers what it is asked, and a caller that waits for
each answer. What they promise differs: no deadline and no word of the callee's death in most of
them. Erlang's schedulers are told not to spin while they wait, which would count as work.
"""

# ruff: noqa: PLC0415 (a rival that is not installed cannot be imported)

import asyncio
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROUNDS = 5
ROUND_SECONDS = 0.5
BATCH = 500


def rates(call: Callable[[int], Any]) -> list[float]:
    found = []
    for _ in range(ROUNDS + 1):
        count, before = 0, time.process_time()
        while (took := time.process_time() - before) < ROUND_SECONDS:
            for number in range(BATCH):
                call(number)
            count += BATCH
        found.append(count / took)
    return found[1:]  # the first one warms up


async def rates_awaited(call: Callable[[int], Awaitable[Any]]) -> list[float]:
    found = []
    for _ in range(ROUNDS + 1):
        count, before = 0, time.process_time()
        while (took := time.process_time() - before) < ROUND_SECONDS:
            for number in range(BATCH):
                await call(number)
            count += BATCH
        found.append(count / took)
    return found[1:]


def run(main: Callable[[], Any]) -> list[float]:
    import uvloop

    return list(uvloop.run(main()))


def corrente() -> list[float]:
    from actors import GenServer, Node, Reply

    class Echo(GenServer):
        async def handle_call(self, request: Any, _sender: Any) -> Reply:
            return Reply(request)

    async def main() -> list[float]:
        node = Node()
        pid = await node.start(Echo())
        found = await rates_awaited(lambda number: node.call(pid, number))
        await node.shutdown()
        return found

    return run(main)


def queues() -> list[float]:
    """Ordinary asyncio: a queue, a task that reads it, a future and a timeout for each call."""

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        requests: asyncio.Queue[tuple[int, asyncio.Future[int]]] = asyncio.Queue()

        async def serve() -> None:
            while True:
                number, future = await requests.get()
                if not future.done():
                    future.set_result(number)

        async def call(number: int) -> int:
            future: asyncio.Future[int] = loop.create_future()
            async with asyncio.timeout(5):
                await requests.put((number, future))
                return await future

        server = loop.create_task(serve())
        found = await rates_awaited(call)
        server.cancel()
        return found

    return run(main)


def pykka() -> list[float]:
    import pykka as library

    class Echo(library.ThreadingActor):
        def on_receive(self, message: Any) -> Any:
            return message

    echo = Echo.start()
    found = rates(lambda number: echo.ask(number, timeout=5))
    echo.stop()
    return found


def xoscar() -> list[float]:
    import xoscar as library

    class Echo(library.Actor):
        async def echo(self, number: int) -> int:
            return number

    async def main() -> list[float]:
        pool = await library.create_actor_pool("127.0.0.1", n_process=0)
        async with pool:
            echo = await library.create_actor(Echo, address=pool.external_address, uid="echo")
            return await rates_awaited(echo.echo)

    return run(main)


def thespian() -> list[float]:
    from thespian.actors import Actor, ActorSystem

    class Echo(Actor):
        def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802 (its name)
            if type(message) is int:
                self.send(sender, message)

    system = ActorSystem("simpleSystemBase")
    echo = system.createActor(Echo)
    found = rates(lambda number: system.ask(echo, number, 5))
    system.shutdown()
    return found


def erlang() -> list[float]:
    script = Path(__file__).parent / "calls.escript"
    done = subprocess.run(["escript", script], capture_output=True, check=True)
    return [float(line) for line in done.stdout.split()]


MEASURES = {one.__name__: one for one in (corrente, queues, pykka, xoscar, thespian, erlang)}
MODULES = {"pykka": "pykka", "xoscar": "xoscar", "thespian": "thespian"}


def is_installed(name: str) -> bool:
    if name == "erlang":
        return shutil.which("escript") is not None
    return name not in MODULES or importlib.util.find_spec(MODULES[name]) is not None


def main() -> None:
    name = sys.argv[1]
    print(json.dumps(MEASURES[name]() if is_installed(name) else "not installed"))


if __name__ == "__main__":
    main()
