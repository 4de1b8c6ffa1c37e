"""How a breaker stands, read from its tables: nobody has to be running."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.breaker.messages import Position

STANDING: Final = """
SELECT epoch, position, is_held, reason,
    (SELECT count(*) FROM breaker_journal WHERE tenant = $1 AND state IN ('sent', 'unknown')
        AND (NOT is_verified OR state = 'sent')) AS unknown,
    (SELECT count(*) FROM breaker_journal WHERE tenant = $1 AND state = 'new'
        AND NOT is_verified) AS lag,
    (SELECT count(*) FROM breaker_wishes WHERE tenant = $1 AND taken_at IS NULL) AS wishes
FROM breakers WHERE tenant = $1
"""
LATEST: Final = """
SELECT at, epoch, position, is_held, reason, made_by FROM breaker_events
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
class BreakerReport:
    """How a breaker stands.

    Attributes:
        position: Which ledger takes the transfers.
        epoch: Of the last writer.
        is_held: It stays open until a person closes it.
        reason: Of the last change; "" when there was none.
        unknown: Transfers under way or of unknown fate.
        lag: Transfers that PostgreSQL has booked and TigerBeetle lacks.
        wishes: Of operators, not taken by a breaker yet.
        events: The latest changes, newest first.
    """

    position: Position
    epoch: int
    is_held: bool
    reason: str
    unknown: int
    lag: int
    wishes: int
    events: tuple[BreakerEvent, ...]


async def read_breaker(connection: Any, tenant: str, events_max: int = 10) -> BreakerReport | None:
    """Read how the breaker of a tenant stands; None when none has ever run.

    Args:
        connection: asyncpg connection to the ledger's database.
        tenant: ISPB.
        events_max: Changes of position to report.

    Raises:
        OSError, asyncpg.PostgresError: The database cannot be reached, or has no such tables.
    """
    row = await connection.fetchrow(STANDING, tenant)
    if row is None:
        return None
    events = tuple(
        BreakerEvent(at, epoch, Position(position), is_held, reason, made_by)
        for at, epoch, position, is_held, reason, made_by in await connection.fetch(
            LATEST, tenant, events_max
        )
    )
    return BreakerReport(
        Position(row["position"]),
        row["epoch"],
        row["is_held"],
        row["reason"],
        row["unknown"],
        row["lag"],
        row["wishes"],
        events,
    )
