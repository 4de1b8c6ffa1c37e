import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from actors import Node
from ledger import (
    Account,
    AccountCode,
    AccountFlag,
    AccountRefused,
    AccountResult,
    AccountStatus,
    BatchCommitted,
    Commit,
    Committed,
    Entry,
    Event,
    InvalidText,
    OpenAccounts,
    OverLimit,
    Refused,
    SetStatus,
    StatusReason,
    Transfer,
    TransferCode,
    TransferFlag,
    TransferResult,
    hold,
    post,
    verify,
    void,
)
from tests.ledger.bank import FUNDS_CENTS, Bank, key


def event_of(node: Node) -> Event:
    return Event(node.ids.new_id(), node.ids.new_id(), "payment.settled", node.clock.now(), b"{}")


async def test_hold_counts_against_the_limit_and_moves_nothing(bank: Bank) -> None:
    answer = await bank.commit_transfers(bank.hold_of(1_000))

    assert answer == Committed()
    assert bank.balance(bank.customer()) == (1_000, 0, 0, FUNDS_CENTS)
    assert bank.balance(bank.pi) == (0, 0, 1_000, 0)
    assert bank.balance(bank.customer()).available_cents == FUNDS_CENTS - 1_000


async def test_posted_hold_moves_the_money_and_voided_hold_gives_it_back(bank: Bank) -> None:
    posted, voided = bank.hold_of(1_000), bank.hold_of(300)
    new_id = bank.node.ids.new_id
    await bank.commit_transfers(posted, voided)

    answers = await bank.commit(
        Entry((post(new_id(), posted.id),)), Entry((void(new_id(), voided.id),))
    )

    assert answers == (Committed(), Committed())
    assert bank.balance(bank.customer()) == (0, 1_000, 0, FUNDS_CENTS)
    assert bank.balance(bank.pi) == (0, 0, 0, 1_000)
    assert (await verify(bank.dsn)).ok


async def test_entry_without_funds_is_refused_whole(bank: Bank) -> None:
    before = bank.balance(bank.customer())
    first, second = bank.hold_of(FUNDS_CENTS), bank.hold_of(1)

    answer = await bank.commit_transfers(first, second)

    assert answer == Refused(TransferResult.EXCEEDS_CREDITS, second.id)
    assert bank.balance(bank.customer()) == before
    assert (await verify(bank.dsn)).open_holds == 0


async def test_refused_entry_leaves_its_neighbours_and_its_key_alone(bank: Bank) -> None:
    too_much = Entry((bank.hold_of(FUNDS_CENTS + 1),), (event_of(bank.node),), key("a"))
    fine = Entry((bank.hold_of(1),), (event_of(bank.node),), key("b"))

    first = await bank.commit(too_much, fine)
    again = await bank.commit(Entry((bank.hold_of(1),), (), key("a")))

    assert isinstance(first[0], Refused)
    assert first[1] == again[0] == Committed()
    report = await verify(bank.dsn)
    assert (report.ok, report.events, report.idempotency_keys) == (True, 1, 2)


async def test_entries_that_arrive_during_a_commit_share_the_next_one(bank: Bank) -> None:
    batches: list[int] = []

    def observe(_: tuple[str, ...], measured: Mapping[str, Any], __: Mapping[str, Any]) -> None:
        batches.append(measured["entries"])

    bank.node.telemetry.attach(("ledger", "batch", "committed"), observe)

    answers = await asyncio.gather(
        *(bank.commit_transfers(bank.hold_of(1, number % 5)) for number in range(200))
    )

    assert answers == [Committed()] * 200
    assert sum(batches) == 200
    assert len(batches) < 10


async def test_batch_that_is_full_is_committed_though_more_is_waiting(bank: Bank) -> None:
    batches: list[int] = []
    bank.node.telemetry.attach(
        ("ledger", "batch", "committed"),
        lambda _, measured, __: batches.append(measured["entries"]),
    )
    entries = tuple(Entry(events=(event_of(bank.node),)) for _ in range(400))

    await asyncio.gather(*(bank.commit(*entries) for _ in range(10)))

    assert sum(batches) == 4_000
    assert max(batches) == 1_200


