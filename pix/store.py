"""Rows of payments: written inside the ledger's transaction, read for clients and for recovery.

All records of a batch are arguments of one SQL function, called in the ledger's own statement: a
batch of any size and kind is one round trip.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pix.open_payments import OpenPayments
from pix.payments import Payment, PaymentStatus, payment_of_leg
from pix.records import (
    Concluded,
    MessageSent,
    NewPayment,
    Quarantined,
    Received,
    StoreMessage,
)

_OPEN_PAYMENTS = """
SELECT p.payment_id, p.details,
       EXISTS (SELECT FROM outbox o WHERE o.subject_id = p.payment_id AND o.name = 'submitted')
           AS is_submitted
FROM payments p
WHERE p.payment_id >= $1 AND p.tenant = $2 AND p.status = 'PROCESSING' ORDER BY p.payment_id
"""
_OPEN_MESSAGES = """
SELECT id, message_id, end_to_end_ids, sent_at, resource_id FROM spi_messages
WHERE id >= $1 ORDER BY id
"""
_RECENTLY_RECEIVED = "SELECT resource_id, at FROM spi_received ORDER BY at DESC LIMIT 20000"
_ONE_PAYMENT = """
SELECT details, status, reason, finished_at FROM payments WHERE payment_id = $1 AND tenant = $2
"""
_TIMELINE = "SELECT name, at FROM outbox WHERE subject_id = $1 ORDER BY at, sequence"
_BY_KEY = """
SELECT subject_id, fingerprint FROM idempotency_keys WHERE tenant = $1 AND key = $2
"""
_BY_END_TO_END_ID = """
SELECT details, status, reason, finished_at FROM payments WHERE end_to_end_id = $1 AND tenant = $2
"""
_BODY = "SELECT body FROM spi_messages WHERE id = $1"

_decode_payment = msgspec.msgpack.Decoder(Payment).decode
_encode_payment = msgspec.msgpack.Encoder().encode

LAST_ID = UUID(int=2**128 - 1)

Connection = Any  # asyncpg's connection and pool share the methods used here, not a type


@dataclass(frozen=True, slots=True)
class Step:
    """One state of a payment and when it was reached."""

    status: PaymentStatus
    at: datetime


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment with what has happened to it, oldest step first."""

    payment: Payment
    status: PaymentStatus
    reason: str | None
    timeline: tuple[Step, ...]


class PaymentRows:
    """The companion of the shard writer: other rows of the same transaction, and their view.

    Args:
        tenant: ISPB of the institution.
        opened: The table that this companion keeps.
        wake: Called when there is work for the SPI sender; True right after a load.
    """

    def __init__(self, tenant: str, opened: OpenPayments, wake: Callable[[bool], None]) -> None:
        self._tenant = tenant
        self._opened = opened
        self._wake = wake

    async def load(self, connection: Connection, oldest_open_hold: UUID | None) -> None:
        """Fill the table of open payments from committed rows.

        A payment is open as long as its hold, and a message is not older than its payments: so
        everything that is needed has an id from the oldest open hold's payment on.

        Args:
            connection: The writer's connection.
            oldest_open_hold: No open hold has a smaller id; None when none is open.
        """
        opened = self._opened
        opened.clear()
        oldest_open = payment_of_leg(oldest_open_hold or LAST_ID)
        for row in await connection.fetch(_OPEN_PAYMENTS, oldest_open, self._tenant):
            payment = _decode_payment(row["details"])
            opened.apply([NewPayment(payment)])
            opened.payments[payment.end_to_end_id].is_submitted = row["is_submitted"]
        for row in await connection.fetch(_OPEN_MESSAGES, oldest_open):
            message = StoreMessage(
                row["id"], row["message_id"], b"", tuple(row["end_to_end_ids"]), ()
            )
            opened.apply([message])
            if row["sent_at"] is not None:
                opened.apply([MessageSent(row["id"], row["resource_id"], row["sent_at"])])
        received = await connection.fetch(_RECENTLY_RECEIVED)
        opened.apply([Received(row["resource_id"], row["at"]) for row in reversed(received)])
        self._wake(True)

    def claims(self, record: object) -> Iterable[Hashable] | None:
        """What the record takes for itself alone; None for one that no longer fits."""
        return self._opened.claims(record)

    def committed(self, records: Sequence[object]) -> None:
        """The records are durable: show them to senders and readers."""
        self._opened.apply(records)
        if self._opened.unassigned_count:
            self._wake(False)

    @property
    def function(self) -> str:
        """The function of migration 0002 that writes what `arguments` gives."""
        return "pix_commit"

    def arguments(self, records: Sequence[object]) -> Sequence[object]:
        """The records as columns, kind by kind."""
        kinds: dict[type, list[Any]] = {kind: [] for kind in _COLUMNS}
        for record in records:
            kinds[type(record)].append(record)
        columns: list[object] = [self._tenant]
        for kind, fields in _COLUMNS.items():
            found = kinds[kind]
            columns += [[field(record) for record in found] for field in fields]
        return columns


