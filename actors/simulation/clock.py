"""The clock of a simulation: the virtual time of its loop, in whole nanoseconds."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from actors.clock import Clock, TimerHandle

if TYPE_CHECKING:
    from actors.simulation.loop import SimulatedLoop

_NS_PER_MS: Final = 1_000_000
WALL_START_NS: Final = 1_767_225_600_000_000_000  # 2026-01-01T00:00Z: ids look like ids


class SimulatedClock(Clock):
    """Stands still while anything is ready, then jumps to the next timer.

    Args:
        loop: Whose time.

    Attributes:
        loop: As given.
    """

    def __init__(self, loop: "SimulatedLoop") -> None:  # the real one is not even asked
        self.loop = loop
        self._wall_ns = WALL_START_NS
        self.monotonic_ns = loop.monotonic_ns

    def now_ns(self) -> int:
        """Wall time in nanoseconds since 1970, UTC; a simulation begins in 2026."""
        return self._wall_ns + self.loop.now_ns

    def step_wall(self, ms: int) -> None:
        """Step the wall clock, as an operator would; monotonic time does not notice."""
        self._wall_ns += ms * _NS_PER_MS

    def call_later(self, ms: int, action: Callable[[], None]) -> TimerHandle:
        """Call `action` after `ms` of virtual time, and the jitter of the schedule."""
        return self.loop.start_timer(self.loop.now_ns + max(0, ms) * _NS_PER_MS, action, ())