async def test_same_transfer_again_is_answered_exists_also_after_a_restart(bank: Bank) -> None:
    payment = bank.hold_of(FUNDS_CENTS)
    settlement = post(bank.node.ids.new_id(), payment.id)
    await bank.commit_transfers(payment)
    await bank.commit_transfers(settlement)

    in_memory = await bank.commit(Entry((payment,)), Entry((settlement,)))
    await bank.restart()
    from_table = await bank.commit(Entry((payment,)), Entry((settlement,)))

    expected = (
        Refused(TransferResult.EXISTS, payment.id),
        Refused(TransferResult.EXISTS, settlement.id),
    )
    assert in_memory == from_table == expected
    assert bank.balance(bank.customer()) == (0, FUNDS_CENTS, 0, FUNDS_CENTS)


async def test_stored_transfer_that_would_fit_again_is_not_written_twice(bank: Bank) -> None:
    payment = bank.hold_of(10)
    await bank.commit_transfers(payment)
    other = bank.hold_of(20)

    answers = await bank.commit(Entry((other,)), Entry((payment,)))

    assert answers == (Committed(), Refused(TransferResult.EXISTS, payment.id))
    assert bank.balance(bank.customer()).debits_pending == 30
    assert (await verify(bank.dsn)).ok


async def test_another_transfer_under_a_stored_id_is_told_from_a_retry(bank: Bank) -> None:
    payment = bank.hold_of(10)
    await bank.commit_transfers(payment)
    dearer = msgspec.structs.replace(payment, amount_cents=11)

    answer = await bank.commit_transfers(dearer)

    assert answer == Refused(TransferResult.EXISTS_WITH_DIFFERENT_AMOUNT, payment.id)


async def test_second_resolution_of_a_hold_is_told_what_the_first_was(bank: Bank) -> None:
    new_id = bank.node.ids.new_id
    posted, voided = bank.hold_of(1), bank.hold_of(2)
    await bank.commit_transfers(posted, voided)
    await bank.commit_transfers(post(new_id(), posted.id), void(new_id(), voided.id))

    answers = await bank.commit(
        Entry((void(new_id(), posted.id),)),
        Entry((post(new_id(), voided.id),)),
        Entry((post(new_id(), new_id()),)),
    )

    assert [answer.result for answer in answers if isinstance(answer, Refused)] == [
        TransferResult.PENDING_TRANSFER_ALREADY_POSTED,
        TransferResult.PENDING_TRANSFER_ALREADY_VOIDED,
        TransferResult.PENDING_TRANSFER_NOT_FOUND,
    ]


async def test_hold_may_be_resolved_in_the_batch_that_made_it(bank: Bank) -> None:
    payment = bank.hold_of(7)
    settlement = post(bank.node.ids.new_id(), payment.id)

    answers = await bank.commit(Entry((payment,)), Entry((settlement,)))

    assert answers == (Committed(), Committed())
    assert bank.balance(bank.customer()) == (0, 7, 0, FUNDS_CENTS)
    assert (await verify(bank.dsn)).ok


async def test_on_committed_hears_of_events_in_outbox_order(empty_bank: Bank) -> None:
    heard: list[BatchCommitted] = []
    await empty_bank.start(on_committed=heard.append)
    await empty_bank.open()
    events = [event_of(empty_bank.node) for _ in range(3)]

    await empty_bank.commit(Entry(events=tuple(events[:2])), Entry(events=tuple(events[2:])))

    assert list(heard[-1].events) == events
    assert heard[-1].outbox_sequence == 3


