"""One shard's rows in PostgreSQL: the lease, the load, the commit.

A connection of its own, not one of a pool: statements stay prepared, nothing is reset between
batches, and a fence lost on one connection is lost for all. The whole batch is one call of one
function (`ledger_commit`): about as fast as COPY, which needs a round trip a table, at about half
of its CPU in this process in batches of 40 (`bench/shard_writer.py`).

No asyncpg timeout is used while a batch is written: it would cancel the statement and leave the
connection to be cleaned up by waiting for the same server that did not answer. The writer's
deadline aborts the connection instead; what was under way is then unknown, and said to be.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
import structlog

from ledger.accounts import Account
from ledger.core import Facts, LedgerState, Posting
from ledger.decision import Decision
from ledger.errors import (
    BrokenBooks,
    CommitUnknown,
    Fenced,
    NotMigrated,
    NotOwner,
    OutOfSpace,
    UnsafeDurability,
)
from ledger.messages import Companion, DefineProduct, Entry, Idempotency, SetStatus
from ledger.partitions import CANNOT_PARTITION, make_partitions
from ledger.products import Product
from ledger.rows import (
    AccountRow,
    account_from,
    columns,
    plain_columns,
    posting_from,
    rare_columns,
)
from ledger.statements import (
    ACCOUNT_FIELDS,
    ADD_PRODUCT,
    ASSIGN,
    COMMIT,
    COMMIT_ARGUMENTS,
    CREATE_SHARD,
    FAILED_IDS,
    FENCE,
    INSERT_ACCOUNTS,
    KEEP_STATUS_CHANGE,
    KNOWN_KEYS,
    KNOWN_TRANSFERS,
    LOAD_ACCOUNTS,
    LOAD_HOLDS,
    LOAD_PRODUCTS,
    LOCK_LEASE,
    SET_STATUS,
    SPENT_SINCE,
    TAKE_LEASE,
)

Link: TypeAlias = Any
"""An asyncpg connection; its generic type has no use here."""

CONNECT_TIMEOUT_SECONDS: Final = 5
LOAD_PAGE_ROWS: Final = 5_000

SESSION: Final = {
    "application_name": "corrente ledger",
    # A younger writer waits for a row lock of ours at most this long, and then tries again.
    "lock_timeout": "2s",
    # A frozen writer must not hold its shard's row, and with it the shard, for ever.
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",
    # Batches come as arrays of any length: the plan for one is the plan for all, made once, and
    # finds every row by its key, however small the tables were when it was made.
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}

DURABLE: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    # All of these wait for the local disk; the others of them for a standby as well.
    "synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
}

REDOABLE: Final = re.compile(
    r"transfers_(\d{4}_\d{2}|default|timeless)_pkey|transfers_pending_id|idempotency_keys_pkey"
)
"""Unique rules that a batch breaks only when memory did not know a stored row."""

LEASE_OVER: Final = "CL001"
ID_FAILED: Final = "CL002"
"""An id of the batch has failed before, and memory did not know."""

_log = structlog.get_logger("ledger")

event_fields = attrgetter("id", "subject_id", "name", "at", "payload")
key_fields = attrgetter("key", "fingerprint", "subject_id")
account_fields = attrgetter(*ACCOUNT_FIELDS)


class AlreadyStored(Exception):
    """The batch names rows that are stored and that memory did not know; nothing was written."""

    def __init__(self, constraint: str | None) -> None:
        super().__init__(constraint)
        self.constraint = constraint


@dataclass(frozen=True, slots=True)
class ShardSettings:
    """Which shard a writer serves, and for whom.

    Attributes:
        id: Number of the shard.
        tenant: ISPB whose accounts it holds.
        owner: Name of the program that may hold its lease; see `ShardWriter`.
    """

    id: int
    tenant: str
    owner: str


@cache
def commit_with(function: str, arguments: int) -> str:
    """The statement that commits a batch together with a companion's function."""
    placeholders = ", ".join(f"${COMMIT_ARGUMENTS + 1 + n}" for n in range(arguments))
    return f"{COMMIT}, {function}({placeholders})"


