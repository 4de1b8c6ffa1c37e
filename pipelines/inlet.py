"""The consuming side of a stage: what it is subscribed to, and how much of it is under way."""

import sys
from dataclasses import dataclass
from typing import Any

from actors import Down, ExitReason, Node, Pid, Ref, Target
from pipelines.demand import Ask, Cancel, CancelMode, Subscribe
from pipelines.errors import InvalidSubscription

MAX_DEMAND = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How a consumer asks.

    Attributes:
        max_demand: Events that may be under way or being handled.
        min_demand: Ask again when no more than this many are; None: half of `max_demand`.
        cancel: What the end of the subscription means.
        partition: Which partition, where the producer has them.
        is_manual: Nothing is asked for but by `Consumer.ask`; the two limits do not count.

    Raises:
        InvalidSubscription: From the constructor.
    """

    max_demand: int = MAX_DEMAND
    min_demand: int | None = None
    cancel: CancelMode = CancelMode.PERMANENT
    partition: Any = None
    is_manual: bool = False

    def __post_init__(self) -> None:
        if self.max_demand < 1:
            raise InvalidSubscription("max_demand", "must be more than 0")
        if self.min_demand is not None and not 0 <= self.min_demand < self.max_demand:
            raise InvalidSubscription("min_demand", "must be from 0 to max_demand - 1")

    @property
    def slice_max(self) -> int:
        """Events handled at a time, so that demand is renewed in between."""
        if self.is_manual:
            return sys.maxsize
        low = self.max_demand // 2 if self.min_demand is None else self.min_demand
        return self.max_demand - low


@dataclass(slots=True, eq=False)
class Upstream:
    """One subscription of this stage.

    Attributes:
        subscription: Its identity; also this stage's monitor of the producer.
        producer: Who it was subscribed to, as it was named.
        pid: Who that was.
        demand: How it asks.
        slice_max: Events handled at a time.
        handled: Events handled since the last request for more; less than `slice_max`.
    """

    subscription: Ref
    producer: Target
    pid: Target
    demand: Demand
    slice_max: int
    handled: int = 0


class Inlet:
    """All subscriptions of one stage.

    Args:
        node: Where the stage runs.
        pid: The stage.
    """

    __slots__ = ("_node", "_pid", "_upstreams")

    def __init__(self, node: Node, pid: Pid) -> None:
        self._node = node
        self._pid = pid
        self._upstreams: dict[Ref, Upstream] = {}

    def __len__(self) -> int:
        return len(self._upstreams)

    def subscribe(self, producer: Target, demand: Demand) -> Ref:
        """Subscribe, and ask at once unless asking is manual."""
        target = producer if isinstance(producer, Pid) else self._node.whereis(producer) or producer
        ref = self._node.monitor(target)
        upstream = Upstream(ref, producer, target, demand, demand.slice_max)
        self._upstreams[ref] = upstream
        self._node.send(target, Subscribe(ref, self._pid, demand.partition))
        if not demand.is_manual:
            self._node.send(target, Ask(ref, demand.max_demand))
        return ref

    def ask(self, subscription: Ref, count: int) -> None:
        """Ask by hand."""
        upstream = self._upstreams.get(subscription)
        if upstream is not None:
            self._node.send(upstream.pid, Ask(subscription, count))

    def cancel(self, subscription: Ref, reason: ExitReason) -> None:
        """Ask the producer to send no more."""
        upstream = self._upstreams.get(subscription)
        if upstream is not None:
            self._node.send(upstream.pid, Cancel(subscription, reason))

    def find(self, subscription: Ref) -> Upstream | None:
        """A subscription, unless it is over."""
        return self._upstreams.get(subscription)

    def settle(self, upstream: Upstream, count: int) -> None:
        """Events were handled; ask for as many when it is time."""
        upstream.handled += count
        if upstream.handled == upstream.slice_max:
            self._node.send(upstream.pid, Ask(upstream.subscription, upstream.handled))
            upstream.handled = 0

    def owns(self, notice: Down) -> bool:
        """Whether it is about one of our producers."""
        return notice.ref in self._upstreams

    def end(self, subscription: Ref) -> Upstream | None:
        """Forget a subscription; gives what it was."""
        upstream = self._upstreams.pop(subscription, None)
        if upstream is not None:
            self._node.demonitor(subscription)
        return upstream
