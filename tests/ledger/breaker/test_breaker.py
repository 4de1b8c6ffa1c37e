"""What a breaker does in each state, one rule at a time."""

from typing import Any

import msgspec
import pytest

from actors import Crash, ExitReason
from ledger import TransferResult
from ledger.breaker import (
    AskStatus,
    BreakerFenced,
    Position,
    Route,
    RowState,
    Standing,
    Verdict,
    poison_of,
    verdict_of,
)
from ledger.core import apply
from tests.ledger.breaker.bank import CREATED, UNKNOWN, Bank, run
from tests.ledger.breaker.model import Loss
from tests.ledger.breaker.world import ANA, BEA, FUNDS, PI, SETTINGS


def test_answer_is_no_failure_however_bad() -> None:
    async def test(bank: Bank) -> None:
        for _ in range(2 * SETTINGS.failures_max):
            answers = await bank.submit(bank.plain(ANA, BEA, FUNDS + 1))
            assert answers == (TransferResult.EXCEEDS_CREDITS,)

        assert (await bank.status()).position is Position.CLOSED
        assert bank.database.turns == []

    run(test)


def test_transfer_is_in_the_journal_before_it_is_sent() -> None:
    async def test(bank: Bank) -> None:
        bank.cluster.freeze()
        transfer = bank.plain(ANA, BEA, 1)
        asking = bank.node.spawn(lambda: bank.submit(transfer))
        await bank.node.clock.sleep_ms(100)

        row = bank.database.rows[transfer.id]
        assert (row.route, row.state) == (Route.TB, RowState.SENT)
        assert transfer.id.int not in bank.cluster.state.facts.transfers
        bank.cluster.heal()
        await bank.node.join(asking)
        assert bank.database.rows[transfer.id].state is RowState.DONE

    run(test)


def test_three_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    async def test(bank: Bank) -> None:
        for _ in range(SETTINGS.failures_max):
            bank.cluster.freeze()
            asking = bank.node.spawn(lambda: bank.submit(bank.plain(PI, ANA, 1)))
            await bank.node.clock.sleep_ms(1_500)  # one deadline, and not two
            bank.cluster.heal()
            await bank.node.join(asking)
            assert await bank.submit(bank.plain(PI, ANA, 1)) == (CREATED,)
        assert bank.database.turns == []
        bank.cluster.freeze()
        started_ns = bank.node.clock.monotonic_ns()

        assert await bank.submit(bank.plain(PI, ANA, 1)) == (UNKNOWN,)
        assert (await bank.status()).position is Position.OPEN

        took_ms = (bank.node.clock.monotonic_ns() - started_ns) // 1_000_000
        assert 3_000 <= took_ms <= 3_500

    run(test)


def test_it_tries_again_after_the_rest_and_not_before() -> None:
    async def test(bank: Bank) -> None:
        await bank.open()
        bank.cluster.heal()
        await bank.node.clock.sleep_ms(SETTINGS.rest_ms - 100)
        assert (await bank.status()).position is Position.OPEN
        await bank.node.clock.sleep_ms(200)
        assert (await bank.status()).position is Position.CLOSED

    run(test)


def test_unknown_transfer_is_held_against_both_accounts_and_not_sent_again() -> None:
    async def test(bank: Bank) -> None:
        bank.cluster.freeze()
        unknown = bank.plain(ANA, BEA, 60)
        assert await bank.submit(unknown) == (UNKNOWN,)
        status = await bank.status()
        assert (status.position, status.unknown) == (Position.OPEN, 1)

        # Ana may have spent it, Bea may not have it, and nobody gets a second chance.
        assert await bank.submit(unknown) == (UNKNOWN,)
        assert await bank.submit(bank.plain(ANA, PI, 41)) == (TransferResult.EXCEEDS_CREDITS,)
        assert await bank.submit(bank.plain(ANA, PI, 40)) == (CREATED,)
        assert await bank.submit(bank.plain(BEA, PI, FUNDS + 1)) == (
            TransferResult.EXCEEDS_CREDITS,
        )
        assert bank.mirrored(BEA) == (0, 0, 0, FUNDS)

        bank.cluster.heal()
        await bank.rest()
        assert await bank.submit(unknown) == (TransferResult.EXISTS,)
        assert bank.mirrored(ANA) == (0, 100, 0, FUNDS)

    run(test)


def test_unknown_transfer_that_never_ran_is_burned() -> None:
    async def test(bank: Bank) -> None:
        bank.cluster.kill()
        unknown = bank.plain(ANA, BEA, 60)
        assert await bank.submit(unknown) == (UNKNOWN,)
        for client in bank.cluster.clients:
            await client.close()  # nor will it be sent again
        bank.cluster.heal()
        await bank.rest()

        assert await bank.submit(unknown) == (TransferResult.ID_ALREADY_FAILED,)
        late = msgspec.structs.replace(unknown, ledger=7)
        assert apply(bank.cluster.state, late, 1) is TransferResult.ID_ALREADY_FAILED

    run(test)


