"""A clock for the node of the bank that can be moved: real, many times faster, or stepped.

Everything the bank decides by time hangs on the clock of its node (AB03 after 40 s, the window of
an EndToEndId, the deadlines of DICT), so all of it follows. Time never goes back: a smaller rate
only lets it pass more slowly. What is not the bank's stays real: sockets, the disk, and whoever
talks to it.

Timers lie in one heap and at most one of them hangs in the event loop: a change of the rate moves
a single timer, and timers always fire in the order of their time.
"""

import asyncio
import contextvars
import heapq
import re
from collections.abc import Callable

from actors import Clock, TimerHandle
from bacen.simulator.errors import InvalidControl

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
REAL = 1
STEPPED = 0
RATE_MAX = 600
ADVANCE_MS_MAX = 366 * 86_400_000
STEPS = 100  # of one advance: a timer started on the way fires a hundredth of it late at most
SETTLE_TURNS = 20  # of the loop after each timer, so that what it started can run
SETTLE_MS = 2  # real, after each step with timers, so that the disk can answer
FORGOTTEN_MAX = 1_000  # cancelled timers that may lie in the heap before it is cleaned
_FASTER = re.compile(r"x([1-9][0-9]{0,3})")


class BankTimer:
    """A timer in order of time, then of creation."""

    __slots__ = ("_clock", "action", "due_ns", "number")

    def __init__(
        self, clock: "BankClock", due_ns: int, number: int, action: Callable[[], None]
    ) -> None:
        self._clock = clock
        self.due_ns = due_ns
        self.number = number
        self.action: Callable[[], None] | None = action

    def run(self) -> None:
        """Do what was asked for, unless it was cancelled since."""
        action, self.action = self.action, None
        if action is not None:
            action()

    def cancel(self) -> None:
        """Forget it; a timer that fired or was cancelled does not mind."""
        if self.action is not None:
            self.action = None
            self._clock.forget_one()

    def __lt__(self, other: "BankTimer") -> bool:
        return (self.due_ns, self.number) < (other.due_ns, other.number)


