"""What products let their accounts do, asked before the core is.

The core knows TigerBeetle's limits only. Those of a product are checked against the same counters
and, for a day's limit, against what left the account since midnight in Brasília. Only refusals
come of it, so whoever replays the journal needs none of this.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from ledger.accounts import Account
from ledger.core import LedgerState, Posting, balanced, is_no_amount
from ledger.days import business_day, day_start
from ledger.products import RESOLVING, Product
from ledger.transfers import Transfer, TransferKind, TransferResult

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
POST: Final = int(TransferKind.POST)


class Allowances:
    """The accounts of a shard that have a product, and what they spent today.

    A batch is between `begin` and `settle`; `begin` again forgets what was not settled.

    Args:
        products: By code, as their terms are now; whoever owns them may change them.
    """

    def __init__(self, products: Mapping[str, Product]) -> None:
        self._products = products
        self._of: dict[int, str] = {}  # product by account
        self._day: date | None = None
        self._spent: Counter[int] = Counter()
        self._batch: Counter[int] = Counter()

    @property
    def is_empty(self) -> bool:
        """No account has a product."""
        return not self._of

    @property
    def has_day_limits(self) -> bool:
        """Some product limits what leaves an account in a day."""
        return any(product.day_max_cents is not None for product in self._products.values())

    def add(self, accounts: Iterable[Account]) -> None:
        """Take durable accounts."""
        for account in accounts:
            if account.product is not None:
                self._of[account.id.int] = account.product

    def load_day(self, timestamp: int, spent: Mapping[UUID, int]) -> None:
        """Take what was spent so far on the day of a timestamp."""
        self._day = day_of(timestamp)
        self._spent = Counter({account_id.int: cents for account_id, cents in spent.items()})

    def begin(self, state: LedgerState) -> None:
        """Begin a batch, or begin it again; holds that have expired are in its journal already."""
        self._batch.clear()
        if not self._of:
            return
        day = day_of(state.first_timestamp)
        if day != self._day:
            self._day = day
            self._spent.clear()
        for posting in state.journal.values():
            self.applied(state, posting)

    def settle(self) -> None:
        """Keep what the batch spent: it is durable."""
        self._spent.update(self._batch)
        self._batch.clear()

    def refusal(self, state: LedgerState, transfer: Transfer) -> TransferResult | None:
        """The limit that a transfer breaks, if it does; what ends a hold breaks none."""
        if not self._of or transfer.flags & RESOLVING or is_no_amount(transfer.amount_cents):
            return None
        debit_key, credit_key = transfer.debit_account_id.int, transfer.credit_account_id.int
        payer, receiver = self._product_of(debit_key), self._product_of(credit_key)
        debit, credit = state.accounts.get(debit_key), state.accounts.get(credit_key)
        if debit is None or credit is None:
            return None  # for the core to say
        amount = balanced(transfer.amount_cents, transfer.flags, debit, credit)
        if payer is not None:
            if is_above(amount, payer.transfer_max_cents):
                return TransferResult.EXCEEDS_TRANSFER_LIMIT
            spent = self._spent[debit_key] + self._batch[debit_key]
            if is_above(spent + amount, payer.day_max_cents):
                return TransferResult.EXCEEDS_DAY_LIMIT
        if receiver is not None:
            coming = credit.credits_posted + credit.credits_pending + amount
            if is_above(coming - credit.debits_posted, receiver.balance_max_cents):
                return TransferResult.EXCEEDS_BALANCE_LIMIT
        return None

    def applied(self, state: LedgerState, posting: Posting, *, is_undone: bool = False) -> None:
        """Count what a transfer of the journal takes from its day, or gives back to it."""
        key = posting.debit_account_id.int
        if key not in self._of:
            return
        cents = posting.amount_cents
        if posting.pending_id is not None:
            hold = state.ended[posting.pending_id.int]
            if day_of(hold.timestamp) != self._day:
                return
            cents = (cents if posting.kind == POST else 0) - hold.amount_cents
        self._batch[key] += -cents if is_undone else cents

    def _product_of(self, key: int) -> Product | None:
        code = self._of.get(key)
        return None if code is None else self._products[code]


def is_above(cents: int, max_cents: int | None) -> bool:
    """More than a limit, where there is one."""
    return max_cents is not None and cents > max_cents


def day_of(timestamp: int) -> date:
    """The day of Brasília of a timestamp in nanoseconds."""
    return business_day(EPOCH + timestamp // 1_000 * MICROSECOND)


def midnight(timestamp: int) -> int:
    """The timestamp at which the day of a timestamp begins."""
    return (day_start(day_of(timestamp)) - EPOCH) // MICROSECOND * 1_000
