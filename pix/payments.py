"""The payment and what may become of it: values and decisions, no I/O.

A payment is accepted (``PROCESSING``), handed to the SPI (``SUBMITTED``) and ends once:
``CONFIRMED``, ``REJECTED`` by a pacs.002, or ``FAILED`` when the SPI refused the message itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

import msgspec

from bacen.wire import AccountId as WireAccount
from bacen.wire import CreditTransfer, StatusReport

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in BASE62 for low in BASE62]  # two digits for one division
PAYMENT_ID_PREFIX = "pay-"

# Ids of what a payment causes are its own id plus a small number: chosen before the first attempt.
HOLD_LEG = 1
RESOLUTION_LEG = 2
MESSAGE_LEG = 3  # of the last payment that the message carries
LEG_BITS = 4
REFERENCES_REMEMBERED_MAX = 10_000  # each is asked for five times between order and outcome
EVENT_LEGS = {"processing": 4, "submitted": 5, "confirmed": 6, "rejected": 7, "failed": 8}


class PaymentStatus(StrEnum):
    """States of a payment as clients see them."""

    PROCESSING = "PROCESSING"
    SUBMITTED = "SUBMITTED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """True when nothing can change the payment any more."""
        return self not in {PaymentStatus.PROCESSING, PaymentStatus.SUBMITTED}

    @property
    def event(self) -> str:
        """Name of the event that reports this state."""
        return self.value.lower()


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a payment. Account and branch as printed, tax id as digits."""

    ispb: str
    account_number: str
    account_type: str
    tax_id: str
    branch: str | None = None
    name: str | None = None
    key: str | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it was accepted; what happened to it later stands in its events."""

    payment_id: UUID
    tenant: str
    end_to_end_id: str
    amount_cents: int
    debtor_account_id: UUID
    debtor: Party
    creditor: Party
    created_at: datetime
    description: str | None = None

    @property
    def local_instrument(self) -> str:
        """``DICT`` for a payment by key, ``MANU`` for typed account data (pacs.008)."""
        return "DICT" if self.creditor.key else "MANU"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a payment ended.

    Attributes:
        status: A final status.
        reason: Code of the central bank for a rejection, else None.
        at: When it was settled or refused, as the central bank says where it says so.
    """

    status: PaymentStatus
    reason: str | None
    at: datetime


def leg(payment_id: UUID, number: int) -> UUID:
    """Id of something a payment causes; `number` is one of the leg constants above."""
    return UUID(int=payment_id.int | number)


def payment_of_leg(identifier: UUID) -> UUID:
    """The payment that `leg` made this id from."""
    return UUID(int=identifier.int >> LEG_BITS << LEG_BITS)


def base62(number: int, width: int) -> str:
    """`number` in the digits of SPI identifiers, left-padded with zeros to `width`."""
    digits = []
    while number:
        number, rest = divmod(number, 62 * 62)
        digits.append(_PAIRS[rest])
    digits.reverse()
    text = "".join(digits).lstrip("0")
    assert len(text) <= width
    return text.rjust(width, "0")


def from_base62(text: str) -> int:
    """Inverse of `base62`; raises ValueError on a foreign character."""
    number = 0
    for character in text:
        number = number * 62 + BASE62.index(character)
    return number


@lru_cache(REFERENCES_REMEMBERED_MAX)
def payment_reference(payment_id: UUID) -> str:
    """The id that clients see: ``pay-`` and 22 characters that sort by time."""
    return PAYMENT_ID_PREFIX + base62(payment_id.int, 22)


def parse_payment_reference(reference: str) -> UUID | None:
    """Payment id of a reference, None for text that is no reference of ours."""
    text = reference.removeprefix(PAYMENT_ID_PREFIX)
    if len(text) != 22 or text == reference:
        return None
    try:
        return UUID(int=from_base62(text))
    except ValueError:
        return None


def credit_transfer(payment: Payment) -> CreditTransfer:
    """The payment as one transaction of a pacs.008."""
    debtor, creditor = payment.debtor, payment.creditor
    return CreditTransfer(
        end_to_end_id=payment.end_to_end_id,
        amount_cents=payment.amount_cents,
        accepted_at=payment.created_at,
        local_instrument=payment.local_instrument,
        debtor_name=debtor.name or "",
        debtor_tax_id=debtor.tax_id,
        debtor_account=WireAccount(debtor.account_number, debtor.account_type, debtor.branch),
        debtor_ispb=debtor.ispb,
        creditor_ispb=creditor.ispb,
        creditor_tax_id=creditor.tax_id,
        creditor_account=WireAccount(
            creditor.account_number, creditor.account_type, creditor.branch
        ),
        creditor_key=creditor.key,
        remittance=payment.description,
    )


def outcome_of(report: StatusReport, received_at: datetime) -> Outcome | None:
    """What a status report of the SPI means for the payer; None for a state that ends nothing.

    ACSC ends a payment well; RJCT ends it with its first reason. ACSP and ACCC are for the receiver
    (BCB message catalogue, pacs.002). A report of a return names the payment too, and ends nothing.
    """
    if report.original_instruction_id != report.end_to_end_id:
        return None
    if report.status == "ACSC":
        return Outcome(PaymentStatus.CONFIRMED, None, report.settled_at or received_at)
    if report.status == "RJCT":
        reason = report.reasons[0] if report.reasons else None
        return Outcome(PaymentStatus.REJECTED, reason, received_at)
    return None
