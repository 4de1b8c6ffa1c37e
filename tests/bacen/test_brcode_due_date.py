"""A charge with a due date can be paid until the day that the Pix API says."""

import json
from datetime import date
from pathlib import Path

import pytest

from bacen.brcode import InvalidBrCode, last_payable_day, next_business_day

CHRISTMAS = date(2020, 12, 25)


def test_examples_of_the_pix_api(reference_folder: Path) -> None:
    examples = json.loads((reference_folder / "pixapi" / "due_date_vectors.json").read_text())
    for vector in examples["vectors"]:
        due = date.fromisoformat(vector["dataDeVencimento"])
        holidays = {date.fromisoformat(each) for each in vector["holidays"]}
        last = last_payable_day(due, vector["validadeAposVencimento"], holidays)

        assert next_business_day(due, holidays) == date.fromisoformat(vector["due_date_rolled"])
        assert last == date.fromisoformat(vector["last_payable_day"])
        for day in vector["days"]:
            assert (date.fromisoformat(day["date"]) <= last) == day["payable"]


def test_due_date_and_end_both_move_to_a_business_day() -> None:
    friday_holiday = {CHRISTMAS, date(2021, 1, 1)}

    assert last_payable_day(CHRISTMAS, 0, friday_holiday) == date(2020, 12, 28)
    assert last_payable_day(CHRISTMAS, 4, friday_holiday) == date(2021, 1, 4)


@pytest.mark.parametrize("days_after", [-1, 36_501])
def test_days_out_of_range_are_refused(days_after: int) -> None:
    with pytest.raises(InvalidBrCode):
        last_payable_day(CHRISTMAS, days_after, set())


def test_end_of_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidBrCode):
        last_payable_day(date.max, 1, set())
