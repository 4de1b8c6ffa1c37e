"""What commands do to the books, one by one and in chains. No I/O, clock or randomness.

Checks run in the order of TigerBeetle's `create_transfers` (0.17); a refused transfer leaves
nothing behind but, when the refusal was a transient one, its id: that has failed for ever.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from ledger.core.creation import CREATED, ID_MAX, create
from ledger.core.existing import compare
from ledger.core.resolution import POST, POST_KIND, VOID, expire, resolve
from ledger.core.state import CLOSING, LedgerState, Posting
from ledger.transfers import Transfer, TransferFlag, TransferKind, TransferResult

LINKED: Final = int(TransferFlag.LINKED)
RESOLVING: Final = POST | VOID
UNKNOWN_FLAGS: Final = ~0xFF
PENDING_KIND: Final = int(TransferKind.PENDING)

TRANSIENT: Final = frozenset(
    {
        TransferResult.DEBIT_ACCOUNT_NOT_FOUND,
        TransferResult.CREDIT_ACCOUNT_NOT_FOUND,
        TransferResult.PENDING_TRANSFER_NOT_FOUND,
        TransferResult.EXCEEDS_CREDITS,
        TransferResult.EXCEEDS_DEBITS,
        TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED,
        TransferResult.CREDIT_ACCOUNT_ALREADY_CLOSED,
    }
)
"""Results that another moment might change: the same id never succeeds after one of them."""


def apply(state: LedgerState, transfer: Transfer, timestamp: int) -> TransferResult:
    """Apply one transfer, or say why not and change nothing.

    Args:
        state: The books.
        transfer: What is asked for; `LINKED` is not looked at (`apply_batch`).
        timestamp: Later than every one before, in nanoseconds since 1970.

    Returns:
        `CREATED`, or the first check that failed.
    """
    key, flags = transfer.id.int, transfer.flags
    if flags & UNKNOWN_FLAGS:
        return TransferResult.RESERVED_FLAG
    if not 0 < key < ID_MAX:
        result = TransferResult
        return result.ID_MUST_NOT_BE_INT_MAX if key else result.ID_MUST_NOT_BE_ZERO
    known = state.find(key)
    if known is not None:
        return compare(state, known, transfer)
    if key in state.failed or key in state.facts.failed:
        return TransferResult.ID_ALREADY_FAILED
    if flags & RESOLVING:
        outcome = resolve(state, transfer, key, timestamp)
    else:
        outcome = create(state, transfer, key, timestamp)
    if outcome is not CREATED and outcome in TRANSIENT:
        state.failed[key] = outcome
    return outcome


def apply_batch(
    state: LedgerState, transfers: Sequence[Transfer], timestamp: int
) -> list[TransferResult]:
    """Apply transfers in order; those `LINKED` to the next succeed or fail with it.

    Args:
        state: The books.
        transfers: What is asked for.
        timestamp: Of the first; each has the one after its predecessor's.
    """
    results: list[TransferResult] = []
    chain: int | None = None
    is_broken = False
    last = len(transfers) - 1
    for index, transfer in enumerate(transfers):
        is_linked = transfer.flags & LINKED
        if is_linked and chain is None:
            chain = index
        if is_linked and index == last:
            outcome = TransferResult.LINKED_EVENT_CHAIN_OPEN
        elif is_broken:
            outcome = TransferResult.LINKED_EVENT_FAILED
        else:
            outcome = apply(state, transfer, timestamp + index)
        results.append(outcome)
        if chain is None:
            continue
        if outcome is not CREATED and not is_broken:
            is_broken = True
            for place in range(index - 1, chain - 1, -1):
                undo(state, transfers[place].id)
                results[place] = TransferResult.LINKED_EVENT_FAILED
        if not is_linked:
            chain, is_broken = None, False
    return results


def expire_holds(state: LedgerState, timestamp: int, new_id: Callable[[], UUID]) -> list[Posting]:
    """End every hold whose time is over at `timestamp`, the first to end first.

    Args:
        state: The books.
        timestamp: Of the first ending; each has the one after its predecessor's.
        new_id: Makes the id of an ending.
    """
    ended: list[Posting] = []
    while (hold := state.next_to_expire()) is not None and hold.expires_at <= timestamp:
        expire(state, hold, new_id(), timestamp + len(ended))
        ended.append(hold)
    return ended


def undo(state: LedgerState, transfer_id: UUID) -> None:
    """Take back the last applied transfer, which must be `transfer_id`."""
    key, posting = state.journal.popitem()
    assert key == transfer_id.int, "only the last applied transfer can be taken back"
    _take_back(state, posting)


def undo_all(state: LedgerState) -> None:
    """Take back everything that was applied since the last commit; no id has failed then."""
    while state.journal:
        _, posting = state.journal.popitem()
        _take_back(state, posting)
    state.failed.clear()


def _take_back(state: LedgerState, posting: Posting) -> None:
    debit = state.accounts[posting.debit_account_id.int]
    credit = state.accounts[posting.credit_account_id.int]
    amount = posting.amount_cents
    if posting.pending_id is not None:
        hold_key = posting.pending_id.int
        hold = state.ended.pop(hold_key)
        del state.resolutions[hold_key]
        debit.debits_pending += hold.amount_cents
        credit.credits_pending += hold.amount_cents
        if posting.kind == POST_KIND:
            debit.debits_posted -= amount
            credit.credits_posted -= amount
        elif hold.flags & CLOSING:
            state.set_closed(hold, is_closed=True)
        # The heaps may have dropped it meanwhile; a second entry does no harm.
        state.open_hold(hold_key, hold)
    elif posting.kind == PENDING_KIND:
        debit.debits_pending -= amount
        credit.credits_pending -= amount
        if posting.flags & CLOSING:
            state.set_closed(posting, is_closed=False)
        del state.holds[posting.id.int]
    else:
        debit.debits_posted -= amount
        credit.credits_posted -= amount
    assert min(debit.balance() + credit.balance()) >= 0, "taking back cannot create a debt"
