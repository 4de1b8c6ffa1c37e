"""Accounts and transfers as rows of their tables, both ways.

Most transfers have no flags beside their kind, no timeout and no user data, so those columns are
NULL, and their arrays are empty in a batch in which no transfer has any: a batch is encoded value
by value, and each value costs.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from ledger.accounts import Account, AccountCode, AccountFlag, AccountStatus, Balance
from ledger.core import Posting
from ledger.statements import ACCOUNT_FIELDS
from ledger.transfers import LEDGER_BRL, TransferFlag, TransferKind

Columns: TypeAlias = Sequence[Sequence[Any]]

FLAGS_OF_KIND: Final = {
    int(TransferKind.POSTED): 0,
    int(TransferKind.PENDING): int(TransferFlag.PENDING),
    int(TransferKind.POST): int(TransferFlag.POST_PENDING_TRANSFER),
    int(TransferKind.VOID): int(TransferFlag.VOID_PENDING_TRANSFER),
    int(TransferKind.EXPIRED): 0,
}
RARE_COLUMNS: Final = 7
NO_RARE_COLUMNS: Final[Columns] = ((),) * RARE_COLUMNS
SIGN_64: Final = 2**63
RANGE_64: Final = 2**64


def columns(rows: Iterable[tuple[object, ...]], width: int) -> Columns:
    """Turn rows into `width` columns, also when there are none."""
    return list(zip(*rows, strict=True)) or [()] * width


def plain_columns(postings: Sequence[Posting]) -> Columns:
    """What every transfer has."""
    return (
        [posting.id for posting in postings],
        [posting.debit_account_id for posting in postings],
        [posting.credit_account_id for posting in postings],
        [posting.amount_cents for posting in postings],
        [posting.code for posting in postings],
        [posting.kind for posting in postings],
        [posting.pending_id for posting in postings],
    )


def rare_columns(postings: Sequence[Posting]) -> Columns:
    """What few transfers have; empty columns when none of these has it."""
    if not any(_is_rare(posting) for posting in postings):
        return NO_RARE_COLUMNS
    return (
        [posting.held_cents if posting.pending_id else None for posting in postings],
        [_unless(posting.flags, FLAGS_OF_KIND[posting.kind]) for posting in postings],
        [posting.timeout_seconds or None for posting in postings],
        [_unless(posting.ledger, LEDGER_BRL) for posting in postings],
        [UUID(int=p.user_data_128) if p.user_data_128 else None for p in postings],
        [_signed(posting.user_data_64) for posting in postings],
        [posting.user_data_32 or None for posting in postings],
    )


def posting_from(row: Sequence[Any]) -> Posting:
    """A transfer, from a row of `TRANSFER_COLUMNS`."""
    transfer_id, debit, credit, amount, code, kind, pending_id = row[:7]
    flags, timeout, ledger, user_128, user_64, user_32, timestamp, held = row[7:]
    return Posting(
        transfer_id,
        debit,
        credit,
        amount,
        code,
        kind,
        pending_id,
        FLAGS_OF_KIND[kind] if flags is None else flags,
        timeout or 0,
        LEDGER_BRL if ledger is None else ledger,
        0 if user_128 is None else user_128.int,
        (user_64 or 0) % RANGE_64,
        user_32 or 0,
        timestamp,
        held or 0,
    )


class AccountRow(NamedTuple):
    """An account as it is stored."""

    account: Account
    balance: Balance
    status: AccountStatus = AccountStatus.ACTIVE


def account_from(row: Sequence[Any]) -> AccountRow:
    """An account, from a row of `LOAD_ACCOUNTS`."""
    fields = dict(zip(ACCOUNT_FIELDS, row, strict=False))
    fields["code"] = AccountCode(fields["code"])
    fields["flags"] = AccountFlag(fields["flags"])
    *counters, status = row[len(fields) :]
    return AccountRow(Account(**fields), Balance(*counters), AccountStatus(status))


def _is_rare(posting: Posting) -> bool:
    return bool(
        posting.flags != FLAGS_OF_KIND[posting.kind]
        or posting.timeout_seconds
        or posting.ledger != LEDGER_BRL
        or (posting.held_cents != posting.amount_cents and posting.pending_id is not None)
        or posting.user_data_128
        or posting.user_data_64
        or posting.user_data_32
    )


def _unless(value: int, usual: int) -> int | None:
    return None if value == usual else value


def _signed(value: int) -> int | None:
    return (value - RANGE_64 if value >= SIGN_64 else value) or None
