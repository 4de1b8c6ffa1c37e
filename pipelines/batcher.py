"""The stage that gathers messages into batches: by key, until they are full, old, or told to leave.

All batches of a batcher have the same timeout, so the oldest leaves first: one timer serves all of
them, and a batch that fills up costs none.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from actors import Answer, ExitReason, Ref, Stop
from pipelines.callbacks import BatchInfo, Plan, Trigger
from pipelines.demand import CancelMode
from pipelines.dispatchers import DemandDispatcher, Dispatcher, PartitionDispatcher
from pipelines.inlet import Demand, Upstream
from pipelines.message import Message
from pipelines.options import BATCH_SIZE, BatchBy
from pipelines.spans import BATCHER, slice_span
from pipelines.stages import ProducerConsumer

_NS_PER_MS: Final = 1_000_000


class BatchTimeout(Enum):
    """Type of `BATCH_TIMEOUT`."""

    OVER = "over"


BATCH_TIMEOUT: Final = BatchTimeout.OVER


@dataclass(slots=True, eq=False)
class Batch:
    """A batch on its way to a batch processor.

    Attributes:
        messages: In the order they came.
        info: What is known of it.
    """

    messages: tuple[Message, ...]
    info: BatchInfo


class _Open:
    """A batch that waits for more."""

    __slots__ = ("accumulated", "batch_key", "messages", "partition", "since_ns")

    def __init__(
        self, batch_key: Hashable, partition: int, accumulated: object, since_ns: int
    ) -> None:
        self.batch_key = batch_key
        self.partition = partition
        self.accumulated: Any = accumulated
        self.since_ns = since_ns
        self.messages: list[Message] = []


class Batcher(ProducerConsumer):
    """Gathers messages.

    Args:
        plan: The pipeline.
        batcher: Its name there.
    """

    trap_exit = True

    def __init__(self, plan: Plan, batcher: str) -> None:
        self._plan = plan
        self._batcher = batcher
        self._name = plan.batcher(batcher)
        options = plan.options.batchers[batcher]
        self._size = options.batch_size
        self._timeout_ms = options.batch_timeout_ms
        self._partitions = options.concurrency if plan.is_partitioned else 1
        number = BATCH_SIZE if isinstance(self._size, BatchBy) else self._size
        self._demand = Demand(
            max_demand=options.max_demand or number,
            cancel=CancelMode.TEMPORARY,
            partition=batcher,
        )
        self._open: dict[Hashable, _Open] = {}  # oldest first
        self._has_timer = False

    async def init(self) -> None:
        """Ask every processor."""
        for processor in self._plan.processors:
            self.subscribe(processor, self._demand)

    def make_dispatcher(self) -> Dispatcher:
        """Each batch to whichever batch processor is free, or to that of its partition."""
        if self._plan.is_partitioned:
            return PartitionDispatcher(self._partitions, lambda batch: batch.info.partition)
        return DemandDispatcher()

    async def handle_events(self, events: list[Message], subscription: Ref) -> Stop | None:
        """Gather a slice."""
        del subscription
        if BATCHER.is_watched(self.node.telemetry):
            name = self._plan.options.name
            with slice_span(BATCHER, self.node.telemetry, name, self._name, len(events)):
                self._gather(events)
        else:  # a slice is often a single message: even an empty `with` would show
            self._gather(events)
        return None

    async def handle_info(self, message: Any) -> Answer:
        """Let batches leave that have waited long enough."""
        if message is BATCH_TIMEOUT:
            self._has_timer = False
            oldest_ns = self.node.clock.monotonic_ns() - self._timeout_ms * _NS_PER_MS
            for key, batch in list(self._open.items()):
                if batch.since_ns > oldest_ns:
                    break
                self._leave(key, Trigger.TIMEOUT)
            if self._open:
                self._start_timer()
            return None
        return await super().handle_info(message)

    async def handle_cancel(self, upstream: Upstream, reason: ExitReason) -> None:
        """When no processor is left, nothing more can join the batches that are open."""
        del upstream, reason
        if not self.is_subscribed:
            for key in list(self._open):
                self._leave(key, Trigger.FLUSH)
            self.close()

    def _gather(self, messages: list[Message]) -> None:
        for message in messages:
            self._add(message)
        if self._open and not self._has_timer:
            self._start_timer()

    def _add(self, message: Message) -> None:
        key: Hashable = message.batch_key
        if self._partitions > 1:
            key = (key, message.partition % self._partitions)
        batch = self._open.get(key)
        if batch is None:
            batch = self._open[key] = self._new_batch(message)
        batch.messages.append(message)
        size = self._size
        if isinstance(size, int):
            is_full = len(batch.messages) >= size
        else:
            is_full, batch.accumulated = size.add(message, batch.accumulated)
        if is_full:
            self._leave(key, Trigger.SIZE)
        elif message.flush:
            self._leave(key, Trigger.FLUSH)

    def _new_batch(self, message: Message) -> _Open:
        start = self._size.start if isinstance(self._size, BatchBy) else None
        partition = message.partition % self._partitions
        return _Open(message.batch_key, partition, start, self.node.clock.monotonic_ns())

    def _leave(self, key: Hashable, trigger: Trigger) -> None:
        batch = self._open.pop(key)
        messages = tuple(batch.messages)
        info = BatchInfo(self._batcher, batch.batch_key, batch.partition, len(messages), trigger)
        self.emit([Batch(messages, info)])

    def _start_timer(self) -> None:
        oldest = next(iter(self._open.values()))
        waited_ns = self.node.clock.monotonic_ns() - oldest.since_ns
        left_ms = max(0, -((waited_ns - self._timeout_ms * _NS_PER_MS) // _NS_PER_MS))
        self.node.send_after(left_ms, self.pid, BATCH_TIMEOUT)
        self._has_timer = True
