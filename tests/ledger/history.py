"""Books with a past: transfers at chosen times, and a model of them that is nothing but sums.

Rows are written as the writer writes them, partial posts included, so that a test has any past it
likes at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from ledger import AccountCode, Balance, TransferCode, TransferKind

TENANT, OTHER_TENANT = "12345678", "87654321"


@dataclass(frozen=True)
class Booked:
    """One row of the transfers."""

    id: UUID
    debit: UUID
    credit: UUID
    amount_cents: int
    kind: TransferKind
    pending_id: UUID | None
    at: datetime


@dataclass
class History:
    """Accounts of two tenants and what was booked on them, in order."""

    booked: list[Booked] = field(default_factory=list)
    holds: list[Booked] = field(default_factory=list)
    accounts: dict[UUID, tuple[str, AccountCode]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ana = self.account(AccountCode.CUSTOMER)
        self.bea = self.account(AccountCode.CUSTOMER)
        self.pi = self.account(AccountCode.PI_ACCOUNT)
        self.own = self.account(AccountCode.OWN_FUNDS)
        self.fees = self.account(AccountCode.FEE_INCOME)
        self.stranger = self.account(AccountCode.CUSTOMER, OTHER_TENANT)
        self.strange_pi = self.account(AccountCode.PI_ACCOUNT, OTHER_TENANT)

    def account(self, code: AccountCode, tenant: str = TENANT) -> UUID:
        account_id = UUID(int=len(self.accounts) + 1)
        self.accounts[account_id] = tenant, code
        return account_id

    def move(
        self,
        debit: UUID,
        credit: UUID,
        amount_cents: int,
        at: datetime,
        kind: TransferKind = TransferKind.POSTED,
    ) -> Booked:
        booked = self._book(debit, credit, amount_cents, at, kind)
        if kind is TransferKind.PENDING:
            self.holds.append(booked)
        return booked

    def hold(self, debit: UUID, credit: UUID, amount_cents: int, at: datetime) -> Booked:
        return self.move(debit, credit, amount_cents, at, TransferKind.PENDING)

    def post(self, hold: Booked, at: datetime, amount_cents: int | None = None) -> Booked:
        self.holds.remove(hold)
        amount = hold.amount_cents if amount_cents is None else amount_cents
        return self._book(hold.debit, hold.credit, amount, at, TransferKind.POST, hold.id)

    def void(self, hold: Booked, at: datetime) -> Booked:
        self.holds.remove(hold)
        amount = hold.amount_cents
        return self._book(hold.debit, hold.credit, amount, at, TransferKind.VOID, hold.id)

    def expire(self, hold: Booked, at: datetime) -> Booked:
        self.holds.remove(hold)
        amount = hold.amount_cents
        return self._book(hold.debit, hold.credit, amount, at, TransferKind.EXPIRED, hold.id)

    def _book(
        self,
        debit: UUID,
        credit: UUID,
        amount_cents: int,
        at: datetime,
        kind: TransferKind,
        pending_id: UUID | None = None,
    ) -> Booked:
        number = UUID(int=1_000 + len(self.booked))
        booked = Booked(number, debit, credit, amount_cents, kind, pending_id, at)
        self.booked.append(booked)
        return booked

    def held_cents(self, ending: Booked) -> int:
        """Amount of the hold that this one ends."""
        return next(each for each in self.booked if each.id == ending.pending_id).amount_cents

    def counters(
        self, account_id: UUID, has_happened: Callable[[datetime], bool] = lambda _: True
    ) -> Balance:
        """Replay what has happened to one account, a transfer at a time."""
        sums = {True: [0, 0], False: [0, 0]}
        for each in self.booked:
            if account_id in {each.debit, each.credit} and has_happened(each.at):
                pending, posted = 0, 0
                if each.kind is TransferKind.PENDING:
                    pending = each.amount_cents
                elif each.pending_id is not None:
                    pending = -self.held_cents(each)
                if each.kind in {TransferKind.POSTED, TransferKind.POST}:
                    posted = each.amount_cents
                side = sums[each.debit == account_id]
                side[0] += pending
                side[1] += posted
        return Balance(*sums[True], *sums[False])

    async def store(self, connection: Any) -> None:
        """Write the books in place of those that are there."""
        await connection.execute("TRUNCATE transfers, resolutions, accounts, shards CASCADE")
        await connection.executemany(
            "INSERT INTO shards (id, tenant, owner) VALUES ($1, $2, 'one')",
            [(1, TENANT), (2, OTHER_TENANT)],
        )
        await connection.executemany(
            "INSERT INTO accounts (id, shard, tenant, code, flags, ledger, branch, number, name,"
            " opened_at, debits_pending, debits_posted, credits_pending, credits_posted)"
            " VALUES ($1, $2, $3, $4, 0, 986, '0001', $5, 'Ana', now(), $6, $7, $8, $9)",
            [
                (key, self._shard(key), tenant, code, f"{key.int}", *self.counters(key))
                for key, (tenant, code) in self.accounts.items()
            ],
        )
        await connection.executemany(
            "INSERT INTO transfers (id, shard, sequence, debit_account_id, credit_account_id,"
            " amount_cents, code, kind, pending_id, at, timestamp, held_cents)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $3, $11)",
            [
                (
                    *(each.id, self._shard(each.debit), number, each.debit, each.credit),
                    *(each.amount_cents, TransferCode.PIX_OUT, each.kind, each.pending_id, each.at),
                    self.held_cents(each) if each.pending_id is not None else None,
                )
                for number, each in enumerate(self.booked, 1)
            ],
        )

        await connection.execute(
            "INSERT INTO resolutions SELECT pending_id, id FROM transfers WHERE kind >= 2"
        )

    def _shard(self, account_id: UUID) -> int:
        return 1 if self.accounts[account_id][0] == TENANT else 2


async def stored(history: History, dsn: str) -> "asyncpg.Connection[Any]":
    """A connection to a database that holds these books; close it."""
    connection = await asyncpg.connect(dsn)
    try:
        await history.store(connection)
    except BaseException:
        await connection.close()
        raise
    return connection
