"""A source in memory: messages are pushed into it. Also the stand-in of any other in tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from actors import CallAnswer, Draining, From, Node, NoReply, Reply
from pipelines.callbacks import producer_name
from pipelines.errors import QueueFull
from pipelines.message import Message
from pipelines.source import Source

QUEUE_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Push:
    """Take these messages, all or none."""

    messages: Sequence[Message]


class MemorySource(Source):
    """Emits what is pushed. What it holds is lost when it ends, not when the pipeline is drained.

    Args:
        queue_max: Messages it holds beyond what was asked for.
    """

    buffer_max = None  # queue_max is the limit, and it is told to whoever pushes

    def __init__(self, queue_max: int = QUEUE_MAX) -> None:
        self._queue_max = queue_max

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Take messages, or refuse them."""
        if not isinstance(request, Push):
            return await super().handle_call(request, sender)
        if self.is_draining:
            self.node.fail(sender, Draining(self.node.name))
            return NoReply()
        if self.waiting + len(request.messages) > self._queue_max:
            self.node.fail(sender, QueueFull(self._queue_max))
            return NoReply()
        self.emit(request.messages)
        return Reply(None)


async def push(
    node: Node, pipeline: str, messages: Sequence[Message], *, producer: int = 0
) -> None:
    """Push messages into a pipeline whose source is a `MemorySource`, all or none.

    Args:
        node: Where it runs.
        pipeline: Its name.
        messages: In order.
        producer: Which of its producers.

    Raises:
        QueueFull: It holds too many.
        Draining: It stops.
        NoProcess: It does not run; other errors of `Node.call` too.
    """
    await node.call(producer_name(pipeline, producer), Push(messages))
