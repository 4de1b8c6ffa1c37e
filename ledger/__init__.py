"""Double-entry ledger: accounts, holds and transfers, written by one process a shard.

Money is integer centavos. A `ShardWriter` answers `Commit` only when PostgreSQL has the entries on
disk; an `AccountBook` shows the durable balances to readers of the same event loop.
"""

from ledger.accounts import Account, AccountCode, AccountFlag, AccountResult, Balance
from ledger.book import AccountBook
from ledger.errors import (
    BrokenBooks,
    CommitUnknown,
    Fenced,
    InvalidText,
    LedgerError,
    NothingDone,
    NotMigrated,
    NotOwner,
    OutcomeUnknown,
    OverLimit,
    Unfit,
    UnsafeDurability,
)
from ledger.messages import (
    AccountRefused,
    Answer,
    BatchCommitted,
    Commit,
    CommitFor,
    Committed,
    Companion,
    Entry,
    Event,
    Idempotency,
    OpenAccounts,
    Refused,
    Replayed,
    Stale,
)
from ledger.migration import migrate
from ledger.replay import Difference, ReplayReport, replay
from ledger.store import ShardSettings, assign_shard
from ledger.transfers import (
    AMOUNT_ALL,
    LEDGER_BRL,
    Transfer,
    TransferCode,
    TransferFlag,
    TransferKind,
    TransferResult,
    hold,
    post,
    void,
)
from ledger.verification import Check, LedgerReport, verify
from ledger.writer import ShardWriter

__all__ = [
    "AMOUNT_ALL",
    "LEDGER_BRL",
    "Account",
    "AccountBook",
    "AccountCode",
    "AccountFlag",
    "AccountRefused",
    "AccountResult",
    "Answer",
    "Balance",
    "BatchCommitted",
    "BrokenBooks",
    "Check",
    "Commit",
    "CommitFor",
    "CommitUnknown",
    "Committed",
    "Companion",
    "Difference",
    "Entry",
    "Event",
    "Fenced",
    "Idempotency",
    "InvalidText",
    "LedgerError",
    "LedgerReport",
    "NotMigrated",
    "NotOwner",
    "NothingDone",
    "OpenAccounts",
    "OutcomeUnknown",
    "OverLimit",
    "Refused",
    "ReplayReport",
    "Replayed",
    "ShardSettings",
    "ShardWriter",
    "Stale",
    "Transfer",
    "TransferCode",
    "TransferFlag",
    "TransferKind",
    "TransferResult",
    "Unfit",
    "UnsafeDurability",
    "assign_shard",
    "hold",
    "migrate",
    "post",
    "replay",
    "verify",
    "void",
]
