"""Our words for TigerBeetle's: the same numbers, the same order of checks, nothing lost."""

from itertools import combinations
from typing import Any
from uuid import UUID

import msgspec
import pytest
import tigerbeetle
from hypothesis import given
from hypothesis import strategies as st

from ledger import (
    AMOUNT_ALL,
    AccountFlag,
    Balance,
    Transfer,
    TransferFlag,
    TransferResult,
    hold,
    post,
)
from ledger.accounts import AccountResult
from ledger.core import COUNTER_MAX, ID_MAX, AccountState, Facts, LedgerState, apply
from ledger.tigerbeetle import (
    FoundAccount,
    NewAccount,
    OutOfRange,
    UnexpectedAnswer,
    UnknownLedger,
    account_from,
    account_to,
    account_to_open,
    result_from,
    transfer_from,
    transfer_to,
)

Status = tigerbeetle.CreateTransferStatus
LEDGERS = {986: 7, 840: 8}
OURS_FROM = 1_000
ORDER = [status.name for status in Status]


@pytest.mark.parametrize("result", list(TransferResult))
def test_results_have_the_names_and_numbers_of_the_client(result: TransferResult) -> None:
    if OURS_FROM <= result < 2 * OURS_FROM:
        assert result not in set(Status)
        return
    assert Status[result.name].value == result.value
    assert result_from(Status[result.name]) is result


def test_results_that_we_lack_are_of_imported_and_stamped_transfers_only() -> None:
    missing = {each.name for each in Status} - {each.name for each in TransferResult}

    assert all("IMPORTED" in name or name == "TIMESTAMP_MUST_BE_ZERO" for name in missing)
    with pytest.raises(UnexpectedAnswer):
        result_from(Status.TIMESTAMP_MUST_BE_ZERO)


def test_account_results_and_all_flags_have_the_numbers_of_the_client() -> None:
    for result in AccountResult:
        if result < OURS_FROM:
            assert tigerbeetle.CreateAccountStatus[result.name].value == result.value
    for flag in TransferFlag:
        assert tigerbeetle.TransferFlags[flag.name or ""].value == flag.value
    for account_flag in AccountFlag:
        assert tigerbeetle.AccountFlags[account_flag.name or ""].value == account_flag.value


# What is wrong with a transfer, by the result that says so. `BOTH` lack funds.
RICH, POOR, BARE, CLOSED, EURO, FULL = (UUID(int=number) for number in (1, 2, 3, 4, 5, 6))
SHUT = UUID(int=8)
GONE = UUID(int=99)
FAILED = UUID(int=50)
WELL = Transfer(UUID(int=1_000), RICH, UUID(int=7), 10, 1)
WRONG: dict[str, dict[str, Any]] = {
    "RESERVED_FLAG": {"flags": 1 << 9},
    "ID_MUST_NOT_BE_ZERO": {"id": UUID(int=0)},
    "ID_MUST_NOT_BE_INT_MAX": {"id": UUID(int=ID_MAX)},
    "ID_ALREADY_FAILED": {"id": FAILED},
    "DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO": {"debit_account_id": UUID(int=0)},
    "DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX": {"debit_account_id": UUID(int=ID_MAX)},
    "CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO": {"credit_account_id": UUID(int=0)},
    "CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX": {"credit_account_id": UUID(int=ID_MAX)},
    "PENDING_ID_MUST_BE_ZERO": {"pending_id": UUID(int=60)},
    "TIMEOUT_RESERVED_FOR_PENDING_TRANSFER": {"timeout_seconds": 1},
    "CLOSING_TRANSFER_MUST_BE_PENDING": {"flags": int(TransferFlag.CLOSING_DEBIT)},
    "LEDGER_MUST_NOT_BE_ZERO": {"ledger": 0},
    "CODE_MUST_NOT_BE_ZERO": {"code": 0},
    "DEBIT_ACCOUNT_NOT_FOUND": {"debit_account_id": GONE},
    "CREDIT_ACCOUNT_NOT_FOUND": {"credit_account_id": UUID(int=98)},
    "ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER": {"debit_account_id": EURO},
    "TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS": {"ledger": 840},
    "DEBIT_ACCOUNT_ALREADY_CLOSED": {"debit_account_id": CLOSED},
    "CREDIT_ACCOUNT_ALREADY_CLOSED": {"credit_account_id": SHUT},
    "OVERFLOWS_CREDITS_POSTED": {"credit_account_id": FULL},
    "EXCEEDS_CREDITS": {"debit_account_id": POOR},
    "EXCEEDS_DEBITS": {"credit_account_id": BARE},
}


