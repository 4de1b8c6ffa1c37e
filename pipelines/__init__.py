"""Streams that are asked for: stages with demand, and pipelines of processors and batchers.

Import from here; the modules behind it may move. The promises are those of GenStage and Broadway
(docs/pipelines.md).
"""

from pipelines.callbacks import BatchInfo, Pipeline, Trigger
from pipelines.demand import CancelMode
from pipelines.dispatchers import (
    BroadcastDispatcher,
    DemandDispatcher,
    Dispatcher,
    PartitionDispatcher,
)
from pipelines.errors import (
    BadAnswer,
    InvalidPipeline,
    InvalidSubscription,
    PipelineError,
    QueueFull,
    UnknownBatcher,
)
from pipelines.event_buffer import Keep
from pipelines.inlet import Demand, Upstream
from pipelines.memory_source import MemorySource, push
from pipelines.message import Acknowledger, Message
from pipelines.nats_source import NatsConsumer, NatsSource
from pipelines.options import (
    BatchBy,
    BatcherOptions,
    PipelineOptions,
    ProcessorOptions,
    ProducerOptions,
    RateLimit,
)
from pipelines.outbox_source import OutboxReader, OutboxSource, OutboxTable
from pipelines.rate_limiter import get_rate_limit, set_rate_limit
from pipelines.receipts import Receipt, Receipts, push_test_batch, push_test_message
from pipelines.source import Source
from pipelines.stages import (
    Consumer,
    Producer,
    ProducerConsumer,
    cancel_subscription,
    subscribe,
)
from pipelines.topology import pipeline_child, start_pipeline

__all__ = [
    "Acknowledger",
    "BadAnswer",
    "BatchBy",
    "BatchInfo",
    "BatcherOptions",
    "BroadcastDispatcher",
    "CancelMode",
    "Consumer",
    "Demand",
    "DemandDispatcher",
    "Dispatcher",
    "InvalidPipeline",
    "InvalidSubscription",
    "Keep",
    "MemorySource",
    "Message",
    "NatsConsumer",
    "NatsSource",
    "OutboxReader",
    "OutboxSource",
    "OutboxTable",
    "PartitionDispatcher",
    "Pipeline",
    "PipelineError",
    "PipelineOptions",
    "ProcessorOptions",
    "Producer",
    "ProducerConsumer",
    "ProducerOptions",
    "QueueFull",
    "RateLimit",
    "Receipt",
    "Receipts",
    "Source",
    "Trigger",
    "UnknownBatcher",
    "Upstream",
    "cancel_subscription",
    "get_rate_limit",
    "pipeline_child",
    "push",
    "push_test_batch",
    "push_test_message",
    "set_rate_limit",
    "start_pipeline",
    "subscribe",
]
