"""How often children may restart before the supervisor gives up."""

from collections import deque

_NS_PER_SECOND = 1_000_000_000


class Intensity:
    """Restarts in a sliding window of monotonic time.

    A restart exactly `max_seconds` old still counts, as in OTP, at nanosecond resolution.
    """

    __slots__ = ("_restarts_ns", "_window_ns", "restarts_max")

    def __init__(self, restarts_max: int, max_seconds: float) -> None:
        self.restarts_max = restarts_max
        self._window_ns = int(max_seconds * _NS_PER_SECOND)
        self._restarts_ns: deque[int] = deque()

    def add(self, now_ns: int) -> bool:
        """Count one restart; False when it is one too many."""
        restarts = self._restarts_ns
        restarts.append(now_ns)
        while restarts[0] < now_ns - self._window_ns:
            restarts.popleft()
        return len(restarts) <= self.restarts_max

    @property
    def count(self) -> int:
        """Restarts counted at the last look."""
        return len(self._restarts_ns)
