"""Events that the platform emits about itself, called synchronously in the emitter.

An observer can never hurt the observed: a handler that raises is detached and reported by one
more event.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import structlog

from actors.clock import Clock
from actors.reason import Crash
from actors.redaction import reason_text

_log = structlog.get_logger("actors")

Event: TypeAlias = tuple[str, ...]
Handler: TypeAlias = Callable[[Event, Mapping[str, Any], Mapping[str, Any]], None]

HANDLER_FAILURE: Event = ("telemetry", "handler", "failure")
MESSAGE_EVENTS: frozenset[Event] = frozenset(
    ("genserver", kind, end) for kind in ("call", "cast", "info") for end in ("stop", "exception")
)


class Telemetry:
    """Handlers by event name.

    Args:
        clock: Measures spans.
    """

    __slots__ = ("_attached", "_clock", "_handlers", "_observers", "is_timing")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._handlers: dict[Event, tuple[tuple[int, Handler], ...]] = {}
        self._attached = 0
        self._observers = 0
        # Read twice for each message; asking the table would cost as much as the message.
        self.is_timing = False

    def attach(self, event: Event, handler: Handler) -> int:
        """Call `handler(event, measurements, metadata)` for exactly this event; gives its id."""
        self._attached += 1
        self._handlers[event] = (*self._handlers.get(event, ()), (self._attached, handler))
        self._look_at_messages()
        return self._attached

    def detach(self, handler_id: int) -> None:
        """Forget a handler; one that is gone does not matter."""
        for event, handlers in list(self._handlers.items()):
            kept = tuple(pair for pair in handlers if pair[0] != handler_id)
            if kept:
                self._handlers[event] = kept
            else:
                del self._handlers[event]
        self._look_at_messages()

    @property
    def observers(self) -> int:
        """How many want each message timed, whether or not a handler is attached."""
        return self._observers

    @observers.setter
    def observers(self, observers: int) -> None:
        self._observers = observers
        self._look_at_messages()

    def listens(self, *events: Event) -> bool:
        """Whether somebody listens to one of these: if not, spare yourself the metadata."""
        return bool(self._handlers) and not self._handlers.keys().isdisjoint(events)

    def execute(
        self, event: Event, measurements: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> None:
        """Tell every handler of `event`; never raises."""
        if not self._handlers or event not in self._handlers:
            return
        for handler_id, handler in self._handlers[event]:
            try:
                handler(event, measurements, metadata)
            except BaseException as error:  # noqa: BLE001 (an observer must not hurt the observed)
                self.detach(handler_id)
                reason = reason_text(Crash.of(error))
                _log.error("telemetry handler detached", event_name=event, reason=reason)
                failed = {"event": event, "handler_id": handler_id, "error": error}
                self.execute(HANDLER_FAILURE, {}, failed)

    @contextmanager
    def span(self, prefix: Event, metadata: Mapping[str, Any]) -> Iterator[None]:
        """Emit `prefix + ("start",)`, then `("stop",)` or, when the body raises, `("exception",)`.

        The ends carry `duration_ns`. A killed process emits no end: never count on pairs.
        """
        started_ns = self._clock.monotonic_ns()
        times = {"system_time_ns": self._clock.now_ns(), "monotonic_time_ns": started_ns}
        self.execute((*prefix, "start"), times, metadata)
        try:
            yield
        except Exception as error:
            took = {"duration_ns": self._clock.monotonic_ns() - started_ns}
            self.execute((*prefix, "exception"), took, {**metadata, "error": error})
            raise
        took = {"duration_ns": self._clock.monotonic_ns() - started_ns}
        self.execute((*prefix, "stop"), took, metadata)

    def _look_at_messages(self) -> None:
        has_handler = not MESSAGE_EVENTS.isdisjoint(self._handlers)
        self.is_timing = has_handler or self._observers > 0
