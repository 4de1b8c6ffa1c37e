"""The books as PostgreSQL has them, and what the unknown transfers may have taken. No I/O.

What is unknown is held against both accounts: the debit as if it were made, the credit as if it
were not there yet. So whatever the mirror allows, TigerBeetle allows too, whichever of the unknown
transfers turn out to have been carried out.
"""

from collections.abc import Iterable
from uuid import UUID

from ledger.accounts import Balance
from ledger.breaker.rows import Row
from ledger.core import AccountState, Facts, LedgerState, Posting, apply
from ledger.tigerbeetle import NewAccount
from ledger.transfers import (
    AMOUNT_ALL,
    NIL,
    Transfer,
    TransferFlag,
    TransferKind,
    TransferResult,
)

POST = int(TransferFlag.POST_PENDING_TRANSFER)


class Mirror:
    """Balances and open holds of a tenant.

    Args:
        accounts: With their balances, unknown transfers not counted.
        holds: Rows of open holds.

    Attributes:
        doubted: Holds, by id, that an unknown transfer makes or ends.
        currencies: Of all accounts.
    """

    def __init__(
        self, accounts: Iterable[tuple[NewAccount, Balance]], holds: Iterable[Row]
    ) -> None:
        self._state = LedgerState()
        self._reserved: dict[int, tuple[int, int]] = {}
        self._timestamp = 0
        self.doubted: set[int] = set()
        self.currencies: set[int] = set()
        for account, balance in accounts:
            self.add_account(account, balance)
        self._state.add_holds(posting_of(row) for row in holds)

    def add_account(self, account: NewAccount, balance: Balance) -> None:
        """Take an account in."""
        state = AccountState(account.id, int(account.flags), *balance, ledger=account.ledger)
        self._state.accounts[account.id.int] = state
        self.currencies.add(account.ledger)

    def has(self, account_id: UUID) -> bool:
        """The account is open."""
        return account_id.int in self._state.accounts

    def any_account(self) -> UUID | None:
        """The first one, if there is one."""
        first = next(iter(self._state.accounts.values()), None)
        return None if first is None else first.id

    def balance_of(self, account_id: UUID) -> Balance:
        """What is known to be booked; unknown transfers do not count."""
        account = self._state.accounts[account_id.int]
        debits, credits_ = self._reserved.get(account_id.int, (0, 0))
        balance = account.balance()
        return balance._replace(
            debits_pending=balance.debits_pending - debits,
            credits_pending=balance.credits_pending - credits_,
        )

    def extent_of(self, transfer: Transfer, batch: dict[int, Row]) -> tuple[UUID, UUID, int]:
        """The accounts a transfer moves money between, and the most it can move.

        Args:
            transfer: Which.
            batch: Rows that go before it and are not in the books yet, by id.
        """
        if transfer.pending_id is None:
            return transfer.debit_account_id, transfer.credit_account_id, transfer.amount_cents
        key = transfer.pending_id.int
        hold = self._state.holds.get(key) or batch.get(key)
        if hold is None:
            return NIL, NIL, 0
        amount = transfer.amount_cents
        held = hold.amount_cents
        moved = amount if transfer.flags & POST and amount != AMOUNT_ALL else held
        return hold.debit_account_id, hold.credit_account_id, min(moved, held)

    def learn(self, rows: Iterable[Row]) -> None:
        """Know stored holds and what ended them, until the next `changes`."""
        booked = [posting_of(row) for row in rows if row.is_booked]
        self._state.facts = Facts(
            transfers={posting.id.int: posting for posting in booked},
            resolutions={p.pending_id.int: p for p in booked if p.pending_id is not None},
            is_complete=True,
        )

    def is_in_doubt(self, transfer: Transfer) -> bool:
        """It is about a hold whose own fate is unknown."""
        return transfer.pending_id is not None and transfer.pending_id.int in self.doubted

    def book(self, transfer: Transfer) -> TransferResult:
        """Apply a transfer to the mirror, or say why not."""
        self._timestamp += 1
        return apply(self._state, transfer, self._timestamp)

    def hold_back(self, row: Row) -> None:
        """Reserve what an unknown transfer may have taken."""
        self._doubt(row, 1)
        if row.is_hold:
            self.doubted.add(row.transfer.id.int)
        elif row.transfer.pending_id is not None:
            self.doubted.add(row.transfer.pending_id.int)

    def let_go(self, row: Row) -> None:
        """Undo `hold_back`: its fate is known."""
        self._doubt(row, -1)
        self.doubted.discard(row.transfer.id.int)
        if row.transfer.pending_id is not None:
            self.doubted.discard(row.transfer.pending_id.int)

    def changes(self) -> dict[UUID, Balance]:
        """Balances that were changed since the last time, for the store; forgets the `learn`ed."""
        changed = {each.id: self.balance_of(each.id) for each in self._state.touched.values()}
        self._state.settle()
        return changed

    def _doubt(self, row: Row, sign: int) -> None:
        if row.ends_hold:
            return  # its hold is pending, which is more than it can take
        debit = self._state.accounts.get(row.debit_account_id.int)
        credit = self._state.accounts.get(row.credit_account_id.int)
        amount = sign * row.amount_cents
        if debit is None or credit is None:
            return  # such a transfer cannot have been carried out
        debit.debits_pending += amount
        credit.credits_pending += amount
        self._reserve(debit.id.int, amount, 0)
        self._reserve(credit.id.int, 0, amount)

    def _reserve(self, key: int, debits: int, credits_: int) -> None:
        before = self._reserved.get(key, (0, 0))
        self._reserved[key] = (before[0] + debits, before[1] + credits_)


def posting_of(row: Row) -> Posting:
    """A booked row as the core keeps it."""
    transfer = row.transfer
    kind = TransferKind.POSTED
    if row.is_hold:
        kind = TransferKind.PENDING
    elif row.ends_hold:
        kind = TransferKind.POST if transfer.flags & POST else TransferKind.VOID
    return Posting(
        transfer.id,
        row.debit_account_id,
        row.credit_account_id,
        row.amount_cents,
        transfer.code,
        int(kind),
        transfer.pending_id,
        transfer.flags,
        transfer.timeout_seconds,
        transfer.ledger,
        transfer.user_data_128,
        transfer.user_data_64,
        transfer.user_data_32,
        row.sequence,
    )
