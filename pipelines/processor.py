"""The stage that handles single messages, a slice at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actors import Answer, CallAnswer, ExitReason, From, NoReply, Ref, Stop
from pipelines.acknowledging import acknowledge
from pipelines.callbacks import Plan
from pipelines.demand import CancelMode
from pipelines.dispatchers import Dispatcher, PartitionDispatcher
from pipelines.draining import STOP_RESUBSCRIBING, WHEN_DRAINED, DrainReport
from pipelines.errors import BadAnswer, UnknownBatcher
from pipelines.failing import failure_of, same_messages, show_failed
from pipelines.inlet import Demand, Upstream
from pipelines.message import Message
from pipelines.spans import PROCESSOR, PROCESSOR_MESSAGE, slice_span
from pipelines.stages import ProducerConsumer


@dataclass(frozen=True, slots=True)
class Resubscribe:
    """Try a producer again."""

    producer: str


class Processor(ProducerConsumer):
    """Handles messages; what failed, or has nowhere to go, is acknowledged here.

    Args:
        plan: The pipeline.
        index: Number of this processor.
    """

    # It ends between two slices, never inside one, unless it takes too long.
    trap_exit = True

    def __init__(self, plan: Plan, index: int) -> None:
        self._plan = plan
        self._name = plan.processors[index]
        options = plan.options.processors
        self._demand = Demand(
            max_demand=options.max_demand,
            min_demand=options.min_demand,
            cancel=CancelMode.TEMPORARY,
            partition=index,
        )
        self._prepares = plan.prepares
        self._batchers = frozenset(plan.options.batchers)
        self._report = DrainReport()
        self._is_draining = False

    async def init(self) -> None:
        """Ask every producer."""
        for producer in self._plan.producers:
            self.subscribe(producer, self._demand)

    def make_dispatcher(self) -> Dispatcher:
        """Each message to its batcher."""
        return PartitionDispatcher(self._batchers, lambda message: message.batcher)

    def is_wanted(self) -> bool:
        """The batchers want something, where there are batchers."""
        return not self._batchers or super().is_wanted()

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Say when this stage is drained."""
        if request is WHEN_DRAINED:
            self._report.wait(self.node, sender)
            return NoReply()
        return await super().handle_call(request, sender)

    async def handle_info(self, message: Any) -> Answer:
        """Stop or go on asking for producers that are gone."""
        if message is STOP_RESUBSCRIBING:
            self._is_draining = True
            self._look_whether_drained()
            return None
        if isinstance(message, Resubscribe):
            if not self._is_draining:
                self.subscribe(message.producer, self._demand)
            return None
        return await super().handle_info(message)

    async def handle_cancel(self, upstream: Upstream, reason: ExitReason) -> None:
        """A producer ended or let us go; it comes back unless the pipeline stops."""
        del reason
        if self._is_draining:
            self._look_whether_drained()
        else:
            again = Resubscribe(str(upstream.producer))
            self.node.send_after(self._plan.options.resubscribe_ms, self.pid, again)

    async def handle_events(self, events: list[Message], subscription: Ref) -> Stop | None:
        """Handle a slice."""
        del subscription
        name = self._plan.options.name
        with slice_span(PROCESSOR, self.node.telemetry, name, self._name, len(events)):
            await self._process(events)
        return None

    async def _process(self, messages: Sequence[Message]) -> None:
        if self._prepares:
            messages = await self._prepare(list(messages))
        if PROCESSOR_MESSAGE.is_watched(self.node.telemetry):
            for message in messages:
                about = {"pipeline": self._plan.options.name, "stage": self._name}
                with PROCESSOR_MESSAGE.around(self.node.telemetry, about):
                    await self._handle((message,))
        else:
            await self._handle(messages)
        successful, failed = self._sort(messages)
        if failed:
            await show_failed(self._plan, self.node.telemetry, self._name, failed)
        if self._batchers:
            if failed:
                await acknowledge((), failed)
            self.emit(successful)
        else:
            await acknowledge(successful, failed)

    async def _prepare(self, messages: list[Message]) -> Sequence[Message]:
        given = tuple(messages)
        failure: object = BadAnswer("prepare_messages", "not the messages it was given")
        try:
            answer = await self._plan.pipeline.prepare_messages(messages)
            if same_messages(given, answer):
                return answer
        except Exception as error:  # noqa: BLE001 (a callback fails messages, not the stage)
            failure = failure_of(self._plan, "prepare_messages", error)
        for message in given:
            message.fail(failure)
        return given

    async def _handle(self, messages: Sequence[Message]) -> None:
        handle = self._plan.pipeline.handle_message
        for message in messages:
            if message.failure is not None:
                continue
            try:
                if await handle(message) is not message:
                    message.fail(BadAnswer("handle_message", "not the message it was given"))
            except Exception as error:  # noqa: BLE001 (a callback fails messages, not the stage)
                message.fail(failure_of(self._plan, "handle_message", error))

    def _sort(self, messages: Sequence[Message]) -> tuple[Sequence[Message], list[Message]]:
        """Those that go on, and those that failed."""
        batchers, failed = self._batchers, []
        for message in messages:
            if message.failure is not None:
                failed.append(message)
            elif batchers and message.batcher not in batchers:
                failed.append(message.fail(UnknownBatcher(message.batcher)))
        if not failed:
            return messages, failed
        return [message for message in messages if message.failure is None], failed

    def _look_whether_drained(self) -> None:
        if not self.is_subscribed:
            self.close()
            self._report.done(self.node)