def test_hold_made_in_tigerbeetle_is_ended_in_postgresql_and_the_end_replayed() -> None:
    async def test(bank: Bank) -> None:
        posted, voided = bank.hold(ANA, PI, 30), bank.hold(ANA, PI, 40)
        await bank.submit(posted, voided)
        await bank.open()

        assert await bank.submit(bank.post(posted), bank.void(voided)) == (CREATED, CREATED)
        assert await bank.submit(bank.void(posted)) == (
            TransferResult.PENDING_TRANSFER_ALREADY_POSTED,
        )
        assert bank.mirrored(ANA) == (0, 30, 0, FUNDS)
        assert (await bank.status()).lag == 2
        bank.cluster.heal()
        await bank.rest()

        assert (await bank.status()).lag == 0
        assert bank.cluster.balance(ANA)[:2] == (0, 30)

    run(test)


def test_end_of_a_hold_whose_fate_is_unknown_has_to_wait() -> None:
    async def test(bank: Bank) -> None:
        known = bank.hold(ANA, PI, 10)
        await bank.submit(known)
        bank.cluster.freeze()
        unknown, ending = bank.hold(ANA, PI, 10), bank.post(known)
        assert await bank.submit(unknown, ending) == (UNKNOWN, UNKNOWN)

        of_unknown, second = bank.post(unknown), bank.void(known)
        assert await bank.submit(of_unknown, second) == (Standing.NOT_NOW,) * 2

        bank.cluster.heal()
        await bank.rest()
        assert await bank.submit(of_unknown, second) == (
            CREATED,
            TransferResult.PENDING_TRANSFER_ALREADY_POSTED,
        )

    run(test)


def test_older_breaker_is_refused_and_ends() -> None:
    async def test(bank: Bank) -> None:
        old = bank.node.whereis("breaker")
        assert old is not None
        await bank.node.start(bank.make_breaker(), name="younger", link=False)
        await bank.node.call("younger", AskStatus())
        ended: list[ExitReason] = []
        watching = bank.node.spawn(lambda: join(bank, old, ended))
        transfer = bank.plain(ANA, BEA, 1)

        with pytest.raises(Exception, match=BreakerFenced.__name__):
            await bank.submit(transfer)

        await bank.node.join(watching)
        (reason,) = ended
        assert isinstance(reason, Crash)
        assert isinstance(reason.error, BreakerFenced)
        assert transfer.id not in bank.database.rows

    run(test)


async def join(bank: Bank, pid: Any, ended: list[ExitReason]) -> None:
    ended.append(await bank.node.join(pid))


@pytest.mark.parametrize("loss", list(Loss))
@pytest.mark.parametrize("number", [1, 2])
def test_lost_write_is_asked_for_again_under_the_same_id(loss: Loss, number: int) -> None:
    """The first write is before sending, the second one after."""

    async def test(bank: Bank) -> None:
        transfer = bank.plain(ANA, BEA, 10)
        if number == 1:
            bank.database.losses = [loss]
        else:
            bank.cluster.freeze()
        asking = bank.node.spawn(lambda: bank.settle(transfer))
        if number == 2:
            await bank.node.clock.sleep_ms(50)
            bank.database.losses = [loss]
            bank.cluster.heal()
        assert not (await bank.node.join(asking)).is_abnormal

    run(test)


def test_poison_is_refused_or_proves_that_its_id_is_used() -> None:
    async def test(bank: Bank) -> None:
        used, free = bank.plain(PI, ANA, 1), bank.plain(PI, ANA, 1)
        await bank.submit(used)
        state = bank.cluster.state
        poisons = [msgspec.structs.replace(poison_of(each.id), ledger=7) for each in (used, free)]
        results = [apply(state, each, state.first_timestamp + 1) for each in poisons]

        assert [verdict_of(result) for result in results] == [Verdict.RAN, Verdict.NEVER]
        assert apply(state, poisons[1], 1) is TransferResult.ID_ALREADY_FAILED
        assert verdict_of(TransferResult.ID_ALREADY_FAILED) is Verdict.NEVER
        assert verdict_of(TransferResult.CREATED) is Verdict.UNEXPECTED
        assert verdict_of(TransferResult.EXISTS) is Verdict.UNEXPECTED  # a poison that ran

    run(test)


def test_everything_that_waits_goes_in_one_batch() -> None:
    async def test(bank: Bank) -> None:
        bank.cluster.requests.clear()
        pids = [
            bank.node.spawn(lambda: bank.submit(bank.plain(PI, ANA, 1), bank.plain(PI, BEA, 1)))
            for _ in range(20)
        ]
        for pid in pids:
            await bank.node.join(pid)

        sizes = [size for kind, size in bank.cluster.requests if kind == "create_transfers"]
        assert sum(sizes) == 40
        assert len(sizes) <= 3

    run(test)
