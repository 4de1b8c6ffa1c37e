"""Making two ledgers equal again: every step may be repeated, and none may be left out."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from ledger.breaker.mirror import Mirror
from ledger.breaker.poison import NEVER_CREATED, Verdict, poison_of, verdict_of
from ledger.breaker.rows import Row, RowState
from ledger.breaker.store import Change, Store
from ledger.tigerbeetle import CreateTransfers, LookUpAccounts
from ledger.transfers import LEDGER_BRL, Transfer, TransferResult

CHUNK: Final = 1_000
BOOKED: Final = (TransferResult.CREATED, TransferResult.EXISTS)

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
        for rows in chunks(self._in_state(RowState.UNKNOWN)):
            await self.resolve(rows)
        for rows in chunks(self._in_state(RowState.NEW)):
            await self.replay(rows)
        await self.compare()

    async def probe(self) -> None:
        """Read something: does it answer at all?"""
        await self._ask(LookUpAccounts((self._mirror.any_account() or NEVER_CREATED,)))

    async def resolve(self, rows: Sequence[Row]) -> None:
        """Make unknown transfers known, in the journal and in the mirror."""
        ran = await self.fates(rows)
        settled = []
        for row in rows:
            self._mirror.let_go(row)
        for row in rows:
            state, result = RowState.FAILED, TransferResult.ID_ALREADY_FAILED
            if row.transfer.id in ran:
                state, result = RowState.DONE, self._mirror.book(row.transfer)
                if result is not TransferResult.CREATED:
                    raise Alarm(f"the mirror refuses what was carried out: {result.name}")
            # Not verified: a crash from here on must not keep its accounts from being compared.
            settled.append(
                msgspec.structs.replace(row, state=state, result=int(result), is_verified=False)
            )
        await self._store.write(Change(self._epoch, settled, self._mirror.changes()))
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

    async def replay(self, rows: Sequence[Row]) -> None:
        """Carry out in TigerBeetle what PostgreSQL booked: same ids, same order."""
        transfers = self.replayed(rows)
        for result in await self._ask(CreateTransfers(transfers)):
            if result not in BOOKED:
                raise Alarm(f"a replayed transfer was refused: {result.name}")

    def replayed(self, rows: Sequence[Row]) -> tuple[Transfer, ...]:
        """The transfers of rows, as they are sent again."""
        return tuple(row.transfer for row in rows)

    async def compare(self) -> None:
        """Find all four counters of every touched account equal."""
        touched = {
            account_id: None
            for row in self._unsettled.values()
            for account_id in (row.debit_account_id, row.credit_account_id)
            if self._mirror.has(account_id)
        }
        differing = []
        for ids in chunks(list(touched)):
            found = await self._ask(LookUpAccounts(tuple(ids)))
            for account_id in ids:
                there = found.get(account_id)
                if there is None or there.balance != self._mirror.balance_of(account_id):
                    differing.append(account_id)
        if differing:
            raise Alarm(f"accounts that differ: {len(differing)}, the first is {differing[0]}")

    def _in_state(self, state: RowState) -> list[Row]:
        rows = [row for row in self._unsettled.values() if row.state is state]
        return sorted(rows, key=lambda row: row.sequence)


def chunks(things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Parts of a size that one request takes."""
    for first in range(0, len(things), CHUNK):
        yield things[first : first + CHUNK]
