"""Kill -9 and frozen processes in the middle of batches, again and again, under load."""

import asyncio
import itertools
import random
import signal
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from ledger import Transfer, TransferCode, TransferFlag, hold, post, replay, verify
from tests.ledger.bank import Bank
from tests.ledger.writer_process import UNKNOWN, WriterProcess
from tests.postgres import PostgresServer

CLIENTS = 6
TRANSFERS = 25
"""Of one request."""

BETWEEN_KILLS = 500
"""Transfers acknowledged between two kills."""

KILL_DELAY_SECONDS_MAX = 0.02
WRITING_AGAIN_SECONDS_MAX = 15.0
SEED = 2_603
DONE, EXISTS = "Committed", "EXISTS"
REFUSED = {"Fenced", "NotOwner"}


class Traffic:
    """Clients that ask with the same ids until they know, and what they were told."""

    def __init__(self, bank: Bank, writer: WriterProcess) -> None:
        self.bank = bank
        self.writer = writer
        self.acknowledged: list[Transfer] = []
        self.is_ending = False
        self.unknown = 0
        self._committed: set[Transfer] = set()
        self._numbers: Iterator[int] = itertools.count(1)
        self._has_news = asyncio.Event()

    async def client(self) -> None:
        """Transfers, and holds that the next request posts."""
        held: list[Transfer] = []
        while not self.is_ending:
            request = tuple(self._ends(held) + self._moves(TRANSFERS - len(held)))
            await self.settle(request)
            held = [each for each in request if each.flags & TransferFlag.PENDING]

    async def settle(self, transfers: tuple[Transfer, ...]) -> None:
        """Ask until all are acknowledged."""
        while True:
            outcomes = await self.writer.ask(next(self._numbers), transfers)
            if set(outcomes) <= {DONE, EXISTS}:
                self._take(transfers, outcomes)
                return
            assert set(outcomes) == {UNKNOWN}, outcomes
            self.unknown += 1
            await asyncio.sleep(0.01)

    async def until_acknowledged(self, more: int) -> None:
        """Wait until so many more transfers are acknowledged."""
        goal = len(self.acknowledged) + more
        while len(self.acknowledged) < goal:
            self._has_news.clear()
            await self._has_news.wait()

    def _take(self, transfers: tuple[Transfer, ...], outcomes: tuple[str, ...]) -> None:
        done = {each for each, word in zip(transfers, outcomes, strict=True) if word == DONE}
        assert done.isdisjoint(self._committed), "the same transfer was done twice"
        self._committed |= done
        self.acknowledged += transfers
        self._has_news.set()

    def _moves(self, count: int) -> list[Transfer]:
        new_id, own, pi = self.bank.node.ids.new_id, self.bank.accounts[0].id, self.bank.pi
        code = TransferCode.BOOK_TRANSFER
        return [
            hold(new_id(), own, pi, 1, code) if n % 3 == 0 else Transfer(new_id(), own, pi, 1, code)
            for n in range(count)
        ]

    def _ends(self, held: list[Transfer]) -> list[Transfer]:
        return [post(self.bank.node.ids.new_id(), each.id, 1) for each in held]


@pytest.fixture
async def start(
    bank: Bank, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[WriterProcess]]]:
    """Start writers of the bank's shard as programs; the one of this process is stopped."""
    assert bank.writer is not None
    await bank.node.stop(bank.writer)
    started: list[WriterProcess] = []

    async def start_one(**owner: str) -> WriterProcess:
        started.append(await WriterProcess.start(bank.dsn, tmp_path / "writer.log", **owner))
        return started[-1]

    yield start_one
    for each in started:
        await each.kill()


