"""Double-entry ledger: accounts, holds and transfers, written by one process a shard.

Money is integer centavos. A `ShardWriter` answers `Commit` only when PostgreSQL has the entries on
disk; an `AccountBook` shows the durable balances to readers of the same event loop.
"""

from ledger.accounts import (
    Account,
    AccountCode,
    AccountFlag,
    AccountResult,
    AccountStatus,
    Balance,
    StatusReason,
)
from ledger.book import AccountBook
from ledger.errors import (
    BrokenBooks,
    CommitUnknown,
    Fenced,
    InvalidProduct,
    InvalidText,
    LedgerError,
    NothingDone,
    NotMigrated,
    NotOwner,
    OutcomeUnknown,
    OutOfSpace,
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
    DefineProduct,
    Entry,
    Event,
    Idempotency,
    OpenAccounts,
    Refused,
    Replayed,
    SetStatus,
    Stale,
)
from ledger.migration import migrate
from ledger.partitions import make_partitions
from ledger.products import Fee, Product
from ledger.replay import Difference, ReplayReport, replay
from ledger.snapshots import Snapshot, take_snapshot
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
from ledger.upkeep import LedgerUpkeep
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
    "AccountStatus",
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
    "DefineProduct",
    "Difference",
    "Entry",
    "Event",
    "Fee",
    "Fenced",
    "Idempotency",
    "InvalidProduct",
    "InvalidText",
    "LedgerError",
    "LedgerReport",
    "LedgerUpkeep",
    "NotMigrated",
    "NotOwner",
    "NothingDone",
    "OpenAccounts",
    "OutOfSpace",
    "OutcomeUnknown",
    "OverLimit",
    "Product",
    "Refused",
    "ReplayReport",
    "Replayed",
    "SetStatus",
    "ShardSettings",
    "ShardWriter",
    "Snapshot",
    "Stale",
    "StatusReason",
    "Transfer",
    "TransferCode",
    "TransferFlag",
    "TransferKind",
    "TransferResult",
    "Unfit",
    "UnsafeDurability",
    "assign_shard",
    "hold",
    "make_partitions",
    "migrate",
    "post",
    "replay",
    "take_snapshot",
    "verify",
    "void",
]
