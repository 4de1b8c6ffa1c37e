"""Where the money of a payment went: the tracking graph of a funds recovery.

From the root on, hop by hop: what each account paid within the window after it received, from a
least amount on, the largest first, until the graph is full. Payments are those of the SPI.
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from bacen.dict import (
    TrackingGraph,
    TrackingGraphAccount,
    TrackingGraphParameters,
    TrackingGraphPerson,
    TrackingGraphTransaction,
)
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.transactions import Transaction, Transactions
from bacen.simulator.payments import MILLISECOND, from_ms

MIN_CENTS = 20_000
TRANSACTIONS_MAX = 5
HOPS_MAX = 2
HOP_WINDOW = timedelta(hours=2)
CPF_CHARACTERS = 11


class Traced(msgspec.Struct, frozen=True):
    """A payment of the graph, and what can still be had of it."""

    transaction: Transaction
    refundable_cents: int


def parameters_of(given: TrackingGraphParameters | None) -> TrackingGraphParameters:
    """Fill in what the API says by default.

    Raises:
        DictRefusal: FundsRecoveryTrackingGraphParameterInvalid.
    """
    asked = given or TrackingGraphParameters()
    full = TrackingGraphParameters(
        min_transaction_amount=or_default(asked.min_transaction_amount, MIN_CENTS),
        max_transactions=or_default(asked.max_transactions, TRANSACTIONS_MAX),
        hop_window=asked.hop_window if asked.hop_window is not None else HOP_WINDOW,
        max_hops=or_default(asked.max_hops, HOPS_MAX),
    )
    for name, most in (
        ("max_transactions", TRANSACTIONS_MAX),
        ("max_hops", HOPS_MAX),
        ("hop_window", HOP_WINDOW),
    ):
        if getattr(full, name) > most or not getattr(full, name):
            kind = "FundsRecoveryTrackingGraphParameterInvalid"
            raise DictRefusal(kind, f"0 is too little and {most} the most", name)
    return full


def or_default(value: int | None, default: int) -> int:
    return default if value is None else value


def trace(
    root: Transaction, parameters: TrackingGraphParameters, transactions: Transactions
) -> list[Traced]:
    """Follow the money from a root payment; the root is the first of the list.

    Args:
        root: The payment that was contested.
        parameters: Filled in by `parameters_of`.
        transactions: The payments that really ran.
    """
    window_ms = (parameters.hop_window or HOP_WINDOW) // MILLISECOND
    cents_min = or_default(parameters.min_transaction_amount, MIN_CENTS)
    most = or_default(parameters.max_transactions, TRANSACTIONS_MAX)
    found = {root.id: root}
    edge = [root]
    for _ in range(or_default(parameters.max_hops, HOPS_MAX)):
        nexts: list[Transaction] = []
        for payment in edge:
            window = payment.settled_ms, payment.settled_ms + window_ms
            account = payment.creditor_account
            spent = transactions.spent(account, window, cents_min, most + len(found))
            nexts += [each for each in spent if each.id not in found]
        edge = sorted(
            {each.id: each for each in nexts}.values(), key=lambda each: -each.amount_cents
        )[: most - len(found)]
        found |= {each.id: each for each in edge}
        if len(found) >= most:
            break
    return [Traced(each, transactions.refundable_cents(each)) for each in found.values()]


def graph_of(
    recovery: UUID, traced: list[Traced], parameters: TrackingGraphParameters, at: datetime
) -> TrackingGraph:
    """Draw the graph; persons and accounts get numbers that tell nothing outside of it."""
    persons: dict[str, int] = {}
    accounts: dict[str, TrackingGraphAccount] = {}
    for each in traced:
        one = each.transaction
        for ispb, account, tax_id in (
            (one.debtor_ispb, one.debtor_account, one.debtor_tax_id),
            (one.creditor_ispb, one.creditor_account, one.creditor_tax_id),
        ):
            owner = persons.setdefault(tax_id, len(persons) + 1)
            number = len(accounts) + 1
            accounts.setdefault(
                account, TrackingGraphAccount(id=number, owner_id=owner, participant=ispb)
            )
    return TrackingGraph(
        funds_recovery_id=recovery,
        root_transaction_id=traced[0].transaction.id,
        creation_time=at,
        parameters=parameters,
        persons=tuple(
            TrackingGraphPerson(id=number, type=kind_of(tax_id))
            for tax_id, number in persons.items()
        ),
        accounts=tuple(accounts.values()),
        transactions=tuple(
            TrackingGraphTransaction(
                id=each.transaction.id,
                debtor_account_id=accounts[each.transaction.debtor_account].id,
                creditor_account_id=accounts[each.transaction.creditor_account].id,
                amount=each.transaction.amount_cents,
                refundable_amount=each.refundable_cents,
                settlement_time=from_ms(each.transaction.settled_ms),
            )
            for each in traced
        ),
    )


def kind_of(tax_id: str) -> Literal["NATURAL_PERSON", "LEGAL_PERSON"]:
    return "NATURAL_PERSON" if len(tax_id) == CPF_CHARACTERS else "LEGAL_PERSON"