def books() -> LedgerState:
    state = LedgerState(facts=Facts(failed={FAILED.int: 54}, is_complete=True))
    flags = {POOR: AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS, CLOSED: AccountFlag.CLOSED}
    flags[SHUT] = AccountFlag.CLOSED
    flags[BARE] = AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
    for account_id in (RICH, POOR, BARE, CLOSED, SHUT, EURO, FULL, WELL.credit_account_id):
        account = AccountState(account_id, int(flags.get(account_id, 0)))
        state.accounts[account_id.int] = account
    state.accounts[EURO.int].ledger = 978
    state.accounts[FULL.int].credits_posted = COUNTER_MAX
    return state


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_has_its_result(name: str) -> None:
    assert apply(books(), msgspec.structs.replace(WELL, **WRONG[name]), 1).name == name


PAIRS = [
    (one, other)
    for one, other in combinations(WRONG, 2)
    if not WRONG[one].keys() & WRONG[other].keys()
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_of_two_mistakes_the_earlier_one_in_the_clients_list_is_told(one: str, other: str) -> None:
    transfer = msgspec.structs.replace(WELL, **WRONG[one], **WRONG[other])

    assert apply(books(), transfer, 1).name == min(one, other, key=ORDER.index)


DIFFERENT = {
    "flags": 2,
    "pending_id": UUID(int=60),
    "timeout_seconds": 1,
    "debit_account_id": POOR,
    "credit_account_id": POOR,
    "amount_cents": 11,
    "user_data_128": 1,
    "user_data_64": 1,
    "user_data_32": 1,
    "ledger": 840,
    "code": 2,
}


@pytest.mark.parametrize(("one", "other"), list(combinations(DIFFERENT, 2)))
def test_of_two_differences_the_earlier_one_in_the_clients_list_is_told(
    one: str, other: str
) -> None:
    state = books()
    assert apply(state, WELL, 1) is TransferResult.CREATED
    names = [
        field.upper().removesuffix("_CENTS").removesuffix("_SECONDS") for field in (one, other)
    ]
    changed = {field: DIFFERENT[field] for field in (one, other)}

    result = apply(state, msgspec.structs.replace(WELL, **changed), 2)

    assert result.name == min((f"EXISTS_WITH_DIFFERENT_{name}" for name in names), key=ORDER.index)


def numbers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


ids = numbers(128).map(lambda number: UUID(int=number))
transfers = st.builds(
    Transfer,
    id=ids,
    debit_account_id=ids,
    credit_account_id=ids,
    amount_cents=numbers(128),
    code=numbers(16),
    flags=st.integers(0, 255),
    pending_id=st.none() | numbers(127).map(lambda number: UUID(int=number + 1)),
    timeout_seconds=numbers(32),
    ledger=st.sampled_from(sorted(LEDGERS)),
    user_data_128=numbers(128),
    user_data_64=numbers(64),
    user_data_32=numbers(32),
)


@given(transfers)
def test_transfer_comes_back_as_it_went(transfer: Transfer) -> None:
    struct = transfer_to(transfer, LEDGERS)

    assert transfer_from(struct, LEDGERS).transfer == transfer
    encoded = tigerbeetle.bindings.CTransfer.from_param(struct)
    assert transfer_from(encoded.to_python(), LEDGERS).transfer == transfer


@given(st.tuples(*[numbers(128)] * 4), numbers(16).filter(bool), st.sampled_from([0, 2, 4, 8, 32]))
def test_account_comes_back_as_it_went(counters: tuple[int, ...], code: int, flags: int) -> None:
    found = FoundAccount(NewAccount(UUID(int=9), code, flags, 840), Balance(*counters), 123)

    encoded = tigerbeetle.bindings.CAccount.from_param(account_to(found, LEDGERS))

    assert account_from(encoded.to_python(), LEDGERS) == found


def test_post_takes_its_ledger_and_accounts_from_the_hold() -> None:
    struct = transfer_to(post(UUID(int=2), UUID(int=1)), LEDGERS)

    assert (struct.ledger, struct.code, struct.debit_account_id) == (0, 0, 0)
    assert (struct.amount, struct.pending_id) == (AMOUNT_ALL, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount_cents", -1), ("code", 2**16), ("timeout_seconds", 2**32), ("user_data_64", 2**64)],
)
def test_field_that_does_not_fit_is_refused_before_it_can_spoil_a_batch(
    field: str, value: int
) -> None:
    with pytest.raises(OutOfRange, match=field):
        transfer_to(msgspec.structs.replace(WELL, **{field: value}), LEDGERS)


def test_currency_without_a_ledger_is_refused_and_another_tenants_ledger_is_not_ours() -> None:
    euros = msgspec.structs.replace(hold(UUID(int=2), RICH, POOR, 1, 1), ledger=978)

    with pytest.raises(UnknownLedger):
        transfer_to(euros, LEDGERS)
    struct = account_to_open(NewAccount(UUID(int=9), 1), LEDGERS)
    struct.ledger = 12
    with pytest.raises(UnexpectedAnswer):
        account_from(struct, LEDGERS)
