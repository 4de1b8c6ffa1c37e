"""The stage that handles whole batches, one at a time, and acknowledges their messages."""

from collections.abc import Sequence
from typing import Any

import structlog

from actors import CallAnswer, ExitReason, From, NoReply, Ref, Stop
from pipelines.acknowledging import acknowledge
from pipelines.batcher import Batch
from pipelines.callbacks import Plan
from pipelines.demand import CancelMode
from pipelines.draining import WHEN_DRAINED, DrainReport
from pipelines.errors import BadAnswer
from pipelines.failing import failure_of, show_failed
from pipelines.inlet import Demand, Upstream
from pipelines.message import Message
from pipelines.spans import BATCH_PROCESSOR, slice_span
from pipelines.stages import Consumer

_log = structlog.get_logger("pipelines")


class BatchProcessor(Consumer):
    """Handles the batches of one batcher.

    Args:
        plan: The pipeline.
        batcher: Name of the batcher there.
        index: Number of this batch processor.
    """

    trap_exit = True

    def __init__(self, plan: Plan, batcher: str, index: int) -> None:
        self._plan = plan
        self._batcher = batcher
        self._name = plan.batch_processors(batcher)[index]
        self._demand = Demand(
            max_demand=1, min_demand=0, cancel=CancelMode.TEMPORARY, partition=index
        )
        self._report = DrainReport()

    async def init(self) -> None:
        """Ask the batcher."""
        self.subscribe(self._plan.batcher(self._batcher), self._demand)

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Say when this stage is drained."""
        if request is WHEN_DRAINED:
            self._report.wait(self.node, sender)
            return NoReply()
        return await super().handle_call(request, sender)

    async def handle_cancel(self, upstream: Upstream, reason: ExitReason) -> None:
        """The batcher has nothing more."""
        del upstream, reason
        self._report.done(self.node)

    async def handle_events(self, events: list[Batch], subscription: Ref) -> Stop | None:
        """Handle a batch."""
        del subscription
        for batch in events:
            name, size = self._plan.options.name, batch.info.size
            with slice_span(BATCH_PROCESSOR, self.node.telemetry, name, self._name, size):
                await self._process(batch)
        return None

    async def _process(self, batch: Batch) -> None:
        messages = await self._handle(batch)
        failed = [message for message in messages if message.failure is not None]
        successful = messages
        if failed:
            successful = [message for message in messages if message.failure is None]
            await show_failed(self._plan, self.node.telemetry, self._name, failed)
        await acknowledge(successful, failed)

    async def _handle(self, batch: Batch) -> Sequence[Message]:
        """What comes back of a batch; all of it, failed, when the callback did not do its part."""
        messages = batch.messages
        failure: object = BadAnswer("handle_batch", "not the messages it was given")
        try:
            answer = await self._plan.pipeline.handle_batch(self._batcher, messages, batch.info)
            if answer is messages:
                return messages
            if _is_part(messages, answer):
                if len(answer) < len(messages):
                    missing = len(messages) - len(answer)
                    _log.error("messages lost", stage=self._name, missing=missing)
                return answer
        except Exception as error:  # noqa: BLE001 (a callback fails messages, not the stage)
            failure = failure_of(self._plan, "handle_batch", error)
        for message in messages:
            message.fail(failure)
        return messages


def _is_part(given: Sequence[Message], answer: object) -> bool:
    """Messages of this batch, none of them twice."""
    if not isinstance(answer, list | tuple):
        return False
    left = {id(message) for message in given}
    for message in answer:
        if id(message) not in left:
            return False
        left.remove(id(message))
    return True
