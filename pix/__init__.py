"""Pix for one institution: payments from order to final state.

Import from here; the modules behind it may move.
"""

from pix.errors import PaymentRefused, PaymentUnknown, PixError
from pix.intake import IntakeSettings, PaymentIntake
from pix.open_payments import OpenPayments
from pix.participants import Participant, ParticipantCache, ParticipantTable
from pix.payments import (
    Party,
    Payment,
    PaymentStatus,
    parse_payment_reference,
    payment_reference,
)
from pix.position import Position, PositionManager
from pix.receiver import SpiReceiver
from pix.relay import OutboxRelay, ensure_stream
from pix.sender import SenderSettings, SpiSender, Wake
from pix.service import Accepted, Order, PixService, Repeated
from pix.store import PaymentReader, PaymentRows, PaymentView, Step
from pix.verification import PaymentsReport, StatusTotal, verify_payments

__all__ = [
    "Accepted",
    "IntakeSettings",
    "OpenPayments",
    "Order",
    "OutboxRelay",
    "Participant",
    "ParticipantCache",
    "ParticipantTable",
    "Party",
    "Payment",
    "PaymentIntake",
    "PaymentReader",
    "PaymentRefused",
    "PaymentRows",
    "PaymentStatus",
    "PaymentUnknown",
    "PaymentView",
    "PaymentsReport",
    "PixError",
    "PixService",
    "Position",
    "PositionManager",
    "Repeated",
    "SenderSettings",
    "SpiReceiver",
    "SpiSender",
    "StatusTotal",
    "Step",
    "Wake",
    "ensure_stream",
    "parse_payment_reference",
    "payment_reference",
    "verify_payments",
]
