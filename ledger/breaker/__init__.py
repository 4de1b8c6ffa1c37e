"""Two ledgers, one truth: TigerBeetle, and PostgreSQL while TigerBeetle does not answer.

A `Breaker` is the one door to the money of a tenant. Every transfer is in its journal before
it is sent anywhere; what it does when an answer does not come is docs/breaker.md.
"""

from ledger.breaker.admission import Neighbours
from ledger.breaker.both_store import BothStore
from ledger.breaker.desk import BreakerDesk
from ledger.breaker.door import Door
from ledger.breaker.errors import (
    BreakerFenced,
    BreakerOpen,
    HoldUnknown,
    JournalUnknown,
    NotThisTime,
    Unsupported,
)
from ledger.breaker.follower import Follower
from ledger.breaker.machine import Breaker, BreakerSettings
from ledger.breaker.messages import (
    AddAccounts,
    Answer,
    AskStatus,
    CatchUp,
    Close,
    Follow,
    Open,
    Position,
    Standing,
    Status,
    Submit,
)
from ledger.breaker.mirror import Mirror
from ledger.breaker.poison import NEVER_CREATED, Verdict, poison_of, verdict_of
from ledger.breaker.postgres import PostgresStore
from ledger.breaker.report import BreakerEvent, BreakerOrder
from ledger.breaker.rows import Route, Row, RowState
from ledger.breaker.store import Books, Change, Store, Turn

__all__ = [
    "NEVER_CREATED",
    "AddAccounts",
    "Answer",
    "AskStatus",
    "Books",
    "BothStore",
    "Breaker",
    "BreakerDesk",
    "BreakerEvent",
    "BreakerFenced",
    "BreakerOpen",
    "BreakerOrder",
    "BreakerSettings",
    "CatchUp",
    "Change",
    "Close",
    "Door",
    "Follow",
    "Follower",
    "HoldUnknown",
    "JournalUnknown",
    "Mirror",
    "Neighbours",
    "NotThisTime",
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
    "poison_of",
    "verdict_of",
]
