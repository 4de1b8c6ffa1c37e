"""What the shard writer is asked to write about payments, beside the money.

Each record is part of one ledger entry: it is written in the same transaction as the hold or the
resolution it belongs to, or not at all.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bacen.wire import CreditTransfer
from pix.payments import Outcome, Payment


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment was accepted; its hold stands in the same entry.

    Attributes:
        payment: The payment.
        transfer: It as a transaction of a pacs.008, where it was already made to check the order.
    """

    payment: Payment
    transfer: CreditTransfer | None = None


@dataclass(frozen=True, slots=True)
class StoreMessage:
    """A signed pacs.008 that is about to be sent; a retry sends these bytes.

    Attributes:
        id: Time-ordered id; `message_id` is derived from it.
        message_id: BizMsgIdr of the message.
        body: The signed bytes.
        end_to_end_ids: The payments it carries, in order.
        payment_ids: The same payments by id.
    """

    id: UUID
    message_id: str
    body: bytes
    end_to_end_ids: tuple[str, ...]
    payment_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class MessageSent:
    """The SPI stored a message under `resource_id` (PI-ResourceId) at `at`."""

    id: UUID
    resource_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Concluded:
    """A payment ended; the resolution of its hold stands in the same entry."""

    payment_id: UUID
    end_to_end_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the stream was dealt with; a redelivery of it is dropped."""

    resource_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message of the stream that could not be understood or trusted is kept for a person."""

    resource_id: str
    body: bytes
    problem: str
    at: datetime


Record = NewPayment | StoreMessage | MessageSent | Concluded | Received | Quarantined
