"""The trial balance ("balancete"): what every rubric had, took and gave, and whether it adds up.

PostgreSQL sums, from the last kept balances before the period on; what comes over the wire is a row
for each account code. Holds are no bookings:
they are not in it. It is kept in reais: accounts of other currencies are not in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from ledger.cosif import CHART, Rubric, rubric_of
from ledger.reports.errors import TenantNotFound
from ledger.reports.period import Period
from ledger.rows import columns
from ledger.transfers import LEDGER_BRL
from ledger.verification import Check

# Where each shard's sums begin: its last snapshot before the period, or its first transfer.
STARTS: Final = """
SELECT shards.id, coalesce(kept.sequence, 0), coalesce(kept.timestamp, 0)
FROM shards LEFT JOIN LATERAL (
    SELECT sequence, timestamp FROM snapshots WHERE shard = shards.id AND last_at < $2
    ORDER BY sequence DESC LIMIT 1
) AS kept ON true
WHERE shards.tenant = $1
"""

# $8 is the earliest start: a constant, so that the index over the times is used.
BY_ACCOUNT_CODE: Final = """
WITH starts AS (
    SELECT * FROM unnest($5::integer[], $6::bigint[], $7::bigint[])
        AS start (shard, sequence, timestamp)
), booked AS (
    SELECT debit_account_id, credit_account_id, amount_cents, at < $2 AS is_before
    FROM transfers JOIN starts USING (shard)
    WHERE kind IN (0, 2) AND at <= $3 AND transfers.timestamp > $8
        AND transfers.timestamp > starts.timestamp
), sides AS (
    SELECT accounts.id, kept.debits_posted AS opening_debits,
        kept.credits_posted AS opening_credits, 0 AS debits, 0 AS credits
    FROM starts JOIN accounts USING (shard) CROSS JOIN LATERAL (
        SELECT debits_posted, credits_posted FROM snapshot_balances
        WHERE account_id = accounts.id AND sequence <= starts.sequence
        ORDER BY sequence DESC LIMIT 1
    ) AS kept
    UNION ALL
    SELECT debit_account_id, sum(amount_cents) FILTER (WHERE is_before), 0,
        sum(amount_cents) FILTER (WHERE NOT is_before), 0
    FROM booked GROUP BY debit_account_id
    UNION ALL
    SELECT credit_account_id, 0, sum(amount_cents) FILTER (WHERE is_before), 0,
        sum(amount_cents) FILTER (WHERE NOT is_before)
    FROM booked GROUP BY credit_account_id
)
SELECT accounts.code, coalesce(sum(opening_debits), 0), coalesce(sum(opening_credits), 0),
    coalesce(sum(debits), 0), coalesce(sum(credits), 0)
FROM sides JOIN accounts USING (id)
WHERE accounts.tenant = $1 AND accounts.ledger = $4 GROUP BY accounts.code
HAVING coalesce(sum(opening_debits), 0) + coalesce(sum(opening_credits), 0)
    + coalesce(sum(debits), 0) + coalesce(sum(credits), 0) > 0
"""

HAS_ACCOUNTS: Final = "SELECT EXISTS (SELECT FROM accounts WHERE tenant = $1)"

DEBIT_GROUPS: Final = (1, 2, 8)
CREDIT_GROUPS: Final = (4, 6, 7)
MEMORANDUM: Final = (3, 9)


class Sums(NamedTuple):
    """Centavos of one rubric, debits and credits apart."""

    opening_debits: int
    opening_credits: int
    debits: int
    credits: int


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One rubric. Balances are in its nature: below zero where the other side is larger.

    Attributes:
        rubric: Analytic, or a level above with the sum of what is below it.
        opening_cents: Balance before the period.
        debits_cents: Debits of the period.
        credits_cents: Credits of the period.
        closing_cents: Balance at the end of the period.
    """

    rubric: Rubric
    opening_cents: int
    debits_cents: int
    credits_cents: int
    closing_cents: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The trial balance of one tenant.

    Attributes:
        tenant: ISPB.
        first: First day of the period.
        last: Last day.
        lines: Rubrics that ever moved, all levels, in the order of their codes.
        checks: The identities of the books.
    """

    tenant: str
    first: date
    last: date
    lines: tuple[TrialLine, ...]
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Every identity holds."""
        return all(check.ok for check in self.checks)


async def trial_balance(connection: Any, first: date, last: date, *, tenant: str) -> TrialBalance:
    """The trial balance of whole days of Brasília, both included.

    Account codes are reported under the rubric they have on the last day.

    Args:
        connection: asyncpg connection.
        first: First day.
        last: Last day.
        tenant: Whose books.

    Raises:
        TenantNotFound: It has no accounts here.
        InvalidPeriod: The last day is before the first.
        NoRubric: An account code with bookings has no rubric on the last day.
        OSError, asyncpg.PostgresError: The database cannot be read.
    """
    period = Period.of_days(first, last)
    starts = [tuple(row) for row in await connection.fetch(STARTS, tenant, period.start)]
    earliest = min((timestamp for *_, timestamp in starts), default=0)
    rows = await connection.fetch(
        *(BY_ACCOUNT_CODE, tenant, period.start, period.end, LEDGER_BRL),
        *columns(starts, 3),
        earliest,
    )
    if not rows and not await connection.fetchval(HAS_ACCOUNTS, tenant):
        raise TenantNotFound(tenant)
    analytic = [(rubric_of(code, last), Sums(*map(int, sums))) for code, *sums in rows]
    totals = sums_by_rubric(analytic)
    return TrialBalance(
        tenant=tenant,
        first=first,
        last=last,
        lines=tuple(_line(rubric, totals[rubric]) for rubric in CHART.rubrics if rubric in totals),
        checks=_checks(totals),
    )


def sums_by_rubric(analytic: Iterable[tuple[Rubric, Sums]]) -> dict[Rubric, Sums]:
    """Add up every rubric with those below it."""
    totals: dict[Rubric, Sums] = {}
    for rubric, sums in analytic:
        for level in (rubric, *CHART.above(rubric)):
            so_far = totals.get(level, Sums(0, 0, 0, 0))
            totals[level] = Sums(*(one + more for one, more in zip(so_far, sums, strict=True)))
    return totals


def _line(rubric: Rubric, sums: Sums) -> TrialLine:
    opening = rubric.nature.balance_cents(sums.opening_debits, sums.opening_credits)
    moved = rubric.nature.balance_cents(sums.debits, sums.credits)
    return TrialLine(rubric, opening, sums.debits, sums.credits, opening + moved)


def _checks(totals: Mapping[Rubric, Sums]) -> tuple[Check, ...]:
    groups = {rubric.code.group: sums for rubric, sums in totals.items() if rubric.code.level == 1}

    def closing(*numbers: int) -> int:
        """Debits less credits since the beginning."""
        found = [groups[number] for number in numbers if number in groups]
        return sum(s.opening_debits + s.debits - s.opening_credits - s.credits for s in found)

    return (
        Check(
            "debits of the period equal its credits",
            sum(sums.debits for sums in groups.values()),
            sum(sums.credits for sums in groups.values()),
        ),
        Check(
            "groups 1, 2 and 8 equal groups 4, 6 and 7",
            closing(*DEBIT_GROUPS),
            -closing(*CREDIT_GROUPS),
        ),
        Check("group 3 equals group 9", closing(MEMORANDUM[0]), -closing(MEMORANDUM[1])),
    )
