"""Everything one may say about a pipeline. Wrong combinations cannot be built."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipelines.errors import InvalidPipeline
from pipelines.message import Message

if TYPE_CHECKING:
    from pipelines.source import Source

MAX_DEMAND: Final = 10
BATCH_SIZE: Final = 100
BATCH_TIMEOUT_MS: Final = 1_000
SHUTDOWN_MS: Final = 30_000
RESUBSCRIBE_MS: Final = 100


def _check(field_name: str, holds: bool, problem: str) -> None:
    if not holds:
        raise InvalidPipeline(field_name, problem)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How fast messages may leave the producers of a pipeline on one node, together.

    Attributes:
        allowed: Messages in each interval, a fixed window.
        interval_ms: Its length.

    Raises:
        InvalidPipeline: From the constructor.
    """

    allowed: int
    interval_ms: int

    def __post_init__(self) -> None:
        _check("allowed", self.allowed > 0, "must be more than 0")
        _check("interval_ms", self.interval_ms > 0, "must be more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerOptions:
    """Where messages come from.

    Attributes:
        make: Makes a new producer for each start.
        concurrency: How many. More than one multiplies what waits in the processors, because each
            processor asks every producer.
        rate_limit: For all of them together; None: none.

    Raises:
        InvalidPipeline: From the constructor.
    """

    make: Callable[[], "Source"]
    concurrency: int = 1
    rate_limit: RateLimit | None = None

    def __post_init__(self) -> None:
        _check("producer.concurrency", self.concurrency > 0, "must be more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorOptions:
    """Who handles single messages.

    Attributes:
        concurrency: How many; default: two for each core.
        max_demand: Messages each may have from each producer.
        min_demand: Ask again when no more than this many are left; None: half.

    Raises:
        InvalidPipeline: From the constructor.
    """

    concurrency: int = field(default_factory=lambda: 2 * (os.cpu_count() or 1))
    max_demand: int = MAX_DEMAND
    min_demand: int | None = None

    def __post_init__(self) -> None:
        _check("processors.concurrency", self.concurrency > 0, "must be more than 0")
        _check("processors.max_demand", self.max_demand > 0, "must be more than 0")
        low = self.min_demand
        _check(
            "processors.min_demand",
            low is None or 0 <= low < self.max_demand,
            "must be from 0 to max_demand - 1",
        )


@dataclass(frozen=True, slots=True)
class BatchBy:
    """A limit of a batch by something else than the number of messages: bytes, money.

    Attributes:
        start: What is accumulated for an empty batch.
        add: `add(message, accumulated)` gives whether the batch is full with this message in it,
            and what is accumulated then.
    """

    start: Any
    add: Callable[[Message, Any], tuple[bool, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatcherOptions:
    """Who gathers messages, and who handles what was gathered.

    Attributes:
        concurrency: Batches handled at the same time.
        batch_size: Messages that fill a batch, or what else fills it.
        batch_timeout_ms: A batch leaves this long after its first message.
        max_demand: Messages under way from each processor; None: `batch_size`, or 100 where that
            is no number.

    Raises:
        InvalidPipeline: From the constructor.
    """

    concurrency: int = 1
    batch_size: int | BatchBy = BATCH_SIZE
    batch_timeout_ms: int = BATCH_TIMEOUT_MS
    max_demand: int | None = None

    def __post_init__(self) -> None:
        size = self.batch_size
        _check("batcher.concurrency", self.concurrency > 0, "must be more than 0")
        _check("batcher.batch_size", isinstance(size, BatchBy) or size > 0, "must be more than 0")
        _check("batcher.batch_timeout_ms", self.batch_timeout_ms > 0, "must be more than 0")
        demand = self.max_demand
        _check("batcher.max_demand", demand is None or demand > 0, "must be more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineOptions:
    """One pipeline.

    Attributes:
        name: Registered name of its supervisor, and the beginning of the names of its stages.
        producer: Where messages come from.
        processors: Who handles single messages.
        batchers: Who gathers messages, by name; none: messages are done when they are handled.
        shutdown_ms: How long each layer may take to stop before it is killed.
        resubscribe_ms: How long a processor waits before it asks a producer that ended again.

    Raises:
        InvalidPipeline: From the constructor.
    """

    name: str
    producer: ProducerOptions
    processors: ProcessorOptions = field(default_factory=ProcessorOptions)
    batchers: Mapping[str, BatcherOptions] = field(default_factory=dict)
    shutdown_ms: int = SHUTDOWN_MS
    resubscribe_ms: int = RESUBSCRIBE_MS

    def __post_init__(self) -> None:
        _check("name", bool(self.name), "must not be empty")
        _check("shutdown_ms", self.shutdown_ms >= 0, "is negative")
        _check("resubscribe_ms", self.resubscribe_ms > 0, "must be more than 0")
