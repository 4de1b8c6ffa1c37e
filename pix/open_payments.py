"""Payments that are not final yet, and the messages that carry them.

A table owned by the shard writer's process: loaded with the ledger, changed only by records that
were committed, dropped with the process. Senders and stream readers read it; so after a crash
of any of them nothing has to be handed over, the next one finds its work here.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pix.payments import LEG_BITS, Payment
from pix.records import Concluded, MessageSent, NewPayment, Received, Record, StoreMessage

RECEIVED_MAX = 20_000  # PI-ResourceIds remembered in memory; the table remembers all


@dataclass(slots=True)
class OpenPayment:
    """A payment without an outcome; `is_submitted` once its SUBMITTED event was asked for."""

    payment: Payment
    message: UUID | None = None
    is_submitted: bool = False


@dataclass(slots=True)
class OpenMessage:
    """A stored pacs.008 with at least one open payment; `sent_at` is the last answer 201."""

    message_id: str
    end_to_end_ids: tuple[str, ...]
    sent_at: datetime | None = None
    resource_id: str = ""
    remaining: set[str] = field(default_factory=set)


class OpenPayments:
    """In-memory view of the rows that recovery needs. See the module for who may write.

    Args:
        lanes: In how many lanes payments wait for a message; each is one SPI sender's. A payment's
            lane comes from its id, so a program with another number of lanes finds all of them.
    """

    def __init__(self, lanes: int = 1) -> None:
        self.payments: dict[str, OpenPayment] = {}
        self.messages: dict[UUID, OpenMessage] = {}
        self._unassigned: list[dict[str, NewPayment]] = [{} for _ in range(lanes)]
        self._received: dict[str, None] = {}

    def clear(self) -> None:
        """Forget everything: the rows are about to be loaded again."""
        self.payments.clear()
        self.messages.clear()
        self._received.clear()
        for lane in self._unassigned:
            lane.clear()

    @property
    def lanes(self) -> int:
        """In how many lanes payments wait; each lane is one sender's."""
        return len(self._unassigned)

    def lane_of(self, identifier: UUID) -> int:
        """The lane of a payment, and of every message and other thing made from its id."""
        return (identifier.int >> LEG_BITS) % len(self._unassigned)

    def unassigned(self, lane: int) -> Iterator[NewPayment]:
        """Payments of a lane that no message carries yet, oldest first."""
        return iter(self._unassigned[lane].values())

    @property
    def unassigned_count(self) -> int:
        """How many payments wait for a message."""
        return sum(map(len, self._unassigned))

    def was_received(self, resource_id: str) -> bool:
        """True when a message of the stream with this PI-ResourceId was already dealt with."""
        return resource_id in self._received

    def claims(self, record: object) -> Iterable[Hashable] | None:
        """What a record takes for itself alone; None for one that no longer fits.

        A sender that died after asking for a commit has a successor that finds the same payments
        waiting: a payment must never travel in two messages, nor end twice.
        """
        if isinstance(record, StoreMessage):
            waiting = self._unassigned[self.lane_of(record.id)]
            is_fit = all(one in waiting for one in record.end_to_end_ids)
            return record.end_to_end_ids if is_fit else None
        if isinstance(record, Concluded):
            is_fit = record.end_to_end_id in self.payments
            return (("end", record.end_to_end_id),) if is_fit else None
        return ()

    def apply(self, records: Sequence[object]) -> None:
        """Take over what was just committed or loaded, in order."""
        for record in records:
            self._apply(record)  # type: ignore[arg-type] # only records of this room are committed

    def _apply(self, record: Record) -> None:
        match record:
            case NewPayment(payment, _):
                self.payments[payment.end_to_end_id] = OpenPayment(payment)
                lane = self._unassigned[self.lane_of(payment.payment_id)]
                lane[payment.end_to_end_id] = record
            case StoreMessage():
                self._assign(record)
            case MessageSent(identifier, resource_id, at):
                message = self.messages.get(identifier)
                if message is not None:
                    message.sent_at, message.resource_id = at, resource_id
            case Concluded():
                self._conclude(record)
            case Received(resource_id):
                self._received[resource_id] = None
                if len(self._received) > RECEIVED_MAX:
                    del self._received[next(iter(self._received))]
            case _:
                pass

    def _assign(self, record: StoreMessage) -> None:
        still_open = {one for one in record.end_to_end_ids if one in self.payments}
        waiting = self._unassigned[self.lane_of(record.id)]
        for one in still_open:
            waiting.pop(one, None)
            self.payments[one].message = record.id
        if still_open:
            self.messages[record.id] = OpenMessage(
                record.message_id, record.end_to_end_ids, remaining=still_open
            )

    def _conclude(self, record: Concluded) -> None:
        gone = self.payments.pop(record.end_to_end_id)
        self._unassigned[self.lane_of(record.payment_id)].pop(record.end_to_end_id, None)
        message = self.messages.get(gone.message) if gone.message is not None else None
        if message is not None and gone.message is not None:
            message.remaining.discard(record.end_to_end_id)
            if not message.remaining:
                del self.messages[gone.message]
