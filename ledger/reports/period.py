"""Periods that reports are asked about."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ledger.days import day_end, day_start
from ledger.reports.errors import InvalidPeriod


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
            InvalidPeriod: The last day is before the first, or so late that it has no end.
        """
        if last < first:
            raise InvalidPeriod(f"{last.isoformat()} is before {first.isoformat()}")
        try:
            return cls(day_start(first), day_end(last))
        except OverflowError:
            raise InvalidPeriod(f"{last.isoformat()} is too late a day") from None


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
