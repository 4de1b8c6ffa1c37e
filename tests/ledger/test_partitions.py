"""A month of transfers is a table of its own, and nobody can tell but by its speed."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from ledger import Committed, Entry, Refused, Transfer, TransferCode, TransferResult, post, verify
from ledger.partitions import count_odd, first_id, make_partitions, months_from
from ledger.statements import KNOWN_TRANSFERS
from ledger.store import SESSION
from tests.ledger.bank import Bank

NOVEMBER = datetime(2031, 11, 30, 23, 59, tzinfo=UTC)
MONTHS = ["transfers_2031_11", "transfers_2031_12", "transfers_2032_01", "transfers_2032_02"]
COUNTS = "SELECT tableoid::regclass::text AS month, count(*) AS n FROM transfers GROUP BY 1"


@pytest.fixture
async def connection(migrated_dsn: str) -> AsyncIterator[Any]:
    connected = await asyncpg.connect(migrated_dsn)
    yield connected
    await connected.close()


def test_month_of_an_id_is_the_month_of_its_first_48_bits() -> None:
    newest_of_november = first_id(2031, 12).int - 1

    assert first_id(1970, 1) == UUID(int=0)
    assert str(first_id(2031, 12)).endswith("-0000-0000-000000000000")
    made_at = datetime.fromtimestamp((newest_of_november >> 80) / 1_000, UTC)
    assert made_at == datetime(2031, 12, 1, tzinfo=UTC) - timedelta(milliseconds=1)


def test_months_ahead_go_over_the_end_of_the_year() -> None:
    assert months_from(NOVEMBER, 3) == [(2031, 11), (2031, 12), (2032, 1)]


async def test_partitions_are_made_once_and_one_more_a_month(connection: Any) -> None:
    assert await make_partitions(connection, NOVEMBER) == MONTHS
    assert await make_partitions(connection, NOVEMBER) == []
    december = NOVEMBER + timedelta(minutes=1)
    assert await make_partitions(connection, december) == ["transfers_2032_03"]


async def test_programs_that_make_partitions_at_once_make_each_once(migrated_dsn: str) -> None:
    connections = [await asyncpg.connect(migrated_dsn) for _ in range(4)]
    made = await asyncio.gather(*(make_partitions(each, NOVEMBER) for each in connections))
    for each in connections:
        await each.close()

    assert sorted(name for names in made for name in names) == MONTHS


async def test_writer_has_the_months_it_writes_to_and_nothing_lies_among_the_odd(
    bank: Bank,
) -> None:
    connection = await asyncpg.connect(bank.dsn)
    months = await connection.fetchval(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'transfers'::regclass"
    )
    odd = await count_odd(connection)
    await connection.close()

    assert months == 6  # four months, those without a time, the others
    assert odd == 0


@pytest.mark.parametrize(("chosen", "odd"), [(UUID(int=5), 0), (UUID(int=5 << 120), 1)])
async def test_odd_ids_are_kept_apart_and_found_again(bank: Bank, chosen: UUID, odd: int) -> None:
    transfer = Transfer(chosen, bank.accounts[0].id, bank.pi, 1, code=TransferCode.BOOK_TRANSFER)
    assert await bank.commit_transfers(transfer) == Committed()
    await bank.restart()

    assert await bank.commit_transfers(transfer) == Refused(TransferResult.EXISTS, transfer.id)
    connection = await asyncpg.connect(bank.dsn)
    assert await count_odd(connection) == odd
    await connection.close()
    assert (await verify(bank.dsn)).ok


async def test_hold_is_resolved_once_also_by_a_writer_that_does_not_know(bank: Bank) -> None:
    held = bank.hold_of(10)
    await bank.commit_transfers(held)
    first, second = (post(bank.node.ids.new_id(), held.id) for _ in range(2))
    assert await bank.commit_transfers(first) == Committed()
    await bank.restart()

    answers = await bank.commit(Entry((first,)), Entry((second,)))

    already = TransferResult.PENDING_TRANSFER_ALREADY_POSTED
    assert answers == (
        Refused(TransferResult.EXISTS, first.id),
        Refused(already, second.id),
    )


async def test_month_with_transfers_among_the_odd_is_refused_and_nothing_is_made(
    connection: Any,
) -> None:
    await connection.execute("INSERT INTO shards (id, tenant, owner) VALUES (1, '12345678', 'x')")
    await connection.execute(
        "INSERT INTO transfers (id, shard, sequence, debit_account_id, credit_account_id,"
        " amount_cents, code, kind, at, timestamp) VALUES ($1, 1, 1, $1, $2, 1, 1, 0, now(), 1)",
        *(first_id(2031, 12), UUID(int=1)),
    )

    with pytest.raises(asyncpg.CheckViolationError):
        await make_partitions(connection, NOVEMBER)

    assert [row["month"] for row in await connection.fetch(COUNTS)] == ["transfers_default"]
    assert await make_partitions(connection, datetime(2032, 1, 1, tzinfo=UTC)) != []


async def test_long_read_puts_new_months_off_and_holds_up_no_writer(
    connection: Any, migrated_dsn: str
) -> None:
    reader = await asyncpg.connect(migrated_dsn)
    try:
        async with reader.transaction(isolation="repeatable_read", readonly=True):
            await reader.fetch("SELECT count(*) FROM transfers")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await make_partitions(connection, NOVEMBER)
        assert await make_partitions(connection, NOVEMBER) == MONTHS
    finally:
        await reader.close()


async def test_id_is_looked_for_in_its_own_month_only(migrated_dsn: str) -> None:
    connection = await asyncpg.connect(migrated_dsn, server_settings=SESSION)
    await make_partitions(connection, NOVEMBER)
    await connection.execute(f"PREPARE known (uuid[], uuid[]) AS {KNOWN_TRANSFERS}")
    asked = f"ARRAY['{first_id(2031, 12)}']::uuid[]"
    plan = await connection.fetch(f"EXPLAIN (ANALYZE) EXECUTE known ({asked}, {asked})")
    await connection.close()

    looked = [
        row[0]
        for row in plan
        if re.search(r" on transfers_(\d|default)", row[0]) and "loops=" in row[0]
    ]
    read = [line for line in looked if "never executed" not in line]
    assert len(read) == 1
    assert "transfers_2031_12" in read[0]
