"""What a payment costs in the ledger: the writer with concurrent callers, and the commit alone.

The commit is measured both ways, one function call against COPY. A payment is a hold with an
idempotency key and an event, then a post with an event. PostgreSQL is the embedded one with its
durable settings, on a fresh data folder. CPU is this process's.

    python bench/shard_writer.py [--payments 10000]
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from actors import Node
from corrente.servers import postgres_child
from ledger import (
    Account,
    AccountBook,
    AccountCode,
    Commit,
    Entry,
    Event,
    Idempotency,
    OpenAccounts,
    ShardSettings,
    ShardWriter,
    Transfer,
    TransferCode,
    hold,
    migrate,
    post,
    verify,
)
from loadtest import machine_line
from supervisors import Strategy, Supervisor

SHARD = ShardSettings(1, "12345678", "bench")
ACCOUNTS = 10_000
BATCHES = (40, 500)
ROUNDS = 5

COMMIT = f"SELECT ledger_commit({', '.join(f'${n}' for n in range(1, 37))})"
TRANSFER_COLUMNS = (
    *("id", "shard", "sequence", "debit_account_id", "credit_account_id", "amount_cents"),
    *("code", "kind", "pending_id", "at", "timestamp"),
)
SET_COUNTERS = """
UPDATE accounts SET debits_pending = a.dp, debits_posted = a.d,
    credits_pending = a.cp, credits_posted = a.c
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS a (id, dp, d, cp, c) WHERE accounts.id = a.id
"""
RAISE_SEQUENCES = """
UPDATE shards SET committed_batches = committed_batches + 1,
    transfer_sequence = transfer_sequence + $3, outbox_sequence = outbox_sequence + $3
WHERE id = $1 AND epoch = $2 RETURNING transfer_sequence, outbox_sequence
"""


class Batches:
    """Batches of holds as columns, ready to be sent either way."""

    def __init__(self, node: Node, accounts: list[Account], connection: Any) -> None:
        self._node, self._accounts, self._connection = node, accounts, connection
        self._customers = itertools.cycle(accounts[1:])

    def make(self, size: int) -> list[list[Any]]:
        new_id, now = self._node.ids.new_id, self._node.clock.now()
        debits = [next(self._customers).id for _ in range(size)]
        ids = [new_id() for _ in range(size)]
        touched = [self._accounts[0].id, *debits]
        transfers = [ids, debits, [self._accounts[0].id] * size, [1] * size]
        transfers += [[2] * size, [1] * size, [None] * size]
        keys = [[f"key-{each}" for each in ids], [b"f" * 32] * size, ids]
        events = [ids, ids, ["payment.created"] * size, [now] * size, [b"{}" * 100] * size]
        counters = [touched, *([[0] * len(touched)] * 4)]
        return [*transfers, *keys, *events, *counters]

    async def by_function(self, columns: list[list[Any]]) -> None:
        now = self._node.clock.now()
        nothing_rare = [[]] * 11
        await self._connection.fetchval(COMMIT, 1, 1, now, None, *columns, 1, *nothing_rare)

    async def by_copy(self, columns: list[list[Any]]) -> None:
        connection, now, size = self._connection, self._node.clock.now(), len(columns[0])
        await connection.execute("BEGIN")
        row = await connection.fetchrow(RAISE_SEQUENCES, 1, 1, size)
        numbers, positions = (range(last - size + 1, last + 1) for last in row)
        ones = [1] * size
        rows = zip(columns[0], ones, numbers, *columns[1:7], [now] * size, numbers, strict=True)
        await connection.copy_records_to_table("transfers", records=rows, columns=TRANSFER_COLUMNS)
        rows = zip(["12345678"] * size, *columns[7:10], [now] * size, strict=True)
        await connection.copy_records_to_table("idempotency_keys", records=rows)
        rows = zip(ones, positions, *columns[10:15], strict=True)
        await connection.copy_records_to_table("outbox", records=rows)
        await connection.execute(SET_COUNTERS, *columns[15:])
        await connection.execute("COMMIT")


async def measure(work: Callable[[], Awaitable[None]], payments: int) -> tuple[float, float]:
    """Return wall and CPU microseconds a payment."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall / payments * 1e6, cpu / payments * 1e6


