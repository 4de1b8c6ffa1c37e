"""A process with nothing to do has no task, and nobody can tell."""

import asyncio
import contextvars
import gc
import weakref
from typing import Any

import pytest

from actors import (
    TIMEOUT,
    CalleeDied,
    CallTimeout,
    Down,
    Exit,
    Failed,
    From,
    GenServer,
    IdleTimeout,
    Killed,
    Node,
    NoProcess,
    NoReply,
    Normal,
    Pid,
    ProcessInfo,
    Reply,
    Shutdown,
    Stop,
    VirtualClock,
)

COLOUR: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


class Listener(GenServer):
    """Keeps what it hears; answers questions about itself; keeps some callers waiting."""

    def __init__(self, *, traps: bool = False) -> None:
        self.trap_exit = traps
        self.heard: list[Any] = []
        self.waiting: list[From] = []
        self.ended_with: list[Any] = []

    async def handle_call(self, request: Any, sender: From) -> Reply | NoReply:
        match request:
            case "later":
                self.waiting.append(sender)
                return NoReply()
            case "colour":
                return Reply(COLOUR.get())
            case ("paint", colour):
                COLOUR.set(colour)
            case ("do", operation, target):
                return Reply(getattr(self.node, operation)(target))
            case "who":
                return Reply(self.node.current_pid())
        return Reply(request)

    async def handle_cast(self, message: Any) -> NoReply | Stop | None:
        self.heard.append(message)
        if message == "raise":
            raise KeyError
        if message == "answer":
            for sender in self.waiting:
                self.node.reply(sender, "at last")
        return NoReply(message) if isinstance(message, IdleTimeout) else None

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)

    async def terminate(self, reason: Any) -> None:
        self.ended_with.append(reason)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def look(node: Node) -> None:
    """What the clock of the loop does twice a process: see it at work, then see it idle."""
    for _ in range(2):
        node.parking.look(node.loop)
        await turns()


def is_parked(node: Node, pid: Pid) -> bool:
    return node.table[pid].task is None


async def parked(node: Node, **options: Any) -> tuple[Listener, Pid]:
    """Start a server that has worked and has nothing to do any more."""
    server = Listener(**options)
    pid = await node.start(server)
    await node.call(pid, "work")
    assert not is_parked(node, pid)
    await look(node)
    assert is_parked(node, pid)
    return server, pid


def seen(info: ProcessInfo | None) -> ProcessInfo:
    assert info is not None
    return info


async def test_a_server_that_has_started_needs_no_task_until_its_first_message(node: Node) -> None:
    pid = await node.start(Listener())
    assert is_parked(node, pid)

    assert await node.call(pid, 1) == 1

    assert not is_parked(node, pid)


async def test_a_parked_server_handles_messages_in_order(node: Node) -> None:
    server, pid = await parked(node)

    for number in range(10):
        node.cast(pid, number)
    node.send(pid, "info")
    assert await node.call(pid, "hello") == "hello"

    assert server.heard == [*range(10), "info"]


async def test_parking_comes_by_itself(node: Node) -> None:
    pid = await node.start(Listener())
    await node.call(pid, "work")

    for _ in range(1_000):
        if is_parked(node, pid):
            break
        await asyncio.sleep(0.05)

    assert is_parked(node, pid)


async def test_whoever_works_between_two_looks_keeps_its_task(node: Node) -> None:
    pid = await node.start(Listener())
    for _ in range(5):
        await node.call(pid, "work")
        node.parking.look(node.loop)
        await turns()

    assert not is_parked(node, pid)


async def test_a_message_in_the_instant_of_parking_is_handled(node: Node) -> None:
    server = Listener()
    pid = await node.start(server)
    await node.call(pid, "work")
    node.parking.look(node.loop)
    await turns()

    node.parking.look(node.loop)  # it may park, and has not run yet
    node.cast(pid, "just in time")
    await turns()

    assert server.heard == ["just in time"]
    assert not is_parked(node, pid)


async def test_a_server_in_a_handler_is_not_parked(node: Node) -> None:
    opened = asyncio.Event()

    class Slow(GenServer):
        async def handle_call(self, request: Any, _sender: From) -> Reply:
            await opened.wait()
            return Reply(request)

    pid = await node.start(Slow())
    calling = node.loop.create_task(node.call(pid, "slow"))
    await turns()
    await look(node)
    assert not is_parked(node, pid)

    opened.set()

    assert await calling == "slow"


async def test_a_kill_reaches_the_parked_and_their_watchers(node: Node) -> None:
    peer, linked = await parked(node, traps=True)
    server, pid = await parked(node)
    ref = await node.call(linked, ("do", "monitor", pid))
    await node.call(linked, ("do", "link", pid))
    await look(node)
    assert is_parked(node, pid)
    assert is_parked(node, linked)

    node.exit(pid, Killed())
    await node.call(linked, "heard?")

    assert peer.heard == [Exit(pid, Killed()), Down(ref, pid, Killed())]
    assert server.ended_with == []
    with pytest.raises(NoProcess):
        await node.call(pid, "anybody?")


async def test_an_orderly_stop_runs_terminate_of_the_parked(node: Node) -> None:
    server, pid = await parked(node)

    await node.stop(pid, Shutdown("enough"))

    assert server.ended_with == [Shutdown("enough")]


