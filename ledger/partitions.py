"""The months of the journal: `transfers` has a partition for each, made before it begins.

An id of a transfer begins with the millisecond of its making (as UUID version 7), so a month is a
range of ids; an id that somebody chose has no time and lies in `transfers_timeless`. Whatever else
there is, random or of a month without a partition, lies in `transfers_default`: nothing is refused
for it, but the partition of a month cannot be made any more when transfers of that month lie there.
"""

import itertools
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

MONTHS_AHEAD: Final = 3
MONTHS_A_YEAR: Final = 12
RANDOM_BITS: Final = 80
"""Bits of an id after its milliseconds."""

CANNOT_PARTITION: Final = (asyncpg.LockNotAvailableError, asyncpg.CheckViolationError)
"""Somebody reads the default partition for too long; or transfers of the month are in it."""

NAME: Final = "transfers_{year:04}_{month:02}"
LOCK: Final = "SELECT pg_advisory_xact_lock('transfers'::regclass::bigint)"
EXISTS: Final = "SELECT to_regclass($1) IS NOT NULL"
# Made apart and then attached: neither readers nor the writer of other partitions are held up. Only
# the default partition is locked, for the moment of a look that there is no such row in it.
MAKE: Final = "CREATE TABLE {name} (LIKE transfers INCLUDING ALL)"
ATTACH: Final = """
ALTER TABLE transfers ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{after}')
"""
COUNT_ODD: Final = "SELECT count(*) FROM transfers_default"
LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '1s'"


def first_id(year: int, month: int) -> UUID:
    """The smallest id that a transfer of this month, UTC, can have."""
    began = datetime(year, month, 1, tzinfo=UTC)
    return UUID(int=int(began.timestamp()) * 1_000 << RANDOM_BITS)


def months_from(now: datetime, count: int) -> list[tuple[int, int]]:
    """The month of `now`, UTC, and those after it: years and months."""
    at = now.astimezone(UTC)
    first = at.year * MONTHS_A_YEAR + at.month - 1
    return [
        (number // MONTHS_A_YEAR, number % MONTHS_A_YEAR + 1)
        for number in range(first, first + count)
    ]


async def make_partitions(connection: Any, now: datetime) -> list[str]:
    """Make the partitions of this month and `MONTHS_AHEAD` more, those that are not there yet.

    Args:
        connection: asyncpg connection, not in a transaction.
        now: Some moment of this month.

    Returns:
        Names of those that were made.

    Raises:
        asyncpg.LockNotAvailableError: Somebody reads the default partition for longer than a
            second: try again later. Nothing was made.
        asyncpg.CheckViolationError: The default partition has transfers of such a month. Nothing
            was made.
        OSError, asyncpg.PostgresError: The database cannot be written.
    """
    months = months_from(now, MONTHS_AHEAD + 2)
    made: list[str] = []
    async with connection.transaction():
        await connection.execute(LOCK_TIMEOUT)
        await connection.execute(LOCK)
        for month, after in itertools.pairwise(months):
            name = NAME.format(year=month[0], month=month[1])
            if await connection.fetchval(EXISTS, name):
                continue
            await connection.execute(MAKE.format(name=name))
            ends = {"first": first_id(*month), "after": first_id(*after)}
            await connection.execute(ATTACH.format(name=name, **ends))
            made.append(name)
    return made


async def count_odd(connection: Any) -> int:
    """Transfers whose id is of no month that there is, and was not chosen."""
    count: int = await connection.fetchval(COUNT_ODD)
    return count
