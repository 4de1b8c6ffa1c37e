"""What waits to be sent, merged across callers and cut where it may be cut. No I/O."""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from actors import From
from ledger.errors import OverLimit
from ledger.tigerbeetle.client import DEVELOPMENT_BATCH_MAX

LINKED: Final = 1


class Caller:
    """Somebody who waits for the answers to their events.

    Attributes:
        sender: Whom to answer.
        events: All of them.
        sent: How many have been sent, or are about to be.
        answers: Of the first ones.
    """

    __slots__ = ("answers", "events", "sender", "sent")

    def __init__(self, sender: From, events: Sequence[Any]) -> None:
        self.sender = sender
        self.events = events
        self.sent = 0
        self.answers: list[Any] = []


class Waiting:
    """The callers of one kind of request, first come first served.

    Args:
        has_chains: The events have flags, and one that is `LINKED` goes with the next.
    """

    def __init__(self, *, has_chains: bool) -> None:
        self._has_chains = has_chains
        self._callers: deque[Caller] = deque()

    def __len__(self) -> int:
        return len(self._callers)

    def add(self, sender: From, events: Sequence[Any]) -> None:
        """Queue a caller's events; they must not end in the middle of a chain."""
        self._callers.append(Caller(sender, events))

    def take(self, batch_max: int) -> tuple[list[tuple[Caller, int, int]], OverLimit | None]:
        """Take the next request.

        Returns:
            Pieces of callers' events (caller, first, end), in order, `batch_max` events together;
            and an error when the first caller has a chain that no request can hold.
        """
        pieces: list[tuple[Caller, int, int]] = []
        room = batch_max
        while self._callers and room > 0:
            caller = self._callers[0]
            first, end = caller.sent, min(caller.sent + room, len(caller.events))
            cut = self._cut(caller.events, first, end)
            if cut == first < len(caller.events):
                if pieces:
                    break
                return [], OverLimit("transfers of a chain", end - first + 1, batch_max)
            pieces.append((caller, first, cut))
            caller.sent = cut
            room -= cut - first
            if cut < len(caller.events):
                break
            self._callers.popleft()
        return pieces, None

    def put_back(self, pieces: Sequence[tuple[Caller, int, int]]) -> None:
        """Undo a `take`: the request was too large to be sent."""
        for caller, first, _ in reversed(pieces):
            caller.sent = first
            if not self._callers or self._callers[0] is not caller:
                self._callers.appendleft(caller)

    def drop(self, caller: Caller) -> None:
        """Send no more of a caller's events."""
        if caller in self._callers:
            self._callers.remove(caller)

    def first(self) -> Caller:
        """Who is next."""
        return self._callers[0]

    def _cut(self, events: Sequence[Any], first: int, end: int) -> int:
        """The last place up to `end` where no chain is cut; `first` when there is none."""
        if not self._has_chains or end == len(events):
            return end
        while end > first and events[end - 1].flags & LINKED:
            end -= 1
        return end


def smaller(batch_max: int, size: int) -> int:
    """What to try after a request of `size` events was too large."""
    known = min(batch_max, size)
    return DEVELOPMENT_BATCH_MAX if known > DEVELOPMENT_BATCH_MAX else max(1, known // 2)
