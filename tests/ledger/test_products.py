"""Products: what they refuse, what they charge, and that neither is forgotten."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import Node
from ledger import (
    Account,
    AccountCode,
    AccountFlag,
    AccountRefused,
    AccountResult,
    AccountStatus,
    Committed,
    DefineProduct,
    Entry,
    Fee,
    InvalidProduct,
    InvalidText,
    OpenAccounts,
    Product,
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
from ledger.allowances import day_of, midnight
from tests.ledger.bank import TENANT, Bank

BASIC = Product(
    code="basic",
    name="Conta básica",
    transfer_max_cents=5_000,
    day_max_cents=8_000,
    balance_max_cents=20_000,
    fees=(Fee(charged_for=TransferCode.PIX_OUT, fixed_cents=100),),
)


async def define(bank: Bank, product: Product) -> object:
    return await bank.node.call(bank.writer, DefineProduct(product, "tests"))


async def open_basic(bank: Bank, number: str = "77", funds_cents: int = 10_000) -> UUID:
    """An account of the basic product, with some money."""
    assert await define(bank, BASIC) == Committed()
    account = BASIC.account(bank.node.ids.new_id(), TENANT, branch="0001", number=number)
    assert await bank.node.call(bank.writer, OpenAccounts((account,))) == Committed()
    if funds_cents:
        assert await pay(bank, bank.accounts[0].id, account.id, funds_cents) == Committed()
    return account.id


async def pay(bank: Bank, payer: UUID, receiver: UUID, amount_cents: int) -> object:
    transfer = Transfer(
        bank.node.ids.new_id(), payer, receiver, amount_cents, TransferCode.BOOK_TRANSFER
    )
    return await result(bank, transfer)


async def result(bank: Bank, *transfers: Transfer) -> object:
    """`Committed`, or the code of the refusal."""
    answer = await bank.commit_transfers(*transfers)
    return answer.result if isinstance(answer, Refused) else answer


async def test_transfer_above_the_products_limit_moves_nothing(bank: Bank) -> None:
    account = await open_basic(bank)

    assert await pay(bank, account, bank.pi, 5_001) is TransferResult.EXCEEDS_TRANSFER_LIMIT
    assert await pay(bank, account, bank.pi, 5_000) == Committed()
    assert bank.balance(account).available_cents == 5_000


async def test_day_has_room_for_its_limit_and_no_more(bank: Bank) -> None:
    account = await open_basic(bank)

    assert await pay(bank, account, bank.pi, 5_000) == Committed()
    assert await pay(bank, account, bank.pi, 3_001) is TransferResult.EXCEEDS_DAY_LIMIT
    assert await pay(bank, account, bank.pi, 3_000) == Committed()
    assert await pay(bank, account, bank.pi, 1) is TransferResult.EXCEEDS_DAY_LIMIT


async def test_account_takes_no_more_than_the_product_lets_it_have(bank: Bank) -> None:
    account = await open_basic(bank, funds_cents=19_000)
    own = bank.accounts[0].id

    assert await pay(bank, own, account, 1_001) is TransferResult.EXCEEDS_BALANCE_LIMIT
    coming = hold(bank.node.ids.new_id(), own, account, 600, TransferCode.PIX_IN)
    assert await result(bank, coming) == Committed()
    assert await pay(bank, own, account, 401) is TransferResult.EXCEEDS_BALANCE_LIMIT
    assert await pay(bank, own, account, 400) == Committed()


async def test_what_a_hold_releases_may_be_spent_the_same_day(bank: Bank) -> None:
    account, new_id = await open_basic(bank), bank.node.ids.new_id
    voided = hold(new_id(), account, bank.pi, 4_000, TransferCode.PIX_OUT)
    partly = hold(new_id(), account, bank.pi, 4_000, TransferCode.PIX_OUT)
    assert await result(bank, voided, partly) == Committed()
    assert await pay(bank, account, bank.pi, 1) is TransferResult.EXCEEDS_DAY_LIMIT

    await bank.commit_transfers(void(new_id(), voided.id))
    await bank.commit_transfers(post(new_id(), partly.id, 1_000))

    assert await pay(bank, account, bank.pi, 5_000) == Committed()
    assert await pay(bank, account, bank.pi, 2_001) is TransferResult.EXCEEDS_DAY_LIMIT
    assert await pay(bank, account, bank.pi, 2_000) == Committed()


async def test_hold_that_expires_gives_its_day_back(bank: Bank) -> None:
    account, new_id = await open_basic(bank), bank.node.ids.new_id
    short = hold(new_id(), account, bank.pi, 5_000, TransferCode.PIX_OUT, timeout_seconds=1)
    assert await result(bank, short) == Committed()

    while bank.balance(account).debits_pending:
        await bank.node.clock.sleep_ms(20)

    assert await pay(bank, account, bank.pi, 5_000) == Committed()


async def test_refused_entry_spends_nothing_of_the_day(bank: Bank) -> None:
    account, new_id = await open_basic(bank), bank.node.ids.new_id
    whole = Transfer(new_id(), account, bank.pi, 5_000, TransferCode.BOOK_TRANSFER)
    impossible = Transfer(new_id(), account, UUID(int=9), 1, TransferCode.BOOK_TRANSFER)

    assert await result(bank, whole, impossible) is TransferResult.CREDIT_ACCOUNT_NOT_FOUND
    assert await pay(bank, account, bank.pi, 5_000) == Committed()


async def test_limits_hold_inside_one_batch(bank: Bank) -> None:
    account, new_id = await open_basic(bank), bank.node.ids.new_id
    entries = [
        Entry((Transfer(new_id(), account, bank.pi, 3_000, TransferCode.BOOK_TRANSFER),))
        for _ in range(3)
    ]

    answers = await bank.commit(*entries)

    assert answers[:2] == (Committed(), Committed())
    assert answers[2] == Refused(TransferResult.EXCEEDS_DAY_LIMIT, entries[2].transfers[0].id)


async def test_restarted_writer_remembers_products_and_the_day(bank: Bank) -> None:
    account, new_id = await open_basic(bank), bank.node.ids.new_id
    kept = hold(new_id(), account, bank.pi, 3_000, TransferCode.PIX_OUT)
    voided = hold(new_id(), account, bank.pi, 3_000, TransferCode.PIX_OUT)
    assert await result(bank, kept, voided) == Committed()
    await bank.commit_transfers(void(new_id(), voided.id))

    await bank.restart()

    assert bank.book.products == {"basic": BASIC}
    opened = bank.book.account(account)
    assert opened is not None
    assert opened.product == "basic"
    assert await pay(bank, account, bank.pi, 5_000) == Committed()
    assert await pay(bank, account, bank.pi, 1) is TransferResult.EXCEEDS_DAY_LIMIT
    assert (await verify(bank.dsn)).ok


async def test_new_terms_hold_for_the_accounts_there_are(bank: Bank) -> None:
    free = Product(code="basic", name="Conta livre")
    assert await define(bank, free) == Committed()
    account = free.account(bank.node.ids.new_id(), TENANT, number="78")
    await bank.node.call(bank.writer, OpenAccounts((account,)))
    assert await pay(bank, bank.accounts[0].id, account.id, 90_000) == Committed()
    assert await pay(bank, account.id, bank.pi, 7_000) == Committed()

    assert await define(bank, BASIC) == Committed()

    assert await pay(bank, account.id, bank.pi, 1_001) is TransferResult.EXCEEDS_DAY_LIMIT
    assert await pay(bank, account.id, bank.pi, 1_000) == Committed()


@pytest.mark.parametrize("restriction", ["limit", "status"])
async def test_retry_of_what_was_made_is_told_so_whatever_changed_since(
    bank: Bank, restriction: str
) -> None:
    account = await open_basic(bank)
    made = Transfer(bank.node.ids.new_id(), account, bank.pi, 5_000, TransferCode.BOOK_TRANSFER)
    assert await result(bank, made) == Committed()
    if restriction == "limit":
        assert await pay(bank, account, bank.pi, 3_000) == Committed()  # nothing is left
    else:
        blocked = SetStatus(account, AccountStatus.BLOCKED, StatusReason.COURT_ORDER, "tests")
        assert await bank.node.call(bank.writer, blocked) == Committed()

    assert await result(bank, made) is TransferResult.EXISTS


async def test_account_is_opened_under_a_known_product_on_its_terms(bank: Bank) -> None:
    new_id = bank.node.ids.new_id
    unknown = BASIC.account(new_id(), TENANT)
    refused = await bank.node.call(bank.writer, OpenAccounts((unknown,)))
    assert refused == AccountRefused(AccountResult.PRODUCT_NOT_FOUND, unknown.id)

    await define(bank, BASIC)
    without_limit = Account(
        new_id(), TENANT, AccountCode.CUSTOMER, account_type="TRAN", product="basic"
    )
    refused = await bank.node.call(bank.writer, OpenAccounts((without_limit,)))
    assert refused == AccountRefused(AccountResult.DIFFERS_FROM_PRODUCT, without_limit.id)


async def test_unstorable_product_is_refused(bank: Bank) -> None:
    with pytest.raises(InvalidText):
        await define(bank, Product(code="a\0", name="x"))


async def test_fee_of_a_hold_is_held_and_earned_with_it(bank: Bank) -> None:
    account, new_id = await open_basic(bank), bank.node.ids.new_id
    income = Account(new_id(), TENANT, AccountCode.FEE_INCOME)
    await bank.node.call(bank.writer, OpenAccounts((income,)))
    order = hold(new_id(), account, bank.pi, 2_000, TransferCode.PIX_OUT)

    charged = BASIC.charge(order, new_id(), income.id)
    assert await result(bank, *charged) == Committed()
    assert bank.balance(account).available_cents == 10_000 - 2_100

    await bank.commit_transfers(*(post(new_id(), each.id) for each in charged))
    assert bank.balance(income.id).posted_cents == 100
    assert bank.balance(account).posted_cents == 10_000 - 2_100


def test_nothing_is_charged_for_what_has_no_fee() -> None:
    transfer = Transfer(UUID(int=1), UUID(int=2), UUID(int=3), 100, TransferCode.BOOK_TRANSFER)
    assert BASIC.charge(transfer, UUID(int=4), UUID(int=5)) == (transfer,)


def test_fee_cannot_be_charged_for_the_end_of_a_hold() -> None:
    with pytest.raises(InvalidProduct):
        BASIC.charge(post(UUID(int=1), UUID(int=2)), UUID(int=4), UUID(int=5))


@pytest.mark.parametrize(
    ("fee", "amount_cents", "cents"),
    [
        (Fee(charged_for=TransferCode.PIX_OUT, fixed_cents=90), 1, 90),
        (Fee(charged_for=TransferCode.PIX_OUT, rate=99), 10_000, 99),
        (Fee(charged_for=TransferCode.PIX_OUT, rate=99), 50, 0),
        (Fee(charged_for=TransferCode.PIX_OUT, rate=100), 50, 1),  # half a centavo goes up
        (Fee(charged_for=TransferCode.PIX_OUT, rate=100, min_cents=30), 50, 30),
        (Fee(charged_for=TransferCode.PIX_OUT, fixed_cents=5, rate=100, max_cents=40), 9_999, 40),
    ],
)
def test_fee_is_fixed_part_and_rate_between_its_bounds(
    fee: Fee, amount_cents: int, cents: int
) -> None:
    assert fee.cents(amount_cents) == cents


@given(st.integers(0, 10**15), st.integers(0, 10_000), st.integers(0, 10**6))
def test_fee_never_falls_when_the_amount_rises(amount: int, rate: int, more: int) -> None:
    fee = Fee(charged_for=TransferCode.PIX_OUT, rate=rate)
    assert fee.cents(amount) <= fee.cents(amount + more)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Fee(charged_for=TransferCode.PIX_OUT, rate=-1),
        lambda: Fee(charged_for=TransferCode.PIX_OUT, min_cents=2, max_cents=1),
        lambda: Product(code="a", name="a", day_max_cents=-1),
        lambda: Product(code="a", name="a", fees=(BASIC.fees[0], BASIC.fees[0])),
    ],
)
def test_senseless_terms_are_refused(make: object) -> None:
    with pytest.raises(InvalidProduct):
        make()  # type: ignore[operator] # one of the above


def test_day_ends_at_midnight_in_brasilia() -> None:
    last = datetime(2026, 3, 11, 2, 59, 59, 999_999, tzinfo=UTC)
    timestamps = [int((last + timedelta(microseconds=n)).timestamp() * 1e6) * 1_000 for n in (0, 1)]

    assert [day_of(each).day for each in timestamps] == [10, 11]
    assert midnight(timestamps[1]) == timestamps[1]


def test_balancing_transfer_counts_with_what_it_takes(node: Node) -> None:
    """A maximum is no amount: only what there is can break a limit."""
    assert node  # the rest is decided in memory
    from ledger.allowances import Allowances
    from ledger.core import AccountState, LedgerState

    payer = BASIC.account(UUID(int=2), TENANT)
    state = LedgerState(first_timestamp=1)
    state.accounts[2] = AccountState(payer.id, int(payer.flags), credits_posted=4_000)
    state.accounts[3] = AccountState(UUID(int=3), int(AccountFlag.NONE))
    allowances = Allowances({"basic": BASIC})
    allowances.add([payer])
    allowances.begin(state)
    flags = int(TransferFlag.BALANCING_DEBIT)
    everything = Transfer(
        UUID(int=9), payer.id, UUID(int=3), 2**128 - 1, TransferCode.BOOK_TRANSFER, flags
    )

    assert allowances.refusal(state, everything) is None
    state.accounts[2].credits_posted = 5_001
    assert allowances.refusal(state, everything) is TransferResult.EXCEEDS_TRANSFER_LIMIT
