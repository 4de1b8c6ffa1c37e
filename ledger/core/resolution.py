"""Checks and effects of a post, a void, and of the end of a hold's time."""

from typing import Final
from uuid import UUID

from ledger.core.creation import CREATED, ID_MAX, is_no_amount
from ledger.core.state import CLOSED, CLOSING, LedgerState, Posting
from ledger.transfers import AMOUNT_ALL, Transfer, TransferFlag, TransferKind, TransferResult

POST: Final = int(TransferFlag.POST_PENDING_TRANSFER)
VOID: Final = int(TransferFlag.VOID_PENDING_TRANSFER)
UNFIT_FOR_RESOLUTION: Final = ~(int(TransferFlag.LINKED) | POST | VOID)
POST_KIND: Final = int(TransferKind.POST)
VOID_KIND: Final = int(TransferKind.VOID)
EXPIRED_KIND: Final = int(TransferKind.EXPIRED)
PENDING_KIND: Final = int(TransferKind.PENDING)
ENDED_BY: Final = {
    POST_KIND: TransferResult.PENDING_TRANSFER_ALREADY_POSTED,
    VOID_KIND: TransferResult.PENDING_TRANSFER_ALREADY_VOIDED,
    EXPIRED_KIND: TransferResult.PENDING_TRANSFER_EXPIRED,
}


def resolve(state: LedgerState, transfer: Transfer, key: int, timestamp: int) -> TransferResult:
    """Apply a well-identified post or void, or say why not and change nothing."""
    refusal = _unfit(transfer, key) or _refusal(state, transfer, timestamp)
    if refusal is not None:
        return refusal
    assert transfer.pending_id is not None, "checked just now"
    hold = state.holds[transfer.pending_id.int]
    is_post = transfer.flags & POST
    amount = transfer.amount_cents
    if not is_post or amount == AMOUNT_ALL:
        amount = hold.amount_cents
    posting = Posting(
        transfer.id,
        hold.debit_account_id,
        hold.credit_account_id,
        amount,
        hold.code,
        POST_KIND if is_post else VOID_KIND,
        hold.id,
        transfer.flags,
        0,
        hold.ledger,
        transfer.user_data_128 or hold.user_data_128,
        transfer.user_data_64 or hold.user_data_64,
        transfer.user_data_32 or hold.user_data_32,
        timestamp,
        hold.amount_cents,
    )
    end_hold(state, hold, posting)
    return CREATED


def end_hold(state: LedgerState, hold: Posting, posting: Posting) -> None:
    """Carry out a post, a void or an expiry."""
    debit = state.accounts[hold.debit_account_id.int]
    credit = state.accounts[hold.credit_account_id.int]
    held = hold.amount_cents
    debit.debits_pending -= held
    credit.credits_pending -= held
    if posting.kind == POST_KIND:
        debit.debits_posted += posting.amount_cents
        credit.credits_posted += posting.amount_cents
    elif hold.flags & CLOSING:
        state.set_closed(hold, is_closed=False)
    assert debit.debits_pending >= 0, "a hold is part of its debit account's counters"
    assert credit.credits_pending >= 0, "a hold is part of its credit account's counters"
    hold_key = hold.id.int
    del state.holds[hold_key]
    state.journal[posting.id.int] = state.resolutions[hold_key] = posting
    state.ended[hold_key] = hold
    state.touched[debit.id.int] = debit
    state.touched[credit.id.int] = credit


def expire(state: LedgerState, hold: Posting, posting_id: UUID, timestamp: int) -> None:
    """End an open hold whose time is over."""
    posting = Posting(
        posting_id,
        hold.debit_account_id,
        hold.credit_account_id,
        hold.amount_cents,
        hold.code,
        EXPIRED_KIND,
        hold.id,
        0,
        0,
        hold.ledger,
        hold.user_data_128,
        hold.user_data_64,
        hold.user_data_32,
        timestamp,
        hold.amount_cents,
    )
    end_hold(state, hold, posting)


def _unfit(transfer: Transfer, key: int) -> TransferResult | None:
    result, flags = TransferResult, transfer.flags
    pending_key = 0 if transfer.pending_id is None else transfer.pending_id.int
    if flags & UNFIT_FOR_RESOLUTION or (flags & POST and flags & VOID):
        return result.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if pending_key == 0:
        return result.PENDING_ID_MUST_NOT_BE_ZERO
    if pending_key == ID_MAX:
        return result.PENDING_ID_MUST_NOT_BE_INT_MAX
    if pending_key == key:
        return result.PENDING_ID_MUST_BE_DIFFERENT
    if transfer.timeout_seconds:
        return result.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
    return result.AMOUNT_OUT_OF_RANGE if is_no_amount(transfer.amount_cents) else None


def _refusal(state: LedgerState, transfer: Transfer, timestamp: int) -> TransferResult | None:
    assert transfer.pending_id is not None, "checked before"
    key = transfer.pending_id.int
    hold = state.find(key)
    if hold is None:
        return TransferResult.PENDING_TRANSFER_NOT_FOUND
    if hold.kind != PENDING_KIND:
        return TransferResult.PENDING_TRANSFER_NOT_PENDING
    return (
        _differs_from_hold(hold, transfer)
        or _amount_does_not_fit(hold, transfer)
        or _is_ended(state, hold, timestamp)
        or _is_closed(state, hold, transfer)
    )


def _differs_from_hold(hold: Posting, transfer: Transfer) -> TransferResult | None:
    result = TransferResult
    debit, credit = transfer.debit_account_id, transfer.credit_account_id
    if debit.int and debit != hold.debit_account_id:
        return result.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID
    if credit.int and credit != hold.credit_account_id:
        return result.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID
    if transfer.ledger and transfer.ledger != hold.ledger:
        return result.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER
    if transfer.code and transfer.code != hold.code:
        return result.PENDING_TRANSFER_HAS_DIFFERENT_CODE
    return None


def _amount_does_not_fit(hold: Posting, transfer: Transfer) -> TransferResult | None:
    amount, held = transfer.amount_cents, hold.amount_cents
    if transfer.flags & POST and amount == AMOUNT_ALL:
        return None
    if amount > held:
        return TransferResult.EXCEEDS_PENDING_TRANSFER_AMOUNT
    if transfer.flags & VOID and 0 != amount < held:
        return TransferResult.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
    return None


def _is_ended(state: LedgerState, hold: Posting, timestamp: int) -> TransferResult | None:
    key = hold.id.int
    if key not in state.holds:
        ending = state.resolution_of(key)
        # Stored, neither open nor known to be ended: the answer is doubtful, and its end looked up.
        return ENDED_BY[ending.kind] if ending else TransferResult.PENDING_TRANSFER_NOT_FOUND
    if hold.timeout_seconds and hold.expires_at <= timestamp:
        return TransferResult.PENDING_TRANSFER_EXPIRED
    return None


def _is_closed(state: LedgerState, hold: Posting, transfer: Transfer) -> TransferResult | None:
    """Releasing a hold of a closed account is allowed, moving its money is not."""
    if transfer.flags & VOID:
        return None
    if state.accounts[hold.debit_account_id.int].flags & CLOSED:
        return TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED
    if state.accounts[hold.credit_account_id.int].flags & CLOSED:
        return TransferResult.CREDIT_ACCOUNT_ALREADY_CLOSED
    return None
