"""Two ledgers, one truth: TigerBeetle, and PostgreSQL while TigerBeetle does not answer.

A `Breaker` is the one door to the money of a tenant. Every transfer is in its journal before
it is sent anywhere; what it does when an answer does not come is docs/breaker.md.
"""

from ledger.breaker.errors import (
    BreakerFenced,
    BreakerOpen,
    JournalUnknown,
    Unsupported,
)
from ledger.breaker.machine import Breaker, BreakerSettings
from ledger.breaker.messages import (
    AddAccounts,
    Answer,
    AskStatus,
    Close,
    Open,
    Position,
    Standing,
    Status,
    Submit,
)
from ledger.breaker.mirror import Mirror
from ledger.breaker.poison import NEVER_CREATED, Verdict, poison_of, verdict_of
from ledger.breaker.postgres import PostgresStore, make_wish
from ledger.breaker.report import BreakerEvent, BreakerReport, read_breaker
from ledger.breaker.rows import Route, Row, RowState
from ledger.breaker.store import Books, Change, Store, Turn

__all__ = [
    "NEVER_CREATED",
    "AddAccounts",
    "Answer",
    "AskStatus",
    "Books",
    "Breaker",
    "BreakerEvent",
    "BreakerFenced",
    "BreakerOpen",
    "BreakerReport",
    "BreakerSettings",
    "Change",
    "Close",
    "JournalUnknown",
    "Mirror",
    "Open",
    "Position",
    "PostgresStore",
    "Route",
    "Row",
    "RowState",
    "Standing",
    "Status",
    "Store",
    "Submit",
    "Turn",
    "Unsupported",
    "Verdict",
    "make_wish",
    "poison_of",
    "read_breaker",
    "verdict_of",
]
