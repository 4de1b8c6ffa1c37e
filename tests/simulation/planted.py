"""Small banks with one mistake each that ordinary tests do not show, and the same ones mended.

Each program takes a node, so that it runs under the ordinary loop as well; the function of its name
without `_in` runs it in a simulation.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from actors import From, GenServer, Node, NoReply, Pid, ProcessInfo, Reply
from actors.simulation import Simulation
from supervisors import Supervisor, worker

LONG_WAY = 4  # calls that somebody makes first who comes later in every ordinary run


@dataclass(frozen=True)
class Read:
    """What is the balance?"""


@dataclass(frozen=True)
class Write:
    """Set the balance."""

    cents: int


@dataclass(frozen=True)
class Deposit:
    """Add to the balance."""

    cents: int


@dataclass(frozen=True)
class Send:
    """Move money to another account."""

    to: str
    cents: int


@dataclass(frozen=True)
class Take:
    """The next item of a queue, when there is one."""


class Account(GenServer):
    """A balance."""

    async def init(self) -> None:
        self.cents = 100

    async def handle_call(self, request: Any, _sender: From) -> Reply | NoReply:
        match request:
            case Read():
                return Reply(self.cents)
            case Write(cents):
                self.cents = cents
            case Deposit(cents):
                self.cents += cents
            case Send(to, cents):
                self.cents -= cents
                await self.node.call(to, Deposit(cents), timeout_ms=None)
        return Reply(None)

    async def handle_cast(self, message: Any) -> None:
        self.cents += message.cents


async def walk(node: Node, steps: int) -> None:
    """Ask somebody else first, some times."""
    for _ in range(steps):
        await node.call("clerk", Read())


async def together(node: Node, *bodies: Any) -> list[Any]:
    """Run coroutine functions as processes; gives how they ended."""
    pids = [node.spawn(body, link=False) for body in bodies]
    return [await node.join(pid) for pid in pids]


async def race_in(node: Node) -> int:
    """Two deposits, each by reading and writing back: the balance is 120, or one was lost."""
    await node.start(Account(), name="account")
    await node.start(Account(), name="clerk")

    async def deposit(steps: int) -> None:
        await walk(node, steps)
        cents = await node.call("account", Read())
        await node.call("account", Write(cents + 10))

    await together(node, lambda: deposit(0), lambda: deposit(LONG_WAY))
    return int(await node.call("account", Read()))


async def race(simulation: Simulation) -> int:
    return await race_in(simulation.node)


async def mended_race(simulation: Simulation) -> int:
    node = simulation.node
    await node.start(Account(), name="account")
    await node.start(Account(), name="clerk")

    async def deposit(steps: int) -> None:
        await walk(node, steps)
        await node.call("account", Deposit(10))

    await together(node, lambda: deposit(0), lambda: deposit(LONG_WAY))
    return int(await node.call("account", Read()))


def nothing_lost(cents: int) -> bool:
    return cents == 120


async def deadlock_in(node: Node) -> None:
    """Two accounts send each other money, and each waits until the other has it."""
    for name in ("left", "right", "clerk"):
        await node.start(Account(), name=name)

    async def send(source: str, to: str, steps: int) -> None:
        await walk(node, steps)
        await node.call(source, Send(to, 10), timeout_ms=None)

    await together(node, lambda: send("left", "right", 0), lambda: send("right", "left", LONG_WAY))


async def deadlock(simulation: Simulation) -> None:
    await deadlock_in(simulation.node)


class Queue:
    """Items for one taker, by hand: it looks, asks a clerk for the time, and then waits."""

    def __init__(self, node: Node, *, looks_again: bool) -> None:
        self.node = node
        self.items: list[str] = []
        self.waiter: asyncio.Future[None] | None = None
        self.looks_again = looks_again

    def put(self, item: str) -> None:
        self.items.append(item)
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def take(self) -> str:
        while not self.items:
            await self.node.call("clerk", Read())
            if self.looks_again and self.items:
                break
            self.waiter = self.node.loop.create_future()
            await self.waiter
        return self.items.pop(0)


async def lost_wake_up_in(node: Node, *, looks_again: bool = False) -> None:
    """A taker that comes first, and an item that comes later."""
    await node.start(Account(), name="clerk")
    queue = Queue(node, looks_again=looks_again)

    async def put() -> None:
        await walk(node, LONG_WAY)
        queue.put("item")

    async def take() -> None:
        await queue.take()

    await together(node, take, put)


async def lost_wake_up(simulation: Simulation) -> None:
    await lost_wake_up_in(simulation.node)


async def mended_wake_up(simulation: Simulation) -> None:
    await lost_wake_up_in(simulation.node, looks_again=True)


async def late_message_in(node: Node) -> list[str]:
    """One tells two others, and the second tells the first: who is heard first?"""
    heard: list[str] = []

    class Listener(GenServer):
        async def handle_cast(self, message: Any) -> None:
            heard.append(message)

    class Gossip(GenServer):
        async def handle_cast(self, message: Any) -> None:
            self.node.cast("listener", f"{message}, they say")

    class Teller(GenServer):
        async def handle_cast(self, message: Any) -> None:
            for name in ("listener", "gossip"):
                self.node.cast(name, message)

    for name, server in (("listener", Listener), ("gossip", Gossip), ("teller", Teller)):
        await node.start(server(), name=name)
    node.cast("teller", "rain")
    while len(heard) < 2:
        await node.clock.sleep_ms(1)
    return heard


async def late_message(simulation: Simulation) -> list[str]:
    return await late_message_in(simulation.node)


def source_comes_first(heard: list[str]) -> bool:
    return heard == ["rain", "rain, they say"]


async def crash(simulation: Simulation) -> int:
    """A supervised account that keeps its money in memory only."""
    node = simulation.node
    await node.start(Supervisor([worker("account", Account, name="account")]), name="bank")
    for _ in range(5):
        node.cast("account", Deposit(4))
        await node.clock.sleep_ms(1)
    while node.whereis("account") is None:
        await node.clock.sleep_ms(1)
    return int(await node.call("account", Read()))


def is_account(info: ProcessInfo) -> bool:
    return info.name == "account"


async def right(simulation: Simulation) -> list[Pid]:
    """Nothing is wrong with it."""
    node = simulation.node
    pids = [await node.start(Account(), name=f"account{number}") for number in range(3)]
    for pid in pids:
        node.cast(pid, Deposit(1))
        await node.call(pid, Read())
    return pids


async def spinning(simulation: Simulation) -> None:
    """Turns in a circle without time passing."""
    while True:
        await simulation.clock.sleep_ms(0)
