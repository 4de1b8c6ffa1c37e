"""A producer of a pipeline: rate limit, partitions and draining around what makes the messages."""

from collections import deque
from collections.abc import Sequence
from enum import Enum
from functools import cached_property
from typing import Any, Final

from actors import Answer, Crash
from pipelines.callbacks import Plan
from pipelines.dispatchers import DemandDispatcher, Dispatcher, PartitionDispatcher
from pipelines.errors import BadAnswer
from pipelines.message import Message
from pipelines.rate_limiter import WINDOW_OPENED, RateWindow
from pipelines.stages import Producer


class DrainRequest(Enum):
    """Type of `DRAIN`."""

    DRAIN = "drain"


DRAIN: Final = DrainRequest.DRAIN
"""To a producer: make no more, let your consumers go behind the last message."""


class Source(Producer):
    """A producer of messages. Subclass; emit what was asked for, now or later.

    It hears `prepare_for_draining` only between its callbacks: never wait long in one.

    Attributes:
        is_draining: The pipeline stops; nothing new is to be fetched.
    """

    trap_exit = True
    is_draining = False

    def attach(self, plan: Plan, window: RateWindow | None) -> None:
        """Make it a producer of this pipeline; before its start."""
        self._plan = plan
        self._window = window

    async def prepare_for_draining(self) -> None:
        """Stop fetching. What was fetched already is emitted here or given back to its source."""

    def emit(self, events: Sequence[Message]) -> None:
        """Pass messages on, as fast as the rate limit lets them."""
        if self._window is None:
            super().emit(events)
        else:
            self._held.extend(events)
            self._release(self._window)

    @property
    def waiting(self) -> int:
        """Messages that were emitted and that no processor was sent."""
        return super().waiting + len(self._held)

    def make_dispatcher(self) -> Dispatcher:
        """By demand, or by partition where the pipeline has them."""
        if not self._plan.is_partitioned:
            return DemandDispatcher()
        return PartitionDispatcher(self._plan.options.processors.concurrency, self._lane)

    async def handle_info(self, message: Any) -> Answer:
        """Drain, or go on with what the rate limit held back."""
        if message is DRAIN:
            await self._drain()
        elif message is WINDOW_OPENED:
            await self._resume()
        else:
            return await super().handle_info(message)
        return None

    async def ask_for(self, count: int) -> None:
        """Remember demand while the rate limit lets nothing pass."""
        if self.is_draining:
            return
        window = self._window
        if window is not None and (self._held or not window.left):
            self._remembered += count
            window.wait(self.pid)
        else:
            await super().ask_for(count)

    async def _drain(self) -> None:
        if self.is_draining:
            return
        self.is_draining = True
        await self.prepare_for_draining()
        if not self._held:
            self.close()

    async def _resume(self) -> None:
        assert self._window is not None
        self._release(self._window)
        if not self._held and self._remembered:
            count, self._remembered = self._remembered, 0
            await self.ask_for(count)

    def _release(self, window: RateWindow) -> None:
        held = self._held
        granted = window.take(len(held))
        if granted:
            super().emit([held.popleft() for _ in range(granted)])
        if held:
            window.wait(self.pid)
        elif self.is_draining:
            self.close()

    def _lane(self, message: Message) -> int:
        try:
            partition = self._plan.pipeline.partition_by(message)
            if type(partition) is not int or partition < 0:
                message.fail(BadAnswer("partition_by", "no number from 0"))
                partition = 0
        except Exception as error:  # noqa: BLE001 (one bad message must not end the producer)
            message.fail(Crash.of(error))
            partition = 0
        message.partition = partition
        return partition % self._plan.options.processors.concurrency

    _remembered = 0

    @cached_property
    def _held(self) -> deque[Message]:
        return deque()
