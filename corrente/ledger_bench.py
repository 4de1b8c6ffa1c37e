"""What the ledger does a second on this machine, beside what PostgreSQL and the core alone do.

The database is an embedded one of its own on a fresh folder, with every durable setting on.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from actors import Node, Pid
from corrente.servers import postgres_child
from ledger import (
    Account,
    AccountBook,
    AccountCode,
    Commit,
    Committed,
    Entry,
    OpenAccounts,
    ShardSettings,
    ShardWriter,
    Transfer,
    TransferCode,
    migrate,
    verify,
)
from ledger.core import AccountState, LedgerState, apply
from supervisors import Strategy, Supervisor

SHARD: Final = ShardSettings(1, "12345678", "bench")
ACCOUNTS: Final = 10_000
BATCH: Final = 500
BATCH_CALLERS: Final = 4
SINGLE_CALLERS: Final = 256
CORE_BATCH: Final = 500
SET_COUNTERS: Final = """
UPDATE accounts SET debits_pending = a.dp, debits_posted = a.d,
    credits_pending = a.cp, credits_posted = a.c
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS a (id, dp, d, cp, c) WHERE accounts.id = a.id
"""
RAISE_SEQUENCE: Final = """
UPDATE shards SET transfer_sequence = transfer_sequence + $2 WHERE id = $1
"""
COPIED: Final = (
    *("id", "shard", "sequence", "debit_account_id", "credit_account_id", "amount_cents"),
    *("code", "kind", "at", "timestamp"),
)


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """Medians of the rounds; all in transfers a second but for the last.

    Attributes:
        core_apply_per_s: The pure core, without a database.
        limit_batch_500_per_s: COPY and one update of the same rows, without the ledger.
        batch_500_per_s: Durable, by the writer, asked for 500 at a time.
        hot_account_per_s: As that, every transfer crediting one and the same account.
        single_256_per_s: Durable, by the writer, 256 callers with one transfer each.
        single_256_p99_ms: What such a caller waits.
    """

    core_apply_per_s: int
    limit_batch_500_per_s: int
    batch_500_per_s: int
    hot_account_per_s: int
    single_256_per_s: int
    single_256_p99_ms: float


class LedgerBench:
    """One run; `progress` is told what is being measured."""

    def __init__(
        self, folder: Path, transfers: int, rounds: int, progress: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._transfers = transfers
        self._rounds = rounds
        self._progress = progress
        self._node = Node("bench")
        self._accounts: list[UUID] = []
        self._pairs: Iterator[tuple[UUID, UUID]]
        self._writer: Pid
        self._waits: list[float] = []

    async def run(self) -> LedgerFigures:
        """Start PostgreSQL, measure, verify the books, stop it."""
        child, endpoint = postgres_child(self._folder, self._node.clock)
        await self._node.start(Supervisor([child], strategy=Strategy.ONE_FOR_ONE, max_restarts=0))
        try:
            return await self._measure_all(endpoint.dsn)
        finally:
            await self._node.shutdown()

    async def _measure_all(self, dsn: str) -> LedgerFigures:
        await migrate(dsn)
        await self._open_accounts(dsn)
        core = self._medians("core", self._core_rounds())
        batch = await self._writer_rounds("batches of 500", self._batches, hot=False)
        hot = await self._writer_rounds("one hot account", self._batches, hot=True)
        single = await self._writer_rounds("256 callers", self._singles, hot=False)
        report = await verify(dsn)
        if not report.ok:
            raise AssertionError(f"the books do not add up: {report}")
        limit = await self._limit_rounds(dsn)
        p99 = statistics.quantiles(self._waits, n=100)[98] * 1000
        return LedgerFigures(core, limit, batch, hot, single, round(p99, 1))

    async def _open_accounts(self, dsn: str) -> None:
        self._writer = await self._node.start(ShardWriter(SHARD, dsn, AccountBook()))
        new_id = self._node.ids.new_id
        opened = [Account(new_id(), SHARD.tenant, AccountCode.OWN_FUNDS) for _ in range(ACCOUNTS)]
        answer = await self._node.call(self._writer, OpenAccounts(tuple(opened)), timeout_ms=60_000)
        assert answer == Committed(), answer
        self._accounts = [account.id for account in opened]
        around = itertools.cycle(self._accounts)
        ahead = itertools.cycle(self._accounts[ACCOUNTS // 3 :] + self._accounts[: ACCOUNTS // 3])
        self._pairs = zip(around, ahead, strict=True)

    def _make(self, count: int, *, hot: bool) -> list[Transfer]:
        new_id, first = self._node.ids.new_id, self._accounts[0]
        made = []
        for debit, credit in itertools.islice(self._pairs, count):
            payer = self._accounts[1] if hot and debit == first else debit
            made.append(
                Transfer(new_id(), payer, first if hot else credit, 1, TransferCode.BOOK_TRANSFER)
            )
        return made

    def _medians(self, what: str, figures: Sequence[float]) -> int:
        rate = round(statistics.median(figures))
        self._progress(f"{what}: {rate:,}/s ({min(figures):,.0f} to {max(figures):,.0f})")
        return rate

    def _core_rounds(self) -> list[float]:
        figures = []
        for _ in range(self._rounds):
            state = LedgerState()
            for account in self._accounts:
                state.accounts[account.int] = AccountState(account, 0)
            transfers = self._make(self._transfers, hot=False)
            started = time.perf_counter()
            for number, transfer in enumerate(transfers):
                apply(state, transfer, number)
                if number % CORE_BATCH == 0:
                    state.settle()
            figures.append(len(transfers) / (time.perf_counter() - started))
        return figures

    async def _writer_rounds(
        self, what: str, work: Callable[[list[Transfer]], Awaitable[None]], *, hot: bool
    ) -> int:
        figures = []
        for _ in range(self._rounds):
            transfers = self._make(self._transfers, hot=hot)
            started = time.perf_counter()
            await work(transfers)
            figures.append(len(transfers) / (time.perf_counter() - started))
        return self._medians(what, figures)

    async def _batches(self, transfers: list[Transfer]) -> None:
        requests = iter(
            [
                Commit(tuple(Entry((each,)) for each in transfers[start : start + BATCH]))
                for start in range(0, len(transfers), BATCH)
            ]
        )

        async def caller() -> None:
            for request in requests:
                for answer in await self._node.call(self._writer, request, timeout_ms=30_000):
                    assert type(answer) is Committed, answer

        await asyncio.gather(*(caller() for _ in range(BATCH_CALLERS)))

    async def _singles(self, transfers: list[Transfer]) -> None:
        requests = iter([Commit((Entry((each,)),)) for each in transfers])

        async def caller() -> None:
            for request in requests:
                asked = time.perf_counter()
                (answer,) = await self._node.call(self._writer, request, timeout_ms=30_000)
                assert type(answer) is Committed, answer
                self._waits.append(time.perf_counter() - asked)

        await asyncio.gather(*(caller() for _ in range(SINGLE_CALLERS)))

    async def _limit_rounds(self, dsn: str) -> int:
        connection = await asyncpg.connect(dsn)
        first = int(await connection.fetchval("SELECT transfer_sequence FROM shards")) + 1
        figures = []
        for _ in range(self._rounds):
            transfers = self._make(self._transfers, hot=False)
            batches = [
                self._rows(transfers[start : start + BATCH], first + start)
                for start in range(0, len(transfers), BATCH)
            ]
            first += len(transfers)
            started = time.perf_counter()
            for rows, counters in batches:
                await connection.execute("BEGIN")
                await connection.execute(RAISE_SEQUENCE, SHARD.id, len(rows))
                await connection.copy_records_to_table("transfers", records=rows, columns=COPIED)
                await connection.execute(SET_COUNTERS, *counters)
                await connection.execute("COMMIT")
            figures.append(len(transfers) / (time.perf_counter() - started))
        await connection.close()
        return self._medians("COPY and one update alone", figures)

    def _rows(self, transfers: Sequence[Transfer], first: int) -> tuple[list[Any], list[Any]]:
        """Rows and counters of a batch, made before the clock runs."""
        now = self._node.clock.now()
        rows = [
            (t.id, 1, n, t.debit_account_id, t.credit_account_id, 1, int(t.code), 0, now, n)
            for n, t in enumerate(transfers, first)
        ]
        touched = {t.debit_account_id for t in transfers} | {t.credit_account_id for t in transfers}
        return rows, [list(touched), *([[1] * len(touched)] * 4)]
