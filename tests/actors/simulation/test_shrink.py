"""The least that still fails."""

import pytest

from actors.simulation.choices import Choices, Kind, format_choices, parse_choices
from actors.simulation.errors import InvalidChoices
from actors.simulation.shrink import Shrinking

Schedule = dict[tuple[Kind, int], int]


def turns(*numbers: int, option: int = 1) -> Schedule:
    return {(Kind.TURN, number): option for number in numbers}


def test_only_choices_that_matter_are_kept() -> None:
    needed = {(Kind.TURN, 3), (Kind.TURN, 77), (Kind.TURN, 150)}
    shrinking = Shrinking(lambda schedule: (needed <= schedule.keys(), 1))

    smallest = shrinking.smallest(turns(*range(200)))

    assert smallest.keys() == needed
    assert shrinking.runs < 200


def test_numbers_become_as_small_as_they_can() -> None:
    shrinking = Shrinking(lambda schedule: (schedule.get((Kind.DELAY, 5), 0) >= 7, 1))

    assert shrinking.smallest({(Kind.DELAY, 5): 20, (Kind.DELAY, 6): 20}) == {(Kind.DELAY, 5): 7}


def test_failure_of_the_plain_schedule_needs_no_choice() -> None:
    assert Shrinking(lambda _: (True, 1)).smallest(turns(1, 2)) == {}


def test_it_stops_when_its_steps_are_used_up_with_something_that_fails() -> None:
    def fails(schedule: Schedule) -> tuple[bool, int]:
        return (Kind.TURN, 3) in schedule, 100

    shrinking = Shrinking(fails, steps_max=250)
    smallest = shrinking.smallest(turns(*range(64)))

    assert shrinking.runs == 3
    assert fails(smallest)[0]
    assert len(smallest) < 64


def test_schedule_survives_being_written_and_read() -> None:
    schedule = {(Kind.TURN, 3): 1, (Kind.CRASH, 40): 2, (Kind.DELAY, 0): 9, (Kind.JITTER, 7): 1}

    assert parse_choices(format_choices(schedule)) == schedule
    assert format_choices(schedule) == "turn3:1,crash40:2,delay0:9,jitter7:1"
    assert parse_choices("") == {}


@pytest.mark.parametrize(
    "text", ["turn", "turn3", "turn3:", "3:1", "turn3:1,,", "walk3:1", "turn-3:1"]
)
def test_text_that_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(InvalidChoices):
        parse_choices(text)


def test_given_option_that_does_not_exist_is_the_last_one() -> None:
    choices = Choices(0, parse_choices("turn0:9,crash1:9"))

    assert choices.turn.choose(3) == 2
    assert choices.turn.choose(3) == 0
    assert choices.crash.choose_seldom(lambda: 3) == 0
    assert choices.crash.choose_seldom(lambda: 3) == 2
    assert choices.schedule() == {(Kind.TURN, 0): 2, (Kind.CRASH, 1): 2}
