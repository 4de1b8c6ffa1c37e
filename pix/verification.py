"""Do payments and money agree? Asked of the rows themselves, while the platform runs."""

from dataclasses import dataclass

import asyncpg

from ledger import Check

CONNECT_TIMEOUT_SECONDS = 10
VERIFY_TIMEOUT_SECONDS = 3_600

# A hold is the payment's id with the lowest bits 1, its resolution with 2 (pix.payments).
_HOLD = "(left(p.payment_id::text, 35) || '1')::uuid"

# Name and query; each counts what must not be there.
_CHECKS = (
    (
        "payments without the hold of their amount",
        f"""
        SELECT count(*) FROM payments AS p LEFT JOIN transfers AS hold ON hold.id = {_HOLD}
        WHERE (hold.kind, hold.amount_cents, hold.debit_account_id)
            IS DISTINCT FROM (1::smallint, p.amount_cents, p.debtor_account_id)
        """,  # noqa: S608 - constants
    ),
    (
        "payments whose state is not that of their money",
        f"""
        SELECT count(*) FROM payments AS p
        LEFT JOIN transfers AS done ON done.pending_id = {_HOLD}
        WHERE coalesce(done.kind, 0) <> CASE p.status
            WHEN 'PROCESSING' THEN 0 WHEN 'CONFIRMED' THEN 2 ELSE 3 END
        """,  # noqa: S608 - constants
    ),
    (
        "holds of payments that do not exist",
        """
        SELECT count(*) FROM transfers AS hold
        WHERE hold.kind = 1 AND hold.code = 2 AND NOT EXISTS (
            SELECT FROM payments
            WHERE payment_id = (left(hold.id::text, 35) || '0')::uuid)
        """,
    ),
    (
        "payments in more than one message",
        """
        SELECT count(*) FROM (
            SELECT FROM spi_messages, unnest(end_to_end_ids) AS one
            GROUP BY one HAVING count(*) > 1) AS twice
        """,
    ),
    (
        "final payments without exactly one final event",
        """
        SELECT count(*) FROM payments AS p WHERE status <> 'PROCESSING' AND 1 <> (
            SELECT count(*) FROM outbox AS o WHERE o.subject_id = p.payment_id
                AND o.name IN ('confirmed', 'rejected', 'failed'))
        """,
    ),
)
_BY_STATUS = """
SELECT status, count(*) AS payments, sum(amount_cents)::bigint AS amount_cents
FROM payments GROUP BY status ORDER BY status
"""


@dataclass(frozen=True, slots=True)
class StatusTotal:
    """How many payments have a state, and their money in centavos."""

    status: str
    payments: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class PaymentsReport:
    """What a verification of the payments found, all of one moment.

    Attributes:
        checks: In order; each expects 0.
        totals: By state.
    """

    checks: tuple[Check, ...]
    totals: tuple[StatusTotal, ...]

    @property
    def ok(self) -> bool:
        """Every check is."""
        return all(check.ok for check in self.checks)


async def verify_payments(dsn: str) -> PaymentsReport:
    """Check the payments at `dsn` in one snapshot; reads only, and blocks no writer.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached, or has no such tables.
    """
    connection = await asyncpg.connect(
        dsn, timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=VERIFY_TIMEOUT_SECONDS
    )
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        checks = [Check(name, 0, await connection.fetchval(query)) for name, query in _CHECKS]
        totals = [StatusTotal(*row) for row in await connection.fetch(_BY_STATUS)]
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
    return PaymentsReport(tuple(checks), tuple(totals))
