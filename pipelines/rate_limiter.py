"""How many messages may still leave in this window: one count for all producers of a pipeline.

The count is an object that the producers ask directly, because they ask for each slice; the process
opens the windows and wakes whoever was refused, first come first.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast

from actors import Answer, CallAnswer, From, GenServer, Node, Pid, Reply, TimerRef
from pipelines.options import RateLimit

_NS_PER_MS: Final = 1_000_000


class WindowOpened(Enum):
    """Type of `WINDOW_OPENED`."""

    OPENED = "opened"


WINDOW_OPENED: Final = WindowOpened.OPENED
"""To a producer that was refused: ask again."""


@dataclass(frozen=True, slots=True)
class GetRateLimit:
    """What is the limit?"""


@dataclass(frozen=True, slots=True)
class SetRateLimit:
    """Change the limit."""

    limit: RateLimit
    reset: bool


@dataclass(frozen=True, slots=True)
class WindowOver:
    """The window of this number has ended."""

    number: int


class RateWindow:
    """What may still leave in the window that is open.

    Attributes:
        left: Messages.
    """

    __slots__ = ("_waiting", "left")

    def __init__(self) -> None:
        self.left = 0
        self._waiting: dict[Pid, None] = {}

    def take(self, wanted: int) -> int:
        """How many of these may leave now; they count."""
        granted = min(wanted, self.left)
        self.left -= granted
        return granted

    def wait(self, pid: Pid) -> None:
        """Have a producer told when the next window opens."""
        self._waiting[pid] = None

    def open(self, allowed: int, node: Node) -> None:
        """Begin anew."""
        self.left = allowed
        waiting, self._waiting = self._waiting, {}
        for pid in waiting:
            node.send(pid, WINDOW_OPENED)


class RateLimiter(GenServer):
    """Opens a window each interval.

    Args:
        window: What the producers ask.
        limit: How many in which time.
    """

    def __init__(self, window: RateWindow, limit: RateLimit) -> None:
        self._window = window
        self._limit = limit
        self._number = 0
        self._timer: TimerRef | None = None

    async def init(self) -> None:
        """Open the first window."""
        self._open(self.node.clock.monotonic_ns())

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Tell or change the limit."""
        match request:
            case GetRateLimit():
                return Reply(self._limit)
            case SetRateLimit(limit, reset):
                self._limit = limit
                if reset:
                    self._open(self.node.clock.monotonic_ns())
                return Reply(None)
        return await super().handle_call(request, sender)

    async def handle_info(self, message: Any) -> Answer:
        """The next window begins where the last one was to end, so that none drifts."""
        if isinstance(message, WindowOver):
            if message.number == self._number:
                self._open(self._ends_ns)
            return None
        return await super().handle_info(message)

    def _open(self, starts_ns: int) -> None:
        now_ns = self.node.clock.monotonic_ns()
        self._ends_ns = max(starts_ns + self._limit.interval_ms * _NS_PER_MS, now_ns)
        self._number += 1
        if self._timer is not None:
            self.node.cancel_timer(self._timer)
        left_ms = -((now_ns - self._ends_ns) // _NS_PER_MS)
        self._timer = self.node.send_after(left_ms, self.pid, WindowOver(self._number))
        self._window.open(self._limit.allowed, self.node)


async def get_rate_limit(node: Node, pipeline: str) -> RateLimit:
    """The rate limit of a pipeline.

    Raises:
        NoProcess: It has none, or does not run.
    """
    return cast(RateLimit, await node.call(f"{pipeline}.rate_limiter", GetRateLimit()))


async def set_rate_limit(
    node: Node, pipeline: str, limit: RateLimit, *, reset: bool = False
) -> None:
    """Change the rate limit of a pipeline, from its next window on.

    Args:
        node: Where it runs.
        pipeline: Its name.
        limit: The new limit.
        reset: Open a new window at once.

    Raises:
        NoProcess: It has none, or does not run.
    """
    await node.call(f"{pipeline}.rate_limiter", SetRateLimit(limit, reset))
