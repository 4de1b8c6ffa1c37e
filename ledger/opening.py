"""Accounts on their way into memory: newly opened, or loaded."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from ledger.accounts import Account, AccountFlag, AccountResult, AccountStatus, Balance
from ledger.allowances import Allowances
from ledger.book import AccountBook
from ledger.core import ID_MAX, AccountState, LedgerState
from ledger.errors import BrokenBooks
from ledger.messages import AccountRefused
from ledger.products import Product
from ledger.rows import AccountRow

NO_MONEY: Final = Balance(0, 0, 0, 0)
LEDGER_MAX: Final = 999
"""ISO 4217 numbers have three digits."""

BOTH_LIMITS: Final = (
    AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
)


def new_accounts(
    accounts: Iterable[Account], book: AccountBook, tenant: str
) -> list[Account] | AccountRefused:
    """Those that are not open yet, each once; or the first that cannot be opened, and why."""
    fresh: dict[int, Account] = {}
    numbers: set[tuple[str | None, str]] = set()
    for account in accounts:
        present = book.account(account.id) or fresh.get(account.id.int)
        if present == account:
            continue
        product = None if account.product is None else book.products.get(account.product)
        result = _refusal(account, present, product, tenant)
        if account.number is not None and result is None:
            number = (account.branch, account.number)
            if number in numbers or book.find(*number) is not None:
                result = AccountResult.NUMBER_TAKEN
            numbers.add(number)
        if result is not None:
            return AccountRefused(result, account.id)
        fresh[account.id.int] = account
    return list(fresh.values())


def _refusal(
    account: Account, present: Account | None, product: Product | None, tenant: str
) -> AccountResult | None:
    result = AccountResult
    in_order = (
        (account.id.int == 0, result.ID_MUST_NOT_BE_ZERO),
        (account.id.int == ID_MAX, result.ID_MUST_NOT_BE_INT_MAX),
        (account.tenant != tenant, result.TENANT_IS_ANOTHER),
        (present and present.flags != account.flags, result.EXISTS_WITH_DIFFERENT_FLAGS),
        (present and present.ledger != account.ledger, result.EXISTS_WITH_DIFFERENT_LEDGER),
        (present and present.code != account.code, result.EXISTS_WITH_DIFFERENT_CODE),
        (present is not None, result.EXISTS_WITH_DIFFERENT_DETAILS),
        (account.flags & BOTH_LIMITS == BOTH_LIMITS, result.FLAGS_ARE_MUTUALLY_EXCLUSIVE),
        (not 0 < account.ledger <= LEDGER_MAX, result.LEDGER_MUST_NOT_BE_ZERO),
        (account.code == 0, result.CODE_MUST_NOT_BE_ZERO),
        (account.product is not None and product is None, result.PRODUCT_NOT_FOUND),
        (product is not None and not product.is_of(account), result.DIFFERS_FROM_PRODUCT),
    )
    return next((reason for has_failed, reason in in_order if has_failed), None)


def add_accounts(
    state: LedgerState, book: AccountBook, allowances: Allowances, rows: Sequence[AccountRow]
) -> None:
    """Take durable accounts into memory."""
    allowances.add(account for account, _, _ in rows)
    book.add([(account, balance) for account, balance, _ in rows])
    for account, balance, status in rows:
        take_status(state, book, account.id, status)
        state.accounts[account.id.int] = AccountState(
            account.id, int(account.flags), *balance, account.ledger
        )


def take_status(
    state: LedgerState, book: AccountBook, account_id: UUID, status: AccountStatus
) -> None:
    """Take a durable status into memory."""
    state.restricted.pop(account_id.int, None)
    if status is not AccountStatus.ACTIVE:
        state.restricted[account_id.int] = status
    book.set_status(account_id, status)


def check_holds(shard_id: int, state: LedgerState) -> None:
    """Refuse to build on books whose open holds are not what the accounts say is held.

    Raises:
        BrokenBooks: The sums differ.
    """
    held = sum(hold.amount_cents for hold in state.holds.values())
    debits = sum(account.debits_pending for account in state.accounts.values())
    credits_ = sum(account.credits_pending for account in state.accounts.values())
    if not held == debits == credits_:
        raise BrokenBooks(
            shard_id, f"open holds {held}, pending debits {debits}, pending credits {credits_}"
        )
