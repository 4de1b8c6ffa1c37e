"""Days of Brasília as instants.

An instant is a microsecond here as in PostgreSQL, so a period has a first and a last one and both
belong to it: the balance at the end of a day is the closing balance of that day's statement.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ledger.reports.errors import InvalidPeriod

BRASILIA: Final = ZoneInfo("America/Sao_Paulo")
"""Legal time of the payment system."""

LAST_INSTANT: Final = time(23, 59, 59, 999_999)


def business_day(at: datetime) -> date:
    """The day of Brasília that the aware instant `at` belongs to."""
    return at.astimezone(BRASILIA).date()


def day_start(day: date) -> datetime:
    """The first instant of a day of Brasília, UTC.

    Until 2019 clocks went forward at midnight: such a day begins with its first hour missing.
    """
    return _utc(datetime.combine(day, time.min, BRASILIA))


def day_end(day: date) -> datetime:
    """The last instant of a day of Brasília, UTC, one microsecond before the next day.

    Until 2019 clocks went back at midnight: such a day has its last hour twice.
    """
    return _utc(datetime.combine(day, LAST_INSTANT.replace(fold=1), BRASILIA))


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise InvalidPeriod(f"{at.date().isoformat()} is too late a day") from None


@dataclass(frozen=True, slots=True)
class Period:
    """From one instant to another, both included.

    Attributes:
        start: First instant, aware.
        end: Last instant, aware, not before the first.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        require_aware(self.start)
        require_aware(self.end)
        if self.end < self.start:
            raise InvalidPeriod("the period ends before it begins")

    @classmethod
    def of_days(cls, first: date, last: date) -> "Period":
        """Whole days of Brasília, both included.

        Raises:
            InvalidPeriod: The last day is before the first.
        """
        if last < first:
            raise InvalidPeriod(f"{last.isoformat()} is before {first.isoformat()}")
        return cls(day_start(first), day_end(last))


def is_month_end(day: date) -> bool:
    """Tell whether `day` is the last of its month."""
    return (day + timedelta(days=1)).day == 1


def require_aware(at: datetime) -> None:
    """Refuse an instant without a time zone: nobody knows when it is.

    Raises:
        InvalidPeriod: It has none.
    """
    if at.utcoffset() is None:
        raise InvalidPeriod(f"{at.isoformat()} has no time zone")
