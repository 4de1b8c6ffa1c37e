"""Deadlines of waiting calls: one queue and one timer for each *length* of deadline.

Nearly all calls share a few lengths, so those of one length expire in the order they were made:
a dict is that queue, and an answered call leaves it in constant time. A timer of its own for each
call costs 0.7 µs of the 3 µs that a whole call takes.
"""

import contextvars
import functools

from actors.clock import Clock, TimerHandle
from actors.errors import CallTimeout
from actors.process import From, Raised

_NS_PER_MS = 1_000_000


class Deadlines:
    """All waiting calls of a node.

    Attributes:
        waiting: The calls of each length of deadline in milliseconds, oldest first; those without
            one under None.
    """

    __slots__ = ("_clock", "_timers", "waiting")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: dict[int, TimerHandle] = {}
        self.waiting: dict[int | None, dict[From, None]] = {None: {}}

    def add(self, timeout_ms: int) -> dict[From, None]:
        """Begin a queue of this length, and its timer."""
        self._start(timeout_ms, timeout_ms)
        queue = self.waiting[timeout_ms] = {}
        return queue

    def cancel(self) -> None:
        """Stop every timer; calls that still wait get no timeout any more."""
        for timeout_ms, timer in self._timers.items():
            timer.cancel()
            del self.waiting[timeout_ms]
        self._timers.clear()

    def _start(self, timeout_ms: int, left_ms: int) -> None:
        expire = functools.partial(self._expire, timeout_ms)
        # A timer keeps the context it is made in, and with it the process that happens to call.
        nobody = contextvars.Context()
        self._timers[timeout_ms] = nobody.run(self._clock.call_later, left_ms, expire)

    def _expire(self, timeout_ms: int) -> None:
        oldest_ns = self._clock.monotonic_ns() - timeout_ms * _NS_PER_MS
        queue = self.waiting[timeout_ms]
        due = []
        for sender in queue:
            if sender.sent_ns > oldest_ns:
                self._start(timeout_ms, -((oldest_ns - sender.sent_ns) // _NS_PER_MS))
                break
            due.append(sender)
        else:
            del self._timers[timeout_ms], self.waiting[timeout_ms]
        for sender in due:
            del queue[sender]
            sender.expired = True
            if not sender.future.done():
                request = type(sender.request).__name__
                error = CallTimeout(sender.process.label, request, timeout_ms)
                sender.future.set_result(Raised(error))
