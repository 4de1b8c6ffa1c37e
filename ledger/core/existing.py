"""Is a transfer under a used id the same one? (`create_transfer_exists`)."""

from typing import Final

from ledger.core.creation import BALANCING
from ledger.core.resolution import POST
from ledger.core.state import LedgerState, Posting
from ledger.transfers import AMOUNT_ALL, Transfer, TransferKind, TransferResult

RESOLVING: Final = (int(TransferKind.POST), int(TransferKind.VOID))
EXPIRED: Final = int(TransferKind.EXPIRED)


def compare(state: LedgerState, known: Posting, transfer: Transfer) -> TransferResult:
    """Name the first field that differs; `EXISTS`: none does."""
    result = TransferResult
    if known.kind == EXPIRED or known.flags != transfer.flags:
        return result.EXISTS_WITH_DIFFERENT_FLAGS
    if known.pending_id != transfer.pending_id:
        return result.EXISTS_WITH_DIFFERENT_PENDING_ID
    if known.timeout_seconds != transfer.timeout_seconds:
        return result.EXISTS_WITH_DIFFERENT_TIMEOUT
    if known.kind in RESOLVING:
        return _compare_resolution(state, known, transfer)
    is_balancing = transfer.flags & BALANCING
    amount = transfer.amount_cents
    fields = (
        (
            known.debit_account_id != transfer.debit_account_id,
            result.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID,
        ),
        (
            known.credit_account_id != transfer.credit_account_id,
            result.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
        ),
        (
            amount < known.amount_cents if is_balancing else amount != known.amount_cents,
            result.EXISTS_WITH_DIFFERENT_AMOUNT,
        ),
        (
            known.user_data_128 != transfer.user_data_128,
            result.EXISTS_WITH_DIFFERENT_USER_DATA_128,
        ),
        (known.user_data_64 != transfer.user_data_64, result.EXISTS_WITH_DIFFERENT_USER_DATA_64),
        (known.user_data_32 != transfer.user_data_32, result.EXISTS_WITH_DIFFERENT_USER_DATA_32),
        (known.ledger != transfer.ledger, result.EXISTS_WITH_DIFFERENT_LEDGER),
        (known.code != transfer.code, result.EXISTS_WITH_DIFFERENT_CODE),
    )
    return next((reason for differs, reason in fields if differs), result.EXISTS)


def _compare_resolution(state: LedgerState, known: Posting, transfer: Transfer) -> TransferResult:
    result = TransferResult
    assert known.pending_id is not None, "a post or void has a hold"
    hold_key = known.pending_id.int
    # Not found: stored long ago; the answer is doubtful then, and given again with the facts.
    hold = state.find(hold_key) or known
    debit, credit = transfer.debit_account_id, transfer.credit_account_id
    amount = transfer.amount_cents
    if transfer.flags & POST:
        differs = known.amount_cents != (known.held_cents if amount == AMOUNT_ALL else amount)
    else:
        differs = known.amount_cents != (amount or known.held_cents)
    fields = (
        (
            debit.int and debit != known.debit_account_id,
            result.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID,
        ),
        (
            credit.int and credit != known.credit_account_id,
            result.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
        ),
        (differs, result.EXISTS_WITH_DIFFERENT_AMOUNT),
        (
            known.user_data_128 != (transfer.user_data_128 or hold.user_data_128),
            result.EXISTS_WITH_DIFFERENT_USER_DATA_128,
        ),
        (
            known.user_data_64 != (transfer.user_data_64 or hold.user_data_64),
            result.EXISTS_WITH_DIFFERENT_USER_DATA_64,
        ),
        (
            known.user_data_32 != (transfer.user_data_32 or hold.user_data_32),
            result.EXISTS_WITH_DIFFERENT_USER_DATA_32,
        ),
        (
            transfer.ledger and transfer.ledger != known.ledger,
            result.EXISTS_WITH_DIFFERENT_LEDGER,
        ),
        (transfer.code and transfer.code != known.code, result.EXISTS_WITH_DIFFERENT_CODE),
    )
    return next((reason for is_other, reason in fields if is_other), result.EXISTS)
