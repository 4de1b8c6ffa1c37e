"""A batch of the settlement before it is written."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from actors import From
from bacen.simulator.accounts import PiAccounts
from bacen.simulator.changes import Changes
from bacen.simulator.store import Batch, OutboxRow, Prune, payment_row


@dataclass(slots=True)
class Gathering:
    """What is to be stored together, and who waits for that."""

    changes: Changes = field(default_factory=Changes)
    waiters: list[tuple[From, object]] = field(default_factory=list)
    messages: int = 0
    confirmed_rows: list[int] = field(default_factory=list)
    prune: Prune | None = None
    is_empty: bool = True

    def batch(self, accounts: PiAccounts, outbox: Sequence[OutboxRow]) -> Batch:
        """Give it as rows; balances and payments as they are at this moment."""
        changes = self.changes
        moved = accounts.some(changes.accounts)
        return Batch(
            accounts=[(each.ispb, each.balance_cents) for each in moved],
            payments=[payment_row(each) for each in changes.payments.values()],
            received=list(changes.received.values()),
            supplies=list(changes.supplies.values()),
            participants=list(changes.participants.values()),
            moves=[each for each in changes.moves.values() if each is not None],
            moves_ended=[ispb for ispb, each in changes.moves.items() if each is None],
            own_data=list(changes.own_data.values()),
            file_requests=changes.file_requests,
            files_made=changes.files_made,
            outbox=outbox,
            confirmed_rows=self.confirmed_rows,
            prune=self.prune,
        )
