"""Dispatchers: nobody gets more than was asked for, nothing is lost, order is kept."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import Pid, Ref
from pipelines import (
    BroadcastDispatcher,
    DemandDispatcher,
    Dispatcher,
    InvalidSubscription,
    PartitionDispatcher,
)
from pipelines.dispatchers import Subscriber


class Desk:
    """A dispatcher, its consumers, and what they got."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.got: dict[int, list[Any]] = {}
        self.asked = 0
        self.consumers: dict[int, Subscriber] = {}

    def join(self, number: int, partition: Any = None) -> None:
        ref = Ref("test", number)
        consumer = Subscriber(ref, Pid("test", number), partition, ref)
        self.dispatcher.subscribe(consumer)
        self.consumers[number] = consumer
        self.got.setdefault(number, [])

    def ask(self, number: int, count: int) -> int:
        fresh = self.dispatcher.ask(self.consumers[number], count, self.deliver)
        self.asked += fresh
        return fresh

    def leave(self, number: int) -> int:
        fresh = self.dispatcher.cancel(self.consumers.pop(number))
        self.asked += fresh
        return fresh

    def dispatch(self, *events: Any) -> list[Any]:
        return list(self.dispatcher.dispatch(list(events), self.deliver))

    def deliver(self, subscriber: Subscriber, events: list[Any]) -> None:
        self.got[subscriber.consumer.number] += events


def test_most_demand_is_served_first_and_equals_in_the_order_they_asked() -> None:
    desk = Desk(DemandDispatcher())
    for number, count in ((1, 2), (2, 5), (3, 2)):
        desk.join(number)
        assert desk.ask(number, count) == count

    left = desk.dispatch(*range(10))

    assert desk.got == {2: [0, 1, 2, 3, 4], 1: [5, 6], 3: [7, 8]}
    assert left == [9]


def test_demand_of_a_consumer_that_left_is_not_asked_for_again() -> None:
    desk = Desk(DemandDispatcher())
    desk.join(1)
    assert desk.ask(1, 5) == 5
    desk.dispatch("a", "b")
    desk.leave(1)
    desk.join(2)

    assert desk.ask(2, 4) == 1  # three are still to come
    assert desk.ask(2, 4) == 4


def test_broadcast_goes_at_the_pace_of_the_slowest() -> None:
    desk = Desk(BroadcastDispatcher())
    desk.join(1)
    desk.join(2)

    assert desk.ask(1, 3) == 0
    assert desk.ask(2, 2) == 2
    assert desk.dispatch("a", "b", "c") == ["c"]
    assert desk.got == {1: ["a", "b"], 2: ["a", "b"]}
    assert desk.leave(2) == 1  # nobody holds up the first any more


def test_broadcast_to_a_newcomer_begins_when_it_asks() -> None:
    desk = Desk(BroadcastDispatcher())
    desk.join(1)
    desk.ask(1, 2)
    desk.join(2)

    assert desk.dispatch("a") == ["a"]
    desk.ask(2, 1)
    assert desk.dispatch("a") == []
    assert desk.got == {1: ["a"], 2: ["a"]}


def test_full_partition_holds_up_the_others() -> None:
    desk = Desk(PartitionDispatcher(2, lambda number: number % 2))
    for number in (0, 1):
        desk.join(number, number)
        desk.ask(number, 2)

    assert desk.dispatch(0, 2, 4, 6) == []  # all of the demand, for one partition
    assert desk.dispatch(1) == [1]
    assert desk.got == {0: [0, 2], 1: []}
    assert desk.dispatcher.held == 2
    assert desk.ask(0, 2) == 0  # served from what waits
    assert desk.got[0] == [0, 2, 4, 6]
    assert desk.ask(0, 1) == 1


def test_what_waits_for_a_partition_is_kept_for_its_next_consumer() -> None:
    desk = Desk(PartitionDispatcher(["a", "b"], lambda event: event[0]))
    desk.join(1, "a")
    desk.join(2, "b")
    desk.ask(1, 1)
    desk.ask(2, 2)
    desk.dispatch("a1", "a2", "b1")
    desk.leave(1)
    desk.join(3, "a")
    desk.ask(3, 1)

    assert desk.got == {1: ["a1"], 2: ["b1"], 3: ["a2"]}


@pytest.mark.parametrize("partition", ["c", "a"])
def test_partition_that_is_unknown_or_taken_is_refused(partition: str) -> None:
    desk = Desk(PartitionDispatcher(["a", "b"], str))
    desk.join(1, "a")

    with pytest.raises(InvalidSubscription):
        desk.join(2, partition)


DISPATCHERS = [
    pytest.param(DemandDispatcher, id="demand"),
    pytest.param(BroadcastDispatcher, id="broadcast"),
    pytest.param(lambda: PartitionDispatcher(3, lambda n: n % 3), id="partition"),
]


@pytest.mark.parametrize("make", DISPATCHERS)
@settings(deadline=None)  # of a shared machine
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.integers(0, 2), st.integers(1, 5)),
            st.tuples(st.just("emit"), st.integers(1, 8), st.just(0)),
        ),
        max_size=60,
    )
)
def test_nobody_gets_more_than_asked_and_nothing_is_lost(
    make: Any, steps: list[tuple[str, int, int]]
) -> None:
    desk = Desk(make())
    for number in range(3):
        desk.join(number, number)
    wanted = dict.fromkeys(range(3), 0)
    waiting: list[int] = []
    emitted = 0
    for step, first, second in steps:
        if step == "ask":
            wanted[first] += second
            desk.ask(first, second)
        else:
            waiting += range(emitted, emitted + first)
            emitted += first
        waiting = desk.dispatch(*waiting)

    assert all(len(desk.got[number]) <= wanted[number] for number in range(3))
    assert all(got == sorted(got) for got in desk.got.values())
    delivered = {event for got in desk.got.values() for event in got}
    assert len(delivered) + len(waiting) + desk.dispatcher.held == emitted
    if isinstance(desk.dispatcher, BroadcastDispatcher):
        assert desk.got[0] == desk.got[1] == desk.got[2]
    else:
        assert sum(len(got) for got in desk.got.values()) == len(delivered)
