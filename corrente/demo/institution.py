"""The demonstration institution: accounts with money, so that a newcomer can pay at once.

Ids and numbers are derived from the account's place in the list, so opening and funding them again
changes nothing. People and tax ids are made up (the check digits are right).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
from stdnum.br import cpf

from actors import Node, Target
from bacen.simulator import load_participants as load_bank_participants
from ledger import (
    Account,
    AccountCode,
    AccountFlag,
    Commit,
    Entry,
    OpenAccounts,
    Transfer,
    TransferCode,
)

BRANCH = "0001"
ACCOUNTS = 256
FUNDING_CENTS = 100_000_000  # R$ 1,000,000.00 a customer
OWN_FUNDS_CENTS = 100_000_000_000
PI_ACCOUNT_ID = UUID(int=1 << 8)
OWN_FUNDS_ID = UUID(int=2 << 8)
KEY = "+5511999887766"
COMMIT_TIMEOUT_MS = 60_000
CONNECT_SECONDS = 10
ENTRIES_PER_COMMIT = 500


def pi_funding_cents() -> int:
    """Money the institution holds at the central bank when everything starts."""
    return OWN_FUNDS_CENTS + ACCOUNTS * FUNDING_CENTS


def customers(tenant: str) -> list[Account]:
    """The customers' accounts; the first is the one that is shown to newcomers."""
    return [
        Account(
            id=UUID(int=(1_000 + number) << 8),
            tenant=tenant,
            code=AccountCode.CUSTOMER,
            branch=BRANCH,
            number=str(1_000_001 + number),
            account_type="CACC",
            name=f"Cliente Demonstração {number + 1}",
            tax_id=_tax_id(number),
            flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
        )
        for number in range(ACCOUNTS)
    ]


def debtor_body(account: Account) -> dict[str, Any]:
    """An account as the member ``debtor`` of a payment."""
    return {
        "account_number": account.number,
        "branch": account.branch,
        "name": account.name,
        "tax_id": account.tax_id,
    }


async def load_participants(dsn: str) -> None:
    """Fill the table of participants with those the simulated central bank knows."""
    rows = [(one.ispb, one.short_name, one.kind) for one in load_bank_participants().values()]
    connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    try:
        await connection.executemany(
            "INSERT INTO participants (ispb, name, kind) VALUES ($1, $2, $3)"
            " ON CONFLICT (ispb) DO NOTHING",
            rows,
        )
    finally:
        await connection.close()


async def provision(node: Node, writer: Target, tenant: str) -> None:
    """Open the accounts and bring the money in; what is there already stays as it is."""
    people = customers(tenant)
    institution = [
        Account(
            id=PI_ACCOUNT_ID,
            tenant=tenant,
            code=AccountCode.PI_ACCOUNT,
            flags=AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
        ),
        Account(id=OWN_FUNDS_ID, tenant=tenant, code=AccountCode.OWN_FUNDS),
    ]
    await node.call(writer, OpenAccounts((*institution, *people)), timeout_ms=COMMIT_TIMEOUT_MS)
    funding = [_funding(OWN_FUNDS_ID, OWN_FUNDS_CENTS)]
    funding += [_funding(account.id, FUNDING_CENTS) for account in people]
    for entries in _chunks(funding):
        await node.call(writer, Commit(entries), timeout_ms=COMMIT_TIMEOUT_MS)


def _funding(account_id: UUID, amount_cents: int) -> Entry:
    transfer = Transfer(
        id=UUID(int=account_id.int | 1),
        debit_account_id=PI_ACCOUNT_ID,
        credit_account_id=account_id,
        amount_cents=amount_cents,
        code=TransferCode.FUNDING,
    )
    return Entry(transfers=(transfer,))


def _chunks(entries: Sequence[Entry]) -> list[tuple[Entry, ...]]:
    starts = range(0, len(entries), ENTRIES_PER_COMMIT)
    return [tuple(entries[start : start + ENTRIES_PER_COMMIT]) for start in starts]


@cache
def _tax_id(number: int) -> str:
    digits = f"{700_000_000 + number * 7_919:09d}"
    return next(whole for check in range(100) if cpf.is_valid(whole := f"{digits}{check:02d}"))