async def test_reload_equals_memory(bank: Bank) -> None:
    holds = [bank.hold_of(number + 1, number % 5) for number in range(20)]
    await bank.commit(*(Entry((each,)) for each in holds))
    await bank.commit(
        *(Entry((post(bank.node.ids.new_id(), each.id),)) for each in holds[::3]),
        *(Entry((void(bank.node.ids.new_id(), each.id),)) for each in holds[1::3]),
    )
    before = {account.id: bank.balance(account.id) for account in bank.accounts}

    await bank.restart()

    assert {account.id: bank.balance(account.id) for account in bank.accounts} == before
    assert [bank.book.account(account.id) for account in bank.accounts] == bank.accounts
    still_open = Entry(tuple(post(bank.node.ids.new_id(), each.id) for each in holds[2::3]))
    assert await bank.commit(still_open) == (Committed(),)
    assert (await verify(bank.dsn)).open_holds == 0


async def test_account_is_found_by_branch_and_number_and_opened_once(bank: Bank) -> None:
    customer = bank.accounts[2]

    again = await bank.node.call(bank.writer, OpenAccounts((customer,)))

    assert again == Committed()
    assert bank.book.find("0001", "0") == customer
    assert bank.book.find("0001", "999") is None


async def test_account_that_contradicts_an_open_one_is_refused(bank: Bank) -> None:
    customer = bank.accounts[2]
    renamed = Account(
        customer.id, customer.tenant, customer.code, "0001", "0", "CACC", "Eva", "1", customer.flags
    )
    same_number = Account(
        bank.node.ids.new_id(), customer.tenant, AccountCode.CUSTOMER, "0001", "0", "CACC"
    )

    answers = [
        await bank.node.call(bank.writer, OpenAccounts((account,)))
        for account in (renamed, same_number)
    ]

    assert answers == [
        AccountRefused(AccountResult.EXISTS_WITH_DIFFERENT_DETAILS, customer.id),
        AccountRefused(AccountResult.NUMBER_TAKEN, same_number.id),
    ]


@pytest.mark.parametrize("text", ["nul\0", "half \ud800", "k" * 256])
async def test_key_that_postgresql_cannot_store_is_refused_before_it_harms_others(
    bank: Bank, text: str
) -> None:
    with pytest.raises(InvalidText):
        await bank.commit(Entry((bank.hold_of(1),), (), key(text)))

    assert await bank.commit_transfers(bank.hold_of(1)) == Committed()


async def test_commit_with_too_many_entries_is_refused(bank: Bank) -> None:
    with pytest.raises(OverLimit):
        await bank.node.call(bank.writer, Commit((Entry(),) * 1_001))


async def test_amount_that_is_no_positive_integer_is_refused(bank: Bank) -> None:
    def of(amount: Any) -> Transfer:
        return Transfer(
            bank.node.ids.new_id(), bank.customer(), bank.pi, amount, TransferCode.PIX_OUT
        )

    answers = await bank.commit(*(Entry((of(amount),)) for amount in (0, -1, 2**128, 1.0)))

    assert {answer.result for answer in answers if isinstance(answer, Refused)} == {
        TransferResult.AMOUNT_OUT_OF_RANGE
    }
    assert len(answers) == 4


async def test_blocked_account_pays_nothing_new_and_still_takes_money(bank: Bank) -> None:
    before, after = bank.hold_of(5), bank.hold_of(6)
    await bank.commit_transfers(before)
    blocked = SetStatus(bank.customer(), AccountStatus.BLOCKED, StatusReason.COURT_ORDER, "judge")

    assert await bank.node.call(bank.writer, blocked) == Committed()

    refused = Refused(TransferResult.DEBIT_ACCOUNT_BLOCKED, after.id)
    assert await bank.commit_transfers(after) == refused
    assert await bank.commit_transfers(post(bank.node.ids.new_id(), before.id)) == Committed()
    credit = Transfer(bank.node.ids.new_id(), bank.pi, bank.customer(), 1, TransferCode.PIX_IN)
    assert await bank.commit_transfers(credit) == Committed()
    await bank.restart()
    assert bank.book.status(bank.customer()) is AccountStatus.BLOCKED
    assert await bank.commit_transfers(after) == refused


