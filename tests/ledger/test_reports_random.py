"""Any past whatever: reports agree with each other, with a model, and with the live counters."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ledger import AccountCode
from ledger.cosif import CHART, nature_of, rubric_of
from ledger.reports import (
    Period,
    TrialBalance,
    balance_at,
    day_end,
    day_start,
    funds,
    statement,
    statement_pages,
    trial_balance,
)
from tests.ledger.history import TENANT, History, stored

SEED = 5_010
FIRST_DAY = date(2025, 12, 30)
MICROSECOND = timedelta(microseconds=1)

# What is done, between which accounts, how much, how many hours after the one before.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["move", "hold", "post", "part", "void", "expire"]),
        st.integers(0, 4),
        st.integers(1, 4),
        st.integers(1, 1_000),
        st.integers(0, 30),
    ),
    max_size=25,
)
DAYS = st.integers(0, 40).map(lambda days: FIRST_DAY + timedelta(days=days))
INSTANTS = st.integers(0, 40 * 24).map(lambda h: day_start(FIRST_DAY) + timedelta(hours=h))


def lived(steps: list[tuple[str, int, int, int, int]]) -> History:
    """Books in which all this happened, where it could."""
    history = History()
    accounts = [history.ana, history.bea, history.pi, history.own, history.fees]
    at = day_start(FIRST_DAY)
    for action, debit, further, amount, hours in steps:
        at += timedelta(hours=hours)
        sides = accounts[debit], accounts[(debit + further) % len(accounts)]
        if action == "move":
            history.move(*sides, amount, at)
        elif action == "hold":
            history.hold(*sides, amount, at)
        elif history.holds:
            hold = history.holds[amount % len(history.holds)]
            if action == "void":
                history.void(hold, at)
            elif action == "expire":
                history.expire(hold, at)
            else:
                part = 1 + amount % hold.amount_cents if action == "part" else None
                history.post(hold, at, part)
    history.move(history.strange_pi, history.stranger, 11, day_start(FIRST_DAY))
    return history


@seed(SEED)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS, st.tuples(INSTANTS, INSTANTS), st.tuples(DAYS, DAYS), st.integers(1, 5))
def test_reports_of_any_past_agree_at_any_instant(
    migrated_dsn: str,
    steps: list[tuple[str, int, int, int, int]],
    instants: tuple[datetime, datetime],
    days: tuple[date, date],
    lines_max: int,
) -> None:
    history = lived(steps)

    async def check() -> None:
        connection = await stored(history, migrated_dsn)
        try:
            await check_balances(history, connection, instants)
            period = Period(min(instants), max(instants))
            await check_statements(history, connection, period, lines_max)
            await check_trial_balance(history, connection, min(days), max(days))
        finally:
            await connection.close()

    asyncio.run(check())


def own_accounts(history: History) -> Iterator[tuple[Any, AccountCode]]:
    for account_id, (tenant, code) in history.accounts.items():
        if tenant == TENANT:
            yield account_id, code


async def check_balances(
    history: History, connection: Any, instants: tuple[datetime, datetime]
) -> None:
    after_all = datetime(2100, 1, 1, tzinfo=UTC)
    for account_id, _ in own_accounts(history):
        for instant in instants:
            found = await balance_at(connection, account_id, instant, tenant=TENANT)
            assert found == history.counters(account_id, lambda at, end=instant: at <= end)
        live = await connection.fetchrow(
            "SELECT debits_pending, debits_posted, credits_pending, credits_posted"
            " FROM accounts WHERE id = $1",
            account_id,
        )
        assert await balance_at(connection, account_id, after_all, tenant=TENANT) == tuple(live)


async def check_statements(
    history: History, connection: Any, period: Period, lines_max: int
) -> None:
    for account_id, code in own_accounts(history):
        page = await statement(connection, account_id, period, tenant=TENANT)
        before = period.start - MICROSECOND
        opening = await balance_at(connection, account_id, before, tenant=TENANT)
        closing = await balance_at(connection, account_id, period.end, tenant=TENANT)
        assert page.opening == funds(opening, nature_of(code))
        assert page.closing == funds(closing, nature_of(code))
        assert (page.lines[-1].after if page.lines else page.opening) == page.closing
        moved = sum(line.moved_cents for line in page.lines)
        assert page.opening.balance_cents + moved == page.closing.balance_cents
        async with aclosing(
            statement_pages(connection, account_id, period, tenant=TENANT, lines_max=lines_max)
        ) as pages:
            assert [line async for each in pages for line in each.lines] == list(page.lines)


async def check_trial_balance(history: History, connection: Any, first: date, last: date) -> None:
    balance = await trial_balance(connection, first, last, tenant=TENANT)
    assert balance.ok
    expected: dict[Any, int] = {}
    for account_id, code in own_accounts(history):
        counters = history.counters(account_id, lambda at: at <= day_end(last))
        rubric = rubric_of(code, last)
        expected[rubric] = expected.get(rubric, 0) + rubric.nature.balance_cents(
            counters.debits_posted, counters.credits_posted
        )
    found = {line.rubric: line.closing_cents for line in balance.lines if line.rubric.is_analytic}
    assert {rubric: cents for rubric, cents in found.items() if cents} == {
        rubric: cents for rubric, cents in expected.items() if cents
    }
    check_levels(balance)


def check_levels(balance: TrialBalance) -> None:
    """Every level is the sum of those directly below it, each in the nature of the level."""
    below: dict[Any, int] = {}
    for line in balance.lines:
        parent = line.rubric.code.parent
        above = CHART.rubric(parent) if parent is not None else None
        if above is not None:
            sign = 1 if above.nature is line.rubric.nature else -1
            below[above] = below.get(above, 0) + sign * line.closing_cents
    sums = {line.rubric: line.closing_cents for line in balance.lines}
    assert {rubric: sums[rubric] for rubric in below} == below
