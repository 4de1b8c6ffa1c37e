from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Any


class Keep(Enum):
    """Which events a full buffer keeps."""

    FIRST = "first"
    """The oldest; new ones are dropped."""
    LAST = "last"
    """The newest; the oldest are dropped."""


class EventBuffer:
    """Events that nobody has asked for yet, oldest first.

    Args:
        events_max: How many it holds; None: no limit.
        keep: Which ones it keeps when it is full.
    """

    __slots__ = ("_events", "_events_max", "_keep")

    def __init__(self, events_max: int | None, keep: Keep) -> None:
        self._events: deque[Any] = deque()
        self._events_max = events_max
        self._keep = keep

    def __len__(self) -> int:
        return len(self._events)

    def put(self, events: Sequence[Any]) -> int:
        """Keep events; gives how many were dropped, old or new."""
        held = self._events
        if self._events_max is None:
            held.extend(events)
            return 0
        dropped = max(0, len(held) + len(events) - self._events_max)
        if self._keep is Keep.FIRST:
            held.extend(events[: len(events) - dropped])
            return dropped
        held.extend(events)
        for _ in range(dropped):
            held.popleft()
        return dropped

    def take(self, count: int) -> list[Any]:
        """Give at most `count`, oldest first."""
        held = self._events
        return [held.popleft() for _ in range(min(count, len(held)))]
