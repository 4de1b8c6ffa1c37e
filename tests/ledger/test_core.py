"""Random commands on the pure core, beside what must always hold, and the order of its checks."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, seed, settings

from ledger import (
    AMOUNT_ALL,
    AccountFlag,
    Transfer,
    TransferCode,
    TransferFlag,
    TransferResult,
    hold,
    post,
    void,
)
from ledger.core import TRANSIENT, apply_batch, expire_holds, undo, undo_all
from ledger.core import apply as core_apply
from tests.ledger.books import (
    ANA,
    BEA,
    CODE,
    EUR,
    LEDGER_EUR,
    OWN,
    PI,
    SECOND_NS,
    SEED,
    STEP_NS,
    apply,
    check_invariants,
    commands,
    new_state,
    snapshot,
)


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
    state.keep()
    before = snapshot(state)

    for transfer in asked:
        if apply(state, transfer) is TransferResult.CREATED and transfer.amount_cents % 2:
            undo(state, transfer.id)
    undo_all(state)

    assert snapshot(state) == before
    assert not state.failed
    check_invariants(state)


@seed(SEED)
@settings(max_examples=100, deadline=None)
@given(commands)
def test_second_run_of_the_same_commands_changes_nothing(asked: Sequence[Transfer]) -> None:
    state = new_state()
    results = [apply(state, transfer) for transfer in asked]
    created = [t for t, r in zip(asked, results, strict=True) if r is TransferResult.CREATED]
    failed = [t for t, r in zip(asked, results, strict=True) if r in TRANSIENT]
    before = snapshot(state)

    assert {apply(state, transfer) for transfer in created} <= {TransferResult.EXISTS}
    assert {apply(state, transfer) for transfer in failed} <= {TransferResult.ID_ALREADY_FAILED}
    assert snapshot(state) == before


@seed(SEED)
@settings(max_examples=100, deadline=None)
@given(commands)
def test_what_is_durable_and_what_is_not_yet_answer_alike(asked: Sequence[Transfer]) -> None:
    at_once, step_by_step = new_state(), new_state()

    for number, transfer in enumerate(asked):
        timestamp = (number + 1) * STEP_NS
        result = core_apply(at_once, transfer, timestamp)
        assert core_apply(step_by_step, transfer, timestamp) is result
        step_by_step.keep()

    assert step_by_step.holds == at_once.holds
    assert step_by_step.accounts == at_once.accounts


@seed(SEED)
@settings(max_examples=200, deadline=None)
@given(commands)
def test_chain_is_applied_whole_or_not_at_all(asked: Sequence[Transfer]) -> None:
    state, alone = new_state(), new_state()

    results = apply_batch(state, asked, SECOND_NS)

    check_invariants(state)
    chain: list[TransferResult] = []
    for number, (transfer, result) in enumerate(zip(asked, results, strict=True)):
        chain.append(result)
        if transfer.flags & TransferFlag.LINKED and number < len(asked) - 1:
            continue
        if TransferResult.CREATED in chain:
            assert set(chain) == {TransferResult.CREATED}
        elif len(chain) > 1:
            reasons = [each for each in chain if each is not TransferResult.LINKED_EVENT_FAILED]
            assert len(reasons) <= 2  # the one that failed, and the last one of an open chain
        chain.clear()
    kept = [t for t, r in zip(asked, results, strict=True) if r is TransferResult.CREATED]
    for transfer in kept:
        posting = state.journal[transfer.id.int]
        assert core_apply(alone, transfer, posting.timestamp) is TransferResult.CREATED
    assert {k: a.balance() for k, a in alone.accounts.items()} == {
        k: a.balance() for k, a in state.accounts.items()
    }


TOP = UUID(int=2**128 - 1)
NOBODY = UUID(int=99)
A, B = UUID(int=1_000), UUID(int=1_001)


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
            Transfer(A, PI, NOBODY, 1, CODE, 0, B),
            TransferResult.PENDING_ID_MUST_BE_ZERO,
        ),
        (Transfer(A, PI, NOBODY, 1, TransferCode.OF_HOLD), TransferResult.CODE_MUST_NOT_BE_ZERO),
        (Transfer(A, PI, NOBODY, -1, CODE), TransferResult.AMOUNT_OUT_OF_RANGE),
        (Transfer(A, NOBODY, TOP, 1, CODE), TransferResult.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (Transfer(A, NOBODY, B, 1, CODE), TransferResult.DEBIT_ACCOUNT_NOT_FOUND),
        (Transfer(A, PI, NOBODY, 1, CODE), TransferResult.CREDIT_ACCOUNT_NOT_FOUND),
        (Transfer(A, PI, ANA, 1, CODE, 256), TransferResult.RESERVED_FLAG),
        (
            Transfer(A, PI, NOBODY, 1, CODE, 0, None, 1),
            TransferResult.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER,
        ),
        (
            Transfer(A, PI, NOBODY, 1, CODE, TransferFlag.CLOSING_DEBIT),
            TransferResult.CLOSING_TRANSFER_MUST_BE_PENDING,
        ),
        (Transfer(A, PI, NOBODY, 1, 0, ledger=0), TransferResult.LEDGER_MUST_NOT_BE_ZERO),
        (Transfer(A, PI, EUR, 1, CODE), TransferResult.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER),
        (
            Transfer(A, PI, ANA, 1, CODE, ledger=LEDGER_EUR),
            TransferResult.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS,
        ),
        (
            Transfer(A, PI, ANA, 2**63, CODE, TransferFlag.PENDING),
            TransferResult.OVERFLOWS_DEBITS_PENDING,
        ),
        (Transfer(A, PI, ANA, 2**63, CODE), TransferResult.OVERFLOWS_DEBITS_POSTED),
        (
            Transfer(A, PI, BEA, 1, CODE, TransferFlag.PENDING, None, 2**40),
            TransferResult.OVERFLOWS_TIMEOUT,
        ),
        (Transfer(A, ANA, PI, 1, CODE), TransferResult.EXCEEDS_CREDITS),
        (Transfer(A, PI, OWN, 1, CODE), TransferResult.EXCEEDS_DEBITS),
        (
            msgspec.structs.replace(post(A, A), flags=4 | 8),
            TransferResult.FLAGS_ARE_MUTUALLY_EXCLUSIVE,
        ),
        (
            msgspec.structs.replace(post(A, A), flags=4 | 16),
            TransferResult.FLAGS_ARE_MUTUALLY_EXCLUSIVE,
        ),
        (post(A, TOP), TransferResult.PENDING_ID_MUST_NOT_BE_INT_MAX),
        (
            msgspec.structs.replace(void(A, B), timeout_seconds=1),
            TransferResult.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER,
        ),
        (post(A, B, -1), TransferResult.AMOUNT_OUT_OF_RANGE),
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


C, D = UUID(int=1_002), UUID(int=1_003)


@pytest.mark.parametrize(
    ("resolution", "result"),
    [
        (void(C, B), TransferResult.PENDING_TRANSFER_NOT_PENDING),
        (
            msgspec.structs.replace(post(C, A), debit_account_id=OWN, code=9),
            TransferResult.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID,
        ),
        (
            msgspec.structs.replace(post(C, A), credit_account_id=BEA),
            TransferResult.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID,
        ),
        (
            msgspec.structs.replace(post(C, A), ledger=LEDGER_EUR),
            TransferResult.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER,
        ),
        (
            msgspec.structs.replace(post(C, A), code=9),
            TransferResult.PENDING_TRANSFER_HAS_DIFFERENT_CODE,
        ),
        (post(C, A, 11), TransferResult.EXCEEDS_PENDING_TRANSFER_AMOUNT),
        (
            msgspec.structs.replace(void(C, A), amount_cents=AMOUNT_ALL),
            TransferResult.EXCEEDS_PENDING_TRANSFER_AMOUNT,
        ),
        (
            msgspec.structs.replace(void(C, A), amount_cents=9),
            TransferResult.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT,
        ),
        (msgspec.structs.replace(void(C, A), amount_cents=10), TransferResult.CREATED),
        (post(C, A), TransferResult.CREATED),
        (post(C, A, 0), TransferResult.CREATED),
    ],
)
def test_post_or_void_must_be_like_its_hold(resolution: Transfer, result: TransferResult) -> None:
    state = new_state()
    apply(state, hold(A, PI, ANA, 10, CODE))
    apply(state, Transfer(B, PI, ANA, 10, CODE))

    assert apply(state, resolution) is result


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"flags": 2, "amount_cents": 3}, TransferResult.EXISTS_WITH_DIFFERENT_FLAGS),
        ({"pending_id": B, "timeout_seconds": 1}, TransferResult.EXISTS_WITH_DIFFERENT_PENDING_ID),
        ({"timeout_seconds": 1, "code": 9}, TransferResult.EXISTS_WITH_DIFFERENT_TIMEOUT),
        (
            {"debit_account_id": OWN, "credit_account_id": BEA},
            TransferResult.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID,
        ),
        (
            {"credit_account_id": BEA, "amount_cents": 3},
            TransferResult.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
        ),
        ({"amount_cents": 3, "user_data_128": 1}, TransferResult.EXISTS_WITH_DIFFERENT_AMOUNT),
        (
            {"user_data_128": 1, "user_data_64": 1},
            TransferResult.EXISTS_WITH_DIFFERENT_USER_DATA_128,
        ),
        (
            {"user_data_64": 1, "user_data_32": 1},
            TransferResult.EXISTS_WITH_DIFFERENT_USER_DATA_64,
        ),
        ({"user_data_32": 1, "ledger": 1}, TransferResult.EXISTS_WITH_DIFFERENT_USER_DATA_32),
        ({"ledger": 1, "code": 9}, TransferResult.EXISTS_WITH_DIFFERENT_LEDGER),
        ({"code": 9}, TransferResult.EXISTS_WITH_DIFFERENT_CODE),
        ({}, TransferResult.EXISTS),
    ],
)
@pytest.mark.parametrize("is_durable", [False, True])
def test_another_transfer_under_a_used_id_is_told_by_its_first_difference(
    changes: dict[str, Any], result: TransferResult, is_durable: bool
) -> None:
    state = new_state()
    first = Transfer(A, PI, ANA, 5, CODE)
    apply(state, first)
    if is_durable:
        state.keep()

    assert apply(state, msgspec.structs.replace(first, **changes)) is result


@pytest.mark.parametrize(
    ("again", "result"),
    [
        (post(B, A, 4), TransferResult.EXISTS),
        (post(B, A), TransferResult.EXISTS_WITH_DIFFERENT_AMOUNT),
        (void(B, A), TransferResult.EXISTS_WITH_DIFFERENT_FLAGS),
        (
            msgspec.structs.replace(post(B, A, 4), debit_account_id=PI, code=int(CODE)),
            TransferResult.EXISTS,
        ),
        (
            msgspec.structs.replace(post(B, A, 4), user_data_32=7),
            TransferResult.EXISTS,
        ),
        (
            msgspec.structs.replace(post(B, A, 4), user_data_32=8),
            TransferResult.EXISTS_WITH_DIFFERENT_USER_DATA_32,
        ),
    ],
)
@pytest.mark.parametrize("is_durable", [False, True])
def test_post_again_is_the_same_when_what_it_took_from_its_hold_is(
    again: Transfer, result: TransferResult, is_durable: bool
) -> None:
    state = new_state()
    apply(state, msgspec.structs.replace(hold(A, PI, ANA, 5, CODE), user_data_32=7))
    apply(state, post(B, A, 4))
    if is_durable:
        state.keep()

    assert apply(state, again) is result


def test_part_of_a_hold_is_posted_and_the_rest_released() -> None:
    state = new_state()
    apply(state, hold(A, PI, ANA, 10, CODE))

    apply(state, post(B, A, 4))

    assert state.accounts[PI.int].balance() == (0, 4, 0, 0)
    assert state.accounts[ANA.int].balance() == (0, 0, 0, 4)


def test_id_that_failed_for_want_of_money_never_succeeds() -> None:
    state = new_state()
    payment = Transfer(A, ANA, PI, 5, CODE)
    assert apply(state, payment) is TransferResult.EXCEEDS_CREDITS
    state.keep()
    apply(state, Transfer(B, PI, ANA, 5, CODE))

    assert apply(state, payment) is TransferResult.ID_ALREADY_FAILED
    assert apply(state, msgspec.structs.replace(payment, id=C)) is TransferResult.CREATED


def test_malformed_transfer_does_not_burn_its_id() -> None:
    state = new_state()
    assert apply(state, Transfer(A, PI, PI, 5, CODE)) is TransferResult.ACCOUNTS_MUST_BE_DIFFERENT

    assert apply(state, Transfer(A, PI, ANA, 5, CODE)) is TransferResult.CREATED


def test_balancing_transfer_takes_what_there_is() -> None:
    state = new_state()
    apply(state, Transfer(A, PI, ANA, 10, CODE))
    apply(state, hold(B, ANA, PI, 4, CODE))

    all_of_it = Transfer(C, ANA, PI, AMOUNT_ALL, CODE, TransferFlag.BALANCING_DEBIT)
    nothing = Transfer(D, ANA, PI, AMOUNT_ALL, CODE, TransferFlag.BALANCING_DEBIT)

    assert [apply(state, all_of_it), apply(state, nothing)] == [TransferResult.CREATED] * 2
    assert [state.journal[each.int].amount_cents for each in (C, D)] == [6, 0]
    assert apply(state, all_of_it) is TransferResult.EXISTS
    smaller = msgspec.structs.replace(all_of_it, amount_cents=5)
    assert apply(state, smaller) is TransferResult.EXISTS_WITH_DIFFERENT_AMOUNT


def test_closing_transfer_closes_and_its_void_opens_again() -> None:
    state = new_state()
    closing = msgspec.structs.replace(
        hold(A, PI, ANA, 0, CODE), flags=int(TransferFlag.PENDING | TransferFlag.CLOSING_CREDIT)
    )
    assert apply(state, closing) is TransferResult.CREATED

    refused = apply(state, Transfer(B, PI, ANA, 1, CODE))
    cannot_post = apply(state, post(C, A))
    opened = apply(state, void(D, A))
    works = apply(state, Transfer(UUID(int=9), PI, ANA, 1, CODE))

    assert refused is cannot_post is TransferResult.CREDIT_ACCOUNT_ALREADY_CLOSED
    assert opened is works is TransferResult.CREATED


def test_hold_ends_when_its_time_is_over_and_not_before() -> None:
    state = new_state()
    core_apply(state, hold(A, PI, ANA, 5, CODE, timeout_seconds=2), 10 * SECOND_NS)
    ids = iter([C, D])

    early = expire_holds(state, 12 * SECOND_NS - 1, lambda: next(ids))
    late_post = core_apply(state, post(B, A), 12 * SECOND_NS)
    due = expire_holds(state, 12 * SECOND_NS, lambda: next(ids))
    after = core_apply(state, post(D, A), 13 * SECOND_NS)

    assert early == []
    assert [hold.id for hold in due] == [A]
    assert late_post is after is TransferResult.PENDING_TRANSFER_EXPIRED
    assert state.accounts[PI.int].balance() == (0, 0, 0, 0)
    assert state.journal[C.int].pending_id == A


def test_id_of_a_hold_that_was_taken_back_keeps_nothing_of_it() -> None:
    state = new_state()
    core_apply(state, hold(A, PI, ANA, 5, CODE, timeout_seconds=2), 10 * SECOND_NS)
    undo(state, A)
    core_apply(state, hold(A, PI, ANA, 5, CODE), 10 * SECOND_NS)

    assert state.next_expiry() is None


def test_open_chain_at_the_end_of_a_batch_is_refused() -> None:
    state = new_state()
    first = Transfer(A, PI, ANA, 1, CODE, TransferFlag.LINKED)

    results = apply_batch(state, [first, msgspec.structs.replace(first, id=B)], SECOND_NS)

    assert results == [
        TransferResult.LINKED_EVENT_FAILED,
        TransferResult.LINKED_EVENT_CHAIN_OPEN,
    ]
    assert not state.journal


def test_failed_chain_leaves_nothing_but_the_id_that_failed() -> None:
    state = new_state()
    linked = int(TransferFlag.LINKED)
    chain = [
        Transfer(A, PI, ANA, 1, CODE, linked),
        Transfer(B, BEA, PI, 1, CODE, linked),
        Transfer(C, PI, ANA, 1, CODE),
        Transfer(D, PI, ANA, 1, CODE),
    ]

    results = apply_batch(state, chain, SECOND_NS)

    failed = TransferResult.LINKED_EVENT_FAILED
    assert results == [failed, TransferResult.EXCEEDS_CREDITS, failed, TransferResult.CREATED]
    assert list(state.journal) == [D.int]
    assert list(state.failed) == [B.int]


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
        TransferResult.OVERFLOWS_DEBITS_POSTED,
        TransferResult.CREATED,
    ]
