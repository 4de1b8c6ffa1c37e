"""Chains, holds that end by themselves, and accounts that are closed, through the breaker."""

from uuid import UUID

import msgspec
import pytest

from ledger import Transfer, TransferFlag, TransferResult, hold, post, void
from ledger.breaker import Close, Open, Position, RowState, Standing, Unsupported
from ledger.breaker.chains import CHAIN_MAX, CHUNK, chunks
from ledger.core import apply_batch
from tests.ledger.breaker.bank import CREATED, UNKNOWN, Bank, run
from tests.ledger.breaker.world import ANA, BEA, CEU, FUNDS, PI, linked

BROKEN = TransferResult.LINKED_EVENT_FAILED
NOT_NOW = Standing.NOT_NOW
OPEN, CLOSE = Open("drill", "ana"), Close("drill is over", "ana")
EXPIRED = TransferResult.PENDING_TRANSFER_EXPIRED
both_ways = pytest.mark.parametrize("is_open", [False, True])


def chain(*transfers: Transfer) -> tuple[Transfer, ...]:
    return (*map(linked, transfers[:-1]), transfers[-1])


def closing(bank: Bank, account: UUID) -> Transfer:
    flags = int(TransferFlag.PENDING | TransferFlag.CLOSING_DEBIT)
    return Transfer(bank.node.ids.new_id(), account, PI, 0, 1, flags)


def ending(bank: Bank, amount: int, seconds: int) -> Transfer:
    return hold(bank.node.ids.new_id(), ANA, PI, amount, 1, timeout_seconds=seconds)


async def is_healed(bank: Bank) -> None:
    bank.cluster.heal()
    await bank.rest()
    assert (await bank.status()).position is Position.CLOSED


@both_ways
def test_chain_is_booked_whole_or_not_at_all(is_open: bool) -> None:
    async def test(bank: Bank) -> None:
        if is_open:
            await bank.open()
        good = chain(bank.plain(ANA, BEA, 70), bank.plain(BEA, CEU, 150))
        bad = chain(bank.plain(CEU, ANA, 5), bank.plain(ANA, BEA, 1_000), bank.plain(PI, ANA, 1))

        assert await bank.submit(*good) == (CREATED, CREATED)
        assert await bank.submit(*bad) == (BROKEN, TransferResult.EXCEEDS_CREDITS, BROKEN)
        assert await bank.submit(*good, *bad) == (
            *(TransferResult.EXISTS,) * 2,
            BROKEN,
            TransferResult.EXCEEDS_CREDITS,
            BROKEN,
        )
        for each in good:
            bank.told[each.id] = CREATED
        await is_healed(bank)

    run(test)


@both_ways
def test_chain_with_a_used_id_fails_and_leaves_that_one_as_it_was(is_open: bool) -> None:
    async def test(bank: Bank) -> None:
        if is_open:
            await bank.open()
        first, second = bank.plain(ANA, BEA, 5), bank.plain(ANA, CEU, 5)
        assert await bank.submit(first) == (CREATED,)

        answers = await bank.submit(linked(first), second)

        assert answers == (TransferResult.EXISTS_WITH_DIFFERENT_FLAGS, BROKEN)
        bank.told[first.id] = CREATED
        await is_healed(bank)

    run(test)


def test_unknown_chain_is_held_back_whole_and_known_whole() -> None:
    async def test(bank: Bank) -> None:
        moved = chain(bank.plain(ANA, BEA, 60), bank.plain(BEA, CEU, 60))
        bank.cluster.freeze()
        assert await bank.submit(*moved) == (UNKNOWN, UNKNOWN)
        assert (await bank.status()).position is Position.OPEN

        assert await bank.submit(bank.plain(ANA, PI, 50), bank.plain(BEA, PI, 50)) == (
            TransferResult.EXCEEDS_CREDITS,
            TransferResult.EXCEEDS_CREDITS,
        )
        assert await bank.submit(*moved) == (UNKNOWN, UNKNOWN)
        await is_healed(bank)
        assert bank.cluster.balance(CEU).credits_posted == FUNDS + 60

    run(test)


def test_chain_of_which_a_part_was_carried_out_is_an_alarm() -> None:
    async def test(bank: Bank) -> None:
        moved = chain(bank.plain(ANA, BEA, 60), bank.plain(BEA, CEU, 60))
        bank.cluster.kill()
        assert await bank.submit(*moved) == (UNKNOWN, UNKNOWN)
        for client in bank.cluster.clients:
            await client.close()
        part = msgspec.structs.replace(moved[0], flags=0, ledger=7)
        assert apply_batch(bank.cluster.state, [part], 10**18) == [CREATED]
        bank.cluster.state.keep()
        bank.cluster.heal()
        await bank.rest()

        status = await bank.status()
        assert (status.position, status.is_held) == (Position.OPEN, True)
        assert "in part" in status.reason

    run(test)


def test_replayed_chain_that_is_there_already_is_fine() -> None:
    async def test(bank: Bank) -> None:
        await bank.open()
        moved = chain(bank.plain(ANA, BEA, 60), bank.plain(BEA, CEU, 60))
        assert await bank.submit(*moved) == (CREATED, CREATED)
        # An earlier replay got so far, and its answer was lost.
        replayed = [msgspec.structs.replace(each, ledger=7) for each in moved]
        assert apply_batch(bank.cluster.state, replayed, 10**18) == [CREATED, CREATED]
        bank.cluster.state.keep()

        await is_healed(bank)

    run(test)


