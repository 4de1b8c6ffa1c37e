"""Our transfers and accounts as the client's structs, and back."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import tigerbeetle

from ledger.accounts import Balance
from ledger.tigerbeetle.errors import OutOfRange, UnexpectedAnswer, UnknownLedger
from ledger.tigerbeetle.messages import FoundAccount, FoundTransfer, NewAccount
from ledger.transfers import Transfer, TransferFlag, TransferResult

LINKED: Final = int(TransferFlag.LINKED)

# The client checks this only when it encodes a whole request, other callers' transfers included.
TRANSFER_BITS: Final = (
    ("amount_cents", 128),
    ("user_data_128", 128),
    ("user_data_64", 64),
    ("user_data_32", 32),
    ("timeout_seconds", 32),
    ("code", 16),
    ("flags", 16),
)
ACCOUNT_BITS: Final = (("code", 16), ("flags", 16))


def transfer_to(transfer: Transfer, ledgers: Mapping[int, int]) -> tigerbeetle.Transfer:
    """The client's struct of a transfer.

    Args:
        transfer: Ours.
        ledgers: The tenant's TigerBeetle ledger of each currency.

    Raises:
        OutOfRange: A field does not fit.
        UnknownLedger: The tenant has no ledger for the currency.
    """
    _check_bits(transfer, TRANSFER_BITS)
    return tigerbeetle.Transfer(
        id=transfer.id.int,
        debit_account_id=transfer.debit_account_id.int,
        credit_account_id=transfer.credit_account_id.int,
        amount=transfer.amount_cents,
        pending_id=0 if transfer.pending_id is None else transfer.pending_id.int,
        user_data_128=transfer.user_data_128,
        user_data_64=transfer.user_data_64,
        user_data_32=transfer.user_data_32,
        timeout=transfer.timeout_seconds,
        ledger=_ledger_of(transfer.ledger, ledgers),
        code=int(transfer.code),
        flags=tigerbeetle.TransferFlags(int(transfer.flags)),
    )


def transfer_from(found: tigerbeetle.Transfer, ledgers: Mapping[int, int]) -> FoundTransfer:
    """A stored transfer of the client, as ours."""
    transfer = Transfer(
        id=UUID(int=found.id),
        debit_account_id=UUID(int=found.debit_account_id),
        credit_account_id=UUID(int=found.credit_account_id),
        amount_cents=found.amount,
        code=found.code,
        flags=int(found.flags),
        pending_id=UUID(int=found.pending_id) if found.pending_id else None,
        timeout_seconds=found.timeout,
        ledger=_currency_of(found.ledger, ledgers),
        user_data_128=found.user_data_128,
        user_data_64=found.user_data_64,
        user_data_32=found.user_data_32,
    )
    return FoundTransfer(transfer, found.timestamp)


def account_to_open(account: NewAccount, ledgers: Mapping[int, int]) -> tigerbeetle.Account:
    """The client's struct of a new account.

    Raises:
        OutOfRange, UnknownLedger: As `transfer_to`.
    """
    _check_bits(account, ACCOUNT_BITS)
    return tigerbeetle.Account(
        id=account.id.int,
        ledger=_ledger_of(account.ledger, ledgers),
        code=int(account.code),
        flags=tigerbeetle.AccountFlags(int(account.flags)),
    )


def account_to(found: FoundAccount, ledgers: Mapping[int, int]) -> tigerbeetle.Account:
    """The client's struct of an account with its counters."""
    struct = account_to_open(found.account, ledgers)
    balance = found.balance
    struct.debits_pending, struct.debits_posted = balance.debits_pending, balance.debits_posted
    struct.credits_pending, struct.credits_posted = balance.credits_pending, balance.credits_posted
    struct.timestamp = found.timestamp
    return struct


def account_from(found: tigerbeetle.Account, ledgers: Mapping[int, int]) -> FoundAccount:
    """A stored account of the client, as ours."""
    account = NewAccount(
        UUID(int=found.id), found.code, int(found.flags), _currency_of(found.ledger, ledgers)
    )
    balance = Balance(
        found.debits_pending, found.debits_posted, found.credits_pending, found.credits_posted
    )
    return FoundAccount(account, balance, found.timestamp)


def result_from(status: int) -> TransferResult:
    """Our result of a status of the client; the numbers are the same.

    Raises:
        UnexpectedAnswer: We never send what is answered so.
    """
    try:
        return TransferResult(int(status))
    except ValueError:
        raise UnexpectedAnswer(f"status {int(status)}") from None


def _check_bits(thing: object, fields: tuple[tuple[str, int], ...]) -> None:
    for name, bits in fields:
        if not 0 <= getattr(thing, name) < 1 << bits:
            raise OutOfRange(name, bits)


def _ledger_of(currency: int, ledgers: Mapping[int, int]) -> int:
    if currency == 0:  # of a post or void: the hold's
        return 0
    if currency not in ledgers:
        raise UnknownLedger(currency)
    return ledgers[currency]


def _currency_of(number: int, ledgers: Mapping[int, int]) -> int:
    for currency, ledger in ledgers.items():
        if ledger == number:
            return currency
    raise UnexpectedAnswer(f"ledger {number} is another tenant's")
