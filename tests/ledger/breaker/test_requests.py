"""What a breaker refuses, and what it tells operators and obeys."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from ledger import Transfer, TransferFlag, TransferResult
from ledger.breaker import (
    NEVER_CREATED,
    AddAccounts,
    Close,
    Open,
    Position,
    Unsupported,
)
from ledger.core import AccountState
from ledger.tigerbeetle import NewAccount
from tests.ledger.breaker.bank import CREATED, Bank, run
from tests.ledger.breaker.world import ANA, BEA, LIMITED, PI


def test_opening_and_closing_raise_the_epoch_and_are_audit_events() -> None:
    async def test(bank: Bank) -> None:
        epochs = [bank.database.epoch]
        await bank.open()
        epochs.append(bank.database.epoch)
        bank.cluster.heal()
        await bank.rest()
        epochs.append((await bank.status()).epoch)

        assert epochs == sorted(set(epochs))
        assert [turn.position for turn in bank.database.turns] == [Position.OPEN, Position.CLOSED]
        assert "deadline" in bank.database.turns[0].reason
        assert {turn.made_by for turn in bank.database.turns} == {"breaker"}

    run(test)


@pytest.mark.parametrize("is_open", [False, True])
def test_used_id_is_recognised_and_another_transfer_under_it_refused(is_open: bool) -> None:
    async def test(bank: Bank) -> None:
        if is_open:
            await bank.open()
        transfer, poor = bank.plain(ANA, BEA, 10), bank.plain(ANA, BEA, 1_000)
        other = msgspec.structs.replace(transfer, amount_cents=11)
        refused = TransferResult.EXCEEDS_CREDITS

        assert await bank.submit(transfer, transfer, other, poor, poor) == (
            CREATED,
            TransferResult.EXISTS,
            TransferResult.EXISTS_WITH_DIFFERENT_AMOUNT,
            refused,
            refused,
        )
        assert await bank.submit(other, transfer, poor) == (
            TransferResult.EXISTS_WITH_DIFFERENT_AMOUNT,
            TransferResult.EXISTS,
            refused,
        )
        bank.told[transfer.id] = CREATED
        if is_open:
            bank.cluster.heal()
            await bank.rest()
            assert (await bank.status()).position is Position.CLOSED

    run(test)


def test_manual_opening_stays_until_somebody_closes_it() -> None:
    async def test(bank: Bank) -> None:
        status = await bank.node.call("breaker", Open("maintenance", "ana"))
        assert (status.position, status.is_held) == (Position.OPEN, True)
        for _ in range(3):
            await bank.rest()
        assert (await bank.status()).position is Position.OPEN
        assert await bank.submit(bank.plain(ANA, BEA, 10)) == (CREATED,)

        status = await bank.node.call("breaker", Close("it is over", "bea"))

        assert (status.position, status.is_held) == (Position.CLOSED, False)
        assert [turn.made_by for turn in bank.database.turns] == ["ana", "bea"]
        assert bank.cluster.balance(ANA).debits_posted == 10

    run(test)


def test_closing_by_hand_skips_nothing() -> None:
    async def test(bank: Bank) -> None:
        await bank.open()
        status = await bank.node.call("breaker", Close("now", "ana"), timeout_ms=60_000)
        assert status.position is Position.OPEN

    run(test)


def test_difference_between_the_ledgers_is_an_alarm_and_keeps_it_open() -> None:
    async def test(bank: Bank) -> None:
        alarms: list[object] = []
        event = ("ledger", "breaker", "alarm")
        bank.node.telemetry.attach(event, lambda *told: alarms.append(told[2]["problem"]))
        await bank.open()
        assert await bank.submit(bank.plain(ANA, BEA, 10)) == (CREATED,)
        past = Transfer(UUID(int=77), PI, ANA, 1, 1, ledger=7)
        bank.cluster.book_past(past)
        bank.cluster.heal()
        for _ in range(3):
            await bank.rest()

        status = await bank.status()
        assert (status.position, status.is_held) == (Position.OPEN, True)
        assert alarms == [f"accounts that differ: 2, the first is {PI}"] == [status.reason]
        assert await bank.submit(bank.plain(ANA, BEA, 10)) == (CREATED,)

    run(test)


def test_metrics_tell_position_epoch_lag_and_unknown_transfers() -> None:
    async def test(bank: Bank) -> None:
        told: list[tuple[str, dict[str, object]]] = []
        for name in ("state", "mirror"):
            bank.node.telemetry.attach(
                ("ledger", "breaker", name),
                lambda event, measured, seen: told.append((event[2], {**measured, **seen})),
            )
        await bank.open()
        await bank.submit(bank.plain(ANA, BEA, 10))

        states = [seen for name, seen in told if name == "state"]
        assert states[-1]["position"] == "open"
        assert states[-1]["epoch"] == bank.database.epoch
        last = [seen for name, seen in told if name == "mirror"][-1]
        assert last == {"lag": 1, "unknown": 1, "tenant": "12345678"}

    run(test)


def test_account_opened_during_an_outage_is_in_tigerbeetle_afterwards() -> None:
    async def test(bank: Bank) -> None:
        new = NewAccount(bank.node.ids.new_id(), 1, LIMITED)
        idle = NewAccount(bank.node.ids.new_id(), 1, LIMITED)
        await bank.open()
        await bank.node.call("breaker", AddAccounts((new, new, idle)))
        assert await bank.submit(bank.plain(PI, new.id, 5)) == (CREATED,)
        await bank.node.call("breaker", Open("read again", "test"))
        assert await bank.submit(bank.plain(new.id, ANA, 5)) == (CREATED,)
        bank.cluster.heal()
        status = await bank.node.call("breaker", Close("it is over", "test"), timeout_ms=60_000)
        assert status.position is Position.CLOSED
        await bank.node.call("breaker", AddAccounts((new,)))

        assert await bank.submit(bank.plain(PI, new.id, 5)) == (CREATED,)
        assert await bank.submit(bank.plain(PI, idle.id, 5)) == (CREATED,)
        assert bank.database.lacking == set()

    run(test)


def test_account_that_tigerbeetle_would_refuse_is_not_opened_during_an_outage() -> None:
    async def test(bank: Bank) -> None:
        await bank.open()
        number = bank.node.ids.new_id()
        for wrong in (
            NewAccount(NEVER_CREATED, 1),
            NewAccount(UUID(int=0), 1),
            NewAccount(number, 0),
            NewAccount(number, 1, 6),
            NewAccount(number, 1, 32),
            NewAccount(number, 1, 0, 978),
        ):
            with pytest.raises(Unsupported):
                await bank.node.call("breaker", AddAccounts((wrong,)))

    run(test)


def test_account_that_moved_in_tigerbeetle_before_is_an_alarm() -> None:
    async def test(bank: Bank) -> None:
        new = NewAccount(bank.node.ids.new_id(), 1)
        await bank.open()
        await bank.node.call("breaker", AddAccounts((new,)))
        bank.cluster.state.accounts[new.id.int] = AccountState(new.id, 0, 0, 5, 0, 5, ledger=7)
        bank.cluster.heal()
        await bank.rest()

        status = await bank.status()
        assert (status.position, status.is_held) == (Position.OPEN, True)
        assert "accounts that differ: 1" in status.reason

    run(test)


def test_account_with_a_history_of_its_own_is_refused() -> None:
    async def test(bank: Bank) -> None:
        account = bank.database.accounts.pop(ANA)[0]
        await bank.node.call("breaker", Open("reload", "test"))
        await bank.node.call("breaker", Close("reload", "test"))

        with pytest.raises(Unsupported):
            await bank.node.call("breaker", AddAccounts((account,)))
        with pytest.raises(Unsupported):
            await bank.node.call("breaker", AddAccounts((NewAccount(NEVER_CREATED, 1),)))
        bank.database.accounts[ANA] = (account, bank.cluster.balance(ANA))

    run(test)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": int(TransferFlag.LINKED)},
        {"flags": int(TransferFlag.BALANCING_DEBIT)},
        {"flags": int(TransferFlag.PENDING | TransferFlag.BALANCING_CREDIT)},
        {"flags": 0x100},
        {"timeout_seconds": 1},
        {"id": UUID(int=0)},
        {"amount_cents": 2**63},
        {"ledger": 978},
        {"code": 2**16},
    ],
)
def test_transfer_that_the_ledgers_might_decide_differently_is_refused(
    wrong: dict[str, Any],
) -> None:
    async def test(bank: Bank) -> None:
        transfer = msgspec.structs.replace(bank.plain(ANA, BEA, 1), **wrong)
        with pytest.raises(Unsupported):
            await bank.submit(transfer)
        assert transfer.id not in bank.database.rows

    run(test)


def test_account_that_is_not_there_is_refused_without_asking() -> None:
    async def test(bank: Bank) -> None:
        nobody, nil = UUID(int=999), UUID(int=0)
        asked = len(bank.cluster.requests)

        assert await bank.submit(
            bank.plain(nobody, ANA, 1), bank.plain(ANA, nobody, 1), bank.plain(nil, ANA, 1)
        ) == (
            TransferResult.DEBIT_ACCOUNT_NOT_FOUND,
            TransferResult.CREDIT_ACCOUNT_NOT_FOUND,
            TransferResult.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO,
        )
        assert len(bank.cluster.requests) == asked

    run(test)
