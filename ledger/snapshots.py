"""Balances kept from time to time, so that a balance of the past need not be summed from the start.

A snapshot is of a place in a shard's journal, not of an instant: everything up to the transfer
`sequence` and nothing after it. Transfers are numbered in the order in which they are committed, so
what a snapshot is the sum of can never change, whatever clocks do; and one that is missing costs
time, not truth. Snapshots are read by `ledger.reports` and checked by `verify`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.statements import COUNTER_COLUMNS

COUNTERS: Final = COUNTER_COLUMNS.split(", ")

ONE_SIDED: Final = """
    SELECT debit_account_id AS id, shard, sequence AS number, timestamp, amount_cents AS amount,
        held_cents AS held, kind, true AS is_debit FROM transfers
    UNION ALL
    SELECT credit_account_id, shard, sequence, timestamp, amount_cents,
        held_cents, kind, false FROM transfers
"""

# A hold adds to pending; its end takes all of that away; posted and post add to posted.
COUNTER_SUMS: Final = """
    coalesce(sum(CASE kind WHEN 1 THEN amount WHEN 0 THEN 0 ELSE -held END)
        FILTER (WHERE is_debit), 0) AS debits_pending,
    coalesce(sum(amount) FILTER (WHERE is_debit AND kind IN (0, 2)), 0) AS debits_posted,
    coalesce(sum(CASE kind WHEN 1 THEN amount WHEN 0 THEN 0 ELSE -held END)
        FILTER (WHERE NOT is_debit), 0) AS credits_pending,
    coalesce(sum(amount) FILTER (WHERE NOT is_debit AND kind IN (0, 2)), 0) AS credits_posted
"""


def kept_counters(table: str) -> str:
    """The four counters of a row that may be missing."""
    return ", ".join(f"coalesce({table}.{each}, 0) AS {each}" for each in COUNTERS)


def kept_steps() -> str:
    """What each counter has grown by since the account's row before."""
    before = "OVER (PARTITION BY account_id ORDER BY sequence)"
    return ", ".join(f"{each} - coalesce(lag({each}) {before}, 0) AS {each}" for each in COUNTERS)


# Two at once would begin at the same place; the number is that of the table's name alone.
LOCK: Final = "SELECT pg_advisory_xact_lock('snapshots'::regclass::integer, $1)"
LATEST: Final = """
SELECT sequence, timestamp, last_at FROM snapshots WHERE shard = $1 ORDER BY sequence DESC LIMIT 1
"""
FIRST_LATER: Final = """
SELECT min(sequence) FROM transfers WHERE shard = $1 AND timestamp > $2 AND at > $3
"""
KEEP: Final = """
INSERT INTO snapshots (shard, sequence, timestamp, last_at, made_at)
SELECT $1, max(sequence), max(timestamp), greatest(max(at), $4), $5 FROM transfers
WHERE shard = $1 AND timestamp > $2 AND ($3::bigint IS NULL OR sequence < $3)
HAVING count(*) > 0
RETURNING sequence, timestamp
"""
KEEP_BALANCES: Final = f"""
INSERT INTO snapshot_balances (account_id, sequence, {COUNTER_COLUMNS})
SELECT moved.id, $4, {", ".join(f"moved.{each} + coalesce(kept.{each}, 0)" for each in COUNTERS)}
FROM (
    SELECT id, {COUNTER_SUMS} FROM ({ONE_SIDED}) AS sides
    WHERE shard = $1 AND timestamp > $2 AND timestamp <= $3 GROUP BY id
) AS moved
LEFT JOIN LATERAL (
    SELECT * FROM snapshot_balances WHERE account_id = moved.id ORDER BY sequence DESC LIMIT 1
) AS kept ON true
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was made.

    Attributes:
        shard_id: Of whose accounts.
        sequence: The last transfer in it.
        accounts: Rows written: accounts that have moved since the snapshot before.
    """

    shard_id: int
    sequence: int
    accounts: int


async def take_snapshot(
    connection: Any, shard_id: int, *, now: datetime, until: datetime | None = None
) -> Snapshot | None:
    """Keep the balances of a shard's accounts after what is committed by now.

    Readers and the writer are not held up. Work and rows are those of what happened since the
    snapshot before.

    Args:
        connection: asyncpg connection, not in a transaction.
        shard_id: Which shard.
        now: What to write down as the time it was made.
        until: End before the first transfer that is later than this instant, to serve questions
            about it.

    Returns:
        What was made; None when nothing has happened since the snapshot before.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be written.
    """
    async with connection.transaction():
        await connection.execute(LOCK, shard_id)
        latest = await connection.fetchrow(LATEST, shard_id)
        _, after, last_at = latest or (0, 0, None)
        end = None
        if until is not None:
            end = await connection.fetchval(FIRST_LATER, shard_id, after, until)
        made = await connection.fetchrow(KEEP, shard_id, after, end, last_at, now)
        if made is None:
            return None
        sequence, timestamp = made
        status = await connection.execute(KEEP_BALANCES, shard_id, after, timestamp, sequence)
    return Snapshot(shard_id, sequence, accounts=int(status.split()[-1]))
