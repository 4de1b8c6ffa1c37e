"""Days of Brasília, whatever its clocks did."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.reports import InvalidPeriod, Period, business_day, day_end, day_start

MICROSECOND = timedelta(microseconds=1)
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@given(DAYS)
def test_days_follow_each_other_without_a_gap(day: date) -> None:
    assert day_end(day) + MICROSECOND == day_start(day + timedelta(days=1))


@given(DAYS)
def test_first_and_last_instant_belong_to_their_day(day: date) -> None:
    assert business_day(day_start(day)) == day == business_day(day_end(day))
    assert business_day(day_start(day) - MICROSECOND) == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 11, 21), 24), (date(2018, 11, 4), 23), (date(2018, 2, 17), 25)],
)
def test_day_has_an_hour_less_or_more_where_clocks_were_changed(day: date, hours: int) -> None:
    assert day_end(day) + MICROSECOND - day_start(day) == timedelta(hours=hours)


def test_day_ends_at_three_in_the_morning_utc() -> None:
    assert day_end(date(2026, 1, 31)) == datetime(2026, 2, 1, 3, tzinfo=UTC) - MICROSECOND


def test_period_must_be_in_order_and_have_a_time_zone() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    with pytest.raises(InvalidPeriod, match="ends before it begins"):
        Period(now, now - MICROSECOND)
    with pytest.raises(InvalidPeriod, match="has no time zone"):
        Period(now.replace(tzinfo=None), now)
    with pytest.raises(InvalidPeriod, match="2026-01-01 is before 2026-01-02"):
        Period.of_days(date(2026, 1, 2), date(2026, 1, 1))
    with pytest.raises(InvalidPeriod, match="too late a day"):
        Period.of_days(date(2026, 1, 2), date.max)
