"""Case 36: demand, as `gen_stage_test.exs` has it."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import Node, Ref
from pipelines import Consumer, Demand, Keep, Producer


class Counter(Producer):
    """Emits numbers, as many as it is asked for, and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.number = 0

    async def handle_demand(self, count: int) -> None:
        self.asked.append(count)
        self.emit(range(self.number, self.number + count))
        self.number += count

    async def handle_cast(self, message: Any) -> None:
        self.emit(message)


class Silent(Counter):
    """Emits nothing by itself."""

    async def handle_demand(self, count: int) -> None:
        self.asked.append(count)


class Taker(Consumer):
    """Remembers the slices it gets, up to a number of events."""

    def __init__(self, counter: "Counter", demand: Demand, enough: int) -> None:
        self.slices: list[list[int]] = []
        self.outstanding_max = 0
        self._counter, self._demand, self._enough = counter, demand, enough
        self.done = counter.node.loop.create_future()

    async def init(self) -> None:
        self.subscribe(self._counter.pid, self._demand)

    async def handle_events(self, events: list[int], subscription: Ref) -> None:
        outstanding = self._counter.number - sum(map(len, self.slices))
        self.outstanding_max = max(self.outstanding_max, outstanding)
        await self.node.clock.sleep_ms(0)  # everybody else may run, and emit too much
        self.slices.append(events)
        if sum(map(len, self.slices)) >= self._enough:
            if not self.done.done():
                self.done.set_result(None)
            self.cancel(subscription)


async def consume(node: Node, server: Counter, demand: Demand, enough: int) -> Taker:
    await node.start(server)
    taker = Taker(server, demand, enough)
    await node.start(taker)
    await taker.done
    return taker


async def test_36_a_consumer_asks_for_what_is_missing_when_demand_falls_to_its_minimum(
    node: Node,
) -> None:
    counter = Counter()

    taker = await consume(node, counter, Demand(max_demand=100, min_demand=80), enough=200)

    assert counter.asked[:6] == [100, 20, 20, 20, 20, 20]
    assert {len(piece) for piece in taker.slices} == {20}
    assert taker.outstanding_max == 100
    assert [n for piece in taker.slices for n in piece][:200] == list(range(200))


async def test_36_with_one_and_zero_events_come_one_at_a_time(node: Node) -> None:
    counter = Counter()

    taker = await consume(node, counter, Demand(max_demand=1, min_demand=0), enough=5)

    assert taker.slices[:5] == [[0], [1], [2], [3], [4]]
    assert taker.outstanding_max == 1
    assert set(counter.asked) == {1}


@pytest.mark.parametrize(
    ("keep", "kept"), [(Keep.LAST, [4, 5, 6, 7, 8]), (Keep.FIRST, [1, 2, 3, 4, 5])]
)
async def test_36_a_full_buffer_says_once_how_many_it_dropped(
    node: Node, keep: Keep, kept: list[int]
) -> None:
    class Small(Silent):
        buffer_max = 5
        buffer_keep = keep

    small = Small()
    producer = await node.start(small, name="small")
    with capture_logs() as logs:
        node.cast(producer, [1, 2, 3, 4, 5, 6, 7, 8])
        taker = Taker(small, Demand(), enough=5)
        await node.start(taker)
        await taker.done

    assert [n for piece in taker.slices for n in piece] == kept
    dropped = [entry for entry in logs if entry["event"] == "events dropped"]
    assert [entry["dropped"] for entry in dropped] == [3]
