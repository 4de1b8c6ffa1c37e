"""Tests of a pipeline: push data in, wait for what is acknowledged."""

import asyncio
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from actors import CallTimeout, Node
from pipelines.memory_source import push
from pipelines.message import Message

RECEIPT_TIMEOUT_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """One acknowledgement.

    Attributes:
        ref: Reference of the group.
        successful: Messages that succeeded.
        failed: Messages that failed.
    """

    ref: Hashable
    successful: tuple[Message, ...]
    failed: tuple[Message, ...]


class Receipts:
    """An acknowledger that hands each acknowledgement to whoever waits for it.

    Args:
        node: Its clock limits the waiting.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._arrived: deque[Receipt] = deque()
        self._waiter: asyncio.Future[None] | None = None

    async def acknowledge(
        self, ref: Hashable, successful: Sequence[Message], failed: Sequence[Message]
    ) -> None:
        """Keep it."""
        self._arrived.append(Receipt(ref, tuple(successful), tuple(failed)))
        self._wake()

    async def next(self, *, timeout_ms: int = RECEIPT_TIMEOUT_MS) -> Receipt:
        """The next acknowledgement.

        Raises:
            CallTimeout: None came in time.
        """
        if not self._arrived:
            self._waiter = asyncio.get_running_loop().create_future()
            timer = self._node.clock.call_later(timeout_ms, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
        if not self._arrived:
            raise CallTimeout("receipts", "next", timeout_ms)
        return self._arrived.popleft()

    async def collect(
        self, messages: int, *, timeout_ms: int = RECEIPT_TIMEOUT_MS
    ) -> tuple[list[Any], list[Any]]:
        """Data of this many acknowledged messages: the successful, the failed, in order.

        Raises:
            CallTimeout: Not so many came, each within this time of the one before.
        """
        successful: list[Any] = []
        failed: list[Any] = []
        while len(successful) + len(failed) < messages:
            receipt = await self.next(timeout_ms=timeout_ms)
            successful += [message.data for message in receipt.successful]
            failed += [message.data for message in receipt.failed]
        return successful, failed

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def push_test_batch(
    node: Node, pipeline: str, data: Iterable[Any], *, flush: bool = False, ref: Hashable = None
) -> Receipts:
    """Push one message for each datum; gives what they are acknowledged to.

    Args:
        node: Where the pipeline runs.
        pipeline: Its name; its source is a `MemorySource`.
        data: What the messages are about.
        flush: Batches leave with each message.
        ref: Reference of the group.

    Raises:
        QueueFull, Draining, NoProcess: As `push`.
    """
    receipts = Receipts(node)
    messages = [Message(datum, receipts, ref, flush=flush) for datum in data]
    await push(node, pipeline, messages)
    return receipts


async def push_test_message(node: Node, pipeline: str, datum: Any) -> Receipts:
    """Push one message, which waits for no batch to fill; gives what it is acknowledged to.

    Raises:
        QueueFull, Draining, NoProcess: As `push`.
    """
    return await push_test_batch(node, pipeline, [datum], flush=True)
