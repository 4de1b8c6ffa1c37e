"""Stages: processes that pass events on as they are asked for (docs/pipelines.md).

A consumer asks, a producer never sends more than was asked; so a slow stage slows those before it
and nothing piles up in between. Stages are for what happens at run time, concurrency and
back-pressure, not for organising code.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, cast

from actors import (
    Answer,
    CallAnswer,
    Down,
    ExitReason,
    From,
    GenServer,
    Node,
    Normal,
    Ref,
    Reply,
    Stop,
    Target,
)
from pipelines.demand import (
    STAGE_MAILBOX_MAX,
    Ask,
    Cancel,
    Cancelled,
    CancelMode,
    Events,
    Subscribe,
)
from pipelines.dispatchers import DemandDispatcher, Dispatcher
from pipelines.event_buffer import EventBuffer, Keep
from pipelines.inlet import Demand, Inlet, Upstream
from pipelines.outlet import Outlet

BUFFER_MAX: Final = 10_000

_DEFAULT_DEMAND: Final = Demand()
_NORMAL: Final = Normal()


@dataclass(frozen=True, slots=True)
class SubscribeTo:
    """Ask a consumer to subscribe."""

    producer: Target
    demand: Demand


@dataclass(frozen=True, slots=True)
class CancelSubscription:
    """Ask a consumer to cancel."""

    subscription: Ref
    reason: ExitReason


class Producer(GenServer):
    """A stage that makes events. Subclass; emit what was asked for, now or later.

    An override of `handle_call` or `handle_info` passes on to `super()` what it does not know.

    Attributes:
        buffer_max: Events kept that nobody asked for; None: no limit.
        buffer_keep: Which ones a full buffer keeps. Each loss is logged with its number.
    """

    mailbox_max = STAGE_MAILBOX_MAX
    buffer_max: ClassVar[int | None] = BUFFER_MAX
    buffer_keep: ClassVar[Keep] = Keep.LAST

    def make_dispatcher(self) -> Dispatcher:
        """Who gets which events; made once for each start."""
        return DemandDispatcher()

    async def handle_demand(self, count: int) -> None:
        """`count` more events are wanted: `emit` them, here or from any later callback."""

    def emit(self, events: Sequence[Any]) -> None:
        """Pass events on, in order; those nobody asked for are kept in the buffer."""
        if events:
            self._outlet.emit(events)

    def close(self) -> None:
        """Let all consumers go, behind the last event that waits for one of them."""
        self._outlet.close()

    @property
    def waiting(self) -> int:
        """Events that were emitted and that no consumer was sent."""
        return self._outlet.waiting

    async def handle_info(self, message: Any) -> Answer:
        """Serve the consumers."""
        outlet = self._outlet
        match message:
            case Ask():
                await self.ask_for(outlet.ask(message))
            case Subscribe():
                outlet.subscribe(message)
            case Cancel(subscription, reason):
                await self.ask_for(outlet.cancel(subscription, reason))
            case Down() if outlet.owns(message):
                await self.ask_for(outlet.lose(message))
            case _:
                return await super().handle_info(message)
        return None

    async def ask_for(self, count: int) -> None:
        """Ask this stage for more, where consumers want more."""
        if count:
            await self.handle_demand(count)

    @cached_property
    def _outlet(self) -> Outlet:
        buffer = EventBuffer(self.buffer_max, self.buffer_keep)
        return Outlet(self.node, self.pid, self.make_dispatcher(), buffer)


class Consumer(GenServer):
    """A stage that takes events. Subclass, and subscribe in `init` or later.

    An override of `handle_call` or `handle_info` passes on to `super()` what it does not know.
    """

    mailbox_max = STAGE_MAILBOX_MAX

    def subscribe(self, producer: Target, demand: Demand = _DEFAULT_DEMAND) -> Ref:
        """Subscribe to a producer; one that is not there cancels with `NoProcess()`."""
        return self._inlet.subscribe(producer, demand)

    def ask(self, subscription: Ref, count: int) -> None:
        """Ask for more where asking is manual; one that is over does not mind."""
        self._inlet.ask(subscription, count)

    def cancel(self, subscription: Ref, reason: ExitReason = _NORMAL) -> None:
        """End a subscription. What is under way still comes, then `handle_cancel`."""
        self._inlet.cancel(subscription, reason)

    @property
    def is_subscribed(self) -> bool:
        """Something may still come."""
        return len(self._inlet) > 0

    async def handle_events(self, events: list[Any], subscription: Ref) -> Stop | None:
        """Take a slice, at most `max_demand - min_demand` events; more is asked for behind it."""
        raise NotImplementedError

    async def handle_cancel(self, upstream: Upstream, reason: ExitReason) -> None:
        """A subscription is over; whether this stage ends too is up to its `CancelMode`."""

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Subscribe or cancel for somebody else."""
        match request:
            case SubscribeTo(producer, demand):
                return Reply(self.subscribe(producer, demand))
            case CancelSubscription(subscription, reason):
                self.cancel(subscription, reason)
                return Reply(None)
        return await super().handle_call(request, sender)

    async def handle_info(self, message: Any) -> Answer:
        """Take what the producers send."""
        if type(message) is Events:
            return await self.take(message)
        match message:
            case Cancelled(subscription, reason):
                return await self.end(subscription, reason)
            case Down(ref, _, reason) if self._inlet.owns(message):
                return await self.end(ref, reason)
        return await super().handle_info(message)

    async def take(self, message: Events) -> Stop | None:
        """Handle a slice, in pieces so that more is asked for in between."""
        upstream, events = self._inlet.find(message.subscription), message.events
        while events and upstream is not None:
            room = upstream.slice_max - upstream.handled
            piece, events = (events, []) if len(events) <= room else (events[:room], events[room:])
            answer = await self.handle_events(piece, message.subscription)
            if answer is not None:
                return answer
            self._inlet.settle(upstream, len(piece))
        return None

    async def end(self, subscription: Ref, reason: ExitReason) -> Stop | None:
        """A subscription is over."""
        upstream = self._inlet.end(subscription)
        if upstream is None:
            return None
        await self.handle_cancel(upstream, reason)
        mode = upstream.demand.cancel
        ends = mode is CancelMode.TRANSIENT and reason.is_abnormal
        return Stop(reason) if ends or mode is CancelMode.PERMANENT else None

    @cached_property
    def _inlet(self) -> Inlet:
        return Inlet(self.node, self.pid)


