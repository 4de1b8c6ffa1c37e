"""Entries of a PI account as a camt.054 tells them, seen by the owner of the account."""

from typing import Any

from bacen.simulator.changes import Supply
from bacen.simulator.payments import (
    SETTLED,
    Payment,
    decode_details,
    from_ms,
    settlement_day,
)
from bacen.wire import AccountEntry, Counterparty, CreditTransfer, EntryParties, PaymentReturn

FAMILIES = {"DBIT": "IRCT", "CRDT": "RRCT"}


def payment_entry(payment: Payment, owner: str, notification_id: str) -> tuple[AccountEntry, ...]:
    """Tell a finished payment or return; twice where the owner paid itself.

    Args:
        payment: Settled, or rejected: then the entry has the reason and is not booked.
        owner: ISPB of the account; payer or receiver.
        notification_id: MsgId of the question.
    """
    sides = [("DBIT", payment.payer), ("CRDT", payment.receiver)]
    is_booked = payment.status == SETTLED
    return tuple(
        AccountEntry(
            notification_id=notification_id,
            owner_ispb=owner,
            amount_cents=payment.amount_cents,
            side=side,
            status="BOOK" if is_booked else "INFO",
            domain="PMNT",
            family=FAMILIES[side],
            sub_family="RRTN" if payment.is_return else "DMCT",
            source="pacs.004" if payment.is_return else "pacs.008",
            end_to_end_id=payment.end_to_end_id,
            booked_on=settlement_day(payment.finished_ms) if is_booked else None,
            status_at=from_ms(payment.finished_ms),
            error_code=payment.reason,
            **details_of(payment),
        )
        for side, ispb in sides
        if ispb == owner
    )


def details_of(payment: Payment) -> dict[str, Any]:
    """Give the fields of an entry that the pacs.008 or pacs.004 had."""
    if not payment.details:  # a payment from before the bank kept them
        return {}
    details = decode_details(payment.details)
    if details.transfer is not None:
        told = transfer_details(details.transfer)
        return {**told, "priority": details.priority, "service_level": details.service_level}
    assert details.returned is not None  # one of the two is there
    return return_details(details.returned)


def transfer_details(transfer: CreditTransfer) -> dict[str, Any]:
    return {
        "instruction_id": transfer.instruction_id,
        "transaction_id": transfer.transaction_id,
        "parties": EntryParties(
            debtor_name=transfer.debtor_name,
            debtor_tax_id=transfer.debtor_tax_id,
            debtor_account=transfer.debtor_account,
            creditor_tax_id=transfer.creditor_tax_id,
            creditor_account=transfer.creditor_account,
            creditor_key=transfer.creditor_key,
            initiator_cnpj=transfer.initiator_cnpj,
        ),
        "debtor_ispb": transfer.debtor_ispb,
        "creditor_ispb": transfer.creditor_ispb,
        "local_instrument": transfer.local_instrument,
        "purpose": transfer.purpose,
        "remittance": transfer.remittance,
        "cash": transfer.cash,
        "accepted_at": transfer.accepted_at,
        "tax_document": None if transfer.tax is None else transfer.tax.document_number,
        "tax_records": () if transfer.tax is None else transfer.tax.records,
    }


def return_details(one: PaymentReturn) -> dict[str, Any]:
    return {
        "instruction_id": one.return_id,
        "debtor_ispb": one.debtor_ispb,
        "creditor_ispb": one.creditor_ispb,
        "remittance": one.remittance,
        "return_reason": one.reason,
        "return_text": one.additional,
        "priority": one.priority,
    }


def supply_entry(supply: Supply, notification_id: str) -> AccountEntry:
    """Tell a movement of the STR."""
    at = from_ms(supply.at_ms)
    is_credit = supply.amount_cents > 0
    return AccountEntry(
        notification_id=notification_id,
        owner_ispb=supply.ispb,
        amount_cents=abs(supply.amount_cents),
        side="CRDT" if is_credit else "DBIT",
        status="BOOK",
        domain="CAMT",
        family="MCOP" if is_credit else "MDOP",
        sub_family="NTAV",
        source="LPI0001" if is_credit else "LPI0003",
        # The catalogue wants an id here as well; L stands for liquidity.
        end_to_end_id=f"L{supply.ispb}{at:%Y%m%d%H%M}{supply.control_number[-9:]:0>11}",
        str_number=supply.control_number,
        booked_on=settlement_day(supply.at_ms),
        status_at=at,
        counterparty=Counterparty(type="ContraparteSTR", ispb=supply.ispb),
    )
