"""A virtual participant gives money back: it returns a payment that it received, when asked to."""

from datetime import datetime

import msgspec

from actors import IdGenerator
from bacen.simulator.payments import Payment, decode_details
from bacen.wire import SPI_ISPB, Pacs004, PaymentReturn, message_id


class ReturnOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which payment is to be returned; the whole of it where no amount is given."""

    end_to_end_id: str
    amount_cents: int | None = None
    reason: str = "MD06"
    additional: str | None = None


def pacs004_of(order: ReturnOrder, original: Payment, ids: IdGenerator, now: datetime) -> Pacs004:
    """Make the return that the receiver of a payment sends.

    Args:
        order: What is to be returned.
        original: The payment of the order, with its details.
        ids: Gives what is chosen in the ids of message and return.
        now: The time in them.

    Raises:
        InvalidMessage: A field of the order has the wrong form.
    """
    transfer = decode_details(original.details).transfer
    assert transfer is not None  # only a return has none
    cents = transfer.amount_cents if order.amount_cents is None else order.amount_cents
    one = PaymentReturn(
        return_id=f"D{transfer.creditor_ispb}{now:%Y%m%d%H%M}{ids.token(11)}",
        end_to_end_id=order.end_to_end_id,
        amount_cents=cents,
        reason=order.reason,
        debtor_ispb=transfer.debtor_ispb,
        creditor_ispb=transfer.creditor_ispb,
        additional=order.additional,
    )
    return Pacs004(
        sender=original.receiver,
        receiver=SPI_ISPB,
        message_id=message_id(original.receiver, ids.token(23)),
        created_at=now,
        returns=(one,),
    )