class ProducerConsumer(Consumer, Producer):
    """A stage in between: takes events and emits others, many or none for each.

    It handles nothing while its own consumers want nothing, and keeps what it emitted beyond their
    demand without limit: it would otherwise lose what its producers count as handled.
    """

    buffer_max = None

    async def take(self, message: Events) -> Stop | None:
        """Handle a slice, when somebody wants what comes of it."""
        if self._arrived or not self.is_wanted():
            self._arrived.append(message)
            return None
        return await super().take(message)

    async def end(self, subscription: Ref, reason: ExitReason) -> Stop | None:
        """A subscription is over, behind the last slice of it that arrived."""
        if any(message.subscription == subscription for message in self._arrived):
            self._arrived.append(Cancelled(subscription, reason))
            return None
        return await super().end(subscription, reason)

    def is_wanted(self) -> bool:
        """Somebody wants what this stage would emit."""
        return self._outlet.demand > 0

    async def handle_info(self, message: Any) -> Answer:
        """Take what producers and consumers send; new demand may let a slice through."""
        if type(message) is Events:  # one frame less for each slice
            answer: Answer = await self.take(message)
        else:
            answer = await super().handle_info(message)
        if self._arrived and type(answer) is not Stop:
            return await self._handle_arrived() or answer
        return answer

    async def _handle_arrived(self) -> Stop | None:
        arrived = self._arrived
        while arrived:
            first = arrived[0]
            if type(first) is Events:
                if not self.is_wanted():
                    return None
                arrived.popleft()
                answer = await super().take(first)
            else:
                arrived.popleft()
                answer = await super().end(first.subscription, first.reason)
            if answer is not None:
                return answer
        return None

    @cached_property
    def _arrived(self) -> deque[Any]:
        return deque()


async def subscribe(
    node: Node, consumer: Target, producer: Target, demand: Demand = _DEFAULT_DEMAND
) -> Ref:
    """Subscribe a running consumer to a producer.

    Raises:
        NoProcess: There is no such consumer; other errors of `Node.call` too.
    """
    return cast(Ref, await node.call(consumer, SubscribeTo(producer, demand)))


async def cancel_subscription(
    node: Node, consumer: Target, subscription: Ref, reason: ExitReason = _NORMAL
) -> None:
    """Have a consumer end a subscription.

    Raises:
        NoProcess: There is no such consumer; other errors of `Node.call` too.
    """
    await node.call(consumer, CancelSubscription(subscription, reason))
