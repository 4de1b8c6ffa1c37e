"""Calls: deadlines, full mailboxes, fairness, who may ask."""

import asyncio
import gc
import pickle
import weakref
from typing import Any

import pytest

from actors import (
    ActorError,
    CalleeDied,
    CallTimeout,
    Draining,
    Failed,
    From,
    GenServer,
    Killed,
    Node,
    NodeLost,
    NoProcess,
    NoReply,
    NotAProcess,
    Overloaded,
    Pid,
    Reply,
    Unknown,
    VirtualClock,
)


class Gate(GenServer):
    """Holds its first message until it is opened; counts what it handled."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.handled: list[Any] = []

    async def handle_call(self, request: Any, _sender: From) -> Reply:
        await self.opened.wait()
        self.handled.append(request)
        return Reply(request)

    async def handle_cast(self, message: Any) -> None:
        await self.opened.wait()
        self.handled.append(message)

    async def handle_info(self, message: Any) -> None:
        self.handled.append(message)


async def test_a_full_mailbox_refuses_calls_and_drops_casts(node: Node) -> None:
    gate = Gate()
    pid = await node.start(gate, mailbox_max=2)
    lost: list[Any] = []
    node.telemetry.attach(
        ("mailbox", "overflow"), lambda _event, _values, about: lost.append(about)
    )
    node.cast(pid, "in hand")
    await asyncio.sleep(0)

    for number in range(4):
        node.cast(pid, number)
    with pytest.raises(Overloaded) as caught:
        await node.call(pid, "too late")
    gate.opened.set()
    await asyncio.sleep(0.01)

    assert caught.value.mailbox_max == 2
    assert gate.handled == ["in hand", 0, 1]
    assert [about["message"] for about in lost] == ["int", "int"]
    assert node.statistics().dropped_total == 2
    assert node.info(pid).dropped == 2


async def test_notices_of_the_runtime_pass_a_full_mailbox(node: Node) -> None:
    gate = Gate()
    pid = await node.start(gate, mailbox_max=1)
    node.cast(pid, "in hand")
    await asyncio.sleep(0)
    node.cast(pid, "queued")

    stopping = node.loop.create_task(node.stop(pid))
    await asyncio.sleep(0)
    gate.opened.set()
    await stopping

    assert gate.handled == ["in hand", "queued"]


async def test_an_expired_request_is_dropped_unless_it_must_run(node: Node) -> None:
    gate = Gate()
    pid = await node.start(gate)
    node.cast(pid, "in hand")

    async def ask(request: str, **options: bool) -> None:
        with pytest.raises(CallTimeout):
            await node.call(pid, request, timeout_ms=10, **options)

    await asyncio.gather(ask("may be dropped"), ask("must run", must_run=True))
    gate.opened.set()
    await node.call(pid, "after")

    assert gate.handled == ["in hand", "must run", "after"]


async def test_calls_of_many_deadlines_expire_each_at_its_own_time() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock)
    gate = Gate()
    pid = await node.start(gate)
    ended: dict[int, int] = {}

    async def ask(timeout_ms: int) -> None:
        with pytest.raises(CallTimeout):
            await node.call(pid, "slow", timeout_ms=timeout_ms)
        ended[timeout_ms] = clock.monotonic_ns() // 1_000_000

    asking = [node.loop.create_task(ask(ms)) for ms in (30, 10, 20, 500)]
    await clock.advance(5)
    asking.append(node.loop.create_task(ask(100)))
    await clock.advance(600)
    await asyncio.gather(*asking)

    gate.opened.set()
    assert ended == {30: 30, 10: 10, 20: 20, 500: 500, 100: 105}
    await node.shutdown()


async def test_a_call_without_deadline_waits_as_long_as_it_takes() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock)
    gate = Gate()
    pid = await node.start(gate)

    asking = node.loop.create_task(node.call(pid, "patient", timeout_ms=None))
    await clock.advance(3_600_000)
    gate.opened.set()

    assert await asking == "patient"
    await node.shutdown()


async def test_a_cancelled_caller_leaves_nothing_at_the_server(node: Node) -> None:
    gate = Gate()
    pid = await node.start(gate)
    asking = node.loop.create_task(node.call(pid, "never mind"))
    await asyncio.sleep(0)

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert node.info(pid).calls == 0
    gate.opened.set()


async def test_fail_raises_at_the_caller_and_the_server_lives(node: Node) -> None:
    class Refuser(GenServer):
        async def handle_call(self, request: Any, sender: From) -> NoReply:
            self.node.fail(sender, KeyError(request))
            return NoReply()

    pid = await node.start(Refuser())

    with pytest.raises(KeyError, match="door"):
        await node.call(pid, "door")
    assert node.is_alive(pid)


async def test_a_busy_server_lets_others_have_their_turn(node: Node) -> None:
    turns: list[int] = []

    class Greedy(GenServer):
        handled = 0

        async def handle_cast(self, _message: Any) -> None:
            self.handled += 1

    greedy = Greedy()
    pid = await node.start(greedy)
    for number in range(1_000):
        node.cast(pid, number)
    while greedy.handled < 1_000:
        await asyncio.sleep(0)
        turns.append(greedy.handled)

    assert turns[0] <= 100
    assert len(turns) >= 10


async def test_a_pid_of_another_node_cannot_be_reached(node: Node) -> None:
    with pytest.raises(NodeLost) as caught:
        await node.call(Pid("elsewhere", 1), "hello")

    assert caught.value.node == "elsewhere"


async def test_bonds_need_a_calling_process(node: Node) -> None:
    pid = await node.start(Gate())

    for operation in (node.monitor, node.link):
        with pytest.raises(NotAProcess):
            operation(pid)


async def test_on_exit_runs_before_anybody_hears_of_the_end(node: Node) -> None:
    order: list[str] = []

    class Owner(GenServer):
        async def init(self) -> None:
            self.node.on_exit(lambda: order.append(f"released {self.node.is_alive(self.pid)}"))

    pid = await node.start(Owner())
    watching = node.loop.create_task(node.join(pid))
    watching.add_done_callback(lambda _: order.append("told"))
    await asyncio.sleep(0)
    node.exit(pid, Killed())
    await watching
    await asyncio.sleep(0)

    assert order == ["released False", "told"]


async def test_a_bare_process_ends_as_its_coroutine_does(node: Node) -> None:
    async def fine() -> None:
        await asyncio.sleep(0)

    async def wrong() -> None:
        await asyncio.sleep(0)
        raise KeyError

    well, badly = node.spawn(fine), node.spawn(wrong)
    reasons = await asyncio.gather(node.join(well), node.join(badly))

    assert not reasons[0].is_abnormal
    assert isinstance(reasons[1].error, KeyError)


async def test_shutdown_stops_everything_and_then_starts_nothing(node: Node) -> None:
    stopped: list[str] = []

    class Named(GenServer):
        def __init__(self, name: str) -> None:
            self.name = name

        async def terminate(self, _reason: Any) -> None:
            stopped.append(self.name)

    await node.start(Named("first"))
    await node.start(Named("second"))
    node.send_after(60_000, "first", "never")

    await node.shutdown()

    assert stopped == ["second", "first"]
    assert node.statistics().timers == 0
    with pytest.raises(Draining):
        await node.start(Named("third"))


async def test_an_ended_process_is_not_kept_in_memory(node: Node) -> None:
    gate = Gate()
    pid = await node.start(gate)
    reference = weakref.ref(gate)
    del gate

    await node.stop(pid)
    await asyncio.sleep(0)
    gc.collect()

    assert reference() is None


async def test_timers_send_once_and_can_be_cancelled(node: Node) -> None:
    gate = Gate()
    pid = await node.start(gate)
    node.send_after(1, pid, "sent")
    cancelled = node.send_after(1, pid, "cancelled")

    node.cancel_timer(cancelled)
    await asyncio.sleep(0.02)

    assert gate.handled == ["sent"]
    node.cancel_timer(cancelled)


async def test_telemetry_of_a_call_knows_its_times(node: Node) -> None:
    seen: list[Any] = []
    for end in ("stop", "exception"):
        node.telemetry.attach(("genserver", "call", end), lambda *event: seen.append(event))
    gate = Gate()
    gate.opened.set()
    pid = await node.start(gate, name="gate")

    await node.call(pid, "hello")

    ((event, measured, about),) = seen
    assert event == ("genserver", "call", "stop")
    assert measured["queue_ns"] > 0
    assert measured["duration_ns"] > 0
    assert (about["name"], about["server"], about["message"]) == ("gate", "Gate", "str")


@pytest.mark.parametrize(
    "error",
    [
        CallTimeout("ledger", "Post", 5_000),
        CalleeDied(Failed("x"), Pid("n", 1), "Post"),
        NoProcess(Pid("n", 1), "Post"),
        Overloaded("ledger", 10),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_pickling(error: ActorError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)

    assert type(copy) is type(error)
    assert copy.args == error.args
    assert str(copy) == str(error)


def test_unknown_outcomes_are_told_apart_from_refusals() -> None:
    assert issubclass(CallTimeout, Unknown)
    assert not issubclass(Overloaded, Unknown)
