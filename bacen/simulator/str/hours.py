"""When the STR is open: its grids and the days on which it does not work, as data.

`data/str_hours.csv` holds the hours (06:30 to 18:30 are the regular ones; how long the additional
window for deposits lasts is ours), `data/holidays.csv` the national holidays until 2040.
"""

import csv
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from importlib import resources
from typing import Final, NamedTuple

from bacen.simulator.payments import BRASILIA

DATA: Final = "bacen.simulator"
SATURDAY: Final = 5
GENERAL: Final = "STR01"
WITHDRAWALS: Final = "LPI01"
DEPOSITS: Final = "LPI02"
ADDITIONAL: Final = "additional"


class Window(NamedTuple):
    """When a grid is open on a business day, in Brasília; `kind` is standard or additional."""

    opens: time
    closes: time
    kind: str


class StrHours:
    """The hours of all grids."""

    def __init__(self) -> None:
        self._windows: dict[str, list[Window]] = {}
        for row in rows("str_hours.csv"):
            window = Window(
                time.fromisoformat(row["opens"]), time.fromisoformat(row["closes"]), row["window"]
            )
            self._windows.setdefault(row["grid"], []).append(window)
        self._holidays = frozenset(date.fromisoformat(row["day"]) for row in rows("holidays.csv"))

    def is_business_day(self, day: date) -> bool:
        """Tell whether the STR works on a day."""
        return day.weekday() < SATURDAY and day not in self._holidays

    def window(self, grid: str, at: datetime) -> str | None:
        """Which window of a grid is open at an aware instant; None: it is closed."""
        local = at.astimezone(BRASILIA)
        if not self.is_business_day(local.date()):
            return None
        now = local.time()
        found = (each.kind for each in self._windows[grid] if each.opens <= now < each.closes)
        return next(found, None)

    def last_closing(self, grid: str, at: datetime) -> datetime:
        """The latest standard closing of a grid at or before an instant."""
        day = day_of(at)
        while (closing := self._closing(grid, day)) is None or closing > at:
            day -= timedelta(days=1)
        return closing

    def next_closing(self, grid: str, at: datetime) -> datetime:
        """The first standard closing of a grid after an instant."""
        day = day_of(at)
        while (closing := self._closing(grid, day)) is None or closing <= at:
            day += timedelta(days=1)
        return closing

    def _closing(self, grid: str, day: date) -> datetime | None:
        if not self.is_business_day(day):
            return None
        closes = next(each.closes for each in self._windows[grid] if each.kind != ADDITIONAL)
        return datetime.combine(day, closes, BRASILIA)


def day_of(at: datetime) -> date:
    """The day of Brasília that an aware instant belongs to."""
    return at.astimezone(BRASILIA).date()


def rows(name: str) -> Iterator[dict[str, str]]:
    """Read one of the bank's tables."""
    with (resources.files(DATA) / "data" / name).open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)
