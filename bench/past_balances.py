"""What a balance of the past costs, by how often balances are kept.

Fills a database of its own with a year of transfers, then asks for balances at random instants and
for statements and trial balances of random days: without snapshots, with one a month, one a day.

    python bench/past_balances.py [--transfers 1000000]
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from actors import Node
from corrente.servers import claim_home, postgres_child
from ledger import make_partitions, migrate, take_snapshot
from ledger.reports import Period, balance_at, business_day, statement, trial_balance
from loadtest import machine_line
from supervisors import Strategy, Supervisor

TENANT = "12345678"
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 360
MONTH_DAYS = 30
SEED = 7
FILL_ACCOUNTS = """
INSERT INTO accounts (id, shard, tenant, code, flags, ledger, opened_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, 1, $1, 4, 0, 986, $3 FROM generate_series(1, $2) AS n
"""
# Ids begin with the millisecond, as those of the platform do.
FILL_TRANSFERS = """
INSERT INTO transfers (id, shard, sequence, debit_account_id, credit_account_id, amount_cents, code,
    kind, at, timestamp)
SELECT (lpad(to_hex(ns / 1000000), 12, '0') || '7' || lpad(to_hex(n), 19, '8'))::uuid, 1, n,
    lpad(to_hex(1 + n * 7919 % $2::bigint), 32, '0')::uuid,
    lpad(to_hex(1 + (n * 7919 + 1 + n % 97) % $2::bigint), 32, '0')::uuid, 1, 1, 0,
    to_timestamp(ns / 1000000000.0), ns
FROM (SELECT n, $3::bigint + n * ($4::bigint / $1) AS ns
    FROM generate_series(1, $1::bigint) AS n) AS each
"""


class Past:
    """Measures on one filled database."""

    def __init__(self, connection: Any, accounts: int, asked: int) -> None:
        self._connection = connection
        self._accounts = accounts
        self._asked = asked

    async def fill(self, transfers: int) -> None:
        """A year of transfers between all accounts."""
        execute = self._connection.execute
        await execute("INSERT INTO shards (id, tenant, owner) VALUES (1, $1, 'bench')", TENANT)
        await execute(FILL_ACCOUNTS, TENANT, self._accounts, FIRST)
        for day in range(0, DAYS, MONTH_DAYS):
            await make_partitions(self._connection, FIRST + timedelta(days=day))
        year_ns = DAYS * 86_400 * 10**9
        await execute(
            FILL_TRANSFERS, transfers, self._accounts, int(FIRST.timestamp()) * 10**9, year_ns
        )
        await execute("VACUUM ANALYZE")

    async def keep(self, every_days: int) -> None:
        """Snapshots of the whole year, in place of those that are there."""
        await self._connection.execute("TRUNCATE snapshots, snapshot_balances")
        started, rows = time.perf_counter(), 0
        for day in range(every_days, DAYS + 1, every_days):
            until = FIRST + timedelta(days=day)
            made = await take_snapshot(self._connection, 1, now=until, until=until)
            rows += 0 if made is None else made.accounts
        took = time.perf_counter() - started
        await self._connection.execute("ANALYZE snapshots, snapshot_balances")
        size = await self._connection.fetchval(
            "SELECT pg_size_pretty(pg_total_relation_size('snapshot_balances'))"
        )
        print(f"  made in {took:.1f} s: {rows:,} rows, {size}")

    async def ask(self) -> None:
        """Medians of balances at random instants, and of statements of one day."""

        async def balance(account: UUID, at: datetime) -> None:
            await balance_at(self._connection, account, at, tenant=TENANT)

        async def of_a_day(account: UUID, at: datetime) -> None:
            period = Period(at, at + timedelta(days=1))
            await statement(self._connection, account, period, tenant=TENANT)

        async def of_the_books(_: UUID, at: datetime) -> None:
            day = business_day(at)
            await trial_balance(self._connection, day, day, tenant=TENANT)

        print(f"  trial balance     {await self._median_ms(of_the_books):>9.1f} ms")
        print(f"  balance_at        {await self._median_ms(balance):>9.1f} ms")
        print(f"  statement, a day  {await self._median_ms(of_a_day):>9.1f} ms")

    async def _median_ms(self, ask: Callable[[UUID, datetime], Awaitable[None]]) -> float:
        chance, times = random.Random(SEED), []  # noqa: S311 - what to ask for
        for _ in range(self._asked):
            account = UUID(int=chance.randint(1, self._accounts))
            at = FIRST + timedelta(days=chance.uniform(0, DAYS))
            started = time.perf_counter()
            await ask(account, at)
            times.append(time.perf_counter() - started)
        return statistics.median(times) * 1_000


async def main(home: Path, transfers: int, accounts: int, asked: int) -> None:
    """Start PostgreSQL, fill it, measure, stop it."""
    print(f"machine: {machine_line()}")
    print(f"{transfers:,} transfers of {DAYS} days, {accounts:,} accounts, median of {asked}")
    node = Node("bench")
    with claim_home(home):
        child, database = postgres_child(home, node.clock)
        await node.start(Supervisor([child], strategy=Strategy.ONE_FOR_ONE, max_restarts=0))
        await migrate(database.dsn)
        connection = await asyncpg.connect(database.dsn)
        past = Past(connection, accounts, asked)
        await past.fill(transfers)
        print("no snapshots")
        await past.ask()
        for name, days in (("one a month", MONTH_DAYS), ("one a day", 1)):
            print(name)
            await past.keep(days)
            await past.ask()
        await connection.close()
        await node.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--asked", type=int, default=21)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corrente-past-") as folder:
        asyncio.run(main(Path(folder), given.transfers, given.accounts, given.asked))
