"""Until when a charge with a due date can be paid (Pix API 2.9.0, `validadeAposVencimento`)."""

from collections.abc import Collection
from datetime import date, timedelta

from bacen import InvalidBrCode

SATURDAY = 5
DAYS_AFTER_MAX = 36_500


def last_payable_day(due: date, days_after: int, holidays: Collection[date]) -> date:
    """Tell the last day on which a charge can be paid; every day before it is payable too.

    A due date on a weekend or holiday moves to the next business day, the calendar days are
    added, and the sum moves once more where it is no business day.

    Args:
        due: Due date as the charge states it.
        days_after: Calendar days after it, from 0 (`validadeAposVencimento`).
        holidays: National holidays of the payer's and receiver's choice of calendar.

    Raises:
        InvalidBrCode: The days are negative or too many, or the calendar ends.
    """
    if not 0 <= days_after <= DAYS_AFTER_MAX:
        raise InvalidBrCode("days_after", f"must be 0 to {DAYS_AFTER_MAX} days")
    try:
        moved = next_business_day(due, holidays)
        return next_business_day(moved + timedelta(days=days_after), holidays)
    except OverflowError:
        raise InvalidBrCode("due", "leads beyond the calendar") from None


def next_business_day(day: date, holidays: Collection[date]) -> date:
    """The day itself, or the first after it that is no weekend and no holiday.

    Raises:
        OverflowError: The calendar ends before it.
    """
    while day.weekday() >= SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day
