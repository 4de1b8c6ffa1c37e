"""Do the books add up? Asked of the rows themselves, in SQL, while the platform runs."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from ledger.snapshots import COUNTER_SUMS, ONE_SIDED, kept_steps

CONNECT_TIMEOUT_SECONDS: Final = 10
VERIFY_TIMEOUT_SECONDS: Final = 3_600

REPLAY: Final = f"""
    SELECT id,
        {COUNTER_SUMS}
    FROM ({ONE_SIDED}) AS sides GROUP BY id
"""  # noqa: S608 - constants

OPEN_HOLDS: Final = """
    SELECT shard, id FROM transfers AS hold WHERE kind = 1
        AND NOT EXISTS (SELECT FROM transfers AS done WHERE done.pending_id = hold.id)
"""

# Each snapshot less the one before it is what its account's transfers between the two come to.
# Counters whose account did not move have no row, and no row may be missing.
DIFFERENT_SNAPSHOTS: Final = f"""
    SELECT count(*) FROM (
        SELECT account_id AS id, sequence, {kept_steps()} FROM snapshot_balances
    ) AS kept FULL JOIN (
        SELECT id, sequence, {COUNTER_SUMS} FROM (
            SELECT sides.*, (
                SELECT min(sequence) FROM snapshots
                WHERE snapshots.shard = sides.shard AND snapshots.sequence >= sides.number
            ) AS sequence FROM ({ONE_SIDED}) AS sides
        ) AS sides WHERE sequence IS NOT NULL GROUP BY id, sequence
    ) AS moved USING (id, sequence)
    WHERE (kept.debits_pending, kept.debits_posted, kept.credits_pending, kept.credits_posted)
        IS DISTINCT FROM
        (moved.debits_pending, moved.debits_posted, moved.credits_pending, moved.credits_posted)
