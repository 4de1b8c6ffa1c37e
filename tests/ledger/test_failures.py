import asyncio
import os
import signal

import psutil
import pytest

from actors import CalleeDied, Killed
from ledger import (
    Answer,
    Commit,
    Committed,
    Entry,
    Refused,
    Replayed,
    ShardWriter,
    TransferResult,
    post,
    verify,
)
from supervisors import Strategy, Supervisor, worker
from tests.ledger.bank import CUSTOMERS, SHARD, Bank, key
from tests.postgres import PostgresServer

NAME = "ledger writer"


async def supervise(bank: Bank) -> None:
    """Run the writer as a program does: under a supervisor, by name, on one book."""
    assert bank.writer is not None
    await bank.node.stop(bank.writer)
    child = worker(NAME, lambda: ShardWriter(SHARD, bank.dsn, bank.book), name=NAME)
    await bank.node.start(
        Supervisor([child], strategy=Strategy.ONE_FOR_ONE, max_restarts=100, max_seconds=60)
    )


async def pay_until_answered(bank: Bank, entry: Entry) -> Answer:
    """Repeat the same entry, as a client with the same ids does, until the outcome is known."""
    while True:
        answers = await bank.try_commit(NAME, entry)
        if answers is not None:
            return answers[0]
        await bank.node.clock.sleep_ms(20)


async def test_killed_server_loses_nothing_acknowledged_and_books_nothing_twice(
    bank: Bank, postgres_server: PostgresServer
) -> None:
    await supervise(bank)
    answered: list[Answer] = []

    async def client(number: int) -> None:
        for _ in range(40):
            payment = bank.hold_of(1, number % CUSTOMERS)
            answered.append(await pay_until_answered(bank, Entry((payment,))))

    async def killer() -> None:
        for _ in range(3):
            reached = len(answered) + 100
            while len(answered) < reached:
                await bank.node.clock.sleep_ms(1)
            postgres_server.kill()
            postgres_server.start()

    await asyncio.gather(killer(), *(client(number) for number in range(20)))

    exists = [a.result for a in answered if isinstance(a, Refused)]
    assert set(exists) <= {TransferResult.EXISTS}
    assert len(answered) == 800
    report = await verify(bank.dsn)
    assert report.ok, report
    assert (report.open_holds, report.pending_cents) == (800, 800)
    assert bank.balance(bank.pi).credits_pending == 800


async def test_server_away_at_the_start_is_waited_for(
    bank: Bank, postgres_server: PostgresServer
) -> None:
    assert bank.writer is not None
    await bank.node.stop(bank.writer)
    postgres_server.stop()
    await bank.start()
    waiting = asyncio.ensure_future(bank.commit_transfers(bank.hold_of(1)))
    await bank.node.clock.sleep_ms(200)
    assert not waiting.done()

    postgres_server.start()

    assert await waiting == Committed()


async def test_idle_writer_notices_a_restarted_server_before_the_next_payment(
    bank: Bank, postgres_server: PostgresServer
) -> None:
    await supervise(bank)
    assert await bank.try_commit(NAME) == ()
    first = bank.node.whereis(NAME)
    assert first is not None

    postgres_server.kill()
    postgres_server.start()
    await bank.node.join(first)
    while bank.node.whereis(NAME) is None:
        await bank.node.clock.sleep_ms(5)

    assert await bank.try_commit(NAME, Entry((bank.hold_of(1),))) == (Committed(),)


async def test_frozen_server_makes_the_outcome_unknown_and_a_retry_finds_it(
    bank: Bank, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.writer.COMMIT_TIMEOUT_MS", 300)
    await supervise(bank)
    assert await bank.try_commit(NAME) == ()
    entry = Entry((bank.hold_of(1),), (), key("k"))
    frozen = backends(postgres_server)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(CalleeDied):
            await bank.node.call(NAME, Commit((entry,)))
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)

    answer = await pay_until_answered(bank, entry)

    assert answer == Committed() or isinstance(answer, Replayed)
    report = await verify(bank.dsn)
    assert (report.ok, report.open_holds) == (True, 1)


async def test_killed_writer_leaves_no_connection_and_its_successor_loads_the_truth(
    bank: Bank,
) -> None:
    payments = [bank.hold_of(1) for _ in range(50)]
    under_way = asyncio.gather(
        *(bank.commit_transfers(payment) for payment in payments), return_exceptions=True
    )
    await bank.node.clock.sleep_ms(2)
    assert bank.writer is not None
    bank.node.exit(bank.writer, Killed())
    answers = await under_way

    await bank.start()
    again = [await bank.commit_transfers(payment) for payment in payments]

    for before, after in zip(answers, again, strict=True):
        if before == Committed():
            assert isinstance(after, Refused)
            assert after.result is TransferResult.EXISTS
    report = await verify(bank.dsn)
    assert (report.ok, report.open_holds) == (True, 50)


async def test_settlement_redelivered_around_a_crash_is_booked_once(
    bank: Bank, postgres_server: PostgresServer
) -> None:
    await supervise(bank)
    payment = bank.hold_of(10)
    await pay_until_answered(bank, Entry((payment,)))
    settlement = Entry((post(bank.node.ids.new_id(), payment.id),))
    first = await pay_until_answered(bank, settlement)
    postgres_server.kill()
    postgres_server.start()

    again = await pay_until_answered(bank, settlement)

    assert first == Committed()
    assert isinstance(again, Refused)
    assert again.result is TransferResult.EXISTS
    assert bank.balance(bank.customer()).debits_posted == 10


def backends(server: PostgresServer) -> list[int]:
    return [server.pid, *(child.pid for child in psutil.Process(server.pid).children())]
