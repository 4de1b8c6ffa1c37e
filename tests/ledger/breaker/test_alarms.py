"""What cannot be is an alarm: the breaker opens, and stays open until a person has looked."""

from uuid import UUID

import pytest

from ledger import Transfer, TransferResult
from ledger.breaker import (
    NEVER_CREATED,
    AddAccounts,
    AskStatus,
    BreakerOpen,
    Close,
    Position,
    RowState,
    Submit,
    Unsupported,
)
from ledger.breaker.poison import COUNTERPART
from ledger.core import AccountState
from ledger.tigerbeetle import NewAccount
from tests.ledger.breaker.bank import CREATED, UNKNOWN, Bank, run
from tests.ledger.breaker.world import ANA, BEA, FUNDS, LIMITED, PI, SETTINGS


async def is_held_for(bank: Bank, problem: str) -> None:
    """It is, and no rest and no attempt to close changes that."""
    for _ in range(2):
        await bank.rest()
    await bank.node.call("breaker", Close("try", "ana"), timeout_ms=60_000)
    status = await bank.status()
    assert (status.position, status.is_held) == (Position.OPEN, True)
    assert problem in status.reason


def past(amount: int, debtor: UUID = PI, creditor: UUID = ANA) -> Transfer:
    """Booked in TigerBeetle by somebody else."""
    return Transfer(UUID(int=77), debtor, creditor, amount, 1, ledger=7)


def test_transfer_that_the_mirror_would_have_refused_stays_unknown() -> None:
    async def test(bank: Bank) -> None:
        bank.cluster.book_past(past(50))
        transfer = bank.plain(ANA, BEA, FUNDS + 50)

        assert await bank.submit(transfer) == (UNKNOWN,)

        await is_held_for(bank, "the mirror refuses")
        assert bank.database.rows[transfer.id].state is RowState.UNKNOWN
        assert await bank.submit(transfer) == (UNKNOWN,)

    run(test)


def test_refused_replay_is_an_alarm_and_its_transfer_is_not_forgotten() -> None:
    async def test(bank: Bank) -> None:
        await bank.open()
        transfer = bank.plain(ANA, BEA, FUNDS)
        assert await bank.submit(transfer) == (CREATED,)
        bank.cluster.book_past(past(2, ANA, PI))
        bank.cluster.heal()

        await is_held_for(bank, "a replayed transfer was refused: ")
        assert bank.database.rows[transfer.id].state is RowState.NEW
        assert await bank.submit(transfer) == (TransferResult.EXISTS,)

    run(test)


def test_poison_that_is_carried_out_is_an_alarm() -> None:
    async def test(bank: Bank) -> None:
        for account_id in (NEVER_CREATED, COUNTERPART):
            bank.cluster.state.accounts[account_id.int] = AccountState(account_id, 0, ledger=7)
        bank.cluster.kill()
        assert await bank.submit(bank.plain(ANA, BEA, 1)) == (UNKNOWN,)
        for client in bank.cluster.clients:
            await client.close()
        bank.cluster.heal()

        await is_held_for(bank, "a poison was answered ")

    run(test)


def test_journal_that_is_away_is_waited_for() -> None:
    async def test(bank: Bank) -> None:
        bank.database.is_away = True
        transfer = bank.plain(ANA, BEA, 1)
        asking = bank.node.spawn(lambda: bank.settle(transfer))
        await bank.node.clock.sleep_ms(10 * SETTINGS.reload_ms)
        assert transfer.id not in bank.told
        bank.database.is_away = False
        await bank.node.join(asking)

        assert bank.told[transfer.id] is CREATED

    run(test)


def test_batch_that_is_full_does_not_wait_for_more() -> None:
    async def test(bank: Bank) -> None:
        transfers = [bank.plain(PI, ANA, 1) for _ in range(2_500)]
        answers = await bank.submit(*transfers)
        assert answers == (CREATED,) * 2_500

    run(test)


def test_dead_server_opens_no_account_and_refused_ones_are_told() -> None:
    async def test(bank: Bank) -> None:
        with pytest.raises(Unsupported):
            await bank.node.call("breaker", AddAccounts((NewAccount(UUID(int=9), 1, 0, 978),)))
        bank.cluster.freeze()
        new = AddAccounts((NewAccount(UUID(int=9), 1, LIMITED),))
        with pytest.raises(BreakerOpen):
            await bank.node.call("breaker", new, timeout_ms=60_000)
        bank.cluster.heal()
        await bank.rest()
        await bank.node.call("breaker", new)

        assert await bank.submit(bank.plain(PI, UUID(int=9), 1)) == (CREATED,)

    run(test)


def test_back_end_that_is_not_there_is_a_failure_like_any_other() -> None:
    async def test(bank: Bank) -> None:
        await bank.node.start(bank.make_breaker("nobody"), name="lonely", link=False)
        transfer = bank.plain(ANA, BEA, 1)

        assert await bank.node.call("lonely", Submit((transfer,))) == (UNKNOWN,)
        assert (await bank.node.call("lonely", AskStatus())).position is Position.OPEN
        assert bank.database.turns[0].reason == "NoProcess"
        await bank.node.stop("lonely")
        await bank.settle(bank.plain(ANA, BEA, 1))  # the other breaker heals what this one left
        await bank.rest()

    run(test)
