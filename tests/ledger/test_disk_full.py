"""No space left on PostgreSQL's disk: nothing acknowledged is lost, and it says so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import structlog

from actors import CalleeDied, CallTimeout, Node, NoProcess
from corrente.servers import claim_home, postgres_child
from ledger import (
    AccountStatus,
    Commit,
    Committed,
    Entry,
    OutOfSpace,
    Refused,
    SetStatus,
    ShardWriter,
    StatusReason,
    Transfer,
    TransferCode,
    TransferResult,
    migrate,
    verify,
)
from supervisors import Strategy, Supervisor, worker
from tests.ledger.bank import CUSTOMERS, SHARD, Bank
from tests.small_disk import fill, free, small_disk

MEGABYTES = 100
NAME = "ledger writer"
MISSING = ("ledger", "space", "missing")
RESTART = ("supervisor", "restart")
RESTARTS_MAX = 10  # in 5 s, as the platform has it
REFUSE_FOR_SPACE = """
CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_space BEFORE INSERT ON {table} EXECUTE FUNCTION no_space()
"""


@dataclass
class Cramped:
    """A bank on a small disk, its server and its writer supervised as in the platform."""

    bank: Bank
    disk: Path
    acknowledged: list[UUID] = field(default_factory=list)
    errors: set[type[Exception]] = field(default_factory=set)
    alarms: list[Any] = field(default_factory=list)
    restarts: list[Any] = field(default_factory=list)

    async def pay(self, transfers: int) -> None:
        """Ask for transfers, a hundred at a time, with the same ids until they are acknowledged."""
        for _ in range(transfers // 100):
            asked = [self._transfer() for _ in range(100)]
            while not await self._is_acknowledged(asked):
                await self.bank.node.clock.sleep_ms(20)
            self.acknowledged += [each.id for each in asked]

    def _transfer(self) -> Transfer:
        own, pi = self.bank.accounts[0].id, self.bank.pi
        return Transfer(self.bank.node.ids.new_id(), own, pi, 1, TransferCode.BOOK_TRANSFER)

    async def _is_acknowledged(self, asked: list[Transfer]) -> bool:
        commit = Commit(tuple(Entry((each,)) for each in asked))
        try:
            answers = await self.bank.node.call(NAME, commit, timeout_ms=10_000)
        except (OutOfSpace, CalleeDied, NoProcess, CallTimeout) as error:
            self.errors.add(type(error))
            return False
        results = {each.result for each in answers if isinstance(each, Refused)}
        assert results <= {TransferResult.EXISTS}
        return True

    async def until(self, has_happened: Callable[[], bool]) -> None:
        while not has_happened():
            await self.bank.node.clock.sleep_ms(10)


@pytest.fixture
async def cramped(node: Node) -> AsyncIterator[Cramped]:
    with small_disk(MEGABYTES) as disk, claim_home(disk):
        server, database = postgres_child(disk, node.clock)
        servers = Supervisor([server], strategy=Strategy.ONE_FOR_ONE, max_restarts=RESTARTS_MAX)
        await node.start(servers, name="servers")
        await migrate(database.dsn)
        bank = Bank(node, database.dsn)
        await bank.start()
        await bank.open()
        await node.stop(bank.writer)
        own = Cramped(bank, disk)
        node.telemetry.attach(MISSING, lambda *event: own.alarms.append(event))
        node.telemetry.attach(RESTART, lambda *event: own.restarts.append(event))
        child = worker(NAME, lambda: ShardWriter(SHARD, bank.dsn, bank.book), name=NAME)
        await node.start(Supervisor([child], strategy=Strategy.ONE_FOR_ONE, max_restarts=20))
        yield own
        await node.shutdown()


async def test_full_disk_refuses_for_certain_and_service_comes_back_with_space(
    cramped: Cramped,
) -> None:
    bank = cramped.bank
    writer = bank.node.whereis(NAME)
    with structlog.testing.capture_logs() as log:
        async with asyncio.TaskGroup() as clients:
            payers = [clients.create_task(cramped.pay(3_000)) for _ in range(4)]
            await cramped.until(lambda: len(cramped.acknowledged) > 1_000)
            fill(cramped.disk)
            await cramped.until(lambda: len(cramped.alarms) >= 3)
            assert not any(payer.done() for payer in payers)
            free(cramped.disk)

    said = [line["event"] for line in log if line["log_level"] in {"error", "warning"}]
    assert said == ["no space left for the ledger", "space again for the ledger"]
    assert cramped.errors == {OutOfSpace}
    assert bank.node.whereis(NAME) == writer
    await assert_nothing_lost(cramped)


async def test_full_disk_that_stops_the_server_itself_costs_nothing_acknowledged(
    cramped: Cramped,
) -> None:
    async with asyncio.TaskGroup() as clients:
        payers = [clients.create_task(cramped.pay(3_000)) for _ in range(4)]
        await cramped.until(lambda: len(cramped.acknowledged) > 1_000)
        fill(cramped.disk)
        await end_log_segments(cramped.bank.dsn)
        await cramped.until(lambda: len(cramped.restarts) > RESTARTS_MAX)
        assert not any(payer.done() for payer in payers)
        free(cramped.disk)

    await assert_nothing_lost(cramped)


async def end_log_segments(dsn: str) -> None:
    """Have PostgreSQL begin new files of its log until it stops because it cannot."""
    connection = await asyncpg.connect(dsn)
    with contextlib.suppress(asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
        while True:
            await connection.execute("SELECT pg_logical_emit_message(true, '', 'a')")
            await connection.execute("SELECT pg_switch_wal()")
    connection.terminate()


async def assert_nothing_lost(cramped: Cramped) -> None:
    report = await verify(cramped.bank.dsn)
    assert report.ok, report
    assert len(set(cramped.acknowledged)) == 12_000
    assert report.transfers == CUSTOMERS + 12_000


async def refuse_for_space(bank: Bank, table: str) -> None:
    connection = await asyncpg.connect(bank.dsn)
    await connection.execute(REFUSE_FOR_SPACE.format(table=table))
    await connection.close()


async def let_write(bank: Bank) -> None:
    connection = await asyncpg.connect(bank.dsn)
    await connection.execute("DROP FUNCTION no_space CASCADE")
    await connection.close()


async def test_refused_batch_leaves_no_trace_in_the_writers_memory(bank: Bank) -> None:
    await refuse_for_space(bank, "transfers")
    before = bank.balance(bank.customer())
    payment = bank.hold_of(1)

    with pytest.raises(OutOfSpace):
        await bank.commit_transfers(payment)
    waiting = [asyncio.ensure_future(bank.commit_transfers(payment)) for _ in range(3)]
    assert bank.balance(bank.customer()) == before
    await let_write(bank)

    answers = await asyncio.gather(*waiting)
    assert answers[0] == Committed()
    assert {type(answer) for answer in answers[1:]} == {Refused}
    assert (await verify(bank.dsn)).ok


async def test_accounts_and_their_status_are_refused_too(bank: Bank) -> None:
    await refuse_for_space(bank, "account_status_changes")
    change = SetStatus(bank.customer(), AccountStatus.BLOCKED, StatusReason.FRAUD_SUSPICION, "ana")

    with pytest.raises(OutOfSpace):
        await bank.node.call(bank.writer, change)
    assert bank.book.status(bank.customer()) is AccountStatus.ACTIVE
    await let_write(bank)

    assert await bank.node.call(bank.writer, change) == Committed()
    assert await bank.commit_transfers(bank.hold_of(1)) != Committed()
