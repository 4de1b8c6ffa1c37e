"""Whatever happens in whatever order, a node that parks does the same as one that does not."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors import (
    TIMEOUT,
    Failed,
    From,
    GenServer,
    IdleTimeout,
    Killed,
    Node,
    NoReply,
    Pid,
    Reply,
    Shutdown,
    VirtualClock,
)

SERVERS = 3
QUIET_TURNS = 30
EXAMPLES = 200


class Witness(GenServer):
    """Writes down everything that happens to it, and when."""

    def __init__(self, number: int, seen: list[Any]) -> None:
        self.trap_exit = number == 0
        self.number = number
        self.seen = seen
        self.waiting: list[From] = []

    def write(self, what: object) -> None:
        self.seen.append((self.number, self.node.clock.monotonic_ns(), what))

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        self.write(request)
        if request == "later":
            self.waiting.append(sender)
            return NoReply(IdleTimeout(7))
        return Reply((self.number, request))

    async def handle_cast(self, message: Any) -> NoReply | None:
        self.write(message)
        if isinstance(message, IdleTimeout):
            return NoReply(message)
        if isinstance(message, Pid):
            self.node.link(message)
            self.node.monitor(message)
        if message == "answer":
            for sender in self.waiting:
                self.node.reply(sender, "at last")
            self.waiting.clear()
        return None

    async def handle_info(self, message: Any) -> None:
        self.write(message if message is TIMEOUT else repr(message))

    async def terminate(self, reason: Any) -> None:
        self.write(reason)


number = st.integers(0, SERVERS - 1)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["cast", "send", "call", "later", "answer"]), number, number),
        st.tuples(st.just("idle"), number, st.integers(0, 20)),
        st.tuples(st.just("bind"), number, number),
        st.tuples(st.sampled_from(["advance", "turns"]), st.just(0), st.integers(0, 30)),
        st.tuples(st.just("look"), st.just(0), st.just(0)),
        st.tuples(st.sampled_from(["kill", "stop", "fail", "interval"]), number, number),
    ),
    max_size=40,
)


class Play:
    """One run of the actions; a look at the processes parks them, or only takes as long."""

    def __init__(self, *, parks: bool) -> None:
        self.parks = parks
        self.seen: list[Any] = []
        self.clock = VirtualClock()
        self.node = Node("play", clock=self.clock, seed=1)
        self.asked: list[asyncio.Task[None]] = []

    async def run(self, actions: list[tuple[str, int, int]]) -> list[Any]:
        for number in range(SERVERS):
            await self.node.start(Witness(number, self.seen), name=str(number))
        for name, first, second in actions:
            await self.act(name, first, second)
        await self.clock.advance(100)
        for info in self.node.processes():
            self.seen.append((info.name, info.handled, info.last_message, info.calls))
        await self.node.shutdown()
        await asyncio.gather(*self.asked)
        return self.seen

    async def act(  # noqa: C901 (a case for each action)
        self, name: str, first: int, second: int
    ) -> None:
        node, target = self.node, str(first)
        pid, other = node.whereis(target), node.whereis(str(second))
        match name:
            case "cast" | "answer":
                node.cast(target, "answer" if name == "answer" else second)
            case "send":
                node.send(target, second)
            case "call" | "later":
                self.asked.append(node.loop.create_task(self.ask(target, name)))
            case "idle":
                node.cast(target, IdleTimeout(second))
            case "bind" if other is not None:
                node.cast(target, other)
            case "interval":
                node.send_interval(5 + second, target, "tick")
            case "advance":
                await self.clock.advance(second)
            case "turns":
                await self.turns(second)
            case "look":
                await self.look()
            case "kill" | "fail" if pid is not None:
                node.exit(pid, Killed() if name == "kill" else Failed("x"))
            case "stop" if pid is not None:
                self.asked.append(node.loop.create_task(self.stop(pid)))

    async def ask(self, target: str, request: str) -> None:
        try:
            answer = await self.node.call(target, request, timeout_ms=15)
        except Exception as error:  # noqa: BLE001 (it belongs to what is seen)
            answer = repr(error)
        self.seen.append(("answer", self.clock.monotonic_ns(), answer))

    async def stop(self, pid: Pid) -> None:
        try:
            await self.node.stop(pid, Shutdown("asked"))
        except Exception as error:  # noqa: BLE001 (it belongs to what is seen)
            self.seen.append(("stopped", repr(error)))

    async def look(self) -> None:
        """Park when all is quiet: there is no order between processes that all have a message."""
        for _ in range(2):
            await self.turns(QUIET_TURNS)
            if self.parks:
                self.node.parking.look(self.node.loop)
        await self.turns(QUIET_TURNS)

    async def turns(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)


@settings(max_examples=EXAMPLES, deadline=None)
@given(actions=ACTIONS)
def test_nobody_can_tell_a_node_that_parks_from_one_that_does_not(
    actions: list[tuple[str, int, int]],
) -> None:
    parking = asyncio.run(Play(parks=True).run(actions))
    awake = asyncio.run(Play(parks=False).run(actions))

    assert parking == awake