"""  # noqa: S608 - constants

# Name, query for what is expected, query for what is found.
CHECKS: Final = (
    (
        "posted debits equal posted credits",
        "SELECT coalesce(sum(debits_posted), 0) FROM accounts",
        "SELECT coalesce(sum(credits_posted), 0) FROM accounts",
    ),
    (
        "pending debits equal pending credits",
        "SELECT coalesce(sum(debits_pending), 0) FROM accounts",
        "SELECT coalesce(sum(credits_pending), 0) FROM accounts",
    ),
    (
        "accounts whose counters differ from the replay of their transfers",
        "SELECT 0",
        f"""
        SELECT count(*) FROM accounts AS a FULL JOIN ({REPLAY}) AS r USING (id)
        WHERE a.id IS NULL
            OR a.debits_pending <> coalesce(r.debits_pending, 0)
            OR a.debits_posted <> coalesce(r.debits_posted, 0)
            OR a.credits_pending <> coalesce(r.credits_pending, 0)
            OR a.credits_posted <> coalesce(r.credits_posted, 0)
        """,  # noqa: S608 - constants
    ),
    (
        "holds resolved more than once",
        "SELECT 0",
        """
        SELECT count(*) FROM (
            SELECT FROM transfers WHERE pending_id IS NOT NULL
            GROUP BY pending_id HAVING count(*) > 1
        ) AS resolved
        """,
    ),
    (
        "ends of holds without their entry in the resolutions, and the other way round",
        "SELECT 0",
        """
        SELECT count(*) FROM resolutions
        FULL JOIN (SELECT id, pending_id FROM transfers WHERE pending_id IS NOT NULL) AS ends
            USING (id, pending_id)
        WHERE resolutions.id IS NULL OR ends.id IS NULL
        """,
    ),
    (
        "ends of holds that are not like their hold",
        "SELECT 0",
        """
        SELECT count(*) FROM transfers AS done
        LEFT JOIN transfers AS hold ON hold.id = done.pending_id
        WHERE done.kind >= 2 AND ((hold.kind, hold.shard, hold.debit_account_id,
                hold.credit_account_id, hold.amount_cents, hold.code, hold.ledger)
            IS DISTINCT FROM (1::smallint, done.shard, done.debit_account_id,
                done.credit_account_id, done.held_cents, done.code, done.ledger)
            OR done.kind <> 2 AND done.amount_cents <> done.held_cents
            OR done.timestamp <= hold.timestamp
            OR done.kind <> 3 AND hold.timeout_seconds IS NOT NULL
                AND (done.timestamp >= hold.timestamp + hold.timeout_seconds * 1000000000)
                    <> (done.kind = 4))
        """,
    ),
    (
        "limited accounts below zero",
        "SELECT 0",
        """
        SELECT count(*) FROM accounts
        WHERE (flags & 2 <> 0 AND debits_pending + debits_posted > credits_posted)
            OR (flags & 4 <> 0 AND credits_pending + credits_posted > debits_posted)
        """,
    ),
    (
        "transfers between accounts of different shards",
        "SELECT 0",
        """
        SELECT count(*) FROM transfers AS t
        LEFT JOIN accounts AS d ON d.id = t.debit_account_id
        LEFT JOIN accounts AS c ON c.id = t.credit_account_id
        WHERE (d.shard, c.shard) IS DISTINCT FROM (t.shard, t.shard)
        """,
    ),
    (
        "transfers numbered without a gap",
        "SELECT coalesce(sum(transfer_sequence), 0) FROM shards",
        """
        SELECT coalesce(sum(numbered), 0) FROM (
            SELECT count(DISTINCT sequence) AS numbered FROM transfers
            JOIN shards ON shards.id = transfers.shard
            WHERE sequence BETWEEN 1 AND transfer_sequence GROUP BY shard
        ) AS numbers
        """,
    ),
    (
        "transfers whose timestamp is not later than the one before",
        "SELECT 0",
        """
        SELECT count(*) FROM (
            SELECT timestamp, lag(timestamp) OVER (PARTITION BY shard ORDER BY sequence) AS before
            FROM transfers
        ) AS stamped WHERE timestamp <= before
        """,
    ),
    (
        "stored transfers whose id had failed",
        "SELECT 0",
        "SELECT count(*) FROM transfers JOIN failed_transfers USING (id)",
    ),
    (
        "outbox events numbered without a gap",
        "SELECT coalesce(sum(outbox_sequence), 0) FROM shards",
        """
        SELECT count(*) FROM outbox JOIN shards ON shards.id = outbox.shard
        WHERE sequence BETWEEN 1 AND outbox_sequence
        """,
    ),
    (
        "snapshots of balances that differ from the replay before them",
        "SELECT 0",
        DIFFERENT_SNAPSHOTS,
    ),
    (
        "open holds that a reload would not see",
        "SELECT 0",
        f"""
        SELECT count(*) FROM ({OPEN_HOLDS}) AS hold JOIN shards ON shards.id = hold.shard
        WHERE oldest_open_hold IS NULL OR hold.id < oldest_open_hold
        """,  # noqa: S608 - constants
    ),
)

TOTALS: Final = f"""
SELECT (SELECT count(*) FROM accounts) AS accounts,
    (SELECT count(*) FROM transfers) AS transfers,
    (SELECT count(*) FROM ({OPEN_HOLDS}) AS holds) AS open_holds,
    (SELECT count(*) FROM outbox) AS events,
    (SELECT count(*) FROM idempotency_keys) AS idempotency_keys,
    (SELECT coalesce(sum(debits_posted), 0) FROM accounts) AS posted_cents,
    (SELECT coalesce(sum(debits_pending), 0) FROM accounts) AS pending_cents
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Check:
    """One statement about the books.

    Attributes:
        name: The statement, or what is counted.
        expected: Centavos or rows.
        found: Centavos or rows.
    """

    name: str
    expected: int
    found: int

    @property
    def ok(self) -> bool:
        """Found is as expected."""
        return self.found == self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReport:
    """What a verification found, all of one moment.

    Attributes:
        checks: In order.
        accounts: Rows.
        transfers: Rows; a post or void is one of its own.
        open_holds: Holds neither posted nor voided.
        events: Rows of the outbox.
        idempotency_keys: Rows.
        posted_cents: Sum of all posted debits.
        pending_cents: Sum of all pending debits.
    """

    checks: tuple[Check, ...]
    accounts: int
    transfers: int
    open_holds: int
    events: int
    idempotency_keys: int
    posted_cents: int
    pending_cents: int

    @property
    def ok(self) -> bool:
        """Every check is."""
        return all(check.ok for check in self.checks)


async def verify(dsn: str) -> LedgerReport:
    """Check the books at `dsn` in one snapshot; reads only, and blocks no writer.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached, or has no such tables.
        TimeoutError: A check took longer than `VERIFY_TIMEOUT_SECONDS`.
    """
    connection = await asyncpg.connect(
        dsn, timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=VERIFY_TIMEOUT_SECONDS
    )
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        checks = [
            Check(
                name, int(await connection.fetchval(expected)), int(await connection.fetchval(sql))
            )
            for name, expected, sql in CHECKS
        ]
        totals = await connection.fetchrow(TOTALS)
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
    counts = {name: int(value) for name, value in (totals or {}).items()}
    return LedgerReport(checks=tuple(checks), **counts)
