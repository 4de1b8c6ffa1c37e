"""Rows of both ledgers side by side: what one has and the other lacks.

The breaker's journal and the shard's transfers are tables of one database, so that question is one
query. Only what was committed counts, and only these few rows are written: how far TigerBeetle has
followed, and under which id it has what could not keep its own.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from ledger.accounts import AccountFlag
from ledger.breaker.link import Linked
from ledger.core import Posting
from ledger.rows import posting_from
from ledger.statements import TRANSFER_COLUMNS
from ledger.tigerbeetle import NewAccount
from ledger.transfers import LEDGER_BRL

STATEMENT_TIMEOUT_SECONDS: Final = 30
SESSION: Final = {"application_name": "corrente both ledgers"}

USED_KEYS: Final = "SELECT key FROM idempotency_keys WHERE tenant = $1 AND key = ANY($2::text[])"
# An account that was closed is closed again by the transfer that did so.
MISSING_ACCOUNTS: Final = f"""
SELECT id, code, flags & ~{int(AccountFlag.CLOSED)} AS flags, ledger FROM accounts AS a
WHERE tenant = $1 AND ledger = {LEDGER_BRL} AND ($2::uuid[] IS NULL OR id = ANY($2))
    AND NOT EXISTS (SELECT FROM breaker_accounts AS b WHERE b.tenant = $1 AND b.id = a.id)
ORDER BY id
"""  # noqa: S608 - constants
# A hold that TigerBeetle may have and PostgreSQL has not. What was followed under another id is in
# PostgreSQL under its own.
UNRECORDED: Final = """
SELECT id, state FROM breaker_journal AS hold
WHERE tenant = $1 AND is_hold AND state <> 'failed' AND ($2::uuid[] IS NULL OR id = ANY($2))
    AND NOT EXISTS (SELECT FROM transfers WHERE transfers.id = hold.id)
    AND NOT EXISTS (SELECT FROM breaker_aliases AS a WHERE a.tenant = $1 AND a.used_id = hold.id)
    AND NOT EXISTS (
        SELECT FROM breaker_journal AS ending WHERE ending.tenant = $1
            AND ending.pending_id = hold.id AND ending.state IN ('new', 'done'))
ORDER BY sequence
"""
# A hold that an earlier attempt left and the door has released.
RELEASED: Final = """
SELECT DISTINCT pending_id AS id FROM breaker_journal AS ending
WHERE tenant = $1 AND pending_id = ANY($2::uuid[]) AND state <> 'failed'
    AND NOT EXISTS (SELECT FROM transfers WHERE transfers.id = ending.pending_id)
"""
# Timestamps rise with sequences and have an index.
AFTER: Final = f"""
SELECT {TRANSFER_COLUMNS}, sequence FROM transfers
WHERE shard = $1 AND timestamp > $2 ORDER BY timestamp LIMIT $3
"""  # noqa: S608 - constants
PROGRESS: Final = """
SELECT coalesce(f.sequence, 0) AS sequence, coalesce(f.timestamp, 0) AS timestamp,
    s.transfer_sequence - coalesce(f.sequence, 0) AS behind
FROM shards AS s LEFT JOIN breaker_follows AS f ON f.tenant = $1 AND f.shard = s.id
WHERE s.id = $2
"""
FOLLOW: Final = """
INSERT INTO breaker_follows (tenant, shard, sequence, timestamp) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant, shard) DO UPDATE
SET sequence = excluded.sequence, timestamp = excluded.timestamp
WHERE breaker_follows.sequence < excluded.sequence
"""
NAMES: Final = """
SELECT transfer_id, used_id, attempt FROM breaker_aliases
WHERE tenant = $1 AND transfer_id = ANY($2::uuid[])
"""
NAME: Final = """
INSERT INTO breaker_aliases (tenant, transfer_id, attempt, used_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant, transfer_id) DO UPDATE
SET attempt = excluded.attempt, used_id = excluded.used_id
WHERE breaker_aliases.attempt < excluded.attempt
"""


class Written(NamedTuple):
    """A transfer of the shard, in the order in which they were written."""

    posting: Posting
    sequence: int


class Progress(NamedTuple):
    """How far TigerBeetle has followed a shard.

    Attributes:
        sequence: Of the last transfer that it has.
        timestamp: Of the same.
        behind: Transfers that it lacks.
    """

    sequence: int
    timestamp: int
    behind: int


class BothStore(Linked):
    """Questions about both, over one connection.

    What goes wrong with it is raised as it is: whoever uses it ends, and begins again.

    Args:
        dsn: PostgreSQL with the ledger's tables (`migrate`).
        tenant: ISPB.
        shard_id: Whose transfers.
    """

    def __init__(self, dsn: str, tenant: str, shard_id: int) -> None:
        super().__init__(dsn, SESSION, STATEMENT_TIMEOUT_SECONDS)
        self._tenant = tenant
        self._shard_id = shard_id

    async def used_keys(self, keys: Sequence[str]) -> set[str]:
        """Idempotency keys that are stored."""
        if not keys:
            return set()
        rows = await (await self._link()).fetch(USED_KEYS, self._tenant, list(keys))
        return {row["key"] for row in rows}

    async def missing_accounts(self, ids: Collection[UUID] | None) -> list[NewAccount]:
        """Those of these accounts, or of all, that the breaker does not have."""
        wanted = None if ids is None else list(ids)
        rows = await (await self._link()).fetch(MISSING_ACCOUNTS, self._tenant, wanted)
        return [NewAccount(*row) for row in rows]

    async def unrecorded(self, ids: Collection[UUID] | None) -> dict[UUID, bool]:
        """Holds that PostgreSQL lacks and TigerBeetle has (True), or may have (False).

        Args:
            ids: Of holds; None: all there are.
        """
        wanted = None if ids is None else list(ids)
        rows = await (await self._link()).fetch(UNRECORDED, self._tenant, wanted)
        return {row["id"]: row["state"] in ("new", "done") for row in rows}

    async def released(self, ids: Collection[UUID]) -> set[UUID]:
        """Holds that PostgreSQL lacks, and that were ended in TigerBeetle, or may have been."""
        if not ids:
            return set()
        rows = await (await self._link()).fetch(RELEASED, self._tenant, list(ids))
        return {row["id"] for row in rows}

    async def progress(self) -> Progress:
        """How far TigerBeetle has followed."""
        row = await (await self._link()).fetchrow(PROGRESS, self._tenant, self._shard_id)
        return Progress(0, 0, 0) if row is None else Progress(*row)

    async def written(self, progress: Progress, rows_max: int) -> list[Written]:
        """The transfers that come next."""
        rows = await (await self._link()).fetch(AFTER, self._shard_id, progress.timestamp, rows_max)
        return [Written(posting_from(row[:-1]), row["sequence"]) for row in rows]

    async def follow(self, last: Written) -> None:
        """Write down how far TigerBeetle has followed."""
        place = (last.sequence, last.posting.timestamp)
        await (await self._link()).execute(FOLLOW, self._tenant, self._shard_id, *place)

    async def names(self, ids: Collection[UUID]) -> Mapping[UUID, tuple[UUID, int]]:
        """The other id, and the number of the attempt, of those transfers that have one."""
        rows = await (await self._link()).fetch(NAMES, self._tenant, list(ids))
        return {row["transfer_id"]: (row["used_id"], row["attempt"]) for row in rows}

    async def name(self, transfer_id: UUID, attempt: int, used_id: UUID) -> None:
        """Give a transfer another id in TigerBeetle; before it is sent there."""
        await (await self._link()).execute(NAME, self._tenant, transfer_id, attempt, used_id)