class BankClock(Clock):
    """Wall and monotonic time of the bank's node.

    Args:
        rate: Seconds that pass in a real one; `REAL` is 1, `STEPPED` is 0: only `advance` moves it.

    Raises:
        InvalidControl: The rate is no number from 0 to `RATE_MAX`.
    """

    def __init__(self, rate: int = REAL) -> None:
        super().__init__()
        self._real_ns = self.monotonic_ns
        self._wall_ns: Callable[[], int] = super().now_ns
        self._rate = REAL
        self._is_advancing = False
        self._timers: list[BankTimer] = []
        self._made = 0
        self._forgotten = 0
        self._armed: asyncio.TimerHandle | None = None
        if rate != REAL:
            self.set_rate(rate)

    @property
    def rate(self) -> int:
        """Seconds that pass in a real one."""
        return self._rate

    def now_ns(self) -> int:
        """Wall time of the bank in nanoseconds since 1970, UTC."""
        return self._wall_ns()

    def ahead_ms(self) -> int:
        """How far the bank's wall time is ahead of the machine's, in milliseconds."""
        return (self._wall_ns() - super().now_ns()) // NS_PER_MS

    def call_later(self, ms: int, action: Callable[[], None]) -> TimerHandle:
        """Call `action` once in the running loop after `ms` milliseconds of the bank's time."""
        self._made += 1
        due_ns = self.monotonic_ns() + max(0, ms) * NS_PER_MS
        timer = BankTimer(self, due_ns, self._made, action)
        heapq.heappush(self._timers, timer)
        if self._timers[0] is timer:
            self._arm()
        return timer

    def set_rate(self, rate: int) -> None:
        """Let time pass at another rate from now on.

        Raises:
            InvalidControl: The rate is no number from 0 to `RATE_MAX`, or an advance is under way.
        """
        if not 0 <= rate <= RATE_MAX:
            raise InvalidControl("rate", f"from 0 (stepped) to {RATE_MAX}")
        if self._is_advancing:
            raise InvalidControl("rate", "the clock is being advanced")
        self._go_on(rate, self.monotonic_ns())
        self._arm()

    async def advance(self, ms: int) -> None:
        """Move time forward, firing what falls due on the way, in order, each at its time.

        Time stands still otherwise. A timer that is started on the way may fire late by up to a
        hundredth of the advance: else a week would fire every short timer a million times.

        Raises:
            InvalidControl: Not from 0 to `ADVANCE_MS_MAX`, or an advance is under way.
        """
        if not 0 <= ms <= ADVANCE_MS_MAX:
            raise InvalidControl("advance", "from 0s to 366d")
        if self._is_advancing:
            raise InvalidControl("advance", "the clock is being advanced already")
        self._is_advancing, rate = True, self._rate
        now_ns = self.monotonic_ns()
        self._go_on(STEPPED, now_ns)
        self._arm()
        try:
            await self._turns()
            await self._pass_timers(now_ns + ms * NS_PER_MS, max(1, ms // STEPS) * NS_PER_MS)
            self._go_on(STEPPED, now_ns + ms * NS_PER_MS)
        finally:
            self._is_advancing = False
            self._go_on(rate, self.monotonic_ns())
            self._arm()

    def forget_one(self) -> None:
        """Count a timer that was cancelled; for the timers themselves."""
        self._forgotten += 1
        if self._forgotten > max(FORGOTTEN_MAX, len(self._timers) // 2):
            self._timers = [each for each in self._timers if each.action is not None]
            heapq.heapify(self._timers)
            self._forgotten = 0

    def _go_on(self, rate: int, from_ns: int) -> None:
        """Pass at this rate from this monotonic time on; wall time moves as far."""
        wall_ns = self._wall_ns() + from_ns - self.monotonic_ns()
        real, start_ns, real_wall = self._real_ns, self._real_ns(), super().now_ns
        self._rate = rate
        if rate == STEPPED:
            self.monotonic_ns = lambda: from_ns
            self._wall_ns = lambda: wall_ns
            return
        self.monotonic_ns = lambda: from_ns + (real() - start_ns) * rate
        if rate == REAL:  # the machine's own corrections are followed
            shift_ns = wall_ns - real_wall()
            self._wall_ns = lambda: real_wall() + shift_ns
        else:
            self._wall_ns = lambda: wall_ns + (real() - start_ns) * rate

    async def _pass_timers(self, until_ns: int, step_ns: int) -> None:
        while self._timers and self._timers[0].due_ns <= until_ns:
            now_ns = self.monotonic_ns()
            end_ns = min(until_ns, max(now_ns, self._timers[0].due_ns) + step_ns)
            due = []
            while self._timers and self._timers[0].due_ns <= end_ns:
                due.append(heapq.heappop(self._timers))
            try:
                while due:
                    timer = due.pop(0)
                    if timer.action is not None:
                        self._go_on(STEPPED, max(self.monotonic_ns(), timer.due_ns))
                        timer.run()
                        await self._turns()
            finally:  # what was given up on the way is still to fire
                for timer in due:
                    heapq.heappush(self._timers, timer)
            self._go_on(STEPPED, end_ns)
            await self._real_pause()

    def _arm(self) -> None:
        """Hang the next timer into the loop, where it falls due by itself."""
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
        while self._timers and self._timers[0].action is None:
            heapq.heappop(self._timers)
        if not self._timers or self._is_advancing:
            return
        left_ns = max(0, self._timers[0].due_ns - self.monotonic_ns())
        if left_ns and self._rate == STEPPED:
            return
        seconds = left_ns / (self._rate or 1) / NS_PER_S
        # A timer keeps the context it is made in, and with it the process that happens to call.
        nobody = contextvars.Context()
        loop = asyncio.get_running_loop()
        self._armed = loop.call_later(seconds, self._fire, loop, context=nobody)

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._armed = None
        now_ns = self.monotonic_ns()
        while self._timers and self._timers[0].due_ns <= now_ns:
            loop.call_soon(heapq.heappop(self._timers).run)
        self._arm()

    async def _turns(self) -> None:
        """Let what was started run, and what it wants at once."""
        now_ns = self.monotonic_ns()
        for _ in range(SETTLE_TURNS):
            self._run_due(now_ns)
            await self.sleep_ms(0)

    def _run_due(self, now_ns: int) -> None:
        due = []
        while self._timers and self._timers[0].due_ns <= now_ns:
            due.append(heapq.heappop(self._timers))
        for timer in due:
            timer.run()

    async def _real_pause(self) -> None:
        over = asyncio.get_running_loop().create_future()
        super().call_later(SETTLE_MS, lambda: None if over.done() else over.set_result(None))
        await over


def rate_of(text: str) -> int:
    """Read how a clock is to go: `real`, `x60` and the like, or `stepped`.

    Raises:
        InvalidControl: It is none of them.
    """
    found = _FASTER.fullmatch(text)
    rate = {"real": REAL, "stepped": STEPPED}.get(text, int(found[1]) if found else None)
    if rate is None or rate > RATE_MAX:
        raise InvalidControl("clock", f"{text!r} is none of real, x2 to x{RATE_MAX}, stepped")
    return rate


def rate_text(rate: int) -> str:
    """Write how a clock goes; `rate_of` reads it again."""
    return {REAL: "real", STEPPED: "stepped"}.get(rate, f"x{rate}")
