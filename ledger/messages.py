"""What a shard writer is asked and what it answers."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from actors import From
from ledger.accounts import Account, AccountResult, AccountStatus, StatusReason
from ledger.products import Product
from ledger.transfers import Transfer, TransferResult

ENTRIES_MAX = 1_000
"""Entries of one `Commit`; more are refused with `OverLimit`."""

TRANSFERS_MAX = 100
"""Transfers, and events, of one `Entry`."""

ACCOUNTS_MAX = 10_000
"""Accounts of one `OpenAccounts`."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key; the first entry that carries it wins, later ones are replays.

    Attributes:
        key: Unique in the tenant, for ever.
        fingerprint: Hash of the request: tells a replay from another request under the same key.
        subject_id: What the first entry made (a payment), given back to replays.
    """

    key: str
    fingerprint: bytes
    subject_id: UUID


@dataclass(frozen=True, slots=True)
class Event:
    """A fact for the outbox, written in the same transaction as the money.

    Attributes:
        id: Deduplication id for consumers.
        subject_id: What it is about (a payment).
        name: "payment.settled".
        at: When it happened, UTC.
        payload: JSON.
    """

    id: UUID
    subject_id: UUID
    name: str
    at: datetime
    payload: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """All or nothing: its transfers, events, key and record are written together or not at all.

    Attributes:
        transfers: Applied in order; the first refused one refuses the entry.
        events: For the outbox, in order.
        idempotency: Client's key, if the entry came with one.
        record: Handed to the writer's `Companion` in the same transaction.
    """

    transfers: tuple[Transfer, ...] = ()
    events: tuple[Event, ...] = ()
    idempotency: Idempotency | None = None
    record: object | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """Request: decide the entries in order and make them durable.

    The reply is a tuple with one `Answer` an entry, sent after the transaction that holds them
    is on disk. Refused entries leave nothing behind, not even their idempotency key.
    """

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class CommitFor:
    """Cast: a `Commit` on behalf of a caller, who gets its reply.

    So a process that checks requests can pass them on without waiting for the transaction.

    Attributes:
        commit: What to commit.
        sender: The caller to answer, as `handle_call` got it.
    """

    commit: Commit
    sender: From


@dataclass(frozen=True, slots=True)
class OpenAccounts:
    """Request: open accounts, all or none. The same account again, unchanged, is fine.

    The reply is `Committed` or `AccountRefused`, after the transaction is on disk.
    """

    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Request: give an account a status, and say why; what it was before stays on record.

    Holds made before may still be posted or voided. The reply is `Committed` or `AccountRefused`
    (`NOT_FOUND`), after the transaction is on disk.

    Attributes:
        account_id: Which account.
        status: The new one.
        reason: Why.
        made_by: Who asked for it, as an audit knows them; at most 255 characters.
    """

    account_id: UUID
    status: AccountStatus
    reason: StatusReason
    made_by: str


@dataclass(frozen=True, slots=True)
class DefineProduct:
    """Request: have a product, or other terms for it; its former terms stay on record.

    Terms hold for the accounts it has, too, from the next batch on. The reply is `Committed`, after
    the transaction is on disk.

    Attributes:
        product: As it shall be.
        made_by: Who asked for it, as an audit knows them; at most 255 characters.
    """

    product: Product
    made_by: str


@dataclass(frozen=True, slots=True)
class Committed:
    """The entry (the accounts) is durable."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing of the entry was written; the reason is the first transfer that was refused.

    `EXISTS` means the same transfer is already durable: a retry that had succeeded before.
    """

    result: TransferResult
    transfer_id: UUID


@dataclass(frozen=True, slots=True)
class Replayed:
    """The entry's idempotency key is already durable; nothing was written.

    Attributes:
        subject_id: What the first entry under the key made.
        is_same: The fingerprints are equal; otherwise the key was used for another request.
    """

    subject_id: UUID
    is_same: bool


@dataclass(frozen=True, slots=True)
class AccountRefused:
    """No account of the request was opened; the reason is the first that was refused."""

    result: AccountResult
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Stale:
    """The companion claimed that the entry's record no longer fits; nothing was written."""


Answer = Committed | Refused | Replayed | Stale


@dataclass(frozen=True, slots=True)
class BatchCommitted:
    """Told to the writer's `on_committed` after each durable batch, before its replies.

    Attributes:
        shard_id: Shard of the batch.
        events: Its events in outbox order; their sequences end with `outbox_sequence`.
        outbox_sequence: Sequence of the last event of the shard.
    """

    shard_id: int
    events: Sequence[Event]
    outbox_sequence: int


class Companion(Protocol):
    """Keeps other rooms' rows: written in the ledger's transaction, loaded with its shard.

    It lives in the writer's process; what it keeps in memory is, like the ledger's, a cache of
    committed rows.

    What it raises rolls back the whole batch and ends the writer: a record that the database
    may refuse must be checked before it is sent.
    """

    async def load(self, connection: Any, oldest_open_hold: UUID | None) -> None:
        """Read what is needed in memory; called with the lease taken, before the first entry.

        Args:
            connection: asyncpg connection of the writer; do not keep it.
            oldest_open_hold: No open hold has a smaller id; None when none is open.
        """

    def claims(self, record: object) -> Iterable[Hashable] | None:
        """Name what a record takes for itself alone; None when it no longer fits what is there.

        In one batch each claim is made once; an entry that comes too late is answered `Stale`.
        """

    def committed(self, records: Sequence[object]) -> None:
        """Take over records that have just become durable; must be quick and not raise."""

    @property
    def function(self) -> str:
        """SQL function that writes the records of a batch.

        It is called once for a batch that has records, in the same statement as the ledger's own
        (one round trip), after it, with `arguments`; its result is not looked at.
        """

    def arguments(self, records: Sequence[object]) -> Sequence[object]:
        """Arguments of `function` for the records of the committed entries, in order."""
