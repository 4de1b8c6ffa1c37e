"""Telemetry of pipelines: spans that cost next to nothing while nobody listens."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, TypeAlias

from actors import Event, Telemetry

_ENDS: Final = ("start", "stop", "exception")
_UNWATCHED: Final = nullcontext()


class Span:
    """Three events with a common beginning."""

    __slots__ = ("events", "prefix")

    def __init__(self, *prefix: str) -> None:
        self.prefix: Event = prefix
        self.events: tuple[Event, ...] = tuple((*prefix, end) for end in _ENDS)

    def is_watched(self, telemetry: Telemetry) -> bool:
        """Somebody listens to one of its events."""
        return telemetry.listens(*self.events)

    def around(
        self, telemetry: Telemetry, metadata: Mapping[str, Any]
    ) -> AbstractContextManager[None]:
        """Emit the events around a body."""
        return telemetry.span(self.prefix, metadata)


Context: TypeAlias = AbstractContextManager[None]

TOPOLOGY: Final = Span("pipeline", "topology", "init")
PROCESSOR: Final = Span("pipeline", "processor")
PROCESSOR_MESSAGE: Final = Span("pipeline", "processor", "message")
BATCHER: Final = Span("pipeline", "batcher")
BATCH_PROCESSOR: Final = Span("pipeline", "batch_processor")
HANDLE_FAILED: Final = Span("pipeline", "handle_failed")


def slice_span(
    span: Span, telemetry: Telemetry, pipeline: str, stage: str, messages: int
) -> Context:
    """A span over one slice or batch; nothing is made for it while nobody listens."""
    if not span.is_watched(telemetry):
        return _UNWATCHED
    metadata = {"pipeline": pipeline, "stage": stage, "messages": messages}
    return span.around(telemetry, metadata)