@pytest.mark.parametrize(
    "rounds", [3, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
async def test_nothing_acknowledged_is_lost_or_done_twice_whatever_is_killed(
    bank: Bank,
    start: Callable[..., Awaitable[WriterProcess]],
    postgres_server: PostgresServer,
    rounds: int,
) -> None:
    chance = random.Random(SEED)
    traffic = Traffic(bank, await start())
    waits = []
    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(traffic.client())
        for victims in itertools.islice(itertools.cycle([(1, 0), (0, 1), (1, 1)]), rounds):
            await traffic.until_acknowledged(BETWEEN_KILLS)
            await asyncio.sleep(chance.uniform(0, KILL_DELAY_SECONDS_MAX))
            killed_at = time.monotonic()
            if victims[0]:
                await traffic.writer.kill()
            if victims[1]:
                postgres_server.kill()
                postgres_server.start()
            if victims[0]:
                traffic.writer = await start()
            await traffic.settle(moves(bank))  # asked now: what was said before does not count
            waits.append(time.monotonic() - killed_at)
        traffic.is_ending = True

    print(f"writing again: median {statistics.median(waits):.2f} s, longest {max(waits):.2f} s")
    assert max(waits) < WRITING_AGAIN_SECONDS_MAX
    assert traffic.unknown >= rounds, "no kill came into the middle of a batch"
    await assert_all_there_once(bank, traffic)


async def test_writer_started_on_purpose_beside_another_is_the_only_one_to_commit(
    bank: Bank, start: Callable[..., Awaitable[WriterProcess]]
) -> None:
    older = Traffic(bank, await start())
    await older.settle(moves(bank))
    questions = [older.writer.ask(-n, moves(bank)) for n in range(1, 200)]
    waiting = asyncio.gather(*questions)
    younger = Traffic(bank, await start())

    await younger.settle(moves(bank))

    words = {word for outcomes in await waiting for word in outcomes}
    assert words <= {DONE, UNKNOWN, *REFUSED}
    assert set(await older.writer.ask(0, moves(bank))) <= {UNKNOWN, *REFUSED}
    assert set(await older.writer.ask(0, moves(bank))) == {"NotOwner"}
    await assert_none_after(bank, younger)


async def test_writer_of_another_owner_commits_nothing(
    bank: Bank, start: Callable[..., Awaitable[WriterProcess]]
) -> None:
    rightful = Traffic(bank, await start())
    await rightful.settle(moves(bank))

    stranger = await start(owner="two")

    assert set(await stranger.ask(1, moves(bank))) == {"NotOwner"}
    await rightful.settle(moves(bank))
    assert rightful.unknown == 0
    await assert_all_there_once(bank, rightful)


async def test_writer_frozen_while_its_lease_is_taken_cannot_commit_when_it_wakes(
    bank: Bank, start: Callable[..., Awaitable[WriterProcess]]
) -> None:
    frozen = Traffic(bank, await start())
    await frozen.settle(moves(bank))
    waiting = asyncio.gather(*(frozen.writer.ask(-n, moves(bank)) for n in range(1, 200)))
    await asyncio.sleep(0.01)
    frozen.writer.signal(signal.SIGSTOP)
    unanswered = frozen.writer.waiting
    heir = Traffic(bank, await start())
    await heir.settle(moves(bank))

    frozen.writer.signal(signal.SIGCONT)

    words = [word for outcomes in await waiting for word in outcomes]
    assert unanswered > 0
    assert set(words) <= {DONE, UNKNOWN, *REFUSED}
    assert REFUSED & set(words)
    await heir.settle(moves(bank))
    await assert_none_after(bank, heir)


def moves(bank: Bank) -> tuple[Transfer, ...]:
    new_id, own, pi = bank.node.ids.new_id, bank.accounts[0].id, bank.pi
    return tuple(
        Transfer(new_id(), own, pi, 1, TransferCode.BOOK_TRANSFER) for _ in range(TRANSFERS)
    )


async def assert_all_there_once(bank: Bank, traffic: Traffic) -> None:
    """What is stored is what was acknowledged: each once, and the books come to it."""
    connection = await asyncpg.connect(bank.dsn)
    stored = {row["id"] for row in await connection.fetch("SELECT id FROM transfers")}
    moved = await connection.fetchval("SELECT credits_posted FROM accounts WHERE id = $1", bank.pi)
    await connection.close()
    acknowledged = {each.id for each in traffic.acknowledged}
    assert len(acknowledged) == len(traffic.acknowledged)
    assert acknowledged <= stored
    assert moved == sum(not each.flags & TransferFlag.PENDING for each in traffic.acknowledged)
    assert (await verify(bank.dsn)).ok
    assert (await replay(bank.dsn)).ok


async def assert_none_after(bank: Bank, heir: Traffic) -> None:
    """From the heir's first transfer on, the journal has nothing but the heir's."""
    connection = await asyncpg.connect(bank.dsn)
    rows = await connection.fetch("SELECT id FROM transfers ORDER BY sequence")
    await connection.close()
    own = {each.id for each in heir.acknowledged}
    later = [row["id"] for row in itertools.dropwhile(lambda row: row["id"] not in own, rows)]
    assert set(later) == own
    assert (await verify(bank.dsn)).ok
