"""The read view of a shard, shared by reference with readers in the same event loop."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from ledger.accounts import Account, AccountFlag, AccountStatus, Balance
from ledger.core import AccountState
from ledger.products import Product


class AccountBook:
    """Accounts and *durable* balances of one shard. Only its writer changes it.

    Give the same book to every restart of a writer: it is emptied when the writer reloads, and it
    remembers for the writer whether this program has held the shard's lease.
    """

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}
        self._numbers: dict[tuple[str | None, str], Account] = {}
        self._balances: dict[int, Balance] = {}
        self._restricted: dict[int, AccountStatus] = {}
        self.products: dict[str, Product] = {}
        """By code, with their terms as they are now. Only the writer changes it."""
        self.is_loaded = False
        """The book shows the shard; False while its writer starts, or stands by."""
        self.holder: str | None = None
        """Name under which this program takes the lease; the writer's."""
        self.has_held = False
        """This program has held the lease at least once; the writer's."""

    def __len__(self) -> int:
        return len(self._accounts)

    def find(self, branch: str | None, number: str) -> Account | None:
        """Account by branch and number as the customer knows them."""
        return self._numbers.get((branch, number))

    def account(self, account_id: UUID) -> Account | None:
        """Account by id."""
        return self._accounts.get(account_id.int)

    def balance(self, account_id: UUID) -> Balance | None:
        """Balance as of the last durable batch; None for an unknown account."""
        return self._balances.get(account_id.int)

    def status(self, account_id: UUID) -> AccountStatus | None:
        """Status as it is on disk; None for an unknown account."""
        if account_id.int not in self._accounts:
            return None
        return self._restricted.get(account_id.int, AccountStatus.ACTIVE)

    def set_status(self, account_id: UUID, status: AccountStatus) -> None:
        """Writer only: show a status that has just become durable."""
        self._restricted.pop(account_id.int, None)
        if status is not AccountStatus.ACTIVE:
            self._restricted[account_id.int] = status

    def add(self, accounts: Iterable[tuple[Account, Balance]]) -> None:
        """Writer only: take in durable accounts."""
        for account, balance in accounts:
            self._accounts[account.id.int] = account
            self._balances[account.id.int] = balance
            if account.number is not None:
                self._numbers[(account.branch, account.number)] = account

    def publish(
        self, touched: dict[int, AccountState], flags: Iterable[tuple[UUID, int]] = ()
    ) -> None:
        """Writer only: show balances, and flags that changed, as they have just become durable."""
        for key, state in touched.items():
            self._balances[key] = state.balance()
        for account_id, now in flags:
            account = replace(self._accounts[account_id.int], flags=AccountFlag(now))
            self._accounts[account_id.int] = account
            if account.number is not None:
                self._numbers[(account.branch, account.number)] = account

    def clear(self) -> None:
        """Writer only: show nothing until the shard is loaded again."""
        self._accounts.clear()
        self._numbers.clear()
        self._balances.clear()
        self._restricted.clear()
        self.products.clear()
        self.is_loaded = False
