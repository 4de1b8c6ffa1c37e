"""Balances at an instant and statements, on books with a chosen past."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger import Balance, Committed, OverLimit, TransferKind, post, void
from ledger.cosif import Nature, NoRubric, nature_of
from ledger.reports import (
    AccountNotFound,
    Funds,
    InvalidPeriod,
    Period,
    balance_at,
    find_account,
    funds,
    statement,
    statement_pages,
)
from tests.ledger.bank import FUNDS_CENTS, TENANT, Bank
from tests.ledger.history import OTHER_TENANT, History, stored

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVER = Period(START - HOUR, START + 100 * HOUR)


def at(hours: int) -> datetime:
    return START + hours * HOUR


@pytest.fixture
def history() -> History:
    """Ana gets 1000, holds 100 and posts 60 of it, holds 50 and voids it, holds 7.

    She pays 200 to Bea, and a hold of 9 ends by itself.
    """
    history = History()
    history.move(history.pi, history.ana, 1_000, at(0))
    partly = history.hold(history.ana, history.pi, 100, at(1))
    history.post(partly, at(2), 60)
    voided = history.hold(history.ana, history.pi, 50, at(3))
    history.void(voided, at(4))
    history.hold(history.ana, history.pi, 7, at(5))
    history.move(history.ana, history.bea, 200, at(6))
    history.expire(history.hold(history.ana, history.pi, 9, at(7)), at(8))
    history.move(history.strange_pi, history.stranger, 5, at(6))
    return history


@pytest.fixture
async def connection(history: History, migrated_dsn: str) -> AsyncIterator[Any]:
    connection = await stored(history, migrated_dsn)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (-1, Balance(0, 0, 0, 0)),
        (0, Balance(0, 0, 0, 1_000)),
        (1, Balance(100, 0, 0, 1_000)),
        (2, Balance(0, 60, 0, 1_000)),
        (3, Balance(50, 60, 0, 1_000)),
        (4, Balance(0, 60, 0, 1_000)),
        (5, Balance(7, 60, 0, 1_000)),
        (6, Balance(7, 260, 0, 1_000)),
        (7, Balance(16, 260, 0, 1_000)),
        (8, Balance(7, 260, 0, 1_000)),
    ],
)
async def test_balance_knows_holds_and_how_they_ended_at_every_instant(
    history: History, connection: Any, hours: int, expected: Balance
) -> None:
    assert await balance_at(connection, history.ana, at(hours), tenant=TENANT) == expected


async def test_balance_at_an_instant_has_what_happened_at_it_and_not_what_came_after(
    history: History, connection: Any
) -> None:
    before = at(0) - timedelta(microseconds=1)

    assert (await balance_at(connection, history.ana, at(0), tenant=TENANT)).posted_cents == 1_000
    assert (await balance_at(connection, history.ana, before, tenant=TENANT)).posted_cents == 0


async def test_balance_at_needs_an_instant_with_a_time_zone(
    history: History, connection: Any
) -> None:
    with pytest.raises(InvalidPeriod):
        await balance_at(connection, history.ana, datetime(2026, 1, 1), tenant=TENANT)  # noqa: DTZ001 - what is refused


async def test_account_of_another_tenant_is_not_found_by_any_read(
    history: History, connection: Any
) -> None:
    unknown = UUID(int=999)

    for account, tenant in [(history.stranger, TENANT), (unknown, TENANT)]:
        with pytest.raises(AccountNotFound):
            await balance_at(connection, account, at(9), tenant=tenant)
        with pytest.raises(AccountNotFound):
            await statement(connection, account, EVER, tenant=tenant)
        with pytest.raises(AccountNotFound):
            async with aclosing(statement_pages(connection, account, EVER, tenant=tenant)) as pages:
                await anext(pages)
    for name in (f"{history.stranger.int}", f"{history.stranger}"):
        with pytest.raises(AccountNotFound):
            await find_account(connection, name, tenant=TENANT)
    assert (await balance_at(connection, history.stranger, at(99), tenant=OTHER_TENANT))[3] == 5


async def test_account_is_found_by_id_number_and_branch(history: History, connection: Any) -> None:
    number = f"{history.ana.int}"

    for name in (str(history.ana), number, f"0001/{number}"):
        assert await find_account(connection, name, tenant=TENANT) == history.ana
    with pytest.raises(AccountNotFound, match="there is no account 0002/1"):
        await find_account(connection, f"0002/{number}", tenant=TENANT)


async def test_number_that_two_branches_have_must_be_named_with_its_branch(
    history: History, connection: Any
) -> None:
    await connection.execute("UPDATE accounts SET number = '7', branch = id::text WHERE shard = 1")

    with pytest.raises(AccountNotFound, match="name it as BRANCH/NUMBER"):
        await find_account(connection, "7", tenant=TENANT)
    assert await find_account(connection, f"{history.bea}/7", tenant=TENANT) == history.bea


async def test_account_of_a_kind_that_no_program_knows_has_no_statement(
    history: History, connection: Any
) -> None:
    await connection.execute("UPDATE accounts SET code = 9999 WHERE id = $1", history.ana)

    with pytest.raises(NoRubric, match="account code 9999 has no COSIF rubric"):
        await statement(connection, history.ana, EVER, tenant=TENANT)


async def test_statement_shows_holds_as_blocked_and_posts_as_moved(
    history: History, connection: Any
) -> None:
    page = await statement(connection, history.ana, EVER, tenant=TENANT)

    shown = [
        (line.kind.name, line.amount_cents, line.moved_cents, *_pair(line.after))
        for line in page.lines
    ]
    assert shown == [
        ("POSTED", 1_000, 1_000, 1_000, 0),
        ("PENDING", 100, 0, 1_000, 100),
        ("POST", 60, -60, 940, 0),
        ("PENDING", 50, 0, 940, 50),
        ("VOID", 50, 0, 940, 0),
        ("PENDING", 7, 0, 940, 7),
        ("POSTED", 200, -200, 740, 7),
        ("PENDING", 9, 0, 740, 16),
        ("EXPIRED", 9, 0, 740, 7),
    ]
    assert (page.opening, page.closing) == (Funds(0, 0), Funds(740, 7))
    assert page.closing.available_cents == 733
    assert page.next_cursor is None


def _pair(money: Funds) -> tuple[int, int]:
    return money.balance_cents, money.blocked_cents


async def test_line_names_the_other_account_the_side_and_the_hold(
    history: History, connection: Any
) -> None:
    page = await statement(connection, history.ana, EVER, tenant=TENANT)

    first, hold, partly, *_ = page.lines
    assert (first.is_debit, first.counterpart_id, first.at) == (False, history.pi, at(0))
    assert (hold.is_debit, partly.pending_id) == (True, hold.transfer_id)
    assert (page.account.number, page.account.branch) == ("1", "0001")


async def test_statement_of_an_asset_grows_by_debits(history: History, connection: Any) -> None:
    page = await statement(connection, history.pi, EVER, tenant=TENANT)

    assert page.lines[0].moved_cents == 1_000
    assert page.closing == Funds(940, 7)


async def test_incoming_hold_blocks_nothing_of_its_receiver(migrated_dsn: str) -> None:
    history = History()
    history.hold(history.ana, history.bea, 30, at(0))
    connection = await stored(history, migrated_dsn)

    page = await statement(connection, history.bea, EVER, tenant=TENANT)

    await connection.close()
    assert [line.after for line in page.lines] == [Funds(0, 0)]


async def test_statement_of_a_period_opens_with_what_came_before(
    history: History, connection: Any
) -> None:
    page = await statement(connection, history.ana, Period(at(3), at(5)), tenant=TENANT)

    assert [line.at for line in page.lines] == [at(3), at(4), at(5)]
    assert (page.opening, page.closing) == (Funds(940, 0), Funds(940, 7))


async def test_statement_without_lines_has_both_balances(history: History, connection: Any) -> None:
    later = Period(at(50), at(60))

    page = await statement(connection, history.ana, later, tenant=TENANT)

    assert (page.lines, page.opening, page.closing) == ((), Funds(740, 7), Funds(740, 7))
    assert page.next_cursor is None


@pytest.mark.parametrize("lines_max", [1, 2, 3, 9, 10])
async def test_pages_follow_each_other_whoever_turns_them(
    history: History, connection: Any, lines_max: int
) -> None:
    whole = await statement(connection, history.ana, EVER, tenant=TENANT)
    turned, cursor = [], None
    while not turned or cursor is not None:
        page = await statement(
            connection, history.ana, EVER, tenant=TENANT, cursor=cursor, lines_max=lines_max
        )
        turned.append(page)
        cursor = page.next_cursor

    async with aclosing(
        statement_pages(connection, history.ana, EVER, tenant=TENANT, lines_max=lines_max)
    ) as pages:
        streamed = [page async for page in pages]

    assert streamed == turned
    assert [line for page in turned for line in page.lines] == list(whole.lines)
    assert {(page.opening, page.closing) for page in turned} == {(whole.opening, whole.closing)}
    assert not connection.is_in_transaction()


@pytest.mark.parametrize("lines_max", [0, -1, 1_001])
async def test_page_has_a_size_within_its_limit(
    history: History, connection: Any, lines_max: int
) -> None:
    with pytest.raises(OverLimit):
        await statement(connection, history.ana, EVER, tenant=TENANT, lines_max=lines_max)


async def test_pages_of_one_transaction_do_not_see_what_is_booked_meanwhile(
    history: History, connection: Any, migrated_dsn: str
) -> None:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        before = await statement(connection, history.ana, EVER, tenant=TENANT, lines_max=2)
        history.move(history.pi, history.ana, 1, at(9))
        other = await stored_beside(history, migrated_dsn)
        again = await statement(connection, history.ana, EVER, tenant=TENANT, lines_max=2)
    after = await statement(connection, history.ana, EVER, tenant=TENANT, lines_max=2)

    await other.close()
    assert before == again
    assert after.closing.balance_cents == before.closing.balance_cents + 1


async def stored_beside(history: History, dsn: str) -> Any:
    """Book the last transfer of the history on a connection of its own."""
    import asyncpg

    connection = await asyncpg.connect(dsn)
    last = history.booked[-1]
    await connection.execute(
        "INSERT INTO transfers (id, shard, sequence, debit_account_id, credit_account_id,"
        " amount_cents, code, kind, at, timestamp) VALUES ($1, 1, 99, $2, $3, $4, 1, 0, $5, 99)",
        *(last.id, last.debit, last.credit, last.amount_cents, last.at),
    )
    return connection


async def test_books_of_the_writer_read_as_they_are_in_memory(bank: Bank) -> None:
    import asyncpg

    ids = bank.node.ids.new_id
    posted, voided, kept = bank.hold_of(10), bank.hold_of(20), bank.hold_of(30)
    for transfer in (posted, voided, kept, post(ids(), posted.id, 4), void(ids(), voided.id)):
        assert await bank.commit_transfers(transfer) == Committed()
    now = bank.node.clock.now()
    connection = await asyncpg.connect(bank.dsn)

    found = {
        account.id: await balance_at(connection, account.id, now, tenant=TENANT)
        for account in bank.accounts
    }
    page = await statement(connection, bank.customer(), Period(now - 24 * HOUR, now), tenant=TENANT)

    await connection.close()
    assert found == {account.id: bank.balance(account.id) for account in bank.accounts}
    assert page.closing == Funds(FUNDS_CENTS - 4, 30)
    assert [line.kind for line in page.lines].count(TransferKind.PENDING) == 3


def test_funds_of_an_account_depend_on_its_nature() -> None:
    counters = Balance(debits_pending=1, debits_posted=10, credits_pending=2, credits_posted=30)

    assert funds(counters, Nature.CREDIT) == Funds(20, 1)
    assert funds(counters, Nature.DEBIT) == Funds(-20, 2)
    assert nature_of(1) is Nature.CREDIT