def test_chain_that_is_open_or_too_long_is_refused() -> None:
    async def test(bank: Bank) -> None:
        for wrong in (
            (linked(bank.plain(ANA, BEA, 1)),),
            chain(*(bank.plain(PI, BEA, 1) for _ in range(CHAIN_MAX + 1))),
        ):
            with pytest.raises(Unsupported):
                await bank.submit(*wrong)
        assert await bank.submit(*chain(*(bank.plain(PI, BEA, 1) for _ in range(CHAIN_MAX)))) == (
            *(CREATED,) * CHAIN_MAX,
        )

    run(test)


def test_no_request_cuts_a_chain() -> None:
    single = Transfer(UUID(int=1), ANA, BEA, 1, 1)
    many = [*(single,) * (CHUNK - 1), *chain(single, single, single), single]

    sizes = [len(chunk) for chunk in chunks(many, lambda each: each)]

    assert sizes == [CHUNK - 1, 4]


@both_ways
def test_hold_ends_when_its_time_is_over(is_open: bool) -> None:
    async def test(bank: Bank) -> None:
        if is_open:
            await bank.open()
        held = ending(bank, 60, 3)
        assert await bank.submit(held) == (CREATED,)
        assert await bank.submit(bank.plain(ANA, BEA, 60)) == (TransferResult.EXCEEDS_CREDITS,)
        await bank.node.clock.sleep_ms(3_500)

        assert bank.mirrored(ANA).debits_pending == 0
        assert await bank.submit(bank.plain(ANA, BEA, 60)) == (CREATED,)
        late = await bank.submit(post(bank.node.ids.new_id(), held.id))
        assert late == (TransferResult.PENDING_TRANSFER_ALREADY_VOIDED,)
        await is_healed(bank)

    run(test)


def test_post_in_time_counts_although_nobody_hears_from_tigerbeetle() -> None:
    async def test(bank: Bank) -> None:
        held = ending(bank, 60, 8)
        assert await bank.submit(held) == (CREATED,)
        await bank.open()
        assert await bank.submit(post(bank.node.ids.new_id(), held.id)) == (CREATED,)
        await bank.node.clock.sleep_ms(60_000)  # TigerBeetle's own timeout would be over

        await is_healed(bank)

        assert bank.cluster.balance(ANA).debits_posted == 60

    run(test)


def test_post_that_comes_late_is_refused_before_the_hold_is_ended() -> None:
    async def test(bank: Bank) -> None:
        held = ending(bank, 60, 3)
        assert await bank.submit(held) == (CREATED,)
        bank.database.is_away = True
        await bank.node.clock.sleep_ms(5_000)
        bank.database.is_away = False
        late = post(bank.node.ids.new_id(), held.id)

        assert await bank.settle(late) in {EXPIRED, TransferResult.PENDING_TRANSFER_ALREADY_VOIDED}
        await bank.node.clock.sleep_ms(1_000)

    run(test)


def test_end_of_a_hold_survives_a_restart_and_a_burned_id() -> None:
    async def test(bank: Bank) -> None:
        held = ending(bank, 60, 3)
        assert await bank.submit(held) == (CREATED,)
        bank.cluster.kill()
        await bank.node.clock.sleep_ms(4_000)  # its void is sent, and lost
        for client in bank.cluster.clients:
            await client.close()
        await is_healed(bank)
        await bank.node.clock.sleep_ms(1_000)

        assert bank.cluster.balance(ANA).debits_pending == 0
        ends = [row for row in bank.database.rows.values() if row.transfer.pending_id == held.id]
        assert sorted(row.state.value for row in ends) == ["done", "failed"]

    run(test)


@both_ways
def test_closed_account_moves_nothing_until_it_is_opened_again(is_open: bool) -> None:
    async def test(bank: Bank) -> None:
        if is_open:
            await bank.open()
            await is_healed(bank)
            await bank.node.call("breaker", OPEN)
        close = closing(bank, ANA)
        assert await bank.submit(close, bank.plain(ANA, BEA, 5)) == (
            CREATED,
            TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED,
        )
        assert bank.database.accounts[ANA][0].flags & 32
        await bank.node.call("breaker", CLOSE, timeout_ms=60_000)
        assert bank.cluster.state.accounts[ANA.int].flags & 32

        assert await bank.submit(void(bank.node.ids.new_id(), close.id)) == (CREATED,)
        assert await bank.submit(bank.plain(ANA, BEA, 5)) == (CREATED,)

    run(test)


def test_account_that_may_be_closed_and_closing_while_something_is_unknown_wait() -> None:
    async def test(bank: Bank) -> None:
        close, later = closing(bank, ANA), closing(bank, BEA)
        bank.cluster.freeze()
        assert await bank.submit(close) == (UNKNOWN,)

        assert await bank.submit(bank.plain(ANA, CEU, 5), later, bank.plain(CEU, BEA, 5)) == (
            NOT_NOW,
            NOT_NOW,
            CREATED,
        )
        await is_healed(bank)
        assert await bank.submit(later, bank.plain(ANA, CEU, 5)) == (
            CREATED,
            TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED,
        )
        assert bank.database.rows[close.id].state is RowState.DONE

    run(test)
