"""What an account had at an instant, from its transfers.

The sums begin with the account's counters in the nearest snapshot before the instant, if there is
one (`ledger.snapshots`), and run over what was booked since. Snapshots change the way, never the
answer.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from ledger.accounts import Balance
from ledger.cosif import Nature
from ledger.reports.errors import AccountNotFound
from ledger.reports.period import require_aware
from ledger.snapshots import kept_counters

# What each transfer does to the side of account $1 that it is on. A hold adds to pending, and its
# end takes all of it away: a post of a part releases the rest.
EFFECTS: Final = """
    SELECT t.sequence, t.timestamp, t.at, t.id, t.kind, t.code, t.pending_id, t.amount_cents,
        t.debit_account_id = $1 AS is_debit,
        CASE WHEN t.debit_account_id = $1 THEN t.credit_account_id ELSE t.debit_account_id END
            AS counterpart_id,
        CASE t.kind WHEN 0 THEN 0 WHEN 1 THEN t.amount_cents ELSE -t.held_cents END
            AS pending_cents,
        CASE WHEN t.kind IN (0, 2) THEN t.amount_cents ELSE 0 END AS posted_cents
    FROM transfers AS t
    WHERE t.debit_account_id = $1 OR t.credit_account_id = $1
"""

COUNTERS: Final = """
    coalesce(sum(pending_cents) FILTER (WHERE is_debit), 0) AS debits_pending,
    coalesce(sum(posted_cents) FILTER (WHERE is_debit), 0) AS debits_posted,
    coalesce(sum(pending_cents) FILTER (WHERE NOT is_debit), 0) AS credits_pending,
    coalesce(sum(posted_cents) FILTER (WHERE NOT is_debit), 0) AS credits_posted
"""

# An account without a row in the snapshot had not moved by then.
NEAREST: Final = f"""
SELECT coalesce(nearest.timestamp, 0), {kept_counters("kept")}
FROM accounts
LEFT JOIN LATERAL (
    SELECT sequence, timestamp FROM snapshots
    WHERE shard = accounts.shard AND (last_at < $3 OR last_at = $3 AND $4)
    ORDER BY sequence DESC LIMIT 1
) AS nearest ON true
LEFT JOIN LATERAL (
    SELECT * FROM snapshot_balances
    WHERE account_id = accounts.id AND sequence <= nearest.sequence
    ORDER BY sequence DESC LIMIT 1
) AS kept ON true
WHERE accounts.id = $1 AND accounts.tenant = $2
"""  # noqa: S608 - constants

SINCE: Final = f"""
SELECT {COUNTERS} FROM ({EFFECTS}) AS effects WHERE timestamp > $2 AND at <= $3
"""  # noqa: S608 - constants

BY_ID: Final = "SELECT id FROM accounts WHERE tenant = $1 AND id = $2"
BY_NUMBER: Final = """
SELECT id FROM accounts WHERE tenant = $1 AND number = $2 AND ($3::text IS NULL OR branch = $3)
LIMIT 2
"""


@dataclass(frozen=True, slots=True)
class Funds:
    """An account's money as its holder sees it, in centavos.

    Attributes:
        balance_cents: Posted balance in the account's nature.
        blocked_cents: Part of it that open holds would take away.
    """

    balance_cents: int
    blocked_cents: int

    @property
    def available_cents(self) -> int:
        """What no hold has reserved."""
        return self.balance_cents - self.blocked_cents


def funds(counters: Balance, nature: Nature) -> Funds:
    """What four counters mean for an account of this nature."""
    return Funds(
        nature.balance_cents(counters.debits_posted, counters.credits_posted),
        counters.debits_pending if nature is Nature.CREDIT else counters.credits_pending,
    )


class Start(NamedTuple):
    """Where a sum may begin: an account's counters after the transfer with this timestamp."""

    timestamp: int
    counters: Balance


async def nearest_start(
    connection: Any, account_id: UUID, at: datetime, *, tenant: str, is_included: bool
) -> Start:
    """The latest start before the instant `at`, or at it, too; without a snapshot the beginning.

    Raises:
        AccountNotFound: The tenant has no such account.
    """
    row = await connection.fetchrow(NEAREST, account_id, tenant, at, is_included)
    if row is None:
        raise AccountNotFound(str(account_id))
    timestamp, *counters = row
    return Start(timestamp, Balance(*counters))


def add(left: Balance, right: Balance) -> Balance:
    """Counters of both together."""
    return Balance(*(one + other for one, other in zip(left, right, strict=True)))


async def balance_at(connection: Any, account_id: UUID, at: datetime, *, tenant: str) -> Balance:
    """The four counters of an account after everything that was booked up to and at `at`.

    An instant that is over has one answer for ever; near the present, a batch that is being
    written may still come in with an earlier time.

    Args:
        connection: asyncpg connection.
        account_id: The account.
        at: Aware instant.
        tenant: Whose account it must be.

    Raises:
        AccountNotFound: The tenant has no such account.
        InvalidPeriod: `at` has no time zone.
        OSError, asyncpg.PostgresError: The database cannot be read.
    """
    require_aware(at)
    start = await nearest_start(connection, account_id, at, tenant=tenant, is_included=True)
    since = await connection.fetchrow(SINCE, account_id, start.timestamp, at)
    return add(start.counters, Balance(*map(int, since)))


async def find_account(connection: Any, account: str, *, tenant: str) -> UUID:
    """The id of an account as a person names it: an id, `NUMBER` or `BRANCH/NUMBER`.

    Raises:
        AccountNotFound: The tenant has none, or several with that number in different branches.
    """
    try:
        rows = await connection.fetch(BY_ID, tenant, UUID(account))
    except ValueError:
        branch, _, number = account.rpartition("/")
        rows = await connection.fetch(BY_NUMBER, tenant, number, branch or None)
    if len(rows) != 1:
        hint = " alone: name it as BRANCH/NUMBER" if rows else ""
        raise AccountNotFound(f"{account}{hint}")
    found: UUID = rows[0]["id"]
    return found
