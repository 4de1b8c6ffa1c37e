import asyncio

import asyncpg
import pytest

from actors import CalleeDied, Crash
from ledger import (
    AccountBook,
    BatchCommitted,
    Committed,
    Entry,
    Fenced,
    NotOwner,
    ShardSettings,
    UnsafeDurability,
    assign_shard,
    verify,
)
from tests.ledger.bank import SHARD, TENANT, Bank


async def test_second_commit_with_stale_epoch_is_refused(bank: Bank) -> None:
    older, younger = bank, Bank(bank.node, bank.dsn, accounts=bank.accounts)
    assert older.writer is not None
    await younger.start()
    assert await younger.commit_transfers(younger.hold_of(1)) == Committed()

    with pytest.raises(Fenced):
        await older.commit_transfers(older.hold_of(2))

    reason = await bank.node.join(older.writer)
    assert not isinstance(reason, Crash) or isinstance(reason.error, Fenced)
    assert younger.balance(younger.customer()).debits_pending == 1
    assert (await verify(bank.dsn)).pending_cents == 1


async def test_stale_writer_gives_no_answer_from_its_old_memory(bank: Bank) -> None:
    older, younger = bank, Bank(bank.node, bank.dsn, accounts=bank.accounts)
    await younger.start()
    await younger.commit()

    with pytest.raises(Fenced):  # only refused entries: nothing to write, still nothing to say
        await older.commit_transfers(older.hold_of(10**9))


async def test_fenced_writer_of_the_same_owner_does_not_take_the_shard_back(bank: Bank) -> None:
    older, younger = bank, Bank(bank.node, bank.dsn, accounts=bank.accounts)
    await younger.start()
    await younger.commit()
    with pytest.raises(Fenced):
        await older.commit_transfers(older.hold_of(1))

    await older.start()  # its supervisor

    with pytest.raises(NotOwner):
        await older.commit()
    assert await younger.commit_transfers(younger.hold_of(2)) == Committed()


async def test_writer_that_is_not_the_owner_stands_by_until_it_is(empty_bank: Bank) -> None:
    other = ShardSettings(SHARD.id, TENANT, "two")
    await assign_shard(empty_bank.dsn, other)
    await empty_bank.start()
    with pytest.raises(NotOwner) as refusal:
        await empty_bank.commit()
    assert refusal.value.owner == "two"
    assert not empty_bank.book.is_loaded

    await assign_shard(empty_bank.dsn, SHARD)

    while not empty_bank.book.is_loaded:
        await empty_bank.node.clock.sleep_ms(20)
    assert await empty_bank.commit() == ()


async def test_shard_assigned_back_is_taken_again(bank: Bank) -> None:
    await assign_shard(bank.dsn, ShardSettings(SHARD.id, TENANT, "two"))
    with pytest.raises(Fenced):
        await bank.commit_transfers(bank.hold_of(1))

    await assign_shard(bank.dsn, SHARD)
    await bank.start()

    assert await bank.commit_transfers(bank.hold_of(2)) == Committed()


async def test_restarts_in_one_program_always_get_the_shard_back(bank: Bank) -> None:
    for _ in range(3):
        await bank.restart()

    assert await bank.commit_transfers(bank.hold_of(1)) == Committed()


async def test_server_that_may_forget_a_commit_is_refused(empty_bank: Bank) -> None:
    connection = await asyncpg.connect(empty_bank.dsn)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await connection.close()
    writer = await empty_bank.start()

    with pytest.raises(CalleeDied) as died:
        await empty_bank.commit()

    reason = died.value.reason
    assert isinstance(reason, Crash)
    assert isinstance(reason.error, UnsafeDurability)
    assert reason.error.setting == "synchronous_commit"
    assert not empty_bank.node.is_alive(writer)


async def test_each_shard_of_a_database_has_books_of_its_own(bank: Bank) -> None:
    heard: list[BatchCommitted] = []
    second = Bank(bank.node, bank.dsn, AccountBook())
    await second.start(shard=ShardSettings(2, "87654321", "one"), on_committed=heard.append)

    assert await second.commit(Entry()) == (Committed(),)
    assert await bank.commit_transfers(bank.hold_of(1)) == Committed()
    assert len(second.book) == 0
    assert [batch.shard_id for batch in heard] == [2]


async def test_lease_is_taken_only_when_the_last_transaction_of_the_older_writer_ended(
    bank: Bank,
) -> None:
    older = await asyncpg.connect(bank.dsn)
    await older.execute("BEGIN")
    await older.execute("UPDATE shards SET committed_batches = committed_batches + 1")
    younger = Bank(bank.node, bank.dsn, accounts=bank.accounts)
    await younger.start()
    waiting = asyncio.ensure_future(younger.commit_transfers(younger.hold_of(1)))
    await bank.node.clock.sleep_ms(200)
    assert not waiting.done()

    await older.execute("COMMIT")
    await older.close()

    assert await waiting == Committed()
