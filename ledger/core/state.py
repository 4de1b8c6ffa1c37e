"""What one shard's books are in memory: accounts, open holds, and what is not yet durable.

Maps are keyed by `UUID.int`: hashing a UUID is a Python call, hashing an int is not.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec

from ledger.accounts import AccountFlag, AccountStatus, Balance
from ledger.messages import Idempotency
from ledger.transfers import LEDGER_BRL, TransferFlag, TransferResult

NS_PER_SECOND: Final = 1_000_000_000

CLOSED: Final = int(AccountFlag.CLOSED)
CLOSING_DEBIT: Final = int(TransferFlag.CLOSING_DEBIT)
CLOSING_CREDIT: Final = int(TransferFlag.CLOSING_CREDIT)
CLOSING: Final = CLOSING_DEBIT | CLOSING_CREDIT

STALE_HOLD_IDS_MAX: Final = 4_096
"""Resolved holds that may wait in the heap of open ones before it is built anew."""


class Posting(msgspec.Struct, frozen=True, gc=False):
    """An applied transfer as it is stored: what it took from its hold is filled in.

    Attributes:
        amount_cents: What moved or is held: of a balancing transfer what there was, of a post what
            was posted, of a void or an expiry what was released.
        kind: Its phase.
        flags: As the transfer had them.
        timestamp: Nanoseconds since 1970, UTC; unique in the shard and rising.
        held_cents: Of a post, void or expiry: the whole hold.
    """

    id: UUID
    debit_account_id: UUID
    credit_account_id: UUID
    amount_cents: int
    code: int
    kind: int
    pending_id: UUID | None
    flags: int
    timeout_seconds: int
    ledger: int
    user_data_128: int
    user_data_64: int
    user_data_32: int
    timestamp: int
    held_cents: int = 0

    @property
    def expires_at(self) -> int:
        """When the hold ends by itself, as its timestamp; 0: never."""
        seconds = self.timeout_seconds
        return self.timestamp + seconds * NS_PER_SECOND if seconds else 0


@dataclass(slots=True)
class AccountState:
    """One account's flags and counters, uncommitted effects included."""

    id: UUID
    flags: int
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0
    ledger: int = LEDGER_BRL

    def balance(self) -> Balance:
        return Balance(
            self.debits_pending, self.debits_posted, self.credits_pending, self.credits_posted
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows that memory does not keep, looked up for one batch.

    Attributes:
        transfers: Stored transfers by id.
        resolutions: Stored post, void or expiry by the id of its hold.
        failed: Ids that failed once and for ever.
        keys: Stored idempotency keys.
        is_complete: Everything the batch names was looked up: what is not here does not exist.
    """

    transfers: dict[int, Posting] = field(default_factory=dict)
    resolutions: dict[int, Posting] = field(default_factory=dict)
    failed: dict[int, int] = field(default_factory=dict)
    keys: dict[str, Idempotency] = field(default_factory=dict)
    is_complete: bool = False


NO_FACTS: Final = Facts()


@dataclass(slots=True)
class LedgerState:
    """Accounts and open holds of one shard, and what was applied since the last commit.

    Attributes:
        accounts: By id.
        holds: Open holds by id.
        journal: Applied and not yet durable, in order, by id.
        resolutions: What ended holds in the journal, by the id of the hold.
        ended: The holds that the journal ended, by id.
        failed: Results of ids that have failed for ever and are not yet durable.
        restricted: Accounts that are not active, by id; for whoever decides what reaches the core.
        touched: Accounts whose counters may differ from their stored row.
        flagged: Accounts whose flags may.
        facts: Rows looked up for the current batch.
        first_timestamp: Of the first transfer of the journal; the others follow without a gap.
    """

    accounts: dict[int, AccountState] = field(default_factory=dict)
    holds: dict[int, Posting] = field(default_factory=dict)
    journal: dict[int, Posting] = field(default_factory=dict)
    resolutions: dict[int, Posting] = field(default_factory=dict)
    ended: dict[int, Posting] = field(default_factory=dict)
    failed: dict[int, TransferResult] = field(default_factory=dict)
    restricted: dict[int, AccountStatus] = field(default_factory=dict)
    touched: dict[int, AccountState] = field(default_factory=dict)
    flagged: dict[int, AccountState] = field(default_factory=dict)
    facts: Facts = NO_FACTS
    first_timestamp: int = 0
    hold_ids: list[int] = field(default_factory=list)
    expiries: list[tuple[int, int]] = field(default_factory=list)

    def add_holds(self, holds: Iterable[Posting]) -> None:
        """Take over holds whose amounts the accounts' counters already contain."""
        self.holds.update((hold.id.int, hold) for hold in holds)
        self.hold_ids = sorted(self.holds)
        self.expiries = sorted(
            (hold.expires_at, key) for key, hold in self.holds.items() if hold.timeout_seconds
        )

    def open_hold(self, key: int, hold: Posting) -> None:
        """Note an open hold whose amount its accounts' counters contain."""
        self.holds[key] = hold
        heapq.heappush(self.hold_ids, key)
        if hold.timeout_seconds:
            heapq.heappush(self.expiries, (hold.expires_at, key))

    def find(self, key: int) -> Posting | None:
        """A transfer by id, as far as it is known here."""
        return (
            self.journal.get(key)
            or self.holds.get(key)
            or self.ended.get(key)
            or self.facts.transfers.get(key)
        )

    def is_known(self, key: int) -> bool:
        """An id that was used, or has failed, as far as it is known here."""
        return self.find(key) is not None or key in self.failed or key in self.facts.failed

    def resolution_of(self, key: int) -> Posting | None:
        """What ended a hold, as far as it is known here."""
        return self.resolutions.get(key) or self.facts.resolutions.get(key)

    def oldest_open_hold(self) -> UUID | None:
        """Smallest id of an open hold: a reload need not look at transfers before it."""
        ids = self.hold_ids
        if len(ids) > 2 * len(self.holds) + STALE_HOLD_IDS_MAX:
            ids[:] = sorted(self.holds)
        while ids and ids[0] not in self.holds:
            heapq.heappop(ids)
        return UUID(int=ids[0]) if ids else None

    def next_to_expire(self) -> Posting | None:
        """The open hold that ends by itself before all others; None: none will."""
        expiries = self.expiries
        while expiries:
            due, key = expiries[0]
            hold = self.holds.get(key)
            # A hold that was taken back leaves its entry, and its id may be used again.
            if hold is not None and hold.expires_at == due:
                return hold
            heapq.heappop(expiries)
        return None

    def next_expiry(self) -> int | None:
        """When it ends, as a timestamp."""
        hold = self.next_to_expire()
        return None if hold is None else hold.expires_at

    def begin(self, now_ns: int) -> None:
        """Give the next batch its timestamps: of this moment, and later than all before."""
        self.first_timestamp = max(self.first_timestamp + len(self.journal), now_ns)

    def flag_changes(self) -> list[tuple[UUID, int]]:
        """Accounts that the journal closed or opened again, with their flags."""
        return [(account.id, account.flags) for account in self.flagged.values()]

    def set_closed(self, closing: Posting, *, is_closed: bool) -> None:
        """Close the accounts that a transfer closes, or open them again."""
        sides = (
            (CLOSING_DEBIT, closing.debit_account_id),
            (CLOSING_CREDIT, closing.credit_account_id),
        )
        for flag, account_id in sides:
            if closing.flags & flag:
                account = self.accounts[account_id.int]
                account.flags = account.flags | CLOSED if is_closed else account.flags & ~CLOSED
                self.flagged[account_id.int] = account

    def settle(self) -> None:
        """Forget how to undo: the journal is durable."""
        self.first_timestamp += len(self.journal)
        self.journal.clear()
        self.resolutions.clear()
        self.ended.clear()
        self.failed.clear()
        self.touched.clear()
        self.flagged.clear()
        self.facts = NO_FACTS

    def keep(self) -> None:
        """As `settle`, but keep everything as facts: for books that live in memory alone."""
        facts = self.facts if self.facts is not NO_FACTS else Facts(is_complete=True)
        facts.transfers.update(self.journal)
        facts.resolutions.update(self.resolutions)
        facts.failed.update(self.failed)
        self.settle()
        self.facts = facts
