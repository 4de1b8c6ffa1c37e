"""The part of the tree that is there when TigerBeetle keeps the money as well (docs/breaker.md).

::

    breaker      one_for_one: TigerBeetle's client, the breaker
    shard        ... writer, door, intake, senders, receivers, follower
"""

import contextlib
from typing import Final

import asyncpg

from actors import ActorError, Node, Target
from config import TigerBeetleSettings
from corrente.stores import Pool
from ledger import LEDGER_BRL, AccountBook
from ledger.breaker import (
    BothStore,
    Breaker,
    BreakerDesk,
    BreakerSettings,
    CatchUp,
    Door,
    Follow,
    Follower,
    Neighbours,
    PostgresStore,
)
from ledger.tigerbeetle import BackendSettings, TigerBeetle, connect, ledger_numbers
from supervisors import ChildSpec, Strategy, supervisor, worker

TIGERBEETLE: Final = "ledger.tigerbeetle"
BREAKER: Final = "ledger.breaker"
DOOR: Final = "ledger.door"
FOLLOWER: Final = "ledger.follower"
RESTARTS_MAX: Final = 20  # in 5 s: a database that comes and goes costs restarts, not the platform
DOOR_MAILBOX_MAX: Final = 100_000
CONNECT_TIMEOUT_SECONDS: Final = 10
FIRST_LOOKS: Final = 10
FIRST_LOOK_MS: Final = 30_000
BETWEEN_LOOKS_MS: Final = 200


class BothLedgers:
    """Makes the processes between the shard's writer and TigerBeetle.

    Args:
        node: Where they run.
        tenant: ISPB.
        dsn: PostgreSQL.
        settings: Where TigerBeetle is, and how long it may take.
    """

    def __init__(self, node: Node, tenant: str, dsn: str, settings: TigerBeetleSettings) -> None:
        assert settings.addresses is not None, "the caller has looked"
        self._node = node
        self._tenant = tenant
        self._dsn = dsn
        self._settings = settings
        self._connect = connect(settings.cluster_id, settings.addresses)
        self._numbers: dict[int, int] = {}

    async def prepare(self) -> None:
        """Find TigerBeetle's ledger of this tenant; when the tables are there."""
        connection = await asyncpg.connect(self._dsn, timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            self._numbers = await ledger_numbers(connection, self._tenant, [LEDGER_BRL])
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)

    def breaker_child(self) -> ChildSpec:
        """The breaker with its client; it outlives the shard, and the shard it."""
        children = [
            worker("tigerbeetle", self._make_backend, name=TIGERBEETLE),
            worker("breaker", self._make_breaker, name=BREAKER),
        ]
        return supervisor(
            "breaker", children, strategy=Strategy.ONE_FOR_ONE, max_restarts=RESTARTS_MAX
        )

    def door_child(self, writer: Target, book: AccountBook, shard_id: int) -> ChildSpec:
        """Right behind the writer: all others commit through it."""
        to = Neighbours(writer, BREAKER, FOLLOWER)
        return worker(
            "door",
            lambda: Door(to, book, self._store(shard_id)),
            name=DOOR,
            mailbox_max=DOOR_MAILBOX_MAX,
        )

    def follower_child(self, book: AccountBook, shard_id: int) -> ChildSpec:
        """Behind all others: nobody waits for it."""
        return worker(
            "follower",
            lambda: Follower(shard_id, BREAKER, book, self._store(shard_id)),
            name=FOLLOWER,
        )

    def desk(self, pool: Pool) -> BreakerDesk:
        """Where operators ask."""
        return BreakerDesk(self._node, self._tenant, BREAKER, pool)

    def written(self) -> None:
        """The writer has committed: TigerBeetle follows."""
        self._node.cast(FOLLOWER, Follow())

    async def first_look(self) -> None:
        """Let the breaker know what is there before anybody pays, with TigerBeetle or without.

        One that does not answer takes some looks until the breaker opens; it follows later.
        """
        for _ in range(FIRST_LOOKS):
            with contextlib.suppress(ActorError):
                if await self._node.call(FOLLOWER, CatchUp(), timeout_ms=FIRST_LOOK_MS):
                    return
            await self._node.clock.sleep_ms(BETWEEN_LOOKS_MS)

    def _store(self, shard_id: int) -> BothStore:
        return BothStore(self._dsn, self._tenant, shard_id)

    def _make_backend(self) -> TigerBeetle:
        backend = BackendSettings(deadline_ms=self._settings.deadline_ms)
        return TigerBeetle(self._connect, self._numbers, backend)

    def _make_breaker(self) -> Breaker:
        settings = BreakerSettings(
            failures_max=self._settings.failures_max,
            rest_ms=self._settings.rest_ms,
            call_ms=2 * self._settings.deadline_ms,
        )
        store = PostgresStore(self._dsn, self._tenant)
        return Breaker(self._tenant, TIGERBEETLE, store, settings)
