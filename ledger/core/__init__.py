"""The part that must be right: what commands do to the books, and nothing else.

`apply` checks in TigerBeetle's order and changes the state only when every check passed. What it
applied stands in the state's `journal` until `settle` says that it is durable; `undo` takes back
the last of it.
"""

from ledger.core.creation import COUNTER_MAX, ID_MAX, balanced, is_no_amount
from ledger.core.machine import TRANSIENT, apply, apply_batch, expire_holds, undo, undo_all
from ledger.core.resolution import expire
from ledger.core.state import AccountState, Facts, LedgerState, Posting

__all__ = [
    "COUNTER_MAX",
    "ID_MAX",
    "TRANSIENT",
    "AccountState",
    "Facts",
    "LedgerState",
    "Posting",
    "apply",
    "apply_batch",
    "balanced",
    "expire",
    "expire_holds",
    "is_no_amount",
    "undo",
    "undo_all",
]
