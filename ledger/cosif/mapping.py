"""Which rubric each account code is reported under, from `data/account_codes.csv`.

The ledger knows a small number; the rubric behind it may change from one day to the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, TypeAlias

from ledger.accounts import AccountCode
from ledger.cosif.chart import CHART, Chart, table
from ledger.cosif.code import CosifCode
from ledger.cosif.errors import InvalidChart, InvalidCode, NoRubric
from ledger.cosif.rubric import Nature, Rubric


@dataclass(frozen=True, slots=True)
class Assignment:
    """An account code's rubric during a time.

    Attributes:
        rubric: An analytic one.
        valid_from: First day.
        valid_to: Last day; None while no end is known.
    """

    rubric: Rubric
    valid_from: date
    valid_to: date | None

    def is_valid_on(self, day: date) -> bool:
        """Tell whether the account code is reported there on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


Assignments: TypeAlias = dict[int, tuple[Assignment, ...]]
"""In order of their days, by account code: a number that nobody knows finds nothing."""


def assignments_from(rows: Iterable[Mapping[str, str]], chart: Chart) -> Assignments:
    """Read the table and check it against the chart.

    Args:
        rows: Columns `account_code` (its name), `code`, `valid_from`, `valid_to` (may be empty).
        chart: Where the rubrics are.

    Raises:
        InvalidChart: An account code or rubric is unknown, the rubric is not analytic or not valid
            all the time, two assignments overlap, or they differ in nature.
    """
    found: dict[AccountCode, list[Assignment]] = {}
    for row in rows:
        code, assignment = _assignment(row, chart)
        found.setdefault(code, []).append(assignment)
    return {code: _in_order(code, assignments) for code, assignments in found.items()}


def _assignment(row: Mapping[str, str], chart: Chart) -> tuple[AccountCode, Assignment]:
    name = row["account_code"]
    if name not in AccountCode.__members__:
        raise InvalidChart(name, "there is no such account code")
    try:
        rubric = chart.rubric(CosifCode.parse(row["code"]))
        first = date.fromisoformat(row["valid_from"])
        last = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
    except (InvalidCode, ValueError) as error:
        raise InvalidChart(name, str(error)) from error
    if rubric is None or not rubric.is_analytic:
        raise InvalidChart(name, f"{row['code']} is no analytic rubric of the chart")
    ends = rubric.valid_to
    if first < rubric.valid_from or (ends is not None and (last is None or last > ends)):
        raise InvalidChart(name, f"{row['code']} is valid for a shorter time")
    return AccountCode[name], Assignment(rubric, first, last)


def _in_order(code: AccountCode, assignments: list[Assignment]) -> tuple[Assignment, ...]:
    ordered = sorted(assignments, key=lambda each: each.valid_from)
    for earlier, later in pairwise(ordered):
        if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
            raise InvalidChart(code.name, "it has two rubrics at a time")
        if earlier.rubric.nature is not later.rubric.nature:
            raise InvalidChart(code.name, "its rubrics differ in nature")
    return tuple(ordered)


ASSIGNMENTS: Final = assignments_from(table("account_codes.csv"), CHART)


def rubric_of(account_code: int, on: date) -> Rubric:
    """The one rubric under which accounts with this code are reported on a day.

    Raises:
        NoRubric: None is, on that day.
    """
    for assignment in ASSIGNMENTS.get(account_code, ()):
        if assignment.is_valid_on(on):
            return assignment.rubric
    raise NoRubric(account_code, on)


def nature_of(account_code: int) -> Nature:
    """The side that makes the balance of accounts with this code grow; the same on every day.

    Raises:
        NoRubric: The code has no rubric at all.
    """
    assigned = ASSIGNMENTS.get(account_code)
    if not assigned:
        raise NoRubric(account_code, None)
    return assigned[-1].rubric.nature
