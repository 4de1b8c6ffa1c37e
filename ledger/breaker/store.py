"""What a breaker needs of its database: four operations, each whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ledger.accounts import Balance
from ledger.breaker.messages import Position
from ledger.breaker.rows import Row
from ledger.tigerbeetle import NewAccount


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of position, and an audit event; raises the epoch.

    Attributes:
        position: The new one.
        is_held: A person must close it.
        reason: Why.
        made_by: Who wanted it; "breaker" when nobody did.
        at: When, UTC.
    """

    position: Position
    is_held: bool
    reason: str
    made_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What is written in one transaction.

    Attributes:
        epoch: Of the writer; any other in the database refuses it.
        rows: New ones, or old ones that have come further.
        balances: Of the mirror.
        flags: Of accounts that were closed, or opened again.
        accounts: New ones.
        are_there: TigerBeetle has the new accounts.
        turn: New position, if it changes.
        is_verified: The ledgers were found to be equal: nothing needs a comparison any more, and
            what PostgreSQL booked, and opened, is in TigerBeetle.
    """

    epoch: int
    rows: Sequence[Row] = ()
    balances: Mapping[UUID, Balance] = field(default_factory=dict)
    flags: Mapping[UUID, int] = field(default_factory=dict)
    accounts: Sequence[NewAccount] = ()
    are_there: bool = True
    turn: Turn | None = None
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that a breaker keeps in memory.

    Attributes:
        epoch: Of the writer from now on.
        position: As it was left.
        is_held: A person must close it.
        reason: Of the position.
        last_sequence: Of the journal.
        accounts: With their balances.
        lacking: Accounts that TigerBeetle does not have yet.
        holds: Rows of holds that are booked and not ended.
        unsettled: Rows that are not at their end: unknown, not yet in TigerBeetle, or not compared.
    """

    epoch: int
    position: Position
    is_held: bool
    reason: str
    last_sequence: int
    accounts: Sequence[tuple[NewAccount, Balance]]
    lacking: Sequence[UUID]
    holds: Sequence[Row]
    unsettled: Sequence[Row]


class Store(Protocol):
    """The journal and the mirror of one tenant.

    `take` and `find` change nothing that a second attempt would not; after `JournalUnknown` a
    `write` may or may not have taken effect, and the breaker reads everything anew.
    """

    async def take(self) -> Books:
        """Raise the epoch, which fences out every older writer; then read.

        Rows that were on the way to TigerBeetle are unknown from now on.

        Raises:
            JournalUnknown: The database cannot be reached.
        """

    async def find(self, epoch: int, ids: Sequence[UUID], holds: Sequence[UUID]) -> Sequence[Row]:
        """Rows of these ids and holds, and booked rows that ended one of these holds.

        A reader whose epoch is over would tell of rows that another one sent as unknown, and as it
        writes nothing would never learn that they are now its successor's to settle.

        Raises:
            BreakerFenced: The reader's epoch is over.
            JournalUnknown: The database cannot be reached.
        """

    async def write(self, change: Change) -> None:
        """Make a change durable.

        Raises:
            BreakerFenced: The writer's epoch is over; nothing was written.
            JournalUnknown: The connection was lost meanwhile.
        """

    async def close(self) -> None:
        """Part from the database."""

    def abort(self) -> None:
        """Part from it without a word: also run when the breaker is killed."""
