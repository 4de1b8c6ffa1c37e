"""Breakers that leave out one protection each; the tests find what becomes of the money then."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from actors.simulation import Simulation
from ledger.breaker import Breaker, Position, Row, RowState
from ledger.breaker.batch import Batch
from ledger.breaker.chains import LINKED
from ledger.breaker.healing import Healing
from ledger.tigerbeetle import LookUpTransfers
from ledger.transfers import Transfer
from tests.ledger.breaker.world import ANA, PI, World, live

Tree: TypeAlias = Callable[[Simulation], Coroutine[Any, Any, World]]


class ResendingBreaker(Breaker):
    """Books an unknown transfer in PostgreSQL when it is asked for again."""

    async def _find(self, batch: Batch) -> Sequence[Row]:
        rows = await super()._find(batch)
        if self._position is Position.CLOSED:
            return rows
        return [row for row in rows if row.state is not RowState.UNKNOWN]

    def _hold_back(self, row: Row) -> None:
        del row


class TrustingBreaker(Breaker):
    """Holds nothing back for unknown transfers."""

    def _hold_back(self, row: Row) -> None:
        del row


class LateJournal(Breaker):
    """Writes a transfer down when its answer is there."""

    async def _journal(self, rows: Sequence[Row]) -> None:
        del rows


class LookingHealing(Healing):
    """Takes what it does not find for what never ran."""

    async def fates(self, rows: Sequence[Row]) -> set[UUID]:
        found = await self._ask(LookUpTransfers(tuple(row.transfer.id for row in rows)))
        return set(found)


class LookingBreaker(Breaker):
    def _healing(self) -> Healing:
        return LookingHealing(self._ask, self._store, self._epoch, self._mirror, self._unsettled)


class BlindHealing(Healing):
    """Compares nothing."""

    async def compare(self) -> None:
        pass


class BlindBreaker(Breaker):
    def _healing(self) -> Healing:
        return BlindHealing(self._ask, self._store, self._epoch, self._mirror, self._unsettled)


class RenamingHealing(Healing):
    """Replays under ids of its own."""

    def __init__(self, breaker: "RenamingBreaker", *arguments: Any) -> None:
        super().__init__(*arguments)
        self._new_id = breaker.node.ids.new_id

    def replayed(self, rows: Sequence[Row]) -> tuple[Transfer, ...]:
        return tuple(msgspec.structs.replace(row.transfer, id=self._new_id()) for row in rows)


class RenamingBreaker(Breaker):
    def _healing(self) -> Healing:
        return RenamingHealing(
            self, self._ask, self._store, self._epoch, self._mirror, self._unsettled
        )


class CuttingBreaker(Breaker):
    """Sends the transfers of a chain one by one."""

    def _outgoing(self, rows: Sequence[Row]) -> tuple[Transfer, ...]:
        sent = super()._outgoing(rows)
        return tuple(msgspec.structs.replace(each, flags=each.flags & ~LINKED) for each in sent)


class LeavingBreaker(Breaker):
    """Leaves it to TigerBeetle to end holds in time."""

    def _outgoing(self, rows: Sequence[Row]) -> tuple[Transfer, ...]:
        return tuple(row.transfer for row in rows)


class ForgetfulBreaker(Breaker):
    """Does not mind that an unknown transfer may have closed an account, or come before that."""

    def _hold_back(self, row: Row) -> None:
        super()._hold_back(row)
        self._mirror._closing.clear()
        self._mirror._unknown = 0


async def cutting(simulation: Simulation) -> World:
    return await live(simulation, CuttingBreaker)


async def leaving(simulation: Simulation) -> World:
    return await live(simulation, LeavingBreaker)


async def forgetful(simulation: Simulation) -> World:
    return await live(simulation, ForgetfulBreaker)


async def resending(simulation: Simulation) -> World:
    return await live(simulation, ResendingBreaker)


async def trusting(simulation: Simulation) -> World:
    return await live(simulation, TrustingBreaker)


async def late_journal(simulation: Simulation) -> World:
    return await live(simulation, LateJournal)


async def looking(simulation: Simulation) -> World:
    return await live(simulation, LookingBreaker)


async def renaming(simulation: Simulation) -> World:
    return await live(simulation, RenamingBreaker)


async def unfenced(simulation: Simulation) -> World:
    return await live(simulation, is_fencing=False)


async def meddle(world: World) -> None:
    """Somebody books in TigerBeetle past the breaker, while it is open."""
    rng, clock = world.node.rng, world.node.clock
    for _ in range(200):
        await clock.sleep_ms(200)
        if world.database.position is Position.OPEN and ANA.int in world.cluster.state.accounts:
            world.cluster.book_past(
                Transfer(UUID(int=rng.getrandbits(100)), PI, ANA, 1, 1, ledger=7)
            )
            return


async def blind(simulation: Simulation) -> World:
    return await live(simulation, BlindBreaker, meddle=meddle)


async def meddled(simulation: Simulation) -> World:
    return await live(simulation, meddle=meddle)
