"""Snapshots of balances: the way becomes shorter, the answer never another one."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ledger import Entry, ShardSettings, post, verify
from ledger.reports import (
    Period,
    balance_at,
    business_day,
    day_start,
    statement,
    statement_pages,
    trial_balance,
)
from ledger.snapshots import Snapshot, take_snapshot
from tests.ledger.bank import SHARD, Bank
from tests.ledger.history import TENANT, History, stored
from tests.ledger.test_reports_random import FIRST_DAY, INSTANTS, STEPS, lived

SEED = 5_011
NOW = datetime(2026, 2, 1, tzinfo=UTC)
# An instant to end before, or None: everything there is.
SNAPSHOTS = st.lists(st.one_of(INSTANTS, st.none()), max_size=5)


@seed(SEED)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS, SNAPSHOTS, st.lists(INSTANTS, min_size=3, max_size=3), st.booleans())
def test_balances_of_any_past_are_the_full_sums_whatever_snapshots_there_are(
    migrated_dsn: str,
    steps: list[tuple[str, int, int, int, int]],
    snapshots: list[datetime | None],
    instants: list[datetime],
    is_clock_set_back: bool,
) -> None:
    history = lived(steps)
    if is_clock_set_back:
        set_clock_back(history)

    async def check() -> None:
        connection = await stored(history, migrated_dsn)
        try:
            days = [business_day(at) for at in (min(instants), max(instants))]
            books = await trial_balance(connection, *days, tenant=TENANT)
            for until in snapshots:
                for shard in (1, 2):
                    await take_snapshot(connection, shard, now=NOW, until=until)
                await assert_full_sums(history, connection, instants)
                assert await trial_balance(connection, *days, tenant=TENANT) == books
            period = Period(min(instants), max(instants))
            await assert_statements_agree(history, connection, period)
            report = await verify(migrated_dsn)
            # The rows of a made-up past have no numbers of their own in each shard.
            assert next(each for each in report.checks if "snapshots" in each.name).ok
        finally:
            await connection.close()

    asyncio.run(check())


def set_clock_back(history: History) -> None:
    """Book the second half as if the writer's clock had been set back by ten days."""
    half = len(history.booked) // 2
    for each in history.booked[half:]:
        object.__setattr__(each, "at", each.at - timedelta(days=10))


async def assert_full_sums(history: History, connection: Any, instants: Sequence[datetime]) -> None:
    for account_id, (tenant, _) in history.accounts.items():
        for instant in instants:
            found = await balance_at(connection, account_id, instant, tenant=tenant)
            assert found == history.counters(account_id, lambda at, end=instant: at <= end)


async def assert_statements_agree(history: History, connection: Any, period: Period) -> None:
    """The same pages as without any snapshot."""
    with_snapshots = await statements(history, connection, period)
    await connection.execute("TRUNCATE snapshots, snapshot_balances")
    assert with_snapshots == await statements(history, connection, period)


async def statements(history: History, connection: Any, period: Period) -> list[Any]:
    found: list[Any] = []
    for account_id, (tenant, _) in history.accounts.items():
        found.append(await statement(connection, account_id, period, tenant=tenant))
        async with aclosing(
            statement_pages(connection, account_id, period, tenant=tenant, lines_max=2)
        ) as pages:
            found += [page async for page in pages]
    return found


async def test_snapshot_has_a_row_for_each_account_that_moved_since_the_one_before(
    bank: Bank,
) -> None:
    connection = await asyncpg.connect(bank.dsn)
    first = await take_snapshot(connection, SHARD.id, now=NOW)
    nothing = await take_snapshot(connection, SHARD.id, now=NOW)
    held = bank.hold_of(7)
    await bank.commit_transfers(held)
    second = await take_snapshot(connection, SHARD.id, now=NOW)
    await bank.commit_transfers(post(bank.node.ids.new_id(), held.id, 5))
    third = await take_snapshot(connection, SHARD.id, now=NOW)
    kept = await connection.fetchrow(
        "SELECT * FROM snapshot_balances WHERE account_id = $1 AND sequence = 7", bank.customer()
    )
    await connection.close()

    assert (first, nothing) == (Snapshot(SHARD.id, 5, accounts=6), None)
    assert (second, third) == (Snapshot(SHARD.id, 6, 2), Snapshot(SHARD.id, 7, 2))
    assert tuple(kept)[2:] == bank.balance(bank.customer())
    assert (await verify(bank.dsn)).ok


async def test_snapshots_taken_at_once_under_load_add_up(bank: Bank) -> None:
    connections = [await asyncpg.connect(bank.dsn) for _ in range(3)]

    async def load() -> None:
        for _ in range(100):
            await bank.commit(*(Entry((bank.hold_of(1, n % 5),)) for n in range(20)))

    async def snapshots(connection: Any) -> int:
        taken = 0
        while not loading.done():
            taken += await take_snapshot(connection, SHARD.id, now=NOW) is not None
        return taken

    loading = asyncio.ensure_future(load())
    taken = await asyncio.gather(*map(snapshots, connections))
    await loading
    for connection in connections:
        await connection.close()

    assert sum(taken) > 1
    assert (await verify(bank.dsn)).ok


async def test_snapshot_of_a_month_serves_its_last_instant(migrated_dsn: str) -> None:
    history = History()
    february = day_start(datetime(2026, 2, 1, tzinfo=UTC).date())
    last = february - timedelta(microseconds=1)
    history.move(history.own, history.ana, 100, day_start(FIRST_DAY))
    history.move(history.ana, history.pi, 30, last)
    history.move(history.ana, history.pi, 50, february)
    connection = await stored(history, migrated_dsn)
    try:
        made = await take_snapshot(connection, 1, now=NOW, until=last)
        await connection.execute("DELETE FROM transfers WHERE sequence <= 2")  # not needed for it

        assert made == Snapshot(1, 2, accounts=3)
        assert await balance_at(connection, history.ana, last, tenant=TENANT) == (0, 30, 0, 100)
        assert await balance_at(connection, history.ana, february, tenant=TENANT) == (0, 80, 0, 100)
    finally:
        await connection.close()


async def test_snapshot_of_a_shard_without_transfers_is_none(bank: Bank) -> None:
    connection = await asyncpg.connect(bank.dsn)
    empty = ShardSettings(2, "87654321", "one")

    assert await take_snapshot(connection, empty.id, now=NOW) is None
    await connection.close()