def show(name: str, figures: list[tuple[float, float]]) -> None:
    walls, cpus = zip(*figures, strict=True)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    print(
        f"{name:42} {wall:7.1f} us wall ({min(walls):.1f} to {max(walls):.1f}) "
        f"{cpu:7.1f} us CPU {1e6 / wall:9,.0f}/s"
    )


async def compare_ways(batches: Batches, payments: int) -> None:
    print("one commit of transfers, keys, events and counters; an entry:")
    for size, (name, way) in itertools.product(
        BATCHES, (("function", batches.by_function), ("COPY", batches.by_copy))
    ):
        figures = []
        for _ in range(ROUNDS):
            made = [batches.make(size) for _ in range(max(1, payments // 5 // size))]

            async def commit_all(
                way: Callable[[list[list[Any]]], Awaitable[None]] = way,
                made: list[list[list[Any]]] = made,
            ) -> None:
                for columns in made:
                    await way(columns)

            figures.append(await measure(commit_all, len(made) * size))
        show(f"  {name}, batches of {size}", figures)


async def measure_writer(node: Node, writer: Any, accounts: list[Account], payments: int) -> None:
    print("the writer with callers in a closed loop; a payment is two entries:")
    customers = itertools.cycle(accounts[1:])
    new_id = node.ids.new_id
    sizes: list[int] = []
    event = ("ledger", "batch", "committed")
    node.telemetry.attach(event, lambda _, measured, __: sizes.append(measured["entries"]))

    async def pay() -> None:
        now = node.clock.now()
        subject = new_id()
        held = hold(subject, next(customers).id, accounts[0].id, 1, TransferCode.PIX_OUT)
        created = Event(new_id(), subject, "payment.created", now, b"{}" * 100)
        key = Idempotency(f"pay-{subject}", b"f" * 32, subject)
        await node.call(writer, Commit((Entry((held,), (created,), key),)))
        settled = Event(new_id(), subject, "payment.settled", now, b"{}" * 100)
        await node.call(writer, Commit((Entry((post(new_id(), subject),), (settled,)),)))

    for callers in BATCHES:
        figures = []
        sizes.clear()
        for _ in range(ROUNDS):

            async def caller(share: int = payments // callers) -> None:
                for _ in range(share):
                    await pay()

            async def run(callers: int = callers) -> None:
                await asyncio.gather(*(caller() for _ in range(callers)))

            figures.append(await measure(run, payments // callers * callers))
        show(f"  {callers} callers, median batch {statistics.median(sizes):.0f}", figures)


async def run(folder: Path, payments: int) -> None:
    node = Node("bench")
    child, endpoint = postgres_child(folder, node.clock)
    await node.start(
        Supervisor([child], strategy=Strategy.ONE_FOR_ONE, max_restarts=0, max_seconds=1)
    )
    await measure_all(node, endpoint.dsn, payments)
    await node.shutdown()


async def measure_all(node: Node, dsn: str, payments: int) -> None:
    await migrate(dsn)
    writer = await node.start(ShardWriter(SHARD, dsn, AccountBook()))
    accounts = [Account(node.ids.new_id(), SHARD.tenant, AccountCode.PI_ACCOUNT)]
    accounts += [
        Account(node.ids.new_id(), SHARD.tenant, AccountCode.CUSTOMER, "0001", f"{number}")
        for number in range(ACCOUNTS)
    ]
    for start in range(0, len(accounts), 5_000):
        await node.call(writer, OpenAccounts(tuple(accounts[start : start + 5_000])))
    fund = Transfer(
        node.ids.new_id(), accounts[0].id, accounts[1].id, 1_000_000, TransferCode.FUNDING
    )
    await node.call(writer, Commit((Entry((fund,)),)))
    await measure_writer(node, writer, accounts, payments)
    report = await verify(dsn)
    print(f"books add up: {report.ok}, {report.transfers:,} transfers")
    connection = await asyncpg.connect(dsn)
    await compare_ways(Batches(node, accounts, connection), payments)
    await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=10_000)
    payments = parser.parse_args().payments
    print(machine_line())
    with tempfile.TemporaryDirectory(prefix="corrente-bench-") as folder:
        uvloop.run(run(Path(folder), payments))


if __name__ == "__main__":
    main()
