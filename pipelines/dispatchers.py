"""Who gets which events. A dispatcher never gives a consumer more than that one asked for.

What `ask` and `cancel` give is how much more the producer should be asked for; `demand` is how
many events would be taken now. Demand of a consumer that is gone stays asked of the producer, so
its successor's is not asked twice.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from actors import Pid, Ref
from pipelines.errors import InvalidSubscription


@dataclass(slots=True, eq=False)
class Subscriber:
    """One consumer of a producer.

    Attributes:
        subscription: Identity of the subscription.
        consumer: Who gets the events.
        partition: The partition it subscribed to, where there are partitions.
        monitor: The producer's monitor of it.
        demand: Events it asked for and was not sent.
    """

    subscription: Ref
    consumer: Pid
    partition: Hashable
    monitor: Ref
    demand: int = 0


Deliver: TypeAlias = Callable[[Subscriber, list[Any]], None]


class Dispatcher(Protocol):
    """Distributes the events of one producer among its consumers.

    Attributes:
        demand: Events that `dispatch` would take now.
        held: Events it took and has not delivered.
    """

    demand: int
    held: int

    def subscribe(self, subscriber: Subscriber) -> None:
        """Take a consumer, without demand yet; raises `InvalidSubscription` to refuse it."""

    def ask(self, subscriber: Subscriber, count: int, deliver: Deliver) -> int:
        """Count demand; gives how much of it the producer has not been asked for."""

    def cancel(self, subscriber: Subscriber) -> int:
        """Forget a consumer; gives how much more the producer should be asked for."""

    def dispatch(self, events: Sequence[Any], deliver: Deliver) -> Sequence[Any]:
        """Deliver events in order; gives those that nobody asked for."""


class DemandDispatcher:
    """To whoever asked for most; among equals, who asked first."""

    __slots__ = ("_gone", "_order", "_places", "_turn", "demand", "held")

    def __init__(self) -> None:
        # (demand, -turn, consumer), the next one last.
        self._order: list[tuple[int, int, Subscriber]] = []
        self._places: dict[Ref, tuple[int, int, Subscriber]] = {}
        self._turn = 0
        self._gone = 0
        self.demand = 0
        self.held = 0

    def subscribe(self, subscriber: Subscriber) -> None:
        """Take a consumer."""

    def ask(self, subscriber: Subscriber, count: int, deliver: Deliver) -> int:
        """Count demand."""
        del deliver
        self._leave(subscriber)
        subscriber.demand += count
        self._queue(subscriber)
        self.demand += count
        covered = min(self._gone, count)
        self._gone -= covered
        return count - covered

    def cancel(self, subscriber: Subscriber) -> int:
        """Forget a consumer."""
        self._leave(subscriber)
        self.demand -= subscriber.demand
        self._gone += subscriber.demand
        return 0

    def dispatch(self, events: Sequence[Any], deliver: Deliver) -> Sequence[Any]:
        """Deliver events."""
        while events and self._order:
            subscriber = self._order.pop()[2]
            del self._places[subscriber.subscription]
            now = list(events[: subscriber.demand])
            events = events[len(now) :]
            subscriber.demand -= len(now)
            self.demand -= len(now)
            if subscriber.demand:
                self._queue(subscriber)
            deliver(subscriber, now)
        if events:
            self._gone = max(0, self._gone - len(events))
        return events

    def _queue(self, subscriber: Subscriber) -> None:
        self._turn += 1
        place = (subscriber.demand, -self._turn, subscriber)
        insort(self._order, place)
        self._places[subscriber.subscription] = place

    def _leave(self, subscriber: Subscriber) -> None:
        place = self._places.pop(subscriber.subscription, None)
        if place is not None:
            del self._order[bisect_left(self._order, place)]


class BroadcastDispatcher:
    """Every event to every consumer, at the pace of the slowest."""

    __slots__ = ("_asked", "_subscribers", "held")

    def __init__(self) -> None:
        self._subscribers: dict[Ref, Subscriber] = {}
        self._asked = 0  # of the producer, not answered yet
        self.held = 0

    @property
    def demand(self) -> int:
        """What every consumer has asked for."""
        return min((one.demand for one in self._subscribers.values()), default=0)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Take a consumer; nothing flows until it asks."""
        self._subscribers[subscriber.subscription] = subscriber

    def ask(self, subscriber: Subscriber, count: int, deliver: Deliver) -> int:
        """Count demand."""
        del deliver
        subscriber.demand += count
        return self._ask_producer()

    def cancel(self, subscriber: Subscriber) -> int:
        """Forget a consumer; the others may have waited for it."""
        del self._subscribers[subscriber.subscription]
        return self._ask_producer()

    def dispatch(self, events: Sequence[Any], deliver: Deliver) -> Sequence[Any]:
        """Deliver events."""
        self._asked = max(0, self._asked - len(events))
        count = min(self.demand, len(events))
        if not count:
            return events
        for subscriber in tuple(self._subscribers.values()):
            subscriber.demand -= count
            deliver(subscriber, list(events[:count]))
        return events[count:]

    def _ask_producer(self) -> int:
        fresh = max(0, self.demand - self._asked)
        self._asked += fresh
        return fresh


