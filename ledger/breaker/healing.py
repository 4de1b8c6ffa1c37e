"""Making two ledgers equal again: every step may be repeated, and none may be left out."""

import dataclasses
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
import tigerbeetle

from ledger.accounts import AccountFlag
from ledger.breaker.chains import CHUNK, chains, chunks
from ledger.breaker.expiry import without_timeout
from ledger.breaker.mirror import Mirror
from ledger.breaker.poison import NEVER_CREATED, Verdict, poison_of, verdict_of
from ledger.breaker.rows import Row, RowState
from ledger.breaker.store import Change, Store
from ledger.tigerbeetle import CreateAccounts, CreateTransfers, FoundAccount, LookUpAccounts
from ledger.transfers import LEDGER_BRL, Transfer, TransferResult

CREATED: Final = TransferResult.CREATED
EXISTS: Final = TransferResult.EXISTS
BROKEN: Final = TransferResult.LINKED_EVENT_FAILED
OPENED: Final = (tigerbeetle.CreateAccountStatus.CREATED, tigerbeetle.CreateAccountStatus.EXISTS)

Ask: TypeAlias = Callable[[object], Awaitable[Any]]
"""Asks the TigerBeetle back end; raises `Away` or `Alarm`."""


class Away(Exception):
    """TigerBeetle did not answer; another attempt may follow."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Alarm(Exception):
    """The ledgers are not as they can be; no attempt may follow before a person has looked."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Healing:
    """One attempt.

    Args:
        ask: Asks the TigerBeetle back end.
        store: Journal and mirror.
        epoch: Of the writer.
        mirror: Balances; brought up to date with what turns out to have been carried out.
        unsettled: Rows that are not at their end, by id; brought up to date as well.
    """

    def __init__(
        self,
        ask: Ask,
        store: Store,
        epoch: int,
        mirror: Mirror,
        unsettled: MutableMapping[UUID, Row],
    ) -> None:
        self._ask = ask
        self._store = store
        self._epoch = epoch
        self._mirror = mirror
        self._unsettled = unsettled

    async def run(self) -> None:
        """Do all of it.

        Raises:
            Away: TigerBeetle did not answer.
            Alarm: An answer, or a balance, is not as it can be.
        """
        await self.probe()
        for rows in chunks(self._in_state(RowState.UNKNOWN), asked):
            await self.resolve(rows)
        await self.open_accounts()
        for rows in chunks(self._in_state(RowState.NEW), asked):
            await self.replay(rows)
        await self.compare()

    async def probe(self) -> None:
        """Read something: does it answer at all?"""
        await self._ask(LookUpAccounts((self._mirror.any_account() or NEVER_CREATED,)))

    async def resolve(self, rows: Sequence[Row]) -> None:
        """Make unknown transfers known, in the journal and in the mirror."""
        ran = await self.fates(rows)
        for chain in chains(rows, asked):
            if 0 < sum(row.transfer.id in ran for row in chain) < len(chain):
                raise Alarm("a chain was carried out in part")
        settled = []
        for row in rows:
            self._mirror.let_go(row)
        for row in rows:
            state, result = RowState.FAILED, TransferResult.ID_ALREADY_FAILED
            if row.transfer.id in ran:
                state, result = RowState.DONE, self._mirror.book(row.transfer)
                if result is not CREATED:
                    raise Alarm(f"the mirror refuses what was carried out: {result.name}")
                self._mirror.watch(row)
            # Not verified: a crash from here on must not keep its accounts from being compared.
            settled.append(
                msgspec.structs.replace(row, state=state, result=int(result), is_verified=False)
            )
        flags = self._mirror.flags()
        await self._store.write(Change(self._epoch, settled, self._mirror.changes(), flags))
        self._unsettled.update((row.transfer.id, row) for row in settled)

    async def fates(self, rows: Sequence[Row]) -> set[UUID]:
        """Ids of those that were carried out; the others never will be."""
        ledger = min(self._mirror.currencies, default=LEDGER_BRL)
        poisons = tuple(poison_of(row.transfer.id, ledger) for row in rows)
        ran = set()
        for row, result in zip(rows, await self._ask(CreateTransfers(poisons)), strict=True):
            verdict = verdict_of(result)
            if verdict is Verdict.UNEXPECTED:
                raise Alarm(f"a poison was answered {result.name}")
            if verdict is Verdict.RAN:
                ran.add(row.transfer.id)
        return ran

    async def open_accounts(self) -> None:
        """Open in TigerBeetle what PostgreSQL opened; what closed one since is replayed."""
        lacking = [
            dataclasses.replace(each, flags=each.flags & ~AccountFlag.CLOSED)
            for each in self._mirror.lacking.values()
        ]
        for first in range(0, len(lacking), CHUNK):
            statuses = await self._ask(CreateAccounts(tuple(lacking[first : first + CHUNK])))
            refused = next((each for each in statuses if each not in OPENED), None)
            if refused is not None:
                raise Alarm(f"an account was refused: {refused.name}")

    async def replay(self, rows: Sequence[Row]) -> None:
        """Carry out in TigerBeetle what PostgreSQL booked: same ids, same order."""
        results = await self._ask(CreateTransfers(self.replayed(rows)))
        pairs = list(zip(rows, results, strict=True))
        for chain in chains(pairs, lambda pair: pair[0].transfer):
            results = [result for _, result in chain]
            # A chain that is there already fails at the first of it.
            wanted = (EXISTS, BROKEN) if len(chain) > 1 and EXISTS in results else (CREATED, EXISTS)
            refused = next((result for result in results if result not in wanted), None)
            if refused is not None:
                raise Alarm(f"a replayed transfer was refused: {refused.name}")

    def replayed(self, rows: Sequence[Row]) -> tuple[Transfer, ...]:
        """The transfers of rows, as they are sent again."""
        return tuple(without_timeout(row.transfer) for row in rows)

    async def compare(self) -> None:
        """Find all four counters of every touched account equal."""
        touched = {
            account_id: None
            for row in self._unsettled.values()
            for account_id in (row.debit_account_id, row.credit_account_id)
            if self._mirror.has(account_id)
        } | dict.fromkeys(self._mirror.lacking)
        differing = []
        accounts = list(touched)
        for first in range(0, len(accounts), CHUNK):
            ids = accounts[first : first + CHUNK]
            found = await self._ask(LookUpAccounts(tuple(ids)))
            differing += [each for each in ids if not self._is_equal(each, found.get(each))]
        if differing:
            raise Alarm(f"accounts that differ: {len(differing)}, the first is {differing[0]}")

    def _is_equal(self, account_id: UUID, there: FoundAccount | None) -> bool:
        if there is None or there.balance != self._mirror.balance_of(account_id):
            return False
        is_closed = bool(there.account.flags & AccountFlag.CLOSED)
        return is_closed == self._mirror.is_closed(account_id)

    def _in_state(self, state: RowState) -> list[Row]:
        rows = [row for row in self._unsettled.values() if row.state is state]
        return sorted(rows, key=lambda row: row.sequence)


def asked(row: Row) -> Transfer:
    """What a row is about."""
    return row.transfer
