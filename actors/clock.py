"""The one place that reads the time. Every deadline of a node hangs on its clock.

Monotonic time decides limits and deadlines; wall time is only ever shown or stored. Both are
integers, so that a virtual clock can move them exactly.
"""

import asyncio
import heapq
import sys
import time
import types
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Protocol

_REAL_TIME = "actors.clock.Clock"  # the audit event with which simulations refuse a real clock
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_MS = 1_000_000
_SETTLE_TURNS = 20  # loop turns after each virtual timer, so that what it started can run


@types.coroutine
def pause() -> Generator[None, None, None]:
    """Let every other ready task run once."""
    yield


class TimerHandle(Protocol):
    """A timer that has not fired yet."""

    def cancel(self) -> None:
        """Forget it; a timer that fired or was cancelled does not mind."""


class Clock:
    """Wall and monotonic time of this machine."""

    def __init__(self) -> None:
        sys.audit(_REAL_TIME)
        # The builtin itself: one frame less for each of some hundred thousand calls a second.
        self.monotonic_ns: Callable[[], int] = time.monotonic_ns  # noqa: TID251 (it wraps it)

    def now_ns(self) -> int:
        """Wall time in nanoseconds since 1970, UTC."""
        sys.audit(_REAL_TIME)
        return time.time_ns()  # noqa: TID251 (this is what it wraps)

    def now(self) -> datetime:
        """Wall time, aware, UTC, to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.now_ns() // 1000)

    def call_later(self, ms: int, action: Callable[[], None]) -> TimerHandle:
        """Call `action` once in the running loop after `ms` milliseconds."""
        sys.audit(_REAL_TIME)
        return asyncio.get_running_loop().call_later(ms / 1000, action)

    async def sleep_ms(self, ms: int) -> None:
        """Suspend the caller; 0 lets every other ready task run once."""
        if ms <= 0:
            await pause()
            return
        over = asyncio.get_running_loop().create_future()
        timer = self.call_later(ms, lambda: None if over.done() else over.set_result(None))
        try:
            await over
        finally:
            timer.cancel()


class VirtualTimer:
    """A timer of a `VirtualClock`, in order of time, then of creation."""

    __slots__ = ("action", "due_ns", "number")

    def __init__(self, due_ns: int, number: int, action: Callable[[], None]) -> None:
        self.due_ns = due_ns
        self.number = number
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Forget it."""
        self.action = None

    def __lt__(self, other: "VirtualTimer") -> bool:
        return (self.due_ns, self.number) < (other.due_ns, other.number)


class VirtualClock(Clock):
    """A clock that stands still until a test moves it; timers then fire in exact order.

    Args:
        start: Wall time at the beginning; aware.
    """

    def __init__(self, start: datetime = _EPOCH) -> None:
        super().__init__()
        self._elapsed_ns = 0
        self._wall_ns = (start - _EPOCH) // timedelta(microseconds=1) * 1000
        self._timers: list[VirtualTimer] = []
        self._made = 0
        self.monotonic_ns = lambda: self._elapsed_ns

    def now_ns(self) -> int:
        """Wall time in nanoseconds since 1970, UTC."""
        return self._wall_ns + self._elapsed_ns

    def call_later(self, ms: int, action: Callable[[], None]) -> TimerHandle:
        """Call `action` when the clock was advanced by `ms`."""
        self._made += 1
        timer = VirtualTimer(self._elapsed_ns + max(0, ms) * _NS_PER_MS, self._made, action)
        heapq.heappush(self._timers, timer)
        return timer

    def set_wall(self, now: datetime) -> None:
        """Step the wall clock, as an operator would; monotonic time does not notice."""
        self._wall_ns = (now - _EPOCH) // timedelta(microseconds=1) * 1000 - self._elapsed_ns

    async def advance(self, ms: int) -> None:
        """Move time forward, firing what falls due on the way and letting it run."""
        await self._settle()
        until = self._elapsed_ns + ms * _NS_PER_MS
        while self._timers and self._timers[0].due_ns <= until:
            timer = heapq.heappop(self._timers)
            self._elapsed_ns = max(self._elapsed_ns, timer.due_ns)
            if timer.action is not None:
                timer.action()
                await self._settle()
        self._elapsed_ns = until

    async def _settle(self) -> None:
        for _ in range(_SETTLE_TURNS):
            await pause()
