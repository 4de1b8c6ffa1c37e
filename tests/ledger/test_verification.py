import asyncio
import sys

import asyncpg
import pytest

from ledger import Entry, migrate, post, verify
from tests.ledger.bank import Bank, key

TAMPERED = {
    "posted debits equal posted credits": (
        "UPDATE accounts SET credits_posted = credits_posted + 1 WHERE number = '0'"
    ),
    "pending debits equal pending credits": (
        "UPDATE accounts SET credits_pending = credits_pending + 1 WHERE number = '0'"
    ),
    "accounts whose counters differ from the replay of their transfers": """
        UPDATE accounts SET credits_posted = credits_posted
            + CASE number WHEN '0' THEN 1 ELSE -1 END WHERE number IN ('0', '1')
        """,
    "holds resolved more than once": """
        INSERT INTO transfers SELECT gen_random_uuid(), shard, 99, debit_account_id,
            credit_account_id, amount_cents, code, 3, pending_id, at, timestamp, held_cents
        FROM transfers WHERE kind = 2
        """,
    "ends of holds without their entry in the resolutions, and the other way round": (
        "DELETE FROM resolutions"
    ),
    "ends of holds that are not like their hold": (
        "UPDATE transfers SET held_cents = held_cents + 1 WHERE kind = 2"
    ),
    "transfers whose timestamp is not later than the one before": (
        "UPDATE transfers SET timestamp = 1"
    ),
    "stored transfers whose id had failed": """
        INSERT INTO failed_transfers SELECT id, shard, 54, at FROM transfers LIMIT 1
        """,
    "limited accounts below zero": """
        ALTER TABLE accounts DROP CONSTRAINT accounts_debits_limit;
        UPDATE accounts SET debits_posted = credits_posted + 1 WHERE number = '0'
        """,
    "transfers between accounts of different shards": """
        INSERT INTO shards (id, tenant, owner) VALUES (9, '12345678', 'x');
        UPDATE accounts SET shard = 9 WHERE number = '0'
        """,
    "transfers numbered without a gap": (
        "DELETE FROM transfers WHERE sequence = (SELECT max(sequence) FROM transfers)"
    ),
    "outbox events numbered without a gap": (
        "UPDATE shards SET outbox_sequence = outbox_sequence + 1"
    ),
    "snapshots of balances that differ from the replay before them": """
        INSERT INTO snapshots SELECT shard, sequence, timestamp, at, at FROM transfers
        WHERE sequence = 3
        """,
    "open holds that a reload would not see": "UPDATE shards SET oldest_open_hold = NULL",
}


@pytest.fixture
async def busy_bank(bank: Bank) -> Bank:
    """A bank with one open and one posted hold."""
    posted = bank.hold_of(10)
    await bank.commit(Entry((posted,), (), key("k")), Entry((bank.hold_of(7, 1),)))
    await bank.commit_transfers(post(bank.node.ids.new_id(), posted.id))
    return bank


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def test_sound_books_pass_every_check_and_are_counted(busy_bank: Bank) -> None:
    report = await verify(busy_bank.dsn)

    assert [check for check in report.checks if not check.ok] == []
    assert {check.name for check in report.checks} == set(TAMPERED)
    assert (report.accounts, report.transfers, report.open_holds) == (7, 8, 1)
    assert (report.posted_cents, report.pending_cents) == (500_010, 7)


@pytest.mark.parametrize("name", TAMPERED)
async def test_tampered_books_fail_the_check_that_is_meant_for_it(
    busy_bank: Bank, name: str
) -> None:
    await execute(busy_bank.dsn, TAMPERED[name])

    report = await verify(busy_bank.dsn)

    assert not report.ok
    assert name in {check.name for check in report.checks if not check.ok}


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        (
            "UPDATE accounts SET debits_posted = credits_posted + 1 WHERE number = '0'",
            "accounts_debits_limit",
        ),
        ("UPDATE accounts SET debits_pending = -1", "accounts_debits_pending_check"),
        ("INSERT INTO resolutions SELECT * FROM resolutions", "transfers_pending_id"),
        (
            """
            INSERT INTO accounts (id, shard, tenant, code, flags, ledger, branch, number, opened_at)
            SELECT gen_random_uuid(), shard, tenant, code, 0, 986, branch, number, now()
            FROM accounts
            WHERE number = '0'
            """,
            "accounts_number",
        ),
    ],
)
async def test_database_itself_refuses_rows_that_break_the_books(
    busy_bank: Bank, sql: str, rule: str
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refusal:
        await execute(busy_bank.dsn, sql)

    assert refusal.value.constraint_name == rule


async def test_migration_of_a_current_database_changes_nothing(busy_bank: Bank) -> None:
    before = await verify(busy_bank.dsn)

    await migrate(busy_bank.dsn)

    assert await verify(busy_bank.dsn) == before


async def test_programs_that_start_together_migrate_one_after_the_other(postgres_dsn: str) -> None:
    program = f"import asyncio, ledger; asyncio.run(ledger.migrate({postgres_dsn!r}))"

    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program) for _ in range(3)
    ]

    assert [await process.wait() for process in started] == [0, 0, 0]
    assert (await verify(postgres_dsn)).ok
