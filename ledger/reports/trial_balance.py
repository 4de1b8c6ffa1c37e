"""The trial balance ("balancete"): what every rubric had, took and gave, and whether it adds up.

PostgreSQL sums; what comes over the wire is a row for each account code. Holds are no bookings:
they are not in it. It is kept in reais: accounts of other currencies are not in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from ledger.cosif import CHART, Rubric, rubric_of
from ledger.reports.days import Period
from ledger.reports.errors import TenantNotFound
from ledger.transfers import LEDGER_BRL
from ledger.verification import Check

BY_ACCOUNT_CODE: Final = """
SELECT accounts.code,
    coalesce(sum(amount_cents) FILTER (WHERE is_debit AND at < $2), 0) AS opening_debits,
    coalesce(sum(amount_cents) FILTER (WHERE NOT is_debit AND at < $2), 0) AS opening_credits,
    coalesce(sum(amount_cents) FILTER (WHERE is_debit AND at >= $2), 0) AS debits,
    coalesce(sum(amount_cents) FILTER (WHERE NOT is_debit AND at >= $2), 0) AS credits
FROM (
    SELECT debit_account_id AS id, amount_cents, at, true AS is_debit FROM transfers
    WHERE kind IN (0, 2) AND at <= $3
    UNION ALL
    SELECT credit_account_id, amount_cents, at, false FROM transfers
    WHERE kind IN (0, 2) AND at <= $3
) AS sides JOIN accounts USING (id)
WHERE accounts.tenant = $1 AND accounts.ledger = $4 GROUP BY accounts.code
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
    rows = await connection.fetch(BY_ACCOUNT_CODE, tenant, period.start, period.end, LEDGER_BRL)
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
