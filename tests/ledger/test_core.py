"""Random commands on the pure core, beside a model that is nothing but sums."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from ledger import (
    AccountFlag,
    Transfer,
    TransferCode,
    TransferKind,
    TransferResult,
    hold,
    post,
    void,
)
from ledger.core import AccountState, LedgerState, apply, undo, undo_all

PI, ANA, BEA, OWN = (UUID(int=number) for number in (1, 2, 3, 4))
LIMITS = {
    PI: AccountFlag.NONE,
    ANA: AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    BEA: AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    OWN: AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
}
SEED = 4_003

# A command is made of small numbers, so that ids repeat and holds are found.
ids = st.integers(100, 130).map(lambda number: UUID(int=number))
accounts = st.sampled_from([PI, ANA, BEA, OWN])
amounts = st.integers(0, 50)
commands = st.lists(
    st.one_of(
        st.builds(hold, ids, accounts, accounts, amounts, st.just(TransferCode.PIX_OUT)),
        st.builds(Transfer, ids, accounts, accounts, amounts, st.just(TransferCode.FUNDING)),
        st.builds(post, ids, ids),
        st.builds(void, ids, ids),
    ),
    max_size=60,
)


def new_state() -> LedgerState:
    state = LedgerState()
    for account_id, flags in LIMITS.items():
        state.accounts[account_id.int] = AccountState(account_id, int(flags))
    return state


def snapshot(state: LedgerState) -> tuple[object, ...]:
    counters = {account: state.accounts[account.int].balance() for account in LIMITS}
    return counters, dict(state.holds), dict(state.journal), dict(state.resolutions)


def check_invariants(state: LedgerState) -> None:
    balances = {account: state.accounts[account.int].balance() for account in LIMITS}
    held = sum(each.amount_cents for each in state.holds.values())
    assert sum(b.debits_posted for b in balances.values()) == sum(
        b.credits_posted for b in balances.values()
    )
    assert sum(b.debits_pending for b in balances.values()) == held
    assert sum(b.credits_pending for b in balances.values()) == held
    assert all(min(balance) >= 0 for balance in balances.values())
    assert balances[ANA].available_cents >= 0
    assert balances[BEA].available_cents >= 0
    own = balances[OWN]
    assert own.credits_pending + own.credits_posted <= own.debits_posted
    assert state.oldest_open_hold() == min((h.id for h in state.holds.values()), default=None)


@seed(SEED)
@settings(max_examples=300, deadline=None)
@given(commands)
def test_sums_stay_equal_and_limits_hold_whatever_is_asked(asked: Sequence[Transfer]) -> None:
    state = new_state()

    for transfer in asked:
        before = snapshot(state)
        result = apply(state, transfer)
        if result is not TransferResult.CREATED:
            assert snapshot(state) == before
        check_invariants(state)

    resolved = Counter(p.pending_id for p in state.journal.values() if p.pending_id is not None)
    assert max(resolved.values(), default=1) == 1


@seed(SEED)
@settings(max_examples=200, deadline=None)
@given(commands, commands)
def test_taking_back_restores_exactly_what_was(
    durable: Sequence[Transfer], asked: Sequence[Transfer]
) -> None:
    state = new_state()
    for transfer in durable:
        apply(state, transfer)
    state.settle()
    before = snapshot(state)

    for transfer in asked:
        if apply(state, transfer) is TransferResult.CREATED and transfer.amount_cents % 2:
            undo(state, transfer.id)
    undo_all(state)

    assert snapshot(state) == before
    check_invariants(state)


@seed(SEED)
@settings(max_examples=100, deadline=None)
@given(commands)
def test_second_run_of_the_same_commands_changes_nothing(asked: Sequence[Transfer]) -> None:
    state = new_state()
    created = [t for t in asked if apply(state, t) is TransferResult.CREATED]
    before = snapshot(state)

    assert {apply(state, transfer) for transfer in created} <= {TransferResult.EXISTS}
    assert snapshot(state) == before


TOP = UUID(int=2**128 - 1)
NOBODY = UUID(int=99)
A, B = UUID(int=1_000), UUID(int=1_001)
CODE = TransferCode.PIX_OUT


@pytest.mark.parametrize(
    ("transfer", "result"),
    [
        (Transfer(UUID(int=0), PI, PI, 0, CODE), TransferResult.ID_MUST_NOT_BE_ZERO),
        (Transfer(TOP, PI, PI, 0, CODE), TransferResult.ID_MUST_NOT_BE_INT_MAX),
        (
            Transfer(A, UUID(int=0), UUID(int=0), 1, CODE),
            TransferResult.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO,
        ),
        (Transfer(A, PI, TOP, 1, CODE), TransferResult.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (Transfer(A, NOBODY, NOBODY, 1, CODE), TransferResult.ACCOUNTS_MUST_BE_DIFFERENT),
        (
            Transfer(A, PI, NOBODY, 1, CODE, TransferKind.POSTED, B),
            TransferResult.PENDING_ID_MUST_BE_ZERO,
        ),
        (Transfer(A, PI, NOBODY, 1, TransferCode.OF_HOLD), TransferResult.CODE_MUST_NOT_BE_ZERO),
        (Transfer(A, PI, NOBODY, 0, CODE), TransferResult.AMOUNT_OUT_OF_RANGE),
        (Transfer(A, NOBODY, TOP, 1, CODE), TransferResult.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (Transfer(A, NOBODY, B, 1, CODE), TransferResult.DEBIT_ACCOUNT_NOT_FOUND),
        (Transfer(A, PI, NOBODY, 1, CODE), TransferResult.CREDIT_ACCOUNT_NOT_FOUND),
        (Transfer(A, ANA, PI, 1, CODE), TransferResult.EXCEEDS_CREDITS),
        (Transfer(A, PI, OWN, 1, CODE), TransferResult.EXCEEDS_DEBITS),
        (post(A, A), TransferResult.PENDING_ID_MUST_BE_DIFFERENT),
        (post(A, UUID(int=0)), TransferResult.PENDING_ID_MUST_NOT_BE_ZERO),
        (void(A, B), TransferResult.PENDING_TRANSFER_NOT_FOUND),
    ],
)
def test_first_failed_check_in_the_order_of_tigerbeetle_is_told(
    transfer: Transfer, result: TransferResult
) -> None:
    assert apply(new_state(), transfer) is result


def test_account_that_is_closed_only_has_its_holds_released() -> None:
    state = new_state()
    apply(state, hold(A, PI, ANA, 5, CODE))
    apply(state, hold(B, PI, ANA, 5, CODE))
    state.accounts[ANA.int].flags |= AccountFlag.CLOSED

    results = [
        apply(state, Transfer(UUID(int=50), PI, ANA, 1, CODE)),
        apply(state, post(UUID(int=51), A)),
        apply(state, void(UUID(int=52), A)),
    ]

    assert results == [
        TransferResult.CREDIT_ACCOUNT_ALREADY_CLOSED,
        TransferResult.CREDIT_ACCOUNT_ALREADY_CLOSED,
        TransferResult.CREATED,
    ]


def test_counter_never_passes_what_its_column_can_hold() -> None:
    state = new_state()
    state.accounts[BEA.int].flags = 0
    largest = 2**62

    results = [
        apply(state, Transfer(UUID(int=50), PI, BEA, largest, CODE)),
        apply(state, hold(UUID(int=51), PI, BEA, largest, CODE)),
        apply(state, hold(UUID(int=52), PI, ANA, largest - 1, CODE)),
    ]

    assert results == [
        TransferResult.CREATED,
        TransferResult.OVERFLOWS_DEBITS,
        TransferResult.CREATED,
    ]
