"""Messages that will be sent later."""

from collections.abc import Callable

from actors.clock import Clock, TimerHandle


class TimerRef:
    """A message that `Node.send_after` will send."""

    __slots__ = ("handle",)

    def __init__(self) -> None:
        self.handle: TimerHandle | None = None


class Timers:
    """All of a node that have not fired."""

    __slots__ = ("_clock", "_waiting")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: set[TimerRef] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def start(self, ms: int, action: Callable[[], None]) -> TimerRef:
        """Run `action` once after `ms` milliseconds."""
        timer = TimerRef()

        def fire() -> None:
            self._waiting.discard(timer)
            action()

        timer.handle = self._clock.call_later(ms, fire)
        self._waiting.add(timer)
        return timer

    def cancel(self, timer: TimerRef) -> None:
        """Forget one; a timer that has fired does not mind."""
        self._waiting.discard(timer)
        if timer.handle is not None:
            timer.handle.cancel()

    def cancel_all(self) -> None:
        """Forget all."""
        for timer in tuple(self._waiting):
            self.cancel(timer)
