"""The journal: every transfer, written down before it goes anywhere."""

import hashlib
from enum import Enum
from typing import Final
from uuid import UUID

import msgspec

from ledger.breaker.messages import Answer, Standing
from ledger.transfers import Transfer, TransferFlag, TransferResult

RESOLVING: Final = int(TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER)
PENDING: Final = int(TransferFlag.PENDING)


class Route(Enum):
    """Which ledger decided a transfer."""

    TB = "tb"
    PG = "pg"


class RowState(Enum):
    """How far a transfer has come."""

    NEW = "new"
    """PostgreSQL has booked it; TigerBeetle does not have it yet."""
    SENT = "sent"
    """On the way to TigerBeetle, as far as is written down."""
    DONE = "done"
    """Booked in both."""
    FAILED = "failed"
    """Booked nowhere, and never will be."""
    UNKNOWN = "unknown"
    """No answer came; held against both accounts."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One transfer in the journal.

    Attributes:
        sequence: Place in the journal; replays keep this order.
        transfer: As it was asked for.
        debit_account_id: Account debited; of a post or void that of its hold, if that is known.
        credit_account_id: Account credited, likewise.
        amount_cents: What it moves or holds at most, in centavos.
        epoch: Of the writer that made the row.
        route: Who decides it.
        state: How far it has come.
        result: `CREATED` or why not; 0 while there is none.
        is_verified: Its accounts need no comparison.
        expires_at: When the breaker ends it, if it is a hold, in nanoseconds since 1970; 0: never.
    """

    sequence: int
    transfer: Transfer
    debit_account_id: UUID
    credit_account_id: UUID
    amount_cents: int
    epoch: int
    route: Route
    state: RowState
    result: int = 0
    is_verified: bool = True
    expires_at: int = 0

    @property
    def is_booked(self) -> bool:
        """Its effect is part of the mirror."""
        return self.state in (RowState.NEW, RowState.DONE)

    @property
    def is_hold(self) -> bool:
        """It reserves money."""
        return bool(self.transfer.flags & PENDING)

    @property
    def ends_hold(self) -> bool:
        """It posts or voids."""
        return bool(self.transfer.flags & RESOLVING)


def content_hash(transfer: Transfer) -> bytes:
    """SHA-256 of every field: the same id with another hash is another transfer."""
    return hashlib.sha256(content(transfer)).digest()


def content(transfer: Transfer) -> bytes:
    """A transfer as it is stored: JSON, which has integers of any size and can be read."""
    return msgspec.json.encode(transfer)


def transfer_of(stored: bytes) -> Transfer:
    """A transfer from its stored form."""
    return msgspec.json.decode(stored, type=Transfer)


def first_answer(row: Row) -> Answer:
    """What the caller is told who made the row."""
    return TransferResult(row.result) if row.result else Standing.UNKNOWN


def later_answer(row: Row, transfer: Transfer) -> Answer:
    """What a caller is told whose id is in the journal already."""
    difference = _difference(row.transfer, transfer)
    if difference is not None:
        return difference
    return TransferResult.EXISTS if row.is_booked else first_answer(row)


def _difference(known: Transfer, transfer: Transfer) -> TransferResult | None:
    result = TransferResult
    fields = (
        ("flags", result.EXISTS_WITH_DIFFERENT_FLAGS),
        ("pending_id", result.EXISTS_WITH_DIFFERENT_PENDING_ID),
        ("timeout_seconds", result.EXISTS_WITH_DIFFERENT_TIMEOUT),
        ("debit_account_id", result.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID),
        ("credit_account_id", result.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID),
        ("amount_cents", result.EXISTS_WITH_DIFFERENT_AMOUNT),
        ("user_data_128", result.EXISTS_WITH_DIFFERENT_USER_DATA_128),
        ("user_data_64", result.EXISTS_WITH_DIFFERENT_USER_DATA_64),
        ("user_data_32", result.EXISTS_WITH_DIFFERENT_USER_DATA_32),
        ("ledger", result.EXISTS_WITH_DIFFERENT_LEDGER),
        ("code", result.EXISTS_WITH_DIFFERENT_CODE),
    )
    differing = (r for name, r in fields if getattr(known, name) != getattr(transfer, name))
    return next(differing, None)