async def test_an_exit_signal_ends_the_parked_or_is_its_message(node: Node) -> None:
    _, plain = await parked(node)
    server, trapping = await parked(node, traps=True)
    stranger = await node.start(Listener())

    await node.call(stranger, ("do", "link", plain))
    await node.call(stranger, ("do", "link", trapping))
    await look(node)
    node.exit(stranger, Failed("boom"))
    await turns()

    assert not node.is_alive(plain)
    assert server.heard == [Exit(stranger, Failed("boom"))]


async def test_an_idle_timeout_fires_though_its_server_parked() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock)
    server = Listener()
    pid = await node.start(server)
    node.cast(pid, IdleTimeout(1_000))
    await turns()
    await look(node)
    assert is_parked(node, pid)

    await clock.advance(999)
    assert server.heard == [IdleTimeout(1_000)]
    await clock.advance(5_000)

    assert server.heard == [IdleTimeout(1_000), TIMEOUT]
    await node.shutdown()


async def test_a_message_cancels_the_idle_timeout_of_the_parked() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock)
    server = Listener()
    pid = await node.start(server)
    node.cast(pid, IdleTimeout(1_000))
    await turns()
    await look(node)

    node.cast(pid, "hello")
    await clock.advance(5_000)

    assert server.heard == [IdleTimeout(1_000), "hello"]
    await node.shutdown()


async def test_a_death_cancels_the_idle_timeout(node: Node) -> None:
    server, pid = await parked(node)
    node.cast(pid, IdleTimeout(3_600_000))
    await turns()
    await look(node)
    timer = node.table[pid].idle_timer
    assert isinstance(timer, asyncio.TimerHandle)

    node.exit(pid, Killed())

    assert timer.cancelled()
    assert server.heard == [IdleTimeout(3_600_000)]


async def test_a_parked_server_is_itself_when_it_works_again(node: Node) -> None:
    _, pid = await parked(node)
    await node.call(pid, ("paint", "green"))
    COLOUR.set("red")  # of the test, and nobody else's business
    await look(node)
    assert is_parked(node, pid)

    assert await node.call(pid, "who") == pid
    assert await node.call(pid, "colour") == "green"


async def test_a_crash_after_parking_is_a_crash(node: Node) -> None:
    _, pid = await parked(node)
    joining = node.loop.create_task(node.join(pid))
    await turns()

    node.cast(pid, "raise")
    reason = await joining

    assert isinstance(getattr(reason, "error", None), KeyError)


async def test_a_call_that_was_put_off_is_answered_from_the_parked(node: Node) -> None:
    _, pid = await parked(node)
    calling = node.loop.create_task(node.call(pid, "later"))
    await turns()
    await look(node)
    assert is_parked(node, pid)
    assert seen(node.info(pid)).calls == 1

    node.cast(pid, "answer")

    assert await calling == "at last"
    assert seen(node.info(pid)).calls == 0


async def test_a_call_that_was_put_off_fails_when_the_parked_dies(node: Node) -> None:
    _, pid = await parked(node)
    calling = node.loop.create_task(node.call(pid, "later"))
    late = node.loop.create_task(node.call(pid, "later", timeout_ms=1))
    with pytest.raises(CallTimeout):
        await late
    await look(node)

    node.exit(pid, Killed())

    with pytest.raises(CalleeDied) as caught:
        await calling
    assert caught.value.reason == Killed()


async def test_what_can_be_seen_of_a_process_survives_parking(node: Node) -> None:
    _, pid = await parked(node)

    info = seen(node.info(pid))

    assert (info.last_message, info.handled, info.mailbox_length) == ("str", 1, 0)
    assert (info.server, info.dropped) == ("Listener", 0)


async def test_a_parked_process_keeps_neither_its_last_message_nor_a_task(node: Node) -> None:
    class Heavy:
        pass

    _, pid = await parked(node)
    message = Heavy()
    reference = weakref.ref(message)
    await node.call(pid, ("do", "is_alive", message))
    del message

    await look(node)
    gc.collect()

    assert reference() is None


async def test_a_shutdown_stops_the_parked_and_looks_no_more(node: Node) -> None:
    server, pid = await parked(node)

    await node.shutdown()

    assert server.ended_with == [Shutdown()]
    assert not node.is_alive(pid)
    assert node.parking._timer is None


async def test_many_are_parked_without_holding_up_the_rest(node: Node) -> None:
    pids = [await node.start(Listener()) for _ in range(1_000)]
    for pid in pids:
        node.cast(pid, 1)
    await turns()
    node.parking.look(node.loop)
    for _ in range(20):
        await asyncio.sleep(0)
    node.parking.look(node.loop)
    await asyncio.sleep(0)
    left = sum(not is_parked(node, pid) for pid in pids)
    for _ in range(20):
        await asyncio.sleep(0)

    assert left > 0
    assert all(is_parked(node, pid) for pid in pids)


async def test_a_stop_of_somebody_who_never_worked_is_quick_and_clean(node: Node) -> None:
    server = Listener()
    pid = await node.start(server)

    await node.stop(pid)

    assert server.ended_with == [Normal()]
