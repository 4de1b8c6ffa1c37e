"""The journal once more through the core: does it come to the same books, line by line?

Reads in one snapshot, page by page, while the platform runs; memory holds the accounts and the
open holds, however long the journal is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from ledger.accounts import AccountFlag
from ledger.core import AccountState, LedgerState, Posting, apply, expire
from ledger.rows import posting_from
from ledger.statements import COUNTER_COLUMNS, TRANSFER_COLUMNS
from ledger.transfers import Transfer, TransferKind, TransferResult

PAGE_ROWS: Final = 5_000
CONNECT_TIMEOUT_SECONDS: Final = 10
DIFFERENCES_MAX: Final = 100
"""Differences that are told one by one; all are counted."""

CLOSED: Final = int(AccountFlag.CLOSED)
EXPIRED: Final = int(TransferKind.EXPIRED)

ACCOUNTS: Final = f"SELECT id, flags, {COUNTER_COLUMNS}, ledger FROM accounts WHERE shard = $1"  # noqa: S608 - constants
JOURNAL: Final = (
    f"SELECT {TRANSFER_COLUMNS}, sequence FROM transfers WHERE shard = $1 ORDER BY sequence"  # noqa: S608 - constants
)
SHARDS: Final = """
SELECT id, (SELECT count(*) FROM transfers WHERE shard = shards.id) FROM shards ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where the journal does not come to what is stored.

    Attributes:
        shard_id: Which journal.
        subject: A transfer's or an account's id.
        what: What differs.
    """

    shard_id: int
    subject: str
    what: str


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay found.

    Attributes:
        transfers: Replayed.
        accounts: Compared.
        differences: The first of them.
        difference_count: All of them.
    """

    transfers: int
    accounts: int
    differences: tuple[Difference, ...]
    difference_count: int

    @property
    def ok(self) -> bool:
        """The journal comes to the stored books."""
        return not self.difference_count


class _Replay:
    def __init__(self, connection: Any, on_progress: Callable[[int, int], None]) -> None:
        self._connection = connection
        self._on_progress = on_progress
        self._total = 0
        self.transfers = 0
        self.accounts = 0
        self.differences: list[Difference] = []
        self.difference_count = 0

    async def run(self) -> None:
        shards = await self._connection.fetch(SHARDS)
        self._total = sum(count for _, count in shards)
        for shard_id, _ in shards:
            await self._shard(shard_id)

    async def _shard(self, shard_id: int) -> None:
        stored: dict[int, AccountState] = {}
        state = LedgerState()
        async for row in self._connection.cursor(ACCOUNTS, shard_id, prefetch=PAGE_ROWS):
            account = AccountState(*row)
            stored[account.id.int] = account
            # Whether it was closed from the start does not matter: nothing moves on it then.
            flags = account.flags & ~CLOSED
            state.accounts[account.id.int] = AccountState(account.id, flags, ledger=account.ledger)
        cursor = await self._connection.cursor(JOURNAL, shard_id)
        while rows := await cursor.fetch(PAGE_ROWS):
            for row in rows:
                self._apply(shard_id, state, posting_from(row[:-1]))
            self.transfers += len(rows)
            self._on_progress(self.transfers, self._total)
        for key, account in stored.items():
            self.accounts += 1
            found = state.accounts[key].balance()
            if found != account.balance():
                what = f"counters are {account.balance()}, its transfers come to {found}"
                self._differs(shard_id, str(account.id), what)

    def _apply(self, shard_id: int, state: LedgerState, stored: Posting) -> None:
        key = stored.id.int
        if stored.kind != EXPIRED:
            result = apply(state, transfer_of(stored), stored.timestamp)
        elif stored.pending_id is not None and stored.pending_id.int in state.holds:
            expire(state, state.holds[stored.pending_id.int], stored.id, stored.timestamp)
            result = TransferResult.CREATED
        else:
            result = TransferResult.PENDING_TRANSFER_NOT_FOUND
        if result is not TransferResult.CREATED:
            self._differs(shard_id, str(stored.id), f"is stored, and would be {result.name}")
        elif state.journal[key] != stored:
            self._differs(shard_id, str(stored.id), "comes to another row than the stored one")
        state.settle()

    def _differs(self, shard_id: int, subject: str, what: str) -> None:
        self.difference_count += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(Difference(shard_id, subject, what))


def transfer_of(posting: Posting) -> Transfer:
    """The command whose effect a stored transfer is: its fields as they came to be."""
    return Transfer(
        posting.id,
        posting.debit_account_id,
        posting.credit_account_id,
        posting.amount_cents,
        posting.code,
        posting.flags,
        posting.pending_id,
        posting.timeout_seconds,
        posting.ledger,
        posting.user_data_128,
        posting.user_data_64,
        posting.user_data_32,
    )


async def replay(
    dsn: str, on_progress: Callable[[int, int], None] = lambda _done, _total: None
) -> ReplayReport:
    """Apply the journal of every shard to empty books and compare with what is stored.

    Args:
        dsn: The database; only read.
        on_progress: Told transfers done and transfers there are.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached, or has no such tables.
    """
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_SECONDS)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            run = _Replay(connection, on_progress)
            await run.run()
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
    return ReplayReport(run.transfers, run.accounts, tuple(run.differences), run.difference_count)