async def test_inactive_account_neither_pays_nor_takes_until_it_is_active_again(
    bank: Bank,
) -> None:
    def status(wanted: AccountStatus) -> SetStatus:
        return SetStatus(bank.customer(), wanted, StatusReason.OWNER_REQUEST, "branch 1")

    debit = bank.hold_of(5)
    credit = Transfer(bank.node.ids.new_id(), bank.pi, bank.customer(), 1, TransferCode.PIX_IN)
    await bank.node.call(bank.writer, status(AccountStatus.INACTIVE))

    refused = [await bank.commit_transfers(each) for each in (debit, credit)]
    await bank.node.call(bank.writer, status(AccountStatus.ACTIVE))
    taken = [await bank.commit_transfers(each) for each in (debit, credit)]

    assert refused == [
        Refused(TransferResult.DEBIT_ACCOUNT_INACTIVE, debit.id),
        Refused(TransferResult.CREDIT_ACCOUNT_INACTIVE, credit.id),
    ]
    assert taken == [Committed(), Committed()]


async def test_status_of_an_unknown_account_is_refused(bank: Bank) -> None:
    nobody = bank.node.ids.new_id()
    request = SetStatus(nobody, AccountStatus.BLOCKED, StatusReason.COMPLIANCE, "x")

    answer = await bank.node.call(bank.writer, request)

    assert answer == AccountRefused(AccountResult.NOT_FOUND, nobody)
    with pytest.raises(InvalidText):
        await bank.node.call(bank.writer, replace(request, made_by="\0"))


async def test_hold_with_a_timeout_is_released_when_it_is_over_though_nobody_asks(
    bank: Bank,
) -> None:
    new_id, customer = bank.node.ids.new_id, bank.customer()
    brief = hold(new_id(), customer, bank.pi, 5, TransferCode.PIX_OUT, timeout_seconds=1)
    await bank.commit_transfers(brief)
    assert bank.balance(customer).debits_pending == 5

    while bank.balance(customer).debits_pending:
        await bank.node.clock.sleep_ms(20)

    late = await bank.commit_transfers(post(new_id(), brief.id))
    assert late == Refused(TransferResult.PENDING_TRANSFER_EXPIRED, late.transfer_id)
    await bank.restart()
    again = await bank.commit_transfers(post(new_id(), brief.id))
    assert isinstance(again, Refused)
    assert again.result is TransferResult.PENDING_TRANSFER_EXPIRED


async def test_account_that_a_transfer_closed_is_closed_after_a_restart(bank: Bank) -> None:
    closing = msgspec.structs.replace(
        bank.hold_of(1), flags=int(TransferFlag.PENDING | TransferFlag.CLOSING_DEBIT)
    )
    assert await bank.commit_transfers(closing) == Committed()
    assert bank.book.account(bank.customer()).flags & AccountFlag.CLOSED
    await bank.restart()

    refused = await bank.commit_transfers(bank.hold_of(1))
    opened = await bank.commit_transfers(void(bank.node.ids.new_id(), closing.id))
    taken = await bank.commit_transfers(bank.hold_of(1))

    assert refused.result is TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED
    assert opened == taken == Committed()


async def test_id_that_failed_fails_after_a_restart_though_there_is_money_now(bank: Bank) -> None:
    dear = bank.hold_of(FUNDS_CENTS + 1)
    assert await bank.commit_transfers(dear) == Refused(TransferResult.EXCEEDS_CREDITS, dear.id)
    funding = Transfer(
        bank.node.ids.new_id(), bank.accounts[0].id, bank.customer(), 10, TransferCode.FUNDING
    )
    await bank.commit_transfers(funding)
    await bank.restart()

    answer = await bank.commit_transfers(dear)

    assert answer == Refused(TransferResult.ID_ALREADY_FAILED, dear.id)
