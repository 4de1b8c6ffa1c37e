"""The part that must be right: what one transfer does to the books. No I/O, clock or randomness.

`apply` checks in TigerBeetle's order (`create_transfers` of 0.17) and changes the state only when
every check passed, so a refused transfer leaves nothing behind. What it applied stands in
`journal` until `settle` says that it is durable; `undo` takes back the last of it.

Maps are keyed by `UUID.int`: hashing a UUID is a Python call, hashing an int is not.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from ledger.accounts import AccountFlag, Balance
from ledger.messages import Idempotency
from ledger.transfers import AMOUNT_CENTS_MAX, NIL, Transfer, TransferKind, TransferResult

COUNTER_MAX: Final = 2**63 - 1
"""Counters are signed 64-bit columns."""

ID_MAX: Final = 2**128 - 1

STALE_HOLD_IDS_MAX: Final = 4_096
"""Resolved holds that may wait in the heap of open ones before it is built anew."""

CREATED: Final = TransferResult.CREATED
PENDING: Final = TransferKind.PENDING
POST: Final = TransferKind.POST
VOID: Final = TransferKind.VOID
CLOSED: Final = int(AccountFlag.CLOSED)
DEBITS_LIMITED: Final = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
CREDITS_LIMITED: Final = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)


class Posting(NamedTuple):
    """An applied transfer as it is stored: accounts, amount and code of the hold filled in."""

    id: UUID
    debit_account_id: UUID
    credit_account_id: UUID
    amount_cents: int
    code: int
    kind: int
    pending_id: UUID | None


@dataclass(slots=True)
class AccountState:
    """One account's flags and counters, uncommitted effects included."""

    id: UUID
    flags: int
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    def balance(self) -> Balance:
        return Balance(
            self.debits_pending, self.debits_posted, self.credits_pending, self.credits_posted
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows that memory does not keep, looked up for one batch.

    Attributes:
        transfers: Stored transfers by id.
        resolutions: Stored post or void by the id of its hold.
        keys: Stored idempotency keys.
        is_complete: Everything the batch names was looked up: what is not here does not exist.
    """

    transfers: dict[int, Posting] = field(default_factory=dict)
    resolutions: dict[int, Posting] = field(default_factory=dict)
    keys: dict[str, Idempotency] = field(default_factory=dict)
    is_complete: bool = False


NO_FACTS: Final = Facts()


@dataclass(slots=True)
class LedgerState:
    """Accounts and open holds of one shard, and what was applied since the last commit.

    Attributes:
        accounts: By id.
        holds: Open holds by id.
        journal: Applied and not yet durable, in order, by id.
        resolutions: The posts and voids of the journal by the id of their hold.
        touched: Accounts whose counters may differ from their stored row.
        facts: Rows looked up for the current batch.
    """

    accounts: dict[int, AccountState] = field(default_factory=dict)
    holds: dict[int, Posting] = field(default_factory=dict)
    journal: dict[int, Posting] = field(default_factory=dict)
    resolutions: dict[int, Posting] = field(default_factory=dict)
    touched: dict[int, AccountState] = field(default_factory=dict)
    facts: Facts = NO_FACTS
    hold_ids: list[int] = field(default_factory=list)

    def add_holds(self, holds: Iterable[Posting]) -> None:
        """Take over holds whose amounts the accounts' counters already contain."""
        self.holds.update((hold.id.int, hold) for hold in holds)
        self.hold_ids = sorted(self.holds)

    def oldest_open_hold(self) -> UUID | None:
        """Smallest id of an open hold: a reload need not look at transfers before it."""
        ids = self.hold_ids
        if len(ids) > 2 * len(self.holds) + STALE_HOLD_IDS_MAX:
            ids[:] = sorted(self.holds)
        while ids and ids[0] not in self.holds:
            heapq.heappop(ids)
        return UUID(int=ids[0]) if ids else None

    def settle(self) -> None:
        """Forget how to undo: the journal is durable."""
        self.journal.clear()
        self.resolutions.clear()
        self.touched.clear()
        self.facts = NO_FACTS


def apply(state: LedgerState, transfer: Transfer) -> TransferResult:
    """Apply one transfer, or say why not and change nothing.

    Returns:
        `CREATED`, or the first check that failed.
    """
    key = transfer.id.int
    known = state.journal.get(key) or state.holds.get(key) or state.facts.transfers.get(key)
    if known is not None:
        return _compare(known, transfer)
    if transfer.kind in (POST, VOID):
        return _resolve(state, transfer, key)
    return _create(state, transfer, key)


def undo(state: LedgerState, transfer_id: UUID) -> None:
    """Take back the last applied transfer, which must be `transfer_id`."""
    key, posting = state.journal.popitem()
    assert key == transfer_id.int, "only the last applied transfer can be taken back"
    _take_back(state, posting)


def undo_all(state: LedgerState) -> None:
    """Take back everything that was applied since the last commit."""
    while state.journal:
        _, posting = state.journal.popitem()
        _take_back(state, posting)


def _create(state: LedgerState, transfer: Transfer, key: int) -> TransferResult:
    debit_key, credit_key = transfer.debit_account_id.int, transfer.credit_account_id.int
    amount = transfer.amount_cents
    debit, credit = state.accounts.get(debit_key), state.accounts.get(credit_key)
    if (
        not _is_well_formed(transfer, key)
        or debit is None
        or credit is None
        or (debit.flags | credit.flags) & CLOSED
    ):
        return _explain(transfer, debit, credit)
    if (
        debit.debits_pending + debit.debits_posted + amount > COUNTER_MAX
        or credit.credits_pending + credit.credits_posted + amount > COUNTER_MAX
    ):
        return _explain_overflow(transfer, debit, credit)
    if (
        debit.flags & DEBITS_LIMITED
        and debit.debits_pending + debit.debits_posted + amount > debit.credits_posted
    ):
        return TransferResult.EXCEEDS_CREDITS
    if (
        credit.flags & CREDITS_LIMITED
        and credit.credits_pending + credit.credits_posted + amount > credit.debits_posted
    ):
        return TransferResult.EXCEEDS_DEBITS
    posting = Posting(
        transfer.id,
        transfer.debit_account_id,
        transfer.credit_account_id,
        amount,
        transfer.code,
        transfer.kind,
        None,
    )
    if transfer.kind == PENDING:
        debit.debits_pending += amount
        credit.credits_pending += amount
        state.holds[key] = posting
        heapq.heappush(state.hold_ids, key)
    else:
        debit.debits_posted += amount
        credit.credits_posted += amount
    state.journal[key] = posting
    state.touched[debit_key] = debit
    state.touched[credit_key] = credit
    return CREATED


def _is_well_formed(transfer: Transfer, key: int) -> bool:
    amount = transfer.amount_cents
    return (
        0 < key < ID_MAX
        and type(amount) is int  # money is never a float, whatever the caller's types say
        and 0 < amount <= AMOUNT_CENTS_MAX
        and transfer.code != 0
        and transfer.pending_id is None
        and transfer.debit_account_id != transfer.credit_account_id
    )


def _explain(
    transfer: Transfer, debit: AccountState | None, credit: AccountState | None
) -> TransferResult:
    """Name the first failed check of a transfer that some check refused."""
    debit_key, credit_key = transfer.debit_account_id.int, transfer.credit_account_id.int
    amount = transfer.amount_cents
    result = TransferResult
    in_order = (
        (transfer.id.int == 0, result.ID_MUST_NOT_BE_ZERO),
        (transfer.id.int == ID_MAX, result.ID_MUST_NOT_BE_INT_MAX),
        (debit_key == 0, result.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO),
        (debit_key == ID_MAX, result.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (credit_key == 0, result.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO),
        (credit_key == ID_MAX, result.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (debit_key == credit_key, result.ACCOUNTS_MUST_BE_DIFFERENT),
        (transfer.pending_id is not None, result.PENDING_ID_MUST_BE_ZERO),
        (transfer.code == 0, result.CODE_MUST_NOT_BE_ZERO),
        (
            type(amount) is not int or not 0 < amount <= AMOUNT_CENTS_MAX,
            result.AMOUNT_OUT_OF_RANGE,
        ),
        (debit is None, result.DEBIT_ACCOUNT_NOT_FOUND),
        (credit is None, result.CREDIT_ACCOUNT_NOT_FOUND),
        (debit is not None and debit.flags & CLOSED, result.DEBIT_ACCOUNT_ALREADY_CLOSED),
    )
    for has_failed, reason in in_order:
        if has_failed:
            return reason
    return result.CREDIT_ACCOUNT_ALREADY_CLOSED


def _explain_overflow(
    transfer: Transfer, debit: AccountState, credit: AccountState
) -> TransferResult:
    amount, result = transfer.amount_cents, TransferResult
    if transfer.kind == PENDING and debit.debits_pending + amount > COUNTER_MAX:
        return result.OVERFLOWS_DEBITS_PENDING
    if transfer.kind == PENDING and credit.credits_pending + amount > COUNTER_MAX:
        return result.OVERFLOWS_CREDITS_PENDING
    if transfer.kind != PENDING and debit.debits_posted + amount > COUNTER_MAX:
        return result.OVERFLOWS_DEBITS_POSTED
    if transfer.kind != PENDING and credit.credits_posted + amount > COUNTER_MAX:
        return result.OVERFLOWS_CREDITS_POSTED
    if debit.debits_pending + debit.debits_posted + amount > COUNTER_MAX:
        return result.OVERFLOWS_DEBITS
    return result.OVERFLOWS_CREDITS


def _resolve(state: LedgerState, transfer: Transfer, key: int) -> TransferResult:
    pending_id = transfer.pending_id
    hold = None if pending_id is None else state.holds.get(pending_id.int)
    if hold is None or not 0 < key < ID_MAX:
        return _explain_resolution(state, transfer)
    refusal = _differs_from_hold(hold, transfer)
    if refusal is not None:
        return refusal
    debit = state.accounts[hold.debit_account_id.int]
    credit = state.accounts[hold.credit_account_id.int]
    if transfer.kind == POST:
        # Releasing a hold of a closed account is allowed, moving its money is not.
        if debit.flags & CLOSED:
            return TransferResult.DEBIT_ACCOUNT_ALREADY_CLOSED
        if credit.flags & CLOSED:
            return TransferResult.CREDIT_ACCOUNT_ALREADY_CLOSED
    posting = hold._replace(id=transfer.id, kind=transfer.kind, pending_id=hold.id)
    _release(debit, credit, posting, sign=1)
    del state.holds[hold.id.int]
    state.journal[key] = state.resolutions[hold.id.int] = posting
    state.touched[debit.id.int] = debit
    state.touched[credit.id.int] = credit
    return CREATED


def _release(debit: AccountState, credit: AccountState, posting: Posting, sign: int) -> None:
    """Carry out a post or void (sign 1), or take it back (sign -1)."""
    amount = sign * posting.amount_cents
    debit.debits_pending -= amount
    credit.credits_pending -= amount
    if posting.kind == POST:
        debit.debits_posted += amount
        credit.credits_posted += amount
    assert debit.debits_pending >= 0, "a hold is part of its debit account's counters"
    assert credit.credits_pending >= 0, "a hold is part of its credit account's counters"


def _explain_resolution(state: LedgerState, transfer: Transfer) -> TransferResult:
    result, key = TransferResult, transfer.id.int
    pending_key = 0 if transfer.pending_id is None else transfer.pending_id.int
    in_order = (
        (key == 0, result.ID_MUST_NOT_BE_ZERO),
        (key == ID_MAX, result.ID_MUST_NOT_BE_INT_MAX),
        (pending_key == 0, result.PENDING_ID_MUST_NOT_BE_ZERO),
        (pending_key == ID_MAX, result.PENDING_ID_MUST_NOT_BE_INT_MAX),
        (pending_key == key, result.PENDING_ID_MUST_BE_DIFFERENT),
    )
    for has_failed, reason in in_order:
        if has_failed:
            return reason
    return _explain_hold(state, transfer, pending_key)


def _explain_hold(state: LedgerState, transfer: Transfer, pending_key: int) -> TransferResult:
    """Say why a well-formed post or void meets no open hold."""
    result = TransferResult
    known = state.journal.get(pending_key) or state.facts.transfers.get(pending_key)
    if known is None:
        return result.PENDING_TRANSFER_NOT_FOUND
    if known.kind != PENDING:
        return result.PENDING_TRANSFER_NOT_PENDING
    refusal = _differs_from_hold(known, transfer)
    if refusal is not None:
        return refusal
    resolution = state.resolutions.get(pending_key) or state.facts.resolutions.get(pending_key)
    if resolution is None:
        # A hold of another shard: it is open there, and only its own writer may resolve it.
        return result.PENDING_TRANSFER_NOT_FOUND
    if resolution.kind == POST:
        return result.PENDING_TRANSFER_ALREADY_POSTED
    return result.PENDING_TRANSFER_ALREADY_VOIDED


def _differs_from_hold(hold: Posting, transfer: Transfer) -> TransferResult | None:
    """Compare what a post or void says with its hold; empty fields say nothing."""
    result, amount = TransferResult, transfer.amount_cents
    if transfer.debit_account_id not in (NIL, hold.debit_account_id):
        return result.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID
    if transfer.credit_account_id not in (NIL, hold.credit_account_id):
        return result.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID
    if transfer.code not in (0, hold.code):
        return result.PENDING_TRANSFER_HAS_DIFFERENT_CODE
    if amount > hold.amount_cents:
        return result.EXCEEDS_PENDING_TRANSFER_AMOUNT
    if amount not in (0, hold.amount_cents):
        return result.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
    return None


def _compare(known: Posting, transfer: Transfer) -> TransferResult:
    """Tell a retry (`EXISTS`) from another transfer under the same id."""
    result = TransferResult
    takes_from_hold = transfer.kind in (POST, VOID)
    fields = (
        (known.kind, transfer.kind, result.EXISTS_WITH_DIFFERENT_FLAGS, None),
        (known.pending_id, transfer.pending_id, result.EXISTS_WITH_DIFFERENT_PENDING_ID, None),
        (
            known.debit_account_id,
            transfer.debit_account_id,
            result.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID,
            NIL,
        ),
        (
            known.credit_account_id,
            transfer.credit_account_id,
            result.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
            NIL,
        ),
        (known.amount_cents, transfer.amount_cents, result.EXISTS_WITH_DIFFERENT_AMOUNT, 0),
        (known.code, transfer.code, result.EXISTS_WITH_DIFFERENT_CODE, 0),
    )
    for stored, given, reason, inherited in fields:
        if stored != given and not (
            takes_from_hold and inherited is not None and given == inherited
        ):
            return reason
    return result.EXISTS


def _take_back(state: LedgerState, posting: Posting) -> None:
    debit = state.accounts[posting.debit_account_id.int]
    credit = state.accounts[posting.credit_account_id.int]
    amount = posting.amount_cents
    if posting.pending_id is not None:
        _release(debit, credit, posting, sign=-1)
        del state.resolutions[posting.pending_id.int]
        hold = posting._replace(id=posting.pending_id, kind=PENDING, pending_id=None)
        state.holds[hold.id.int] = hold
        # The heap may have dropped it meanwhile; a second entry does no harm.
        heapq.heappush(state.hold_ids, hold.id.int)
    elif posting.kind == PENDING:
        debit.debits_pending -= amount
        credit.credits_pending -= amount
        del state.holds[posting.id.int]
    else:
        debit.debits_posted -= amount
        credit.credits_posted -= amount
    assert min(debit.balance() + credit.balance()) >= 0, "taking back cannot create a debt"
