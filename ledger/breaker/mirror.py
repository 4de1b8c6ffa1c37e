"""The books as PostgreSQL has them, and what the unknown transfers may have taken. No I/O.

What is unknown is held against both accounts: the debit as if it were made, the credit as if it
were not there yet. So whatever the mirror allows, TigerBeetle allows too, whichever of the unknown
transfers turn out to have been carried out.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from ledger.accounts import AccountFlag, Balance
from ledger.breaker.expiry import Expiries, without_timeout
from ledger.breaker.rows import Row
from ledger.core import AccountState, Facts, LedgerState, Posting, apply, apply_batch
from ledger.tigerbeetle import NewAccount
from ledger.transfers import (
    AMOUNT_ALL,
    NIL,
    Transfer,
    TransferFlag,
    TransferKind,
    TransferResult,
)

POST: Final = int(TransferFlag.POST_PENDING_TRANSFER)
CLOSING: Final = int(TransferFlag.CLOSING_DEBIT | TransferFlag.CLOSING_CREDIT)


class Mirror:
    """Balances and open holds of a tenant.

    Args:
        accounts: With their balances, unknown transfers not counted.
        holds: Rows of open holds.
        lacking: Accounts that TigerBeetle does not have yet.

    Attributes:
        doubted: Holds, by id, that an unknown transfer makes or ends.
        currencies: Of all accounts.
        lacking: Accounts that TigerBeetle does not have yet, by id.
    """

    def __init__(
        self,
        accounts: Iterable[tuple[NewAccount, Balance]],
        holds: Iterable[Row],
        lacking: Iterable[UUID] = (),
    ) -> None:
        self._state = LedgerState()
        self._reserved: dict[int, tuple[int, int]] = {}
        self._timestamp = 0
        self._unknown = 0
        self._closing: set[int] = set()
        self._expiries = Expiries()
        self.doubted: set[int] = set()
        self.currencies: set[int] = set()
        self.lacking: dict[UUID, NewAccount] = {}
        not_there = set(lacking)
        for account, balance in accounts:
            self.add_account(account, balance, is_there=account.id not in not_there)
        rows = list(holds)
        self._state.add_holds(posting_of(row) for row in rows)
        for row in rows:
            self.watch(row)

    def add_account(self, account: NewAccount, balance: Balance, *, is_there: bool = True) -> None:
        """Take an account in; TigerBeetle has it, or is to get it."""
        if not is_there:
            self.lacking[account.id] = account
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
        """It cannot be decided before the fate of another one is known.

        That is so when it is about a hold that is unknown, or an account that an unknown transfer
        may have closed; and of closing an account while anything is unknown: what was carried out
        before it could not be booked after it.
        """
        if transfer.flags & CLOSING and self._unknown:
            return True
        sides = (transfer.debit_account_id.int, transfer.credit_account_id.int)
        if transfer.pending_id is not None:
            key = transfer.pending_id.int
            if key in self.doubted:
                return True
            hold = self._state.holds.get(key)
            if hold is not None:
                sides = (hold.debit_account_id.int, hold.credit_account_id.int)
        return not self._closing.isdisjoint(sides)

    def book(self, transfer: Transfer) -> TransferResult:
        """Apply a transfer to the mirror, or say why not; `LINKED` is not looked at."""
        self._timestamp += 1
        return apply(self._state, without_timeout(transfer), self._timestamp)

    def book_chain(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Apply all of them, or none; one result each."""
        self._timestamp += len(transfers)
        timestamp = self._timestamp - len(transfers) + 1
        return apply_batch(self._state, [*map(without_timeout, transfers)], timestamp)

    def watch(self, row: Row) -> None:
        """End the hold when its time is over, if it has one."""
        if row.expires_at:
            self._expiries.add(row.transfer.id.int, row.expires_at)

    def is_over(self, transfer: Transfer, now_ns: int) -> bool:
        """It is about an open hold whose time is over."""
        if transfer.pending_id is None:
            return False
        key = transfer.pending_id.int
        return key in self._state.holds and self._expiries.is_over(key, now_ns)

    def due(self, now_ns: int) -> list[UUID]:
        """Holds to be ended now."""
        return self._expiries.due(now_ns, self._state.holds, self.doubted)

    def next_expiry(self) -> int | None:
        """When the next hold is due, in nanoseconds since 1970; None: none will be."""
        return self._expiries.next_ns(self._state.holds)

    def hold_back(self, row: Row) -> None:
        """Reserve what an unknown transfer may have taken, and doubt what it may have done."""
        self._doubt(row, 1)
        self._unknown += 1
        self._closing.update(closed_by(row))
        if row.is_hold:
            self.doubted.add(row.transfer.id.int)
        elif row.transfer.pending_id is not None:
            self.doubted.add(row.transfer.pending_id.int)

    def let_go(self, row: Row) -> None:
        """Undo `hold_back`: its fate is known, and so are those of all others soon."""
        self._doubt(row, -1)
        self._unknown -= 1
        self._closing.difference_update(closed_by(row))
        self.doubted.discard(row.transfer.id.int)
        if row.transfer.pending_id is not None:
            self.doubted.discard(row.transfer.pending_id.int)

    def flags(self) -> dict[UUID, int]:
        """Flags of accounts that were closed or opened again, as `changes`; to be asked before."""
        return dict(self._state.flag_changes())

    def is_closed(self, account_id: UUID) -> bool:
        """Only holds are ended on that account."""
        return bool(self._state.accounts[account_id.int].flags & AccountFlag.CLOSED)

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


def closed_by(row: Row) -> Iterator[int]:
    """Accounts that a transfer closes."""
    if row.transfer.flags & TransferFlag.CLOSING_DEBIT:
        yield row.debit_account_id.int
    if row.transfer.flags & TransferFlag.CLOSING_CREDIT:
        yield row.credit_account_id.int


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
        0,
        transfer.ledger,
        transfer.user_data_128,
        transfer.user_data_64,
        transfer.user_data_32,
        row.sequence,
    )
