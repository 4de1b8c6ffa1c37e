"""What a batch of entries comes to, decided in memory, in order. No I/O."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.accounts import AccountStatus
from ledger.allowances import Allowances
from ledger.core import LedgerState, apply, undo
from ledger.messages import Answer, Committed, Entry, Event, Idempotency, Refused, Replayed, Stale
from ledger.transfers import Transfer, TransferFlag, TransferResult

RECENT_KEYS_MAX: Final = 100_000
"""Idempotency keys kept in memory, about 30 MB; older ones are found in their table."""

NO_PRODUCTS: Final = Allowances({})
COMMITTED: Final = Committed()
STALE: Final = Stale()
MAY_BE_NOTHING: Final = int(
    TransferFlag.POST_PENDING_TRANSFER
    | TransferFlag.VOID_PENDING_TRANSFER
    | TransferFlag.CLOSING_DEBIT
    | TransferFlag.CLOSING_CREDIT
)
"""Flags of transfers whose amount may be 0. In all others it is somebody's mistake."""

Claims = Callable[[object], Iterable[Hashable] | None]
"""`Companion.claims`."""


class RecentKeys:
    """The idempotency keys used last, so that a quick retry needs no query."""

    def __init__(self, keys_max: int = RECENT_KEYS_MAX) -> None:
        self._keys: dict[str, Idempotency] = {}
        self._keys_max = keys_max

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, key: str) -> Idempotency | None:
        found = self._keys.pop(key, None)
        if found is not None:
            self._keys[key] = found  # the order of a dict is the order of use
        return found

    def update(self, keys: dict[str, Idempotency]) -> None:
        for key, idempotency in keys.items():
            self._keys.pop(key, None)
            self._keys[key] = idempotency
        for _ in range(len(self._keys) - self._keys_max):
            del self._keys[next(iter(self._keys))]


@dataclass(slots=True)
class Decision:
    """Answers of a batch and, beside the state's journal, what is to be written.

    Attributes:
        answers: One an entry.
        events: Of the committed entries, in order.
        keys: Of the committed entries.
        records: Of the committed entries, in order, for the companion.
        claimed: What these records took for themselves.
        is_doubtful: Some answer depends on rows that memory does not keep: a refused transfer may
            be a retry of one that is stored already.
        transfers: Written transfers, once the decision is durable.
    """

    answers: list[Answer] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    keys: dict[str, Idempotency] = field(default_factory=dict)
    records: list[object] = field(default_factory=list)
    claimed: set[Hashable] = field(default_factory=set)
    is_doubtful: bool = False
    transfers: int = 0

    @property
    def has_effects(self) -> bool:
        """Some entry was committed; otherwise there is nothing to write."""
        return any(answer is COMMITTED for answer in self.answers)


def no_claims(_record: object) -> Iterable[Hashable]:
    """Claims of records that nobody keeps in memory."""
    return ()


def decide(
    state: LedgerState,
    entries: Sequence[Entry],
    recent: RecentKeys,
    claims: Claims = no_claims,
    allowances: Allowances = NO_PRODUCTS,
) -> Decision:
    """Apply the entries in order, each whole or not at all.

    Args:
        state: The books; `timestamp` is that of the first transfer to be applied.
        entries: What is asked for.
        recent: Keys known to be stored.
        claims: What a record takes for itself.
        allowances: What the accounts' products allow.
    """
    decision = Decision()
    allowances.begin(state)
    for entry in entries:
        answer = _decide_entry(state, entry, recent, decision, claims, allowances)
        decision.answers.append(answer)
    return decision


def _decide_entry(
    state: LedgerState,
    entry: Entry,
    recent: RecentKeys,
    decision: Decision,
    claims: Claims,
    allowances: Allowances,
) -> Answer:
    idempotency = entry.idempotency
    if idempotency is not None:
        key = idempotency.key
        first = decision.keys.get(key) or recent.get(key) or state.facts.keys.get(key)
        if first is not None:
            return Replayed(first.subject_id, first.fingerprint == idempotency.fingerprint)
    claimed = () if entry.record is None else claims(entry.record)
    if claimed is None or not decision.claimed.isdisjoint(claimed := tuple(claimed)):
        return STALE
    refused = _apply_all(state, entry.transfers, allowances)
    if refused is not None:
        decision.is_doubtful |= not state.facts.is_complete
        return refused
    if idempotency is not None:
        decision.keys[idempotency.key] = idempotency
    decision.events.extend(entry.events)
    if entry.record is not None:
        decision.claimed.update(claimed)
        decision.records.append(entry.record)
    return COMMITTED


def _unwanted(
    state: LedgerState, transfer: Transfer, allowances: Allowances
) -> TransferResult | None:
    """What the core would do and we do not want; a transfer that was made stays made.

    A post or void names no account: its hold was made before its account was restricted.
    """
    if transfer.amount_cents == 0 and not transfer.flags & MAY_BE_NOTHING:
        return TransferResult.AMOUNT_OUT_OF_RANGE
    if not state.restricted and allowances.is_empty:
        return None
    reason = _restriction(state, transfer) or allowances.refusal(state, transfer)
    return None if reason is None or state.is_known(transfer.id.int) else reason


def _restriction(state: LedgerState, transfer: Transfer) -> TransferResult | None:
    debit = state.restricted.get(transfer.debit_account_id.int)
    if debit is AccountStatus.INACTIVE:
        return TransferResult.DEBIT_ACCOUNT_INACTIVE
    if debit is AccountStatus.BLOCKED:
        return TransferResult.DEBIT_ACCOUNT_BLOCKED
    if state.restricted.get(transfer.credit_account_id.int) is AccountStatus.INACTIVE:
        return TransferResult.CREDIT_ACCOUNT_INACTIVE
    return None


def _apply_all(
    state: LedgerState, transfers: Sequence[Transfer], allowances: Allowances
) -> Refused | None:
    is_counted = not allowances.is_empty
    for index, transfer in enumerate(transfers):
        result = _unwanted(state, transfer, allowances) or apply(
            state, transfer, state.first_timestamp + len(state.journal)
        )
        if result is not TransferResult.CREATED:
            for applied in reversed(transfers[:index]):
                if is_counted:
                    allowances.applied(state, state.journal[applied.id.int], is_undone=True)
                undo(state, applied.id)
            return Refused(result, transfer.id)
        if is_counted:
            allowances.applied(state, state.journal[transfer.id.int])
    return None
