"""Days of Brasília as instants.

An instant is a microsecond here as in PostgreSQL, so a period has a first and a last one and both
belong to it: the balance at the end of a day is the closing balance of that day's statement.
"""

from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

BRASILIA: Final = ZoneInfo("America/Sao_Paulo")
"""Legal time of the payment system."""

LAST_INSTANT: Final = time(23, 59, 59, 999_999)


def business_day(at: datetime) -> date:
    """The day of Brasília that the aware instant `at` belongs to."""
    return at.astimezone(BRASILIA).date()


def day_start(day: date) -> datetime:
    """The first instant of a day of Brasília, UTC.

    Until 2019 clocks went forward at midnight: such a day begins with its first hour missing.

    Raises:
        OverflowError: The calendar ends before it.
    """
    return datetime.combine(day, time.min, BRASILIA).astimezone(UTC)


def day_end(day: date) -> datetime:
    """The last instant of a day of Brasília, UTC, one microsecond before the next day.

    Until 2019 clocks went back at midnight: such a day has its last hour twice.

    Raises:
        OverflowError: The calendar ends before it.
    """
    return datetime.combine(day, LAST_INSTANT.replace(fold=1), BRASILIA).astimezone(UTC)
