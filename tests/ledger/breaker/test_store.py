"""The journal on a real PostgreSQL, and the model of it that the simulations use."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec
import pytest

from actors import Killed, Node
from ledger import (
    Balance,
    Transfer,
    TransferFlag,
    TransferResult,
    UnsafeDurability,
    hold,
    post,
    void,
)
from ledger.breaker import (
    BreakerFenced,
    Change,
    Close,
    JournalUnknown,
    Open,
    Position,
    PostgresStore,
    Route,
    Row,
    RowState,
    Standing,
    Store,
    Submit,
    Turn,
)
from ledger.tigerbeetle import ledger_numbers
from tests.ledger.breaker.model import ModelledDatabase
from tests.ledger.breaker.served import ACCOUNTS, ANA, BEA, BOOKED, PI, TENANT, ServedBank
from tests.postgres import PostgresServer

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(params=["postgresql", "model"])
async def store(
    request: pytest.FixtureRequest, node: Node, migrated_dsn: str
) -> AsyncIterator[Store]:
    """Both: what the simulations prove of one must be true of the other."""
    if request.param == "model":
        yield ModelledDatabase(node).store()
        return
    postgres = PostgresStore(migrated_dsn, TENANT)
    yield postgres
    await postgres.close()


def row_of(sequence: int, transfer: Transfer, state: RowState) -> Row:
    is_decided = state not in (RowState.SENT, RowState.UNKNOWN)
    return Row(
        sequence,
        transfer,
        ANA,
        PI,
        transfer.amount_cents if transfer.pending_id is None else 10,
        1,
        Route.PG if state is RowState.NEW else Route.TB,
        state,
        int(TransferResult.CREATED) if is_decided else 0,
        state is not RowState.NEW,
    )


def a_hold(number: int) -> Transfer:
    return hold(UUID(int=number), ANA, PI, 10, 1)


async def test_store_gives_back_what_was_written(store: Store) -> None:
    first = await store.take()
    assert (first.epoch, first.position, first.accounts, first.unsettled) == (
        1,
        Position.CLOSED,
        [],
        [],
    )
    await store.write(Change(1, accounts=ACCOUNTS))
    wide = Transfer(UUID(int=10), ANA, PI, 2**63 - 1, 7, 0, None, 0, 986, 2**128 - 1, 2**64 - 1, 9)
    rows = [
        row_of(1, wide, RowState.SENT),
        row_of(2, a_hold(11), RowState.DONE),
        row_of(3, a_hold(12), RowState.DONE),
        row_of(4, post(UUID(int=13), UUID(int=12)), RowState.NEW),
    ]
    await store.write(Change(1, rows, {PI: Balance(1, 2, 3, 4), ANA: Balance(10, 0, 0, 50)}))

    second = await store.take()

    assert second.epoch == 2
    assert second.last_sequence == 4
    assert dict(second.accounts) == {
        ACCOUNTS[0]: Balance(1, 2, 3, 4),
        ACCOUNTS[1]: Balance(10, 0, 0, 50),
        ACCOUNTS[2]: Balance(0, 0, 0, 0),
    }
    assert list(second.holds) == [rows[1]]
    unknown = msgspec.structs.replace(rows[0], state=RowState.UNKNOWN, is_verified=False)
    assert list(second.unsettled) == [unknown, rows[3]]


async def test_store_finds_ids_holds_and_what_ended_them(store: Store) -> None:
    await store.take()
    ended, other = a_hold(12), a_hold(14)
    ending, failed = post(UUID(int=13), ended.id), post(UUID(int=15), ended.id)
    refused = msgspec.structs.replace(row_of(4, failed, RowState.FAILED), result=33)
    rows = [row_of(1, ended, RowState.DONE), row_of(2, ending, RowState.DONE)]
    await store.write(Change(1, [*rows, row_of(3, other, RowState.DONE), refused]))

    found = await store.find(1, [UUID(int=99)], [ended.id])
    assert sorted(found, key=lambda row: row.sequence) == rows
    found = await store.find(1, [failed.id, ending.id], [ended.id])
    assert sorted(found, key=lambda row: row.sequence) == [*rows, refused]
    assert await store.find(1, [], []) == []


async def test_reader_whose_epoch_is_over_is_told_so(store: Store) -> None:
    await store.take()
    await store.write(Change(1, [row_of(1, a_hold(12), RowState.SENT)]))
    await store.take()

    with pytest.raises(BreakerFenced):
        await store.find(1, [a_hold(12).id], [])
    with pytest.raises(BreakerFenced):
        await store.find(1, [], [])


async def test_verified_rows_are_at_their_end(store: Store) -> None:
    await store.take()
    rows = [row_of(1, a_hold(11), RowState.NEW), row_of(2, a_hold(12), RowState.SENT)]
    await store.write(Change(1, rows))
    await store.take()
    done = msgspec.structs.replace(
        rows[1], state=RowState.DONE, result=int(TransferResult.CREATED), is_verified=False
    )
    await store.write(Change(2, [done]))
    await store.write(Change(2, turn=Turn(Position.OPEN, True, "why", "who", AT), is_verified=True))

    books = await store.take()

    assert (books.epoch, books.position, books.is_held, books.reason) == (
        4,
        Position.OPEN,
        True,
        "why",
    )
    assert books.unsettled == []
    assert [row.state for row in books.holds] == [RowState.DONE, RowState.DONE]


async def test_writer_of_an_older_epoch_is_refused_whole(store: Store) -> None:
    await store.take()
    await store.take()

    with pytest.raises(BreakerFenced):
        await store.write(Change(1, [row_of(1, a_hold(11), RowState.SENT)], accounts=ACCOUNTS))

    books = await store.take()
    assert (books.accounts, books.last_sequence) == ([], 0)


async def test_table_refuses_a_second_end_of_a_hold_and_a_broken_limit(migrated_dsn: str) -> None:
    store = PostgresStore(migrated_dsn, TENANT)
    await store.take()
    await store.write(Change(1, [row_of(1, a_hold(11), RowState.DONE)], accounts=ACCOUNTS))
    ends = [post(UUID(int=number), UUID(int=11)) for number in (12, 13)]
    rows = [row_of(2 + n, end, RowState.DONE) for n, end in enumerate(ends)]

    with pytest.raises(asyncpg.UniqueViolationError):
        await store.write(Change(1, rows))
    with pytest.raises(asyncpg.CheckViolationError):
        await store.write(Change(1, balances={ANA: Balance(1, 0, 0, 0)}))

    assert (await store.take()).last_sequence == 1
    await store.close()


async def test_database_that_may_forget_is_not_trusted(migrated_dsn: str) -> None:
    connection = await asyncpg.connect(migrated_dsn)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await connection.close()

    with pytest.raises(UnsafeDurability, match="synchronous_commit"):
        await PostgresStore(migrated_dsn, TENANT).take()


async def test_absent_database_makes_the_outcome_unknown(
    migrated_dsn: str, postgres_server: PostgresServer
) -> None:
    store = PostgresStore(migrated_dsn, TENANT)
    await store.take()
    postgres_server.kill()
    with pytest.raises(JournalUnknown):
        await store.write(Change(1))
    with pytest.raises(JournalUnknown):
        await store.take()

    postgres_server.start()

    assert (await store.take()).epoch == 2
    await store.close()


async def test_tenants_have_ledgers_of_their_own_that_never_change(migrated_dsn: str) -> None:
    connection = await asyncpg.connect(migrated_dsn)
    first = await ledger_numbers(connection, TENANT, [986])
    other = await ledger_numbers(connection, "87654321", [986, 840])
    both = await ledger_numbers(connection, TENANT, [840, 986])
    await connection.close()

    assert both[986] == first[986]
    assert len({*both.values(), *other.values()}) == 4
    assert min(both.values()) > 0


@pytest.fixture
async def bank(node: Node, migrated_dsn: str) -> ServedBank:
    bank = ServedBank(node, migrated_dsn)
    await bank.start()
    return bank


async def test_outage_ends_with_equal_ledgers_and_an_audit(node: Node, migrated_dsn: str) -> None:
    bank = ServedBank(node, migrated_dsn, deadline_ms=1_000)
    await bank.start()
    held = hold(bank.node.ids.new_id(), ANA, PI, 30, 1)
    assert await bank.settle(held) in BOOKED
    bank.cluster.freeze()
    unknown = bank.plain(ANA, BEA, 50)
    assert await bank.submit(unknown) == (Standing.UNKNOWN,)
    ending = post(bank.node.ids.new_id(), held.id)
    assert await bank.submit(ending, bank.plain(ANA, BEA, 50)) == (
        TransferResult.CREATED,
        TransferResult.EXCEEDS_CREDITS,
    )

    bank.cluster.heal()
    await bank.closed()

    assert await bank.settle(unknown) is TransferResult.EXISTS
    await bank.check()
    events = await bank.rows("SELECT position, made_by FROM breaker_events ORDER BY number")
    assert events[-2:] == [("open", "breaker"), ("closed", "breaker")]
    journal = await bank.rows(
        "SELECT content_hash = sha256(content), route, epoch > 0 FROM breaker_journal"
    )
    assert {row[1] for row in journal} == {"tb", "pg"}
    assert all(row[0] and row[2] for row in journal)


async def test_killed_breaker_and_killed_database_lose_and_double_nothing(
    bank: ServedBank, postgres_server: PostgresServer
) -> None:
    answers: list[TransferResult] = []

    async def customer() -> None:
        for _ in range(15):
            answers.append(await bank.settle(bank.plain(PI, ANA, 1)))  # noqa: PERF401 (the killer watches it grow)

    async def killer() -> None:
        for reached in (10, 30, 50):
            while len(answers) < reached:
                await bank.node.clock.sleep_ms(1)
            pid = bank.node.whereis("breaker")
            if pid is not None:
                bank.node.exit(pid, Killed())
            if reached == 30:
                postgres_server.kill()
                postgres_server.start()

    await asyncio.gather(killer(), *(customer() for _ in range(5)))

    await bank.closed()
    await bank.check()
    paid = sum(answer in BOOKED for answer in answers)
    assert len(answers) == 75
    assert bank.cluster.balance(ANA).credits_posted == 100 + paid


async def test_second_breaker_takes_over_and_the_first_one_ends(bank: ServedBank) -> None:
    first = bank.node.whereis("breaker")
    assert first is not None
    await bank.node.start(bank.make(), name="second")
    assert await bank.node.call("second", Submit((bank.plain(PI, ANA, 1),)), timeout_ms=60_000)

    await bank.settle(bank.plain(PI, ANA, 1))

    assert not bank.node.is_alive(first)
    await bank.check()


async def test_drill_by_hand_is_on_record(bank: ServedBank) -> None:
    await bank.call(Open("drill", "ana"))
    assert await bank.submit(bank.plain(ANA, BEA, 5)) == (TransferResult.CREATED,)
    await bank.call(Close("drill is over", "bea"))

    await bank.check()
    assert await bank.rows(
        "SELECT position, is_held, reason, made_by FROM breaker_events ORDER BY number"
    ) == [("open", True, "drill", "ana"), ("closed", False, "drill is over", "bea")]


async def test_chains_ends_of_holds_and_closed_accounts_survive_the_breaker(
    node: Node, migrated_dsn: str
) -> None:
    bank = ServedBank(node, migrated_dsn)
    await bank.start()
    linked = msgspec.structs.replace(bank.plain(ANA, BEA, 10), flags=int(TransferFlag.LINKED))
    held = hold(node.ids.new_id(), ANA, PI, 40, 1, timeout_seconds=1)
    flags = int(TransferFlag.PENDING | TransferFlag.CLOSING_DEBIT)
    closing = Transfer(node.ids.new_id(), BEA, PI, 0, 1, flags)
    transfers = (linked, bank.plain(BEA, ANA, 110), held, closing)
    assert await bank.submit(*transfers) == (TransferResult.CREATED,) * 4

    pid = node.whereis("breaker")
    assert pid is not None
    node.exit(pid, Killed())

    while bank.cluster.balance(ANA).debits_pending:
        await node.clock.sleep_ms(20)
    refused = await bank.settle(bank.plain(BEA, ANA, 1))
    assert refused is TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED
    assert await bank.settle(void(node.ids.new_id(), closing.id)) is TransferResult.CREATED
    await bank.check()
