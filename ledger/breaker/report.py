"""What a breaker did and what it was ordered to do: its audit, read from the tables."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.breaker.messages import Position

EVENTS: Final = """
SELECT at, epoch, position, is_held, reason, made_by FROM breaker_events
WHERE tenant = $1 ORDER BY number DESC LIMIT $2
"""
ORDERS: Final = """
SELECT at, position, reason, made_by FROM breaker_orders
WHERE tenant = $1 ORDER BY number DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class BreakerEvent:
    """A change of position.

    Attributes:
        at: When, UTC.
        epoch: The new one.
        position: The new one.
        is_held: A person must close it.
        reason: Why.
        made_by: Who wanted it; "breaker" when nobody did.
    """

    at: datetime
    epoch: int
    position: Position
    is_held: bool
    reason: str
    made_by: str


@dataclass(frozen=True, slots=True)
class BreakerOrder:
    """What somebody wanted of it.

    Attributes:
        at: When, UTC.
        position: The wanted one.
        reason: Why.
        made_by: Who.
    """

    at: datetime
    position: Position
    reason: str
    made_by: str


async def read_events(database: Any, tenant: str, count_max: int) -> tuple[BreakerEvent, ...]:
    """The latest changes of position of a tenant's breaker, newest first.

    Args:
        database: asyncpg connection or pool.
        tenant: ISPB.
        count_max: Of changes.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached, or has no such tables.
    """
    rows = await database.fetch(EVENTS, tenant, count_max)
    return tuple(
        BreakerEvent(at, epoch, Position(position), *rest) for at, epoch, position, *rest in rows
    )


async def read_orders(database: Any, tenant: str, count_max: int) -> tuple[BreakerOrder, ...]:
    """The latest orders to a tenant's breaker, newest first; as `read_events`."""
    rows = await database.fetch(ORDERS, tenant, count_max)
    return tuple(BreakerOrder(at, Position(position), *rest) for at, position, *rest in rows)
