"""The virtual payer of the homologation: sends a payment to whom one wants to see receive one.

Who it is (BANCO VIRTUAL, account 1, CPF 11111111111, "Fulano") is as in BCB's own homologation.
"""

from datetime import datetime

import msgspec

from actors import IdGenerator
from bacen.wire import (
    SPI_ISPB,
    AccountId,
    CreditTransfer,
    Pacs008,
    make_end_to_end_id,
    message_id,
)

VIRTUAL_PAYER = "99999A03"
PAYER_ACCOUNT = AccountId("1", "CACC", "1")
PAYER_TAX_ID = "11111111111"
PAYER_NAME = "Fulano"


class VirtualOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the virtual payer shall pay; by key (`DICT`) where one is given, else typed (`MANU`)."""

    receiver_ispb: str
    account_number: str
    tax_id: str
    amount_cents: int
    account_type: str = "TRAN"
    branch: str | None = None
    key: str | None = None
    remittance: str | None = None


def pacs008_of(order: VirtualOrder, ids: IdGenerator, now: datetime) -> Pacs008:
    """Make the payment that the virtual payer sends.

    Raises:
        InvalidMessage: A field of the order has the wrong form.
    """
    transfer = CreditTransfer(
        end_to_end_id=make_end_to_end_id(VIRTUAL_PAYER, now, ids.token(11)),
        amount_cents=order.amount_cents,
        accepted_at=now,
        local_instrument="MANU" if order.key is None else "DICT",
        debtor_name=PAYER_NAME,
        debtor_tax_id=PAYER_TAX_ID,
        debtor_account=PAYER_ACCOUNT,
        debtor_ispb=VIRTUAL_PAYER,
        creditor_ispb=order.receiver_ispb,
        creditor_tax_id=order.tax_id,
        creditor_account=AccountId(order.account_number, order.account_type, order.branch),
        creditor_key=order.key,
        remittance=order.remittance,
    )
    return Pacs008(
        sender=VIRTUAL_PAYER,
        receiver=SPI_ISPB,
        message_id=message_id(VIRTUAL_PAYER, ids.token(23)),
        created_at=now,
        transfers=(transfer,),
    )
