"""When holds end by themselves. The breaker sees to it: TigerBeetle is told of no timeout. No I/O.

TigerBeetle's own timeout would go on while nobody hears from it, and end a hold whose post was
booked by PostgreSQL meanwhile.
"""

import heapq
from collections.abc import Container, Iterable
from typing import Final
from uuid import UUID

import msgspec

from ledger.breaker.following import ending_id
from ledger.breaker.messages import Answer
from ledger.transfers import Transfer, TransferFlag, TransferResult, void

PENDING: Final = int(TransferFlag.PENDING)
RESOLVING: Final = int(TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER)
NS_PER_SECOND: Final = 1_000_000_000


class Expiries:
    """Open holds that end by themselves, the first one first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._ends: dict[int, int] = {}

    def add(self, key: int, at_ns: int) -> None:
        """Watch a hold."""
        self._ends[key] = at_ns
        heapq.heappush(self._heap, (at_ns, key))

    def is_over(self, key: int, now_ns: int) -> bool:
        """The hold's time has passed."""
        return self._ends.get(key, now_ns + 1) <= now_ns

    def due(self, now_ns: int, open_holds: Container[int], doubted: Container[int]) -> list[UUID]:
        """Holds to be ended now; of a doubted one the fate must be known first."""
        self._forget_ended(open_holds)
        over = (key for at_ns, key in self._heap if at_ns <= now_ns)
        return [UUID(int=key) for key in over if key in open_holds and key not in doubted]

    def next_ns(self, open_holds: Container[int]) -> int | None:
        """When the next open hold ends; None: none will."""
        self._forget_ended(open_holds)
        return self._heap[0][0] if self._heap else None

    def _forget_ended(self, open_holds: Container[int]) -> None:
        while self._heap and self._heap[0][1] not in open_holds:
            _, key = heapq.heappop(self._heap)
            self._ends.pop(key, None)


class Endings:
    """The voids of holds whose time is over; an outage may burn the id of one."""

    def __init__(self) -> None:
        self._attempts: dict[UUID, int] = {}

    def voids(self, due: Iterable[UUID]) -> tuple[Transfer, ...]:
        """One for each hold."""
        attempts = ((each, self._attempts.setdefault(each, 1)) for each in due)
        return tuple(void(ending_id(each, attempt), each) for each, attempt in attempts)

    def answered(self, voids: Iterable[Transfer], answers: Iterable[Answer]) -> None:
        """Take another id the next time, where that is needed."""
        for ending, answer in zip(voids, answers, strict=True):
            assert ending.pending_id is not None, "each of them is a void"
            if answer is TransferResult.ID_ALREADY_FAILED:
                self._attempts[ending.pending_id] += 1
            elif isinstance(answer, TransferResult):
                self._attempts.pop(ending.pending_id, None)


def expiry_of(transfer: Transfer, now_ns: int) -> int:
    """When a hold that is made now ends by itself, in nanoseconds since 1970; 0: never."""
    is_hold = transfer.flags & PENDING and not transfer.flags & RESOLVING
    seconds = transfer.timeout_seconds
    return now_ns + seconds * NS_PER_SECOND if is_hold and seconds else 0


def without_timeout(transfer: Transfer) -> Transfer:
    """The transfer as the ledgers are told of it."""
    if not expiry_of(transfer, 0):
        return transfer
    return msgspec.structs.replace(transfer, timeout_seconds=0)