class ShardStore:
    """An open connection that holds the lease of one shard under one epoch."""

    def __init__(self, shard: ShardSettings, connection: Link) -> None:
        self._shard = shard
        self._connection = connection
        self.epoch = 0
        self.last_timestamp = 0
        self._oldest_open_hold: UUID | None = None

    @classmethod
    async def connect(
        cls, dsn: str, shard: ShardSettings, on_lost: Callable[["ShardStore"], None]
    ) -> "ShardStore":
        """Connect; `on_lost` is called when the connection ends, by whomever."""
        connection = await asyncpg.connect(
            dsn, timeout=CONNECT_TIMEOUT_SECONDS, server_settings=SESSION
        )
        store = cls(shard, connection)
        connection.add_termination_listener(lambda _: on_lost(store))
        return store

    @property
    def is_closed(self) -> bool:
        """Nothing can be asked over this connection any more."""
        return bool(self._connection.is_closed())

    def abort(self) -> None:
        """Drop the connection without a word; whatever awaits on it raises."""
        if not self.is_closed:
            self._connection.terminate()

    async def close(self) -> None:
        """Say goodbye to the server; for an idle connection."""
        await self._connection.close(timeout=CONNECT_TIMEOUT_SECONDS)

    async def check_durability(self) -> None:
        """Refuse a server that may forget what it has acknowledged.

        Raises:
            UnsafeDurability: A setting is off.
            NotMigrated: The tables are missing.
        """
        rows = await self._connection.fetch(
            "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])", list(DURABLE)
        )
        for row in rows:
            if row["setting"] not in DURABLE[row["name"]]:
                raise UnsafeDurability(row["name"], row["setting"])
        if await self._connection.fetchval("SELECT to_regproc('ledger_commit')") is None:
            raise NotMigrated("function ledger_commit is missing")

    async def make_partitions(self, now: datetime) -> None:
        """Have the partitions of this month and the next ones.

        Where one cannot be made now, transfers go to the default partition: no reason not to start.
        """
        try:
            await make_partitions(self._connection, now)
        except CANNOT_PARTITION as error:
            _log.error("no partition for a month", shard=self._shard.id, error=str(error))

    async def take_lease(self, holder: str, *, has_held: bool) -> None:
        """Raise the epoch, and with it fence out every older writer of the shard.

        Raises:
            NotOwner: The shard is assigned to another owner, or was taken over since.
            BrokenBooks: The shard belongs to another tenant.
        """
        shard = self._shard
        await self._connection.execute(CREATE_SHARD, shard.id, shard.tenant, shard.owner)
        lease = await self._connection.fetchrow(
            TAKE_LEASE, shard.id, shard.tenant, shard.owner, holder, not has_held
        )
        if lease is None:
            row = await self._connection.fetchrow(
                "SELECT tenant, owner, holder FROM shards WHERE id = $1", shard.id
            )
            if row["tenant"] != shard.tenant:
                raise BrokenBooks(shard.id, f"the shard belongs to tenant {row['tenant']}")
            raise NotOwner(shard.id, row["owner"])
        self.epoch, self.last_timestamp = lease["epoch"], lease["last_timestamp"]
        self._oldest_open_hold = lease["oldest_open_hold"]

    async def load(
        self,
        take: Callable[[Sequence[AccountRow]], None],
        companion: Companion | None,
    ) -> list[Posting]:
        """Read the shard: accounts go to `take` page by page, open holds are returned."""
        # A cursor needs a transaction; on an error the connection is dropped, so no rollback.
        await self._connection.execute("BEGIN READ ONLY")
        cursor = await self._connection.cursor(LOAD_ACCOUNTS, self._shard.id)
        while rows := await cursor.fetch(LOAD_PAGE_ROWS):
            take([account_from(row) for row in rows])
        await self._connection.execute("COMMIT")
        if companion is not None:
            await companion.load(self._connection, self._oldest_open_hold)
        if self._oldest_open_hold is None:
            return []
        rows = await self._connection.fetch(LOAD_HOLDS, self._shard.id, self._oldest_open_hold)
        return [posting_from(row) for row in rows]

    async def commit(
        self, state: LedgerState, decision: Decision, companion: Companion | None, at: datetime
    ) -> int:
        """Write the state's journal and the decision, all or nothing, durably.

        Returns:
            The shard's last outbox sequence.

        Raises:
            Fenced: A younger writer holds the lease; nothing was written.
            OutOfSpace: The disk is full; nothing was written.
            AlreadyStored: The batch must be decided again; nothing was written.
            CommitUnknown: The connection was lost meanwhile.
        """
        postings = list(state.journal.values())
        accounts = [(account.id, *account.balance()) for account in state.touched.values()]
        arguments: tuple[object, ...] = (
            self._shard.id,
            self.epoch,
            at,
            state.oldest_open_hold(),
            *plain_columns(postings),
            *columns(map(key_fields, decision.keys.values()), 3),
            *columns(map(event_fields, decision.events), 5),
            *columns(accounts, 5),
            state.first_timestamp,
            *rare_columns(postings),
            *columns(state.flag_changes(), 2),
            *columns([(UUID(int=key), result) for key, result in state.failed.items()], 2),
        )
        statement = COMMIT
        if companion is not None and decision.records:
            more = companion.arguments(decision.records)
            statement = commit_with(companion.function, len(more))
            arguments = (*arguments, *more)
        try:
            # One statement is one transaction: durable when its answer is complete.
            return int(await self._connection.fetchval(statement, *arguments))
        except asyncpg.UniqueViolationError as error:
            if not REDOABLE.fullmatch(error.constraint_name or ""):
                raise
            raise AlreadyStored(error.constraint_name) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if isinstance(error, asyncpg.PostgresError) and error.sqlstate == ID_FAILED:
                raise AlreadyStored(ID_FAILED) from error
            raise self._named(error) from error

    async def open_accounts(self, accounts: Sequence[Account], at: datetime) -> None:
        """Store new accounts.

        Raises:
            Fenced, OutOfSpace, CommitUnknown: As `commit`.
            AlreadyStored: An id or a number is taken in another shard; nothing was written.
        """
        # A flag has a length in Python: asyncpg would take it for an array.
        *texts, flags, ledgers = columns(map(account_fields, accounts), len(ACCOUNT_FIELDS))
        rows = (*texts, [int(flag) for flag in flags], ledgers)
        await self._commit_alone((INSERT_ACCOUNTS, self._shard.id, at, *rows))

    async def set_status(self, request: SetStatus, at: datetime) -> None:
        """Store an account's status and, on record for ever, who changed it and why.

        Raises:
            Fenced, OutOfSpace, CommitUnknown: As `commit`.
        """
        account_id, status = request.account_id, int(request.status)
        why = (int(request.reason), request.made_by)
        await self._commit_alone(
            (SET_STATUS, account_id, status),
            (KEEP_STATUS_CHANGE, account_id, at, status, *why),
        )

    async def add_product(self, request: DefineProduct, at: datetime) -> None:
        """Store a product, or a new version of it.

        Raises:
            Fenced, OutOfSpace, CommitUnknown: As `commit`.
        """
        definition = msgspec.json.encode(request.product).decode()
        code = request.product.code
        await self._commit_alone(
            (ADD_PRODUCT, self._shard.id, code, definition, at, request.made_by)
        )

    async def products(self) -> list[Product]:
        """Read the shard's products as their terms are now."""
        rows = await self._connection.fetch(LOAD_PRODUCTS, self._shard.id)
        return [msgspec.json.decode(row["definition"], type=Product) for row in rows]

    async def spent_since(self, timestamp: int) -> dict[UUID, int]:
        """Sum up what left the accounts that have a product, in centavos.

        Raises:
            CommitUnknown: The connection was lost meanwhile.
        """
        try:
            rows = await self._connection.fetch(SPENT_SINCE, self._shard.id, timestamp)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise self._named(error) from error
        return dict(rows)

    async def facts(self, entries: Iterable[Entry]) -> Facts:
        """Look up everything stored that the entries name, and that the lease is still ours.

        Raises:
            Fenced: It is not: answers from this writer's memory could be out of date.
            CommitUnknown: The connection was lost meanwhile.
        """
        ids, holds, keys = names_of(entries)
        try:
            epoch = await self._connection.fetchval(FENCE, self._shard.id)
            if epoch != self.epoch:
                raise Fenced(self._shard.id, self.epoch)
            rows = await self._connection.fetch(KNOWN_TRANSFERS, ids + holds, holds)
            failed = await self._connection.fetch(FAILED_IDS, ids)
            key_rows = await self._connection.fetch(KNOWN_KEYS, self._shard.tenant, keys)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise self._named(error) from error
        known = [posting_from(row) for row in rows]
        return Facts(
            transfers={posting.id.int: posting for posting in known},
            resolutions={p.pending_id.int: p for p in known if p.pending_id is not None},
            failed={row["id"].int: row["result"] for row in failed},
            keys={row["key"]: Idempotency(*row) for row in key_rows},
            is_complete=True,
        )

    async def _commit_alone(self, *statements: tuple[Any, ...]) -> None:
        """Commit what is no batch: statements with their arguments, under the lease.

        Raises:
            Fenced, OutOfSpace, CommitUnknown: As `commit`.
            AlreadyStored: A row is there already; nothing was written.
        """
        try:
            await self._connection.execute("BEGIN")
            if await self._connection.fetchval(LOCK_LEASE, self._shard.id) != self.epoch:
                raise Fenced(self._shard.id, self.epoch)
            for statement in statements:
                await self._connection.execute(*statement)
            await self._end_transaction()
        except asyncpg.UniqueViolationError as error:
            await self._roll_back()
            raise AlreadyStored(error.constraint_name) from error
        except asyncpg.DiskFullError as error:
            await self._roll_back()
            raise self._named(error) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise self._named(error) from error

    async def _end_transaction(self) -> None:
        status = await self._connection.execute("COMMIT")
        # In a transaction that has failed, COMMIT is a rollback and no error.
        if status != "COMMIT":
            raise CommitUnknown(self._shard.id, f"COMMIT ended with {status}")

    async def _roll_back(self) -> None:
        if self._connection.is_in_transaction():
            await self._connection.execute("ROLLBACK")

    def _named(self, error: Exception) -> Exception:
        if isinstance(error, asyncpg.PostgresError) and error.sqlstate == LEASE_OVER:
            return Fenced(self._shard.id, self.epoch)
        # Told while the transaction was open, so it was rolled back. A server that cannot write its
        # log does not tell: it goes down, and what was under way is unknown.
        if isinstance(error, asyncpg.DiskFullError):
            return OutOfSpace(self._shard.id)
        if isinstance(error, asyncpg.PostgresError) and not is_disconnect(error):
            return error
        return CommitUnknown(self._shard.id, type(error).__name__)


def is_disconnect(error: asyncpg.PostgresError) -> bool:
    """The server ended the connection: classes 08 and 57P of its error codes."""
    return (error.sqlstate or "08")[:3] in ("08", "080", "57P")


def names_of(entries: Iterable[Entry]) -> tuple[list[UUID], list[UUID], list[str]]:
    """Ids of all transfers, of all holds they resolve, and all idempotency keys."""
    transfers = [transfer for entry in entries for transfer in entry.transfers]
    return (
        [transfer.id for transfer in transfers],
        [transfer.pending_id for transfer in transfers if transfer.pending_id is not None],
        [entry.idempotency.key for entry in entries if entry.idempotency is not None],
    )


async def assign_shard(dsn: str, shard: ShardSettings) -> None:
    """Make `shard.owner` the owner of the shard, new or not; its present writer is fenced out.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached, or has no such tables.
    """
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_SECONDS)
    try:
        await connection.execute(ASSIGN, shard.id, shard.tenant, shard.owner)
    finally:
        await connection.close()
