"""What a pipeline does with its messages: the callbacks, and the plan that the stages share."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from pipelines.message import Message
from pipelines.options import PipelineOptions

if TYPE_CHECKING:
    from actors import Node


class Trigger(Enum):
    """Why a batch left."""

    SIZE = "size"
    """It was full."""
    TIMEOUT = "timeout"
    """Its first message had waited long enough."""
    FLUSH = "flush"
    """A message said so, or the pipeline stops."""


@dataclass(slots=True)
class BatchInfo:
    """What is known of a batch.

    Attributes:
        batcher: Who gathered it.
        batch_key: Key that its messages share.
        partition: Number of the batch processor, where there are partitions; else 0.
        size: Messages in it.
        trigger: Why it left.
    """

    batcher: str
    batch_key: Hashable
    partition: int
    size: int
    trigger: Trigger


class Pipeline:
    """What is done with messages. Subclass; one instance serves all stages, so it keeps no state.

    Raising in a callback fails messages, never a stage. Nothing is tried again in the pipeline:
    redelivery is the source's.

    Attributes:
        node: Where it runs; set before the first callback.
    """

    node: "Node"

    async def handle_message(self, message: Message) -> Message:
        """Handle one message: change it, fail it, choose its batcher; give it back.

        A message fails when this raises, gives anything but this message, or names an unknown
        batcher; the others of its slice go on.
        """
        return message

    async def prepare_messages(self, messages: list[Message]) -> list[Message]:
        """Look at a whole slice before its messages are handled; give all of them back.

        The whole slice fails when this raises, or loses or adds a message.
        """
        return messages

    async def handle_batch(
        self, batcher: str, messages: tuple[Message, ...], info: BatchInfo
    ) -> Sequence[Message]:
        """Handle a batch; give back its messages, marked where they failed.

        The whole batch fails when this raises or gives anything else. A message that is missing
        is never acknowledged.
        """
        del batcher, info
        return messages

    async def handle_failed(self, messages: list[Message]) -> None:
        """Look at failed messages just before they are acknowledged as failed."""

    def partition_by(self, message: Message) -> int:
        """A number from 0: messages with the same one are handled one after another, in order.

        Only where a subclass says so; a failure stops nothing, and what the source redelivers
        comes out of order. A message for which this raises fails.
        """
        del message
        return 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline as its stages know it: the callbacks, the options, and each other's names.

    Attributes:
        pipeline: The callbacks.
        options: As given.
    """

    pipeline: Pipeline
    options: PipelineOptions

    @property
    def is_partitioned(self) -> bool:
        """Messages have a partition."""
        return type(self.pipeline).partition_by is not Pipeline.partition_by

    @property
    def prepares(self) -> bool:
        """Slices are looked at as a whole."""
        return type(self.pipeline).prepare_messages is not Pipeline.prepare_messages

    @property
    def rate_limiter(self) -> str:
        """Name of the rate limiter."""
        return f"{self.options.name}.rate_limiter"

    @property
    def terminator(self) -> str:
        """Name of the terminator."""
        return f"{self.options.name}.terminator"

    @property
    def producers(self) -> list[str]:
        """Names of the producers."""
        count = self.options.producer.concurrency
        return [producer_name(self.options.name, index) for index in range(count)]

    @property
    def processors(self) -> list[str]:
        """Names of the processors."""
        count = self.options.processors.concurrency
        return [f"{self.options.name}.processor.{index}" for index in range(count)]

    def batcher(self, batcher: str) -> str:
        """Name of a batcher."""
        return f"{self.options.name}.batcher.{batcher}"

    def batch_processors(self, batcher: str) -> list[str]:
        """Names of the batch processors of a batcher."""
        count = self.options.batchers[batcher].concurrency
        return [f"{self.options.name}.batch_processor.{batcher}.{i}" for i in range(count)]

    @property
    def last_stages(self) -> list[str]:
        """Names of the stages behind which nothing comes."""
        batchers = self.options.batchers
        if not batchers:
            return self.processors
        return [name for batcher in batchers for name in self.batch_processors(batcher)]


def producer_name(pipeline: str, index: int) -> str:
    """Name of a producer of a pipeline."""
    return f"{pipeline}.producer.{index}"