class _Lane:
    """One partition: its consumer, and what waits for it."""

    __slots__ = ("queue", "subscriber")

    def __init__(self) -> None:
        self.subscriber: Subscriber | None = None
        self.queue: deque[Any] = deque()


class PartitionDispatcher:
    """Each event to the consumer of its partition; a full partition holds up the others.

    What waits for a partition whose consumer is gone is kept for the next one.

    Args:
        partitions: How many, numbered from 0, or their names.
        partition_of: The partition of an event.
    """

    __slots__ = ("_gone", "_lanes", "_partition_of", "demand", "held")

    def __init__(
        self, partitions: int | Iterable[Hashable], partition_of: Callable[[Any], Hashable]
    ) -> None:
        names = range(partitions) if isinstance(partitions, int) else partitions
        self._lanes: dict[Hashable, _Lane] = {name: _Lane() for name in names}
        self._partition_of = partition_of
        self._gone = 0
        self.demand = 0
        self.held = 0

    def subscribe(self, subscriber: Subscriber) -> None:
        """Take the consumer of a partition that has none."""
        lane = self._lanes.get(subscriber.partition)
        if lane is None:
            raise InvalidSubscription("partition", f"{subscriber.partition!r} is not known")
        if lane.subscriber is not None:
            raise InvalidSubscription("partition", f"{subscriber.partition!r} is taken")
        lane.subscriber = subscriber

    def ask(self, subscriber: Subscriber, count: int, deliver: Deliver) -> int:
        """Count demand; what was asked of the producer for this partition before is not again."""
        queue = self._lanes[subscriber.partition].queue
        if queue:
            waiting = [queue.popleft() for _ in range(min(count, len(queue)))]
            self.held -= len(waiting)
            count -= len(waiting)
            deliver(subscriber, waiting)
        subscriber.demand += count
        covered = min(self._gone, count)
        self._gone -= covered
        self.demand += count - covered
        return count - covered

    def cancel(self, subscriber: Subscriber) -> int:
        """Forget the consumer of a partition."""
        self._lanes[subscriber.partition].subscriber = None
        self._gone += subscriber.demand
        return 0

    def dispatch(self, events: Sequence[Any], deliver: Deliver) -> Sequence[Any]:
        """Deliver events, one slice a partition."""
        if len(events) > self.demand:
            events, later = events[: self.demand], events[self.demand :]
        else:
            later = ()
        self.demand -= len(events)
        slices: dict[Hashable, list[Any]] = {}
        for event in events:
            partition = self._partition_of(event)
            if partition in slices:
                slices[partition].append(event)
            else:
                slices[partition] = [event]
        for partition, members in slices.items():
            self._give(self._lanes[partition], members, deliver)
        return later

    def _give(self, lane: _Lane, events: list[Any], deliver: Deliver) -> None:
        subscriber = lane.subscriber
        demand = subscriber.demand if subscriber is not None else 0
        if subscriber is not None and demand:
            now = events if len(events) <= demand else events[:demand]
            subscriber.demand -= len(now)
            deliver(subscriber, now)
        if len(events) > demand:
            lane.queue.extend(events[demand:])
            self.held += len(events) - demand
