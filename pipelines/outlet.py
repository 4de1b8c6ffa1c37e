"""The producing side of a stage: its consumers, their demand, and what nobody asked for yet."""

from collections.abc import Sequence
from typing import Any, Final

import structlog

from actors import Down, ExitReason, Failed, Node, Pid, Ref, Shutdown
from pipelines.demand import Ask, Cancelled, Events, Subscribe
from pipelines.dispatchers import Dispatcher, Subscriber
from pipelines.errors import InvalidSubscription
from pipelines.event_buffer import EventBuffer

_SHUTDOWN: Final = Shutdown()

_log = structlog.get_logger("pipelines")


class Outlet:
    """Hands events to consumers as they ask.

    Args:
        node: Where the stage runs.
        pid: The stage.
        dispatcher: Who gets what.
        buffer: What nobody asked for.
    """

    __slots__ = (
        "_buffer",
        "_dispatcher",
        "_is_closing",
        "_monitors",
        "_node",
        "_pid",
        "_subscribers",
    )

    def __init__(self, node: Node, pid: Pid, dispatcher: Dispatcher, buffer: EventBuffer) -> None:
        self._node = node
        self._pid = pid
        self._dispatcher = dispatcher
        self._buffer = buffer
        self._subscribers: dict[Ref, Subscriber] = {}
        self._monitors: dict[Ref, Subscriber] = {}
        self._is_closing = False

    @property
    def demand(self) -> int:
        """Events that would be taken now."""
        return self._dispatcher.demand

    @property
    def waiting(self) -> int:
        """Events that were emitted and not sent."""
        return len(self._buffer) + self._dispatcher.held

    def subscribe(self, request: Subscribe) -> None:
        """Take a consumer, or refuse it by cancelling."""
        subscription, consumer = request.subscription, request.consumer
        if self._is_closing and not self.waiting:
            self._node.send(consumer, Cancelled(subscription, _SHUTDOWN))
            return
        monitor = self._node.monitor(consumer)
        subscriber = Subscriber(subscription, consumer, request.partition, monitor)
        try:
            self._dispatcher.subscribe(subscriber)
        except InvalidSubscription as error:
            _log.error("subscription refused", stage=str(self._pid), problem=str(error))
            self._node.demonitor(monitor)
            self._node.send(consumer, Cancelled(subscription, Failed(error)))
            return
        self._subscribers[subscription] = subscriber
        self._monitors[monitor] = subscriber

    def ask(self, request: Ask) -> int:
        """Serve demand from what waits; gives how much is left to ask of the stage."""
        subscriber = self._subscribers.get(request.subscription)
        if subscriber is None:  # cancelled while the request was under way
            return 0
        fresh = self._dispatcher.ask(subscriber, request.count, self._deliver)
        return self._after_demand(fresh)

    def emit(self, events: Sequence[Any]) -> None:
        """Send events, or keep them until somebody asks."""
        later = self._dispatcher.dispatch(events, self._deliver)
        if later:
            dropped = self._buffer.put(later)
            if dropped:
                _log.warning("events dropped", stage=str(self._pid), dropped=dropped)

    def cancel(self, subscription: Ref, reason: ExitReason) -> int:
        """Let one consumer go; gives how much is left to ask of the stage."""
        subscriber = self._subscribers.get(subscription)
        if subscriber is None:
            return 0
        fresh = self._forget(subscriber)
        self._node.send(subscriber.consumer, Cancelled(subscription, reason))
        return self._after_demand(fresh)

    def owns(self, notice: Down) -> bool:
        """Whether it is about one of our consumers."""
        return notice.ref in self._monitors

    def lose(self, notice: Down) -> int:
        """A consumer ended; gives how much is left to ask of the stage."""
        return self._after_demand(self._forget(self._monitors[notice.ref]))

    def close(self) -> None:
        """Let all consumers go, behind the last event that waits for one of them."""
        self._is_closing = True
        self._close_when_empty()

    def _after_demand(self, fresh: int) -> int:
        served = 0
        while self._buffer and self._dispatcher.demand:
            events = self._buffer.take(self._dispatcher.demand)
            served += len(events)
            self.emit(events)
        if self._is_closing:
            self._close_when_empty()
            return 0
        return max(0, fresh - served)

    def _close_when_empty(self) -> None:
        if not self._is_closing or self.waiting:
            return
        for subscription, subscriber in list(self._subscribers.items()):
            self._forget(subscriber)
            self._node.send(subscriber.consumer, Cancelled(subscription, _SHUTDOWN))

    def _forget(self, subscriber: Subscriber) -> int:
        del self._subscribers[subscriber.subscription]
        del self._monitors[subscriber.monitor]
        self._node.demonitor(subscriber.monitor)
        return self._dispatcher.cancel(subscriber)

    def _deliver(self, subscriber: Subscriber, events: list[Any]) -> None:
        self._node.send(subscriber.consumer, Events(subscriber.subscription, events))
