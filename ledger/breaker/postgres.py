"""The journal and the mirror of one tenant in PostgreSQL.

The row of the tenant in `breakers` is locked by every write, and its epoch checked: a breaker that
another one has replaced writes nothing any more, and what it has written was seen by the other.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from ledger.accounts import Balance
from ledger.breaker.errors import BreakerFenced, JournalUnknown
from ledger.breaker.link import CONNECT_TIMEOUT_SECONDS, Linked
from ledger.breaker.messages import Position
from ledger.breaker.rows import Route, Row, RowState, content, content_hash, transfer_of
from ledger.breaker.store import Books, Change, Turn
from ledger.errors import UnsafeDurability
from ledger.store import DURABLE
from ledger.tigerbeetle import NewAccount

T = TypeVar("T")

STATEMENT_TIMEOUT_SECONDS: Final = 10

SESSION: Final = {
    "application_name": "corrente breaker",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
}

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)

SETTINGS: Final = "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])"
CREATE_BREAKER: Final = "INSERT INTO breakers (tenant) VALUES ($1) ON CONFLICT DO NOTHING"
TAKE: Final = """
UPDATE breakers SET epoch = epoch + 1 WHERE tenant = $1
RETURNING epoch, position, is_held, reason
"""
DOUBT: Final = """
UPDATE breaker_journal SET state = 'unknown', is_verified = false
WHERE tenant = $1 AND state = 'sent'
"""
LAST: Final = "SELECT coalesce(max(sequence), 0) FROM breaker_journal WHERE tenant = $1"
ACCOUNTS: Final = """
SELECT id, code, flags, ledger, debits_pending, debits_posted, credits_pending, credits_posted
FROM breaker_accounts WHERE tenant = $1 ORDER BY id
"""
LACKING: Final = "SELECT id FROM breaker_accounts WHERE tenant = $1 AND NOT is_there ORDER BY id"
ALL_THERE: Final = """
UPDATE breaker_accounts SET is_there = true WHERE tenant = $1 AND NOT is_there
"""
COLUMNS: Final = """
sequence, content, debit_account_id, credit_account_id, amount_cents, epoch, route, state,
result, is_verified, expires_at
"""
HOLDS: Final = f"""
SELECT {COLUMNS} FROM breaker_journal AS hold
WHERE tenant = $1 AND is_hold AND state IN ('new', 'done') AND NOT EXISTS (
    SELECT FROM breaker_journal AS ending WHERE ending.tenant = $1
        AND ending.pending_id = hold.id AND ending.state IN ('new', 'done'))
ORDER BY sequence
"""  # noqa: S608 - constants
UNSETTLED: Final = f"""
SELECT {COLUMNS} FROM breaker_journal WHERE tenant = $1 AND (NOT is_verified OR state = 'sent')
ORDER BY sequence
"""  # noqa: S608 - constants
# One row at least, for the epoch: whoever reads under an old one must learn of it.
FIND: Final = f"""
SELECT breakers.epoch AS now, found.* FROM breakers LEFT JOIN (
    SELECT {COLUMNS} FROM breaker_journal WHERE tenant = $1 AND id = ANY($2::uuid[])
    UNION ALL
    SELECT {COLUMNS} FROM breaker_journal WHERE tenant = $1 AND pending_id = ANY($3::uuid[])
        AND state IN ('new', 'done') AND id <> ALL($2::uuid[])
) AS found ON true
WHERE breakers.tenant = $1
"""  # noqa: S608 - constants
FENCE: Final = "SELECT epoch FROM breakers WHERE tenant = $1 FOR NO KEY UPDATE"
TURN: Final = """
UPDATE breakers SET epoch = epoch + 1, position = $2, is_held = $3, reason = $4 WHERE tenant = $1
"""
TELL: Final = """
INSERT INTO breaker_events (tenant, at, epoch, position, is_held, reason, made_by)
SELECT tenant, $2, epoch, position, is_held, reason, $3 FROM breakers WHERE tenant = $1
"""
VERIFIED: Final = """
UPDATE breaker_journal
SET is_verified = true, state = CASE state WHEN 'new' THEN 'done' ELSE state END
WHERE tenant = $1 AND NOT is_verified
"""
WRITE_ROWS: Final = """
INSERT INTO breaker_journal (tenant, id, sequence, content, content_hash, debit_account_id,
    credit_account_id, amount_cents, pending_id, is_hold, epoch, route, state, result, is_verified,
    expires_at)
SELECT $1, * FROM unnest($2::uuid[], $3::bigint[], $4::bytea[], $5::bytea[], $6::uuid[],
    $7::uuid[], $8::bigint[], $9::uuid[], $10::boolean[], $11::bigint[], $12::text[], $13::text[],
    $14::bigint[], $15::boolean[], $16::bigint[])
ON CONFLICT (tenant, id) DO UPDATE
SET state = excluded.state, result = excluded.result, is_verified = excluded.is_verified
"""
WRITE_BALANCES: Final = """
UPDATE breaker_accounts AS a SET debits_pending = n.dp, debits_posted = n.d,
    credits_pending = n.cp, credits_posted = n.c
FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS n (id, dp, d, cp, c)
WHERE a.tenant = $1 AND a.id = n.id
"""
WRITE_FLAGS: Final = """
UPDATE breaker_accounts AS a SET flags = n.flags
FROM unnest($2::uuid[], $3::integer[]) AS n (id, flags) WHERE a.tenant = $1 AND a.id = n.id
"""
WRITE_ACCOUNTS: Final = """
INSERT INTO breaker_accounts (tenant, is_there, id, code, flags, ledger)
SELECT $1, $2, * FROM unnest($3::uuid[], $4::integer[], $5::integer[], $6::integer[])
"""


class PostgresStore(Linked):
    """`Store` over one asyncpg connection, made when it is needed and dropped after an error.

    Args:
        dsn: PostgreSQL with the ledger's tables (`migrate`).
        tenant: ISPB.
    """

    def __init__(self, dsn: str, tenant: str) -> None:
        super().__init__(dsn, SESSION, STATEMENT_TIMEOUT_SECONDS)
        self._tenant = tenant

    async def take(self) -> Books:
        """Raise the epoch and read; see `Store`."""
        return await self._attempt(self._take)

    async def find(self, epoch: int, ids: Sequence[UUID], holds: Sequence[UUID]) -> Sequence[Row]:
        """Rows by id and by hold; see `Store`."""

        async def read(connection: Any) -> Sequence[Row]:
            wanted = list({*ids, *holds})
            found = await connection.fetch(FIND, self._tenant, wanted, list(holds))
            rows = [tuple(row) for row in found]
            if not rows or rows[0][0] != epoch:
                raise BreakerFenced(self._tenant, epoch)
            return [row_from(row) for _, *row in rows if row[0] is not None]

        return await self._attempt(read)

    async def write(self, change: Change) -> None:
        """Make a change durable; see `Store`."""

        async def write(connection: Any) -> None:
            async with connection.transaction():
                if await connection.fetchval(FENCE, self._tenant) != change.epoch:
                    raise BreakerFenced(self._tenant, change.epoch)
                await self._write(connection, change)

        await self._attempt(write)

    async def _attempt(self, action: Callable[[Any], Awaitable[T]]) -> T:
        try:
            return await action(await self._link())
        except AWAY as error:
            self.abort()
            raise JournalUnknown(self._tenant, type(error).__name__) from error

    async def _connect(self) -> Any:
        connection = await super()._connect()
        for row in await connection.fetch(SETTINGS, list(DURABLE)):
            if row["setting"] not in DURABLE[row["name"]]:
                await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
                raise UnsafeDurability(row["name"], row["setting"])
        return connection

    async def _take(self, connection: Any) -> Books:
        tenant = self._tenant
        async with connection.transaction():
            await connection.execute(CREATE_BREAKER, tenant)
            breaker = await connection.fetchrow(TAKE, tenant)
            await connection.execute(DOUBT, tenant)
            accounts = await connection.fetch(ACCOUNTS, tenant)
            return Books(
                breaker["epoch"],
                Position(breaker["position"]),
                breaker["is_held"],
                breaker["reason"],
                await connection.fetchval(LAST, tenant),
                [(NewAccount(*row[:4]), Balance(*row[4:])) for row in map(tuple, accounts)],
                [row["id"] for row in await connection.fetch(LACKING, tenant)],
                [row_from(row) for row in await connection.fetch(HOLDS, tenant)],
                [row_from(row) for row in await connection.fetch(UNSETTLED, tenant)],
            )

    async def _write(self, connection: Any, change: Change) -> None:
        tenant = self._tenant
        if change.accounts:
            new = [(each.id, int(each.code), each.flags, each.ledger) for each in change.accounts]
            fields = zip(*new, strict=True)
            await connection.execute(WRITE_ACCOUNTS, tenant, change.are_there, *map(list, fields))
        if change.rows:
            values = zip(*map(fields_of, change.rows), strict=True)
            await connection.execute(WRITE_ROWS, tenant, *map(list, values))
        if change.balances:
            counters = [(key, *balance) for key, balance in change.balances.items()]
            columns = map(list, zip(*counters, strict=True))
            await connection.execute(WRITE_BALANCES, tenant, *columns)
        if change.flags:
            ids, flags = list(change.flags), list(change.flags.values())
            await connection.execute(WRITE_FLAGS, tenant, ids, flags)
        if change.is_verified:
            await connection.execute(VERIFIED, tenant)
            await connection.execute(ALL_THERE, tenant)
        if change.turn is not None:
            await self._turn(connection, change.turn)

    async def _turn(self, connection: Any, turn: Turn) -> None:
        position = turn.position.value
        await connection.execute(TURN, self._tenant, position, turn.is_held, turn.reason)
        await connection.execute(TELL, self._tenant, turn.at, turn.made_by)


def fields_of(row: Row) -> tuple[object, ...]:
    """The columns of a row, as `WRITE_ROWS` takes them."""
    transfer = row.transfer
    return (
        transfer.id,
        row.sequence,
        content(transfer),
        content_hash(transfer),
        row.debit_account_id,
        row.credit_account_id,
        row.amount_cents,
        transfer.pending_id,
        row.is_hold,
        row.epoch,
        row.route.value,
        row.state.value,
        row.result,
        row.is_verified,
        row.expires_at,
    )


def row_from(stored: Any) -> Row:
    """A row, from its columns."""
    sequence, body, debit, credit, amount, epoch, route, state, *rest = stored
    return Row(
        sequence,
        transfer_of(body),
        debit,
        credit,
        amount,
        epoch,
        Route(route),
        RowState(state),
        *rest,
    )
