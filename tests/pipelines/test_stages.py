"""Stages: subscriptions, their ends, and back-pressure from the last to the first."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from actors import (
    ExitReason,
    Failed,
    Killed,
    Node,
    NoProcess,
    Normal,
    Pid,
    Ref,
    Shutdown,
    Stop,
)
from pipelines import (
    BroadcastDispatcher,
    CancelMode,
    Consumer,
    Demand,
    Dispatcher,
    InvalidSubscription,
    PartitionDispatcher,
    Producer,
    ProducerConsumer,
    Upstream,
    cancel_subscription,
    subscribe,
)


class Numbers(Producer):
    """Emits numbers as they are asked for; a cast is emitted as it is."""

    def __init__(self, dispatcher: Callable[[], Dispatcher] | None = None) -> None:
        self.asked: list[int] = []
        self.next = 0
        self._dispatcher = dispatcher

    def make_dispatcher(self) -> Dispatcher:
        return self._dispatcher() if self._dispatcher else super().make_dispatcher()

    async def handle_demand(self, count: int) -> None:
        self.asked.append(count)
        self.emit(range(self.next, self.next + count))
        self.next += count

    async def handle_cast(self, message: Any) -> Stop | None:
        if message == "close":
            self.close()
        elif isinstance(message, Stop):
            return message
        else:
            self.emit(message)
        return None


class Later(Numbers):
    """Answers demand when it is told to."""

    async def handle_demand(self, count: int) -> None:
        self.asked.append(count)


class Taker(Consumer):
    """Takes events; at a gate if there is one."""

    def __init__(self, gate: asyncio.Event | None = None) -> None:
        self.got: list[Any] = []
        self.ends: list[ExitReason] = []
        self._gate = gate

    async def handle_events(self, events: list[Any], _subscription: Ref) -> None:
        if self._gate is not None:
            await self._gate.wait()
        self.got += events

    async def handle_cancel(self, _upstream: Upstream, reason: ExitReason) -> None:
        self.ends.append(reason)


SMALL = Demand(max_demand=2, min_demand=0)
TEMPORARY = Demand(max_demand=2, cancel=CancelMode.TEMPORARY)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def start(node: Node, producer: Producer, *takers: Taker, demand: Demand = SMALL) -> Pid:
    pid = await node.start(producer)
    for taker in takers:
        await subscribe(node, await node.start(taker), pid, demand)
    return pid


async def test_producer_may_answer_demand_later(node: Node) -> None:
    later, taker = Later(), Taker()
    pid = await start(node, later, taker)
    await until(lambda: later.asked == [2])

    node.cast(pid, ["a"])
    node.cast(pid, ["b"])
    await until(lambda: taker.got == ["a", "b"])

    await until(lambda: later.asked == [2, 2])


async def test_manual_consumer_gets_what_it_asks_for_and_no_more(node: Node) -> None:
    class Manual(Taker):
        async def handle_cast(self, message: int) -> None:
            self.ask(self.subscription, message)

        async def handle_call(self, request: Any, sender: Any) -> Any:
            answer = await super().handle_call(request, sender)
            self.subscription = answer.value
            return answer

    numbers, taker = Numbers(), Manual()
    await start(node, numbers, taker, demand=Demand(is_manual=True))

    node.cast(taker.pid, 3)
    await until(lambda: len(taker.got) == 3)
    node.cast(taker.pid, 2)
    await until(lambda: len(taker.got) == 5)

    assert numbers.asked == [3, 2]


async def test_slow_consumer_stops_the_producer(node: Node) -> None:
    gate = asyncio.Event()
    numbers, taker = Numbers(), Taker(gate)
    await start(node, numbers, taker, demand=Demand(max_demand=4, min_demand=2))
    await until(lambda: numbers.asked == [4])

    assert taker.got == []
    gate.set()
    await until(lambda: len(taker.got) > 100)
    assert set(numbers.asked[1:]) == {2}


class Doubler(ProducerConsumer):
    async def handle_events(self, events: list[int], _subscription: Ref) -> None:
        self.emit([2 * number for number in events])


async def test_stage_in_between_passes_back_pressure_on(node: Node) -> None:
    gate = asyncio.Event()
    numbers, doubler, taker = Numbers(), Doubler(), Taker(gate)
    producer, between = await node.start(numbers), await node.start(doubler)
    await subscribe(node, between, producer, Demand(max_demand=4, min_demand=2))
    for _ in range(10):
        await node.call(between, _nothing())  # it has had every chance to handle something
    assert numbers.asked == [4]  # nobody wants anything: it handles nothing

    await subscribe(node, await node.start(taker), between, SMALL)
    await until(lambda: sum(numbers.asked) > 4)
    assert sum(numbers.asked) <= 8  # stuck behind the gate
    gate.set()
    await until(lambda: len(taker.got) > 50)

    assert taker.got == [2 * number for number in range(len(taker.got))]


def _nothing() -> Any:
    """A request that a consumer obeys without any effect: end a subscription it does not have."""
    from pipelines.stages import CancelSubscription

    return CancelSubscription(Ref("test", 0), Normal())


async def test_stage_in_between_hands_on_the_end_behind_the_last_event(node: Node) -> None:
    class Ending(Doubler):
        async def handle_cancel(self, _upstream: Upstream, _reason: ExitReason) -> None:
            self.emit(["end"])

    source, taker, ending = Later(), Taker(), Ending()
    pid, between = await node.start(source), await node.start(ending)
    await subscribe(node, between, pid, Demand(max_demand=10, cancel=CancelMode.TEMPORARY))
    node.cast(pid, [1, 2, 3])
    node.cast(pid, "close")
    await node.call(between, _nothing())

    await subscribe(node, await node.start(taker), between, Demand(max_demand=1, min_demand=0))
    await until(lambda: len(taker.got) == 4)

    assert taker.got == [2, 4, 6, "end"]


@pytest.mark.parametrize(
    ("mode", "reason", "ends"),
    [
        (CancelMode.PERMANENT, Shutdown(), True),
        (CancelMode.PERMANENT, Failed("x"), True),
        (CancelMode.TRANSIENT, Shutdown(), False),
        (CancelMode.TRANSIENT, Normal(), False),
        (CancelMode.TRANSIENT, Failed("x"), True),
        (CancelMode.TEMPORARY, Failed("x"), False),
        (CancelMode.TEMPORARY, Killed(), False),
    ],
)
async def test_cancel_mode_says_whether_the_consumer_ends_too(
    node: Node, mode: CancelMode, reason: ExitReason, ends: bool
) -> None:
    taker = Taker()
    pid = await start(node, Later(), taker, demand=Demand(cancel=mode))

    if isinstance(reason, Killed):
        node.exit(pid, reason)
    else:
        node.cast(pid, Stop(reason))
    await node.join(pid)
    await until(lambda: taker.ends == [reason])

    if ends:
        assert await node.join(taker.pid) in (reason, NoProcess())
    else:
        await node.call(taker.pid, _nothing())
    assert node.is_alive(taker.pid) != ends


async def test_producer_that_is_not_there_cancels_at_once(node: Node) -> None:
    taker = Taker()
    pid = await node.start(taker)

    await subscribe(node, pid, "nobody", TEMPORARY)
    await until(lambda: len(taker.ends) == 1)

    assert isinstance(taker.ends[0], NoProcess)


async def test_cancelled_subscription_still_delivers_what_is_under_way(node: Node) -> None:
    gate = asyncio.Event()
    numbers, taker = Numbers(), Taker(gate)
    producer, consumer = await node.start(numbers), await node.start(taker)
    first = await subscribe(node, consumer, producer, TEMPORARY)
    await until(lambda: numbers.asked == [2])  # two events are under way, held at the gate

    cancelling = asyncio.ensure_future(cancel_subscription(node, consumer, first))
    gate.set()
    await cancelling
    await until(lambda: taker.ends == [Normal()])

    assert taker.got == list(range(numbers.next))
    await subscribe(node, consumer, producer, TEMPORARY)  # and may come back
    await until(lambda: len(taker.got) > 10)


async def test_consumer_takes_from_many_producers(node: Node) -> None:
    taker = Taker()
    left, right = Later(), Later()
    pids = [await start(node, left, taker), await node.start(right)]
    await subscribe(node, taker.pid, pids[1], SMALL)

    node.cast(pids[0], ["a", "b"])
    node.cast(pids[1], ["c", "d"])
    await until(lambda: sorted(taker.got) == ["a", "b", "c", "d"])


async def test_demand_of_a_killed_consumer_goes_to_the_next(node: Node) -> None:
    later, first, second = Later(), Taker(), Taker()
    pid = await start(node, later, first)
    await until(lambda: later.asked == [2])

    node.exit(first.pid, Killed())
    await subscribe(node, await node.start(second), pid, SMALL)
    node.cast(pid, ["a", "b"])
    await until(lambda: second.got == ["a", "b"])

    assert later.asked[0] == 2
    assert sum(later.asked) <= 4


async def test_broadcast_reaches_everybody_at_the_pace_of_the_slowest(node: Node) -> None:
    gate = asyncio.Event()
    later, quick, slow = Later(BroadcastDispatcher), Taker(), Taker(gate)
    pid = await start(node, later, quick, slow)

    node.cast(pid, list(range(10)))
    await until(lambda: quick.got == [0, 1])
    await node.call(quick.pid, _nothing())
    assert quick.got == [0, 1]  # what the slow one had asked for, and no more

    gate.set()
    await until(lambda: len(quick.got) == len(slow.got) == 10)
    assert quick.got == slow.got == list(range(10))


async def test_broadcast_goes_on_when_the_slowest_ends(node: Node) -> None:
    later, quick, stuck = Later(BroadcastDispatcher), Taker(), Taker(asyncio.Event())
    pid = await start(node, later, quick, stuck)
    node.cast(pid, list(range(10)))
    await until(lambda: quick.got == [0, 1])

    node.exit(stuck.pid, Killed())
    await until(lambda: quick.got == list(range(10)))


async def test_refused_partition_cancels_the_consumer_and_harms_nobody(node: Node) -> None:
    numbers = Numbers(lambda: PartitionDispatcher(1, lambda _event: 0))
    taker, other = Taker(), Taker()
    pid = await start(node, numbers, taker, demand=Demand(max_demand=2, partition=0))

    await subscribe(node, await node.start(other), pid, Demand(partition=0))
    reason = await node.join(other.pid)

    assert isinstance(reason, Failed | NoProcess)
    assert isinstance(other.ends[0], Failed)
    assert isinstance(other.ends[0].detail, InvalidSubscription)
    assert node.is_alive(pid)


async def test_producer_that_closes_lets_its_consumers_go_behind_the_last_event(
    node: Node,
) -> None:
    later, taker = Later(), Taker()
    pid = await start(node, later, taker, demand=TEMPORARY)

    node.cast(pid, list(range(7)))
    node.cast(pid, "close")
    await until(lambda: taker.ends == [Shutdown()])

    assert taker.got == list(range(7))
    late = Taker()
    await subscribe(node, await node.start(late), pid, TEMPORARY)
    await until(lambda: late.ends == [Shutdown()])


@pytest.mark.parametrize(("high", "low"), [(0, None), (5, 5), (5, -1)])
def test_demand_that_cannot_be_kept_is_refused(high: int, low: int | None) -> None:
    with pytest.raises(InvalidSubscription):
        Demand(max_demand=high, min_demand=low)
