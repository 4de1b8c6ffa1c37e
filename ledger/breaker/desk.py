"""Where operators speak with a breaker: each order is written down before it is given."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeAlias

from actors import Node, Target
from ledger.breaker.messages import AskStatus, Close, Open, Position, Status
from ledger.breaker.report import BreakerEvent, BreakerOrder, read_events, read_orders

ASK_TIMEOUT_MS: Final = 10_000
ORDER_TIMEOUT_MS: Final = 60_000
"""Closing replays what an outage has left."""

KEEP_ORDER: Final = """
INSERT INTO breaker_orders (tenant, at, position, reason, made_by) VALUES ($1, $2, $3, $4, $5)
"""

Database: TypeAlias = Callable[[], Any]
"""Gives an asyncpg pool or connection."""


class BreakerDesk:
    """Asks the breaker of one tenant, on behalf of a person.

    Runs in the task of the caller.

    Args:
        node: Where the breaker runs.
        tenant: ISPB.
        breaker: Name or pid of the `Breaker`.
        database: With the breaker's tables.

    Attributes:
        tenant: ISPB.
    """

    def __init__(self, node: Node, tenant: str, breaker: Target, database: Database) -> None:
        self._node = node
        self.tenant = tenant
        self._breaker = breaker
        self._database = database

    async def status(self) -> Status:
        """How it stands.

        Raises:
            ActorError: It does not answer.
        """
        status = await self._node.call(self._breaker, AskStatus(), timeout_ms=ASK_TIMEOUT_MS)
        assert isinstance(status, Status)
        return status

    async def order(self, wish: Open | Close) -> Status:
        """Open or close it. Closing skips no step, so it may stay open; the status says so.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError: The order could not be kept,
                and was not given.
            ActorError: The breaker does not answer.
        """
        position = Position.OPEN if isinstance(wish, Open) else Position.CLOSED
        now: datetime = self._node.clock.now()
        await self._database().execute(
            KEEP_ORDER, self.tenant, now, position.value, wish.reason, wish.made_by
        )
        status = await self._node.call(self._breaker, wish, timeout_ms=ORDER_TIMEOUT_MS)
        assert isinstance(status, Status)
        return status

    async def events(self, count_max: int) -> tuple[BreakerEvent, ...]:
        """The latest changes of position, newest first.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError: The database does not answer.
        """
        return await read_events(self._database(), self.tenant, count_max)

    async def orders(self, count_max: int) -> tuple[BreakerOrder, ...]:
        """The latest orders, obeyed or not, newest first; raises as `events`."""
        return await read_orders(self._database(), self.tenant, count_max)
