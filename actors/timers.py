"""Messages that will be sent later, once or again and again."""

from collections.abc import Callable

from actors.clock import Clock, TimerHandle

_NS_PER_MS = 1_000_000


class TimerRef:
    """A message that `Node.send_after` will send, or one of `Node.send_interval`."""

    __slots__ = ("handle",)

    def __init__(self) -> None:
        self.handle: TimerHandle | None = None


class Timers:
    """All of a node that have not fired."""

    __slots__ = ("_clock", "_waiting")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[TimerRef, None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def start(self, ms: int, action: Callable[[], None]) -> TimerRef:
        """Run `action` once after `ms` milliseconds."""
        timer = TimerRef()

        def fire() -> None:
            self._waiting.pop(timer, None)
            action()

        timer.handle = self._clock.call_later(ms, fire)
        self._waiting[timer] = None
        return timer

    def repeat(self, ms: int, action: Callable[[], bool]) -> TimerRef:
        """Run `action` every `ms` milliseconds until it answers False.

        Each run is a whole number of periods after the start, however late the last one was; one
        that would already be over is left out.
        """
        period_ns = ms * _NS_PER_MS
        start_ns = self._clock.monotonic_ns()
        timer = TimerRef()

        def wait() -> None:
            past_ns = (self._clock.monotonic_ns() - start_ns) % period_ns
            timer.handle = self._clock.call_later(-((past_ns - period_ns) // _NS_PER_MS), fire)

        def fire() -> None:
            if timer in self._waiting:
                if action():
                    wait()
                else:
                    del self._waiting[timer]

        self._waiting[timer] = None
        wait()
        return timer

    def cancel(self, timer: TimerRef) -> None:
        """Forget one; a timer that has fired does not mind."""
        self._waiting.pop(timer, None)
        if timer.handle is not None:
            timer.handle.cancel()

    def cancel_all(self) -> None:
        """Forget all."""
        for timer in tuple(self._waiting):
            self.cancel(timer)
