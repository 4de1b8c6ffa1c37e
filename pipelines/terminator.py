"""The last child of a pipeline: when the pipeline is to stop, it drains it first."""

import contextlib
from enum import Enum
from typing import Any, Final

from actors import Answer, CalleeDied, ExitReason, GenServer, NoProcess
from pipelines.callbacks import Plan
from pipelines.draining import STOP_RESUBSCRIBING, WHEN_DRAINED
from pipelines.source import DRAIN


class DrainAtEnd(Enum):
    """Type of `DRAIN_AT_END`."""

    DRAIN = "drain"


DRAIN_AT_END: Final = DrainAtEnd.DRAIN
"""The whole pipeline ends, and this stage is not just restarted with those before it."""


class Terminator(GenServer):
    """Stops the flow at its beginning and waits until the end has run dry.

    Its `shutdown` is the limit of that wait; what is left then is killed and never acknowledged.

    Args:
        plan: The pipeline.
    """

    trap_exit = True

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._drains = False

    async def handle_info(self, message: Any) -> Answer:
        """Learn that the end is the end of the whole pipeline."""
        if message is DRAIN_AT_END:
            self._drains = True
            return None
        return await super().handle_info(message)

    async def terminate(self, reason: ExitReason) -> None:
        """Drain."""
        del reason
        if not self._drains:
            return
        for processor in self._plan.processors:
            self.node.send(processor, STOP_RESUBSCRIBING)
        for producer in self._plan.producers:
            self.node.send(producer, DRAIN)
        for stage in self._plan.last_stages:
            # One that is gone has nothing left to wait for.
            with contextlib.suppress(NoProcess, CalleeDied):
                await self.node.call(stage, WHEN_DRAINED, timeout_ms=None)
