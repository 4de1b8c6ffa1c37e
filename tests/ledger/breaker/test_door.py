"""Two ledgers, one shard: who reserves money asks both, and TigerBeetle follows the rest."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from actors import Killed, Node
from ledger import (
    AccountStatus,
    Committed,
    Entry,
    Idempotency,
    OpenAccounts,
    Refused,
    Replayed,
    SetStatus,
    StatusReason,
    Transfer,
    TransferCode,
    TransferFlag,
    TransferResult,
    hold,
    post,
    void,
)
from ledger.breaker import Close, HoldUnknown, NotThisTime, Open, Position, Submit, Unsupported
from tests.ledger.bank import FUNDS_CENTS
from tests.ledger.breaker.both import BREAKER, DOOR, FOLLOWER, QUICK_MS, WRITER, BothBank
from tests.ledger.breaker.model import Health

COMMITTED = (Committed(),)


@pytest.fixture
async def both(node: Node, migrated_dsn: str) -> AsyncIterator[BothBank]:
    """A shard in two ledgers, at rest."""
    both = BothBank(node, migrated_dsn)
    await both.start()
    await both.fund()
    yield both
    both.cluster.heal()


@pytest.fixture
async def hasty(node: Node, migrated_dsn: str) -> AsyncIterator[BothBank]:
    """The same, with a deadline that a frozen TigerBeetle misses soon."""
    hasty = BothBank(node, migrated_dsn, deadline_ms=QUICK_MS)
    await hasty.start()
    await hasty.fund()
    yield hasty
    hasty.cluster.heal()


async def test_payment_is_held_and_posted_in_both_ledgers(both: BothBank) -> None:
    held = both.hold(3_000)

    assert await both.reserve(held) == COMMITTED
    assert both.there(both.bank.customer()).debits_pending == 3_000
    assert await both.commit(Entry((post(both.node.ids.new_id(), held.id),))) == COMMITTED

    await both.check()
    assert both.there(both.bank.customer()).debits_posted == 3_000


async def test_what_either_ledger_refuses_is_held_in_neither(both: BothBank) -> None:
    poor = both.hold(FUNDS_CENTS + 1)
    blocked = both.hold(5, customer=1)
    request = SetStatus(
        both.bank.customer(1), AccountStatus.BLOCKED, StatusReason.COURT_ORDER, "ana"
    )
    await both.node.call(WRITER, request)

    answers = await both.reserve(poor, blocked, both.hold(7, customer=2))

    assert answers[0] == Refused(TransferResult.EXCEEDS_CREDITS, poor.id)
    assert answers[1] == Refused(TransferResult.DEBIT_ACCOUNT_BLOCKED, blocked.id)
    assert answers[2] == Committed()
    await both.check()
    assert both.there(both.bank.customer(1)).debits_pending == 0


async def test_hold_that_tigerbeetle_alone_refuses_is_not_in_postgresql(both: BothBank) -> None:
    number = both.cluster.state.accounts[both.bank.customer().int].ledger
    past = both.plain(both.bank.customer(), both.bank.pi, FUNDS_CENTS)
    both.cluster.book_past(Transfer(past.id, *sides(past), FUNDS_CENTS, 1, ledger=number))

    held = both.hold(1)

    assert await both.reserve(held) == (Refused(TransferResult.EXCEEDS_CREDITS, held.id),)
    assert both.bank.balance(both.bank.customer()).debits_pending == 0


async def test_repeated_order_reserves_nothing_again(both: BothBank) -> None:
    first, second = both.hold(60_000), both.hold(60_000)
    key = Idempotency("order", b"same", both.node.ids.new_id())
    assert await both.commit(Entry((first,), idempotency=key)) == COMMITTED
    asked = len(both.cluster.requests)

    again = await both.commit(Entry((second,), idempotency=key))

    assert again == (Replayed(key.subject_id, is_same=True),)
    assert len(both.cluster.requests) == asked
    await both.check()


async def test_two_orders_under_one_key_at_once_are_one(both: BothBank) -> None:
    key = Idempotency("order", b"same", both.node.ids.new_id())
    entries = [Entry((both.hold(60_000),), idempotency=key) for _ in range(8)]
    answers: list[Any] = []

    async def order(entry: Entry) -> None:
        answers.extend(await both.commit(entry))

    for pid in [both.node.spawn(lambda entry=entry: order(entry)) for entry in entries]:
        await both.node.join(pid)

    assert sorted(type(each).__name__ for each in answers) == ["Committed", *["Replayed"] * 7]
    await both.check()


async def test_payments_go_on_while_tigerbeetle_is_frozen_and_nothing_is_booked_twice(
    hasty: BothBank,
) -> None:
    early = hasty.hold(1_000)
    assert await hasty.reserve(early) == COMMITTED
    hasty.cluster.freeze()

    with pytest.raises(HoldUnknown):
        await hasty.reserve(hasty.hold(10_000))
    assert (await hasty.status()).position is Position.OPEN
    late = hasty.hold(89_000)
    assert await hasty.reserve(late) == COMMITTED
    # The unknown 10,000 are held against the customer, whatever became of them.
    assert isinstance((await hasty.reserve(hasty.hold(1)))[0], Refused)
    # The ends of payments wait for nobody.
    ends = post(hasty.node.ids.new_id(), early.id), void(hasty.node.ids.new_id(), late.id)
    assert await hasty.commit(*(Entry((each,)) for each in ends)) == COMMITTED * 2
    hasty.cluster.heal()

    await hasty.until(Position.CLOSED)
    await hasty.check()
    assert hasty.there(hasty.bank.customer()).debits_pending == 0
    assert hasty.there(hasty.bank.customer()).debits_posted == 1_000


async def test_dead_tigerbeetle_that_comes_back_has_what_it_missed(hasty: BothBank) -> None:
    hasty.cluster.kill()
    with pytest.raises(HoldUnknown):
        await hasty.reserve(hasty.hold(10))
    held = [hasty.hold(100, customer) for customer in range(5)]
    assert await hasty.reserve(*held) == COMMITTED * 5
    ended = [Entry((post(hasty.node.ids.new_id(), each.id),)) for each in held[:3]]
    assert await hasty.commit(*ended) == COMMITTED * 3
    hasty.cluster.heal()

    await hasty.until(Position.CLOSED)
    await hasty.check()
    assert hasty.there(hasty.bank.pi).credits_posted == 300


async def test_post_whose_id_was_burned_is_carried_out_under_another(hasty: BothBank) -> None:
    held = hasty.hold(500)
    assert await hasty.reserve(held) == COMMITTED
    hasty.cluster.kill()
    assert await hasty.commit(Entry((post(hasty.node.ids.new_id(), held.id),))) == COMMITTED
    await hasty.until(Position.OPEN)
    for client in hasty.cluster.clients:  # what they had not delivered is lost
        await client.close()
    hasty.cluster.heal()

    await hasty.until(Position.CLOSED)
    await hasty.check()
    assert hasty.there(hasty.bank.customer()).debits_posted == 500
    assert len(await hasty.rows("SELECT used_id FROM breaker_aliases")) == 1


@pytest.mark.parametrize("victim", [WRITER, DOOR, FOLLOWER, BREAKER, "tigerbeetle"])
async def test_whoever_is_killed_no_hold_is_left_over(both: BothBank, victim: str) -> None:
    async def customer(number: int) -> None:
        for _ in range(10):
            hold_id = await both.until_held(10, number)
            if number % 2:
                await both.until_answered(Entry((void(both.node.ids.new_id(), hold_id),)))

    pids = [both.node.spawn(lambda number=number: customer(number)) for number in range(5)]
    for _ in range(3):
        await both.node.clock.sleep_ms(30)
        pid = both.node.whereis(victim)
        if pid is not None:
            both.node.exit(pid, Killed())
    for pid in pids:
        await both.node.join(pid)

    await both.check()
    assert both.there(both.bank.customer(1)).debits_pending == 0
    assert both.there(both.bank.customer(0)).debits_pending == 100


async def test_hold_that_was_released_is_not_granted_again(both: BothBank) -> None:
    held = both.hold(70)
    await both.node.call(BREAKER, Submit((held,)))  # a door that died before it asked the writer
    pid = both.node.whereis(DOOR)
    assert pid is not None
    both.node.exit(pid, Killed())
    while both.there(both.bank.customer()).debits_pending:
        await both.node.clock.sleep_ms(10)

    with pytest.raises(NotThisTime):
        await both.reserve(held)

    assert await both.reserve(both.hold(70)) == COMMITTED
    await both.check()


async def test_ledger_with_a_history_is_followed_from_its_first_transfer(
    node: Node, migrated_dsn: str
) -> None:
    both = BothBank(node, migrated_dsn)
    await both.bank.start(book=both.book)
    await both.bank.open()
    old = [both.bank.hold_of(700), both.bank.hold_of(300, 1), both.bank.hold_of(50, 2)]
    for held in old:
        await both.bank.commit_transfers(held)
    await both.bank.commit_transfers(post(node.ids.new_id(), old[0].id, 400))
    await both.bank.commit_transfers(void(node.ids.new_id(), old[1].id))
    assert both.bank.writer is not None
    await node.stop(both.bank.writer)
    accounts = both.bank.accounts
    await both.start()
    both.bank.accounts = accounts

    await both.until_equal()

    await both.check()
    assert await both.commit(Entry((post(node.ids.new_id(), old[2].id),))) == COMMITTED
    await both.check()


async def test_hold_with_a_timeout_ends_in_both_when_postgresql_says_so(both: BothBank) -> None:
    held = hold(
        both.node.ids.new_id(),
        both.bank.customer(),
        both.bank.pi,
        40,
        TransferCode.PIX_OUT,
        timeout_seconds=1,
    )

    assert await both.reserve(held) == COMMITTED
    assert both.there(both.bank.customer()).debits_pending == 40

    while both.there(both.bank.customer()).debits_pending:
        await both.node.clock.sleep_ms(20)
    await both.check()


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": int(TransferFlag.PENDING | TransferFlag.CLOSING_DEBIT)},
        {"flags": int(TransferFlag.BALANCING_DEBIT)},
        {"flags": 0},
        {"ledger": 840},
    ],
)
async def test_transfer_that_might_differ_between_the_ledgers_is_refused(
    both: BothBank, wrong: dict[str, Any]
) -> None:
    transfer = both.hold(5)
    fields = {name: getattr(transfer, name) for name in transfer.__struct_fields__}

    with pytest.raises(Unsupported):
        await both.commit(Entry((Transfer(**{**fields, **wrong}),)))


async def test_breaker_opened_by_hand_lets_payments_through(both: BothBank) -> None:
    await both.node.call(BREAKER, Open("maintenance", "ana"), timeout_ms=60_000)
    assert await both.reserve(both.hold(11)) == COMMITTED
    assert both.there(both.bank.customer()).debits_pending == 0

    await both.node.call(BREAKER, Close("it is over", "ana"), timeout_ms=60_000)

    await both.check()
    assert both.there(both.bank.customer()).debits_pending == 11
    assert both.cluster.health is Health.WELL


async def test_account_opened_meanwhile_can_pay_at_once(both: BothBank) -> None:
    account = replace(both.bank.accounts[2], id=both.node.ids.new_id(), number="777", branch="0002")
    bank = both.bank
    bank.accounts.append(account)

    assert await both.node.call(WRITER, OpenAccounts((account,))) == Committed()
    funding = Entry((both.plain(bank.accounts[0].id, account.id, 50),))
    assert await both.commit(funding) == COMMITTED
    assert await both.catch_up()

    held = hold(both.node.ids.new_id(), account.id, bank.pi, 50, TransferCode.PIX_OUT)

    assert await both.reserve(held) == COMMITTED
    await both.check()


async def test_shard_that_starts_while_tigerbeetle_is_dead_goes_on_with_postgresql(
    hasty: BothBank, node: Node
) -> None:
    held = hasty.hold(40)
    assert await hasty.reserve(held) == COMMITTED
    hasty.cluster.kill()
    for name in (BREAKER, WRITER):
        pid = node.whereis(name)
        assert pid is not None
        node.exit(pid, Killed())

    await hasty.until_held(60, 0)
    await hasty.until_answered(Entry((post(node.ids.new_id(), held.id),)))

    assert (await hasty.status()).position is Position.OPEN
    hasty.cluster.heal()
    await hasty.until(Position.CLOSED)
    await hasty.check()


async def test_closed_account_of_a_history_is_closed_in_tigerbeetle_too(
    node: Node, migrated_dsn: str
) -> None:
    both = BothBank(node, migrated_dsn)
    await both.bank.start(book=both.book)
    await both.bank.open()
    accounts = both.bank.accounts
    flags = int(TransferFlag.PENDING | TransferFlag.CLOSING_DEBIT)
    closed = both.bank.customer(3)
    await both.bank.commit_transfers(
        Transfer(node.ids.new_id(), closed, both.bank.pi, 0, TransferCode.CORRECTION, flags)
    )
    assert both.bank.writer is not None
    await node.stop(both.bank.writer)

    await both.start()
    both.bank.accounts = accounts

    await both.until_equal()
    while not both.cluster.state.accounts[closed.int].flags & 32:
        await node.clock.sleep_ms(20)
    held = both.hold(1, customer=3)
    refused = Refused(TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED, held.id)
    assert await both.reserve(held) == (refused,)


async def test_account_opened_during_an_outage_can_pay_at_once(both: BothBank) -> None:
    await both.node.call(BREAKER, Open("drill", "ana"), timeout_ms=60_000)
    account = replace(both.bank.accounts[2], id=both.node.ids.new_id(), number="9", branch="3")
    both.bank.accounts.append(account)
    assert await both.node.call(WRITER, OpenAccounts((account,))) == Committed()
    funding = Entry((both.plain(both.bank.accounts[0].id, account.id, 50),))
    assert await both.commit(funding) == COMMITTED
    assert await both.catch_up()
    held = hold(both.node.ids.new_id(), account.id, both.bank.pi, 50, TransferCode.PIX_OUT)

    assert await both.reserve(held) == COMMITTED

    await both.node.call(BREAKER, Close("it is over", "ana"), timeout_ms=60_000)
    await both.check()
    assert both.there(account.id).debits_pending == 50


def sides(transfer: Transfer) -> tuple[Any, Any]:
    return transfer.debit_account_id, transfer.credit_account_id
