"""Checks and effects of a transfer that is not a post or void (`create_transfer`)."""

from typing import Final

from ledger.accounts import AccountFlag
from ledger.core.state import (
    CLOSED,
    CLOSING,
    NS_PER_SECOND,
    AccountState,
    LedgerState,
    Posting,
)
from ledger.transfers import AMOUNT_ALL, Transfer, TransferFlag, TransferKind, TransferResult

COUNTER_MAX: Final = 2**63 - 1
"""Counters, and timestamps, are signed 64-bit columns. TigerBeetle's counters have 128 bits."""

ID_MAX: Final = 2**128 - 1

CREATED: Final = TransferResult.CREATED
POSTED_KIND: Final = int(TransferKind.POSTED)
PENDING_KIND: Final = int(TransferKind.PENDING)
PENDING: Final = int(TransferFlag.PENDING)
BALANCING_DEBIT: Final = int(TransferFlag.BALANCING_DEBIT)
BALANCING_CREDIT: Final = int(TransferFlag.BALANCING_CREDIT)
BALANCING: Final = BALANCING_DEBIT | BALANCING_CREDIT
DEBITS_LIMITED: Final = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
CREDITS_LIMITED: Final = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)


def create(state: LedgerState, transfer: Transfer, key: int, timestamp: int) -> TransferResult:
    """Apply a well-identified transfer, or say why not and change nothing."""
    debit_key, credit_key = transfer.debit_account_id.int, transfer.credit_account_id.int
    debit, credit = state.accounts.get(debit_key), state.accounts.get(credit_key)
    flags, ledger, amount = transfer.flags, transfer.ledger, transfer.amount_cents
    if (
        debit is None
        or credit is None
        or debit is credit
        or not debit.ledger == ledger == credit.ledger
        or not transfer.code
        or type(amount) is not int  # money is never a float, whatever the caller's types say
        or not 0 <= amount <= AMOUNT_ALL
        or transfer.pending_id is not None
        or (not flags & PENDING and (transfer.timeout_seconds or flags & CLOSING))
        or (debit.flags | credit.flags) & CLOSED
    ):
        return explain(transfer, debit, credit)
    if flags & BALANCING:
        amount = balanced(amount, flags, debit, credit)
    debits = debit.debits_pending + debit.debits_posted + amount
    credits_ = credit.credits_pending + credit.credits_posted + amount
    if debits > COUNTER_MAX or credits_ > COUNTER_MAX or transfer.timeout_seconds:
        overflow = explain_overflow(transfer, amount, debit, credit, timestamp)
        if overflow is not None:
            return overflow
    if debit.flags & DEBITS_LIMITED and debits > debit.credits_posted:
        return TransferResult.EXCEEDS_CREDITS
    if credit.flags & CREDITS_LIMITED and credits_ > credit.debits_posted:
        return TransferResult.EXCEEDS_DEBITS
    posting = Posting(
        transfer.id,
        transfer.debit_account_id,
        transfer.credit_account_id,
        amount,
        transfer.code,
        PENDING_KIND if flags & PENDING else POSTED_KIND,
        None,
        flags,
        transfer.timeout_seconds,
        ledger,
        transfer.user_data_128,
        transfer.user_data_64,
        transfer.user_data_32,
        timestamp,
    )
    if flags & PENDING:
        debit.debits_pending += amount
        credit.credits_pending += amount
        state.open_hold(key, posting)
        if flags & CLOSING:
            state.set_closed(posting, is_closed=True)
    else:
        debit.debits_posted += amount
        credit.credits_posted += amount
    state.journal[key] = posting
    state.touched[debit_key] = debit
    state.touched[credit_key] = credit
    return CREATED


def balanced(amount: int, flags: int, debit: AccountState, credit: AccountState) -> int:
    """Lower the amount of a balancing transfer to what there is."""
    if flags & BALANCING_DEBIT:
        room = debit.credits_posted - debit.debits_posted - debit.debits_pending
        amount = min(amount, max(0, room))
    if flags & BALANCING_CREDIT:
        room = credit.debits_posted - credit.credits_posted - credit.credits_pending
        amount = min(amount, max(0, room))
    return amount


def explain(
    transfer: Transfer, debit: AccountState | None, credit: AccountState | None
) -> TransferResult:
    """Name the first failed check of a transfer that some check refused."""
    return _unfit(transfer) or _unfit_accounts(transfer, debit, credit)


def is_no_amount(amount: object) -> bool:
    """Not an integer of 0 to 2^128 - 1."""
    return type(amount) is not int or not 0 <= amount <= AMOUNT_ALL


def _unfit(transfer: Transfer) -> TransferResult | None:
    debit_key, credit_key = transfer.debit_account_id.int, transfer.credit_account_id.int
    is_pending, result = transfer.flags & PENDING, TransferResult
    in_order = (
        (debit_key == 0, result.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO),
        (debit_key == ID_MAX, result.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (credit_key == 0, result.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO),
        (credit_key == ID_MAX, result.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (debit_key == credit_key, result.ACCOUNTS_MUST_BE_DIFFERENT),
        (transfer.pending_id is not None, result.PENDING_ID_MUST_BE_ZERO),
        (
            transfer.timeout_seconds and not is_pending,
            result.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER,
        ),
        (transfer.flags & CLOSING and not is_pending, result.CLOSING_TRANSFER_MUST_BE_PENDING),
        (transfer.ledger == 0, result.LEDGER_MUST_NOT_BE_ZERO),
        (transfer.code == 0, result.CODE_MUST_NOT_BE_ZERO),
        (is_no_amount(transfer.amount_cents), result.AMOUNT_OUT_OF_RANGE),
    )
    return next((reason for has_failed, reason in in_order if has_failed), None)


def _unfit_accounts(
    transfer: Transfer, debit: AccountState | None, credit: AccountState | None
) -> TransferResult:
    result = TransferResult
    if debit is None:
        return result.DEBIT_ACCOUNT_NOT_FOUND
    if credit is None:
        return result.CREDIT_ACCOUNT_NOT_FOUND
    if debit.ledger != credit.ledger:
        return result.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER
    if transfer.ledger != debit.ledger:
        return result.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS
    if debit.flags & CLOSED:
        return result.DEBIT_ACCOUNT_ALREADY_CLOSED
    return result.CREDIT_ACCOUNT_ALREADY_CLOSED


def explain_overflow(
    transfer: Transfer, amount: int, debit: AccountState, credit: AccountState, timestamp: int
) -> TransferResult | None:
    """Name the counter that the amount does not fit, if there is one."""
    result = TransferResult
    held, awaited = (
        (debit.debits_pending, credit.credits_pending)
        if transfer.flags & PENDING
        else (-amount,) * 2
    )
    in_order = (
        (held, result.OVERFLOWS_DEBITS_PENDING),
        (awaited, result.OVERFLOWS_CREDITS_PENDING),
        (debit.debits_posted, result.OVERFLOWS_DEBITS_POSTED),
        (credit.credits_posted, result.OVERFLOWS_CREDITS_POSTED),
        (debit.debits_pending + debit.debits_posted, result.OVERFLOWS_DEBITS),
        (credit.credits_pending + credit.credits_posted, result.OVERFLOWS_CREDITS),
    )
    for counter, reason in in_order:
        if counter + amount > COUNTER_MAX:
            return reason
    if timestamp + transfer.timeout_seconds * NS_PER_SECOND > COUNTER_MAX:
        return result.OVERFLOWS_TIMEOUT
    return None
