"""Messages sent later and again and again, on a clock that stands still in between."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors import From, GenServer, IdleTimeout, Killed, Node, NoReply, Reply, VirtualClock
from tests.conftest import runtime_timers


class Diary(GenServer):
    """Writes down what it hears, and when."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, Any]] = []

    async def handle_info(self, message: Any) -> None:
        self.heard.append((self.node.clock.monotonic_ns() // 1_000_000, message))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def still(clock: VirtualClock) -> AsyncIterator[Node]:
    node = Node("still", clock=clock)
    yield node
    await node.shutdown()


async def test_an_interval_repeats_until_it_is_cancelled(still: Node, clock: VirtualClock) -> None:
    diary = Diary()
    pid = await still.start(diary)
    timer = still.send_interval(100, pid, "tick")

    await clock.advance(350)
    still.cancel_timer(timer)
    await clock.advance(1_000)

    assert diary.heard == [(100, "tick"), (200, "tick"), (300, "tick")]
    assert still.statistics().timers == 0


async def test_an_interval_does_not_drift_when_it_fires_late(clock: VirtualClock) -> None:
    class Lazy(VirtualClock):
        """Fires each timer 30 ms late."""

        def call_later(self, ms: int, action: Any) -> Any:
            return super().call_later(ms + 30, action)

    lazy = Lazy()
    node = Node("lazy", clock=lazy)
    diary = Diary()
    pid = await node.start(diary)

    timer = node.send_interval(100, pid, "tick")
    await lazy.advance(1_000)
    node.cancel_timer(timer)

    assert [at for at, _ in diary.heard] == [130, 230, 330, 430, 530, 630, 730, 830, 930]
    await node.shutdown()


async def test_an_interval_leaves_out_what_is_a_whole_period_late(clock: VirtualClock) -> None:
    class Late(VirtualClock):
        """Fires each timer 250 ms late: more than two periods."""

        def call_later(self, ms: int, action: Any) -> Any:
            return super().call_later(ms + 250, action)

    late = Late()
    node = Node("late", clock=late)
    diary = Diary()
    pid = await node.start(diary)

    timer = node.send_interval(100, pid, "tick")
    await late.advance(1_000)
    node.cancel_timer(timer)

    assert [at for at, _ in diary.heard] == [350, 650, 950]
    await node.shutdown()


async def test_an_interval_stops_when_its_target_is_gone(still: Node, clock: VirtualClock) -> None:
    pid = await still.start(Diary(), name="diary")
    still.send_interval(100, "diary", "tick")
    still.send_interval(100, "nobody", "tick")
    still.exit(pid, Killed())
    successor = Diary()
    await still.start(successor, name="diary")

    await clock.advance(150)

    assert still.statistics().timers == 0
    assert successor.heard == []


async def test_a_message_sent_later_finds_whoever_has_the_name_then(
    still: Node, clock: VirtualClock
) -> None:
    still.send_after(100, "diary", "hello")
    diary = Diary()
    await still.start(diary, name="diary")

    await clock.advance(100)

    assert diary.heard == [(100, "hello")]


async def test_a_shutdown_forgets_intervals(still: Node, clock: VirtualClock) -> None:
    diary = Diary()
    pid = await still.start(diary)
    still.send_interval(10, pid, "tick")

    await still.shutdown()
    await clock.advance(100)

    assert diary.heard == []
    assert still.statistics().timers == 0


async def test_a_shutdown_leaves_no_timer_of_any_kind(node: Node) -> None:
    """The fixture of the node looks; here is one of each for it to find."""

    class Everything(GenServer):
        async def handle_call(self, request: Any, _sender: From) -> Reply | NoReply:
            if request == "later":
                return NoReply(IdleTimeout(3_600_000))
            await asyncio.Event().wait()
            return Reply(None)

    pid = await node.start(Everything(), timeout_ms=3_600_000)
    waiting = [
        node.loop.create_task(node.call(pid, "later", timeout_ms=3_600_000)),
        node.loop.create_task(node.call(pid, "stuck", timeout_ms=3_600_001)),
        node.loop.create_task(node.join(pid, timeout_ms=3_600_000)),
    ]
    node.send_interval(3_600_000, pid, "tick")
    node.send_after(3_600_000, pid, "once")
    await asyncio.sleep(0)
    assert len(list(runtime_timers())) >= 5

    node.exit(pid, Killed())

    await asyncio.gather(*waiting, return_exceptions=True)