# Columns of each kind of record, in the order of the arguments of pix_commit.
_COLUMNS: dict[type, tuple[Callable[[Any], object], ...]] = {
    NewPayment: (
        lambda record: record.payment.payment_id,
        lambda record: record.payment.end_to_end_id,
        lambda record: record.payment.debtor_account_id,
        lambda record: record.payment.amount_cents,
        lambda record: record.payment.created_at,
        lambda record: _encode_payment(record.payment),
    ),
    StoreMessage: (
        lambda record: record.id,
        lambda record: record.message_id,
        lambda record: record.body,
        lambda record: " ".join(record.end_to_end_ids),
    ),
    MessageSent: (
        lambda record: record.id,
        lambda record: record.resource_id,
        lambda record: record.at,
    ),
    Concluded: (
        lambda record: record.payment_id,
        lambda record: record.outcome.status.value,
        lambda record: record.outcome.reason,
        lambda record: record.outcome.at,
    ),
    Received: (
        lambda record: record.resource_id,
        lambda record: record.at,
    ),
    Quarantined: (
        lambda record: record.resource_id,
        lambda record: record.problem,
        lambda record: record.body,
        lambda record: record.at,
    ),
}


class PaymentReader:
    """Committed payments, read outside the writer. Every read names its tenant."""

    def __init__(self, pool: Callable[[], "asyncpg.Pool[asyncpg.Record]"], tenant: str) -> None:
        self._pool = pool
        self._tenant = tenant

    async def payment(self, payment_id: UUID) -> PaymentView | None:
        """The payment with its timeline, None where the tenant has none with this id."""
        row = await self._pool().fetchrow(_ONE_PAYMENT, payment_id, self._tenant)
        return None if row is None else await self._view(row)

    async def by_end_to_end_id(self, end_to_end_id: str) -> PaymentView | None:
        """The payment that travelled under an EndToEndId."""
        row = await self._pool().fetchrow(_BY_END_TO_END_ID, end_to_end_id, self._tenant)
        return None if row is None else await self._view(row)

    async def by_idempotency_key(self, key: str) -> tuple[UUID, bytes] | None:
        """Payment that was accepted under `key`, and the fingerprint of its request."""
        row = await self._pool().fetchrow(_BY_KEY, self._tenant, key)
        return None if row is None else (row["subject_id"], row["fingerprint"])

    async def message_body(self, identifier: UUID) -> bytes:
        """The signed bytes of a stored message."""
        body: bytes = await self._pool().fetchval(_BODY, identifier)
        return body

    async def _view(self, row: "asyncpg.Record") -> PaymentView:
        payment = _decode_payment(row["details"])
        events = await self._pool().fetch(_TIMELINE, payment.payment_id)
        timeline = tuple(Step(PaymentStatus(one["name"].upper()), one["at"]) for one in events)
        status = PaymentStatus(row["status"])
        if not status.is_final and timeline:
            status = timeline[-1].status
        return PaymentView(payment, status, row["reason"], timeline)
