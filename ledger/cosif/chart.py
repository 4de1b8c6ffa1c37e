"""The chart of accounts, read from `data/chart.csv` and checked before anything uses it."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from importlib import resources
from typing import Final

from ledger.cosif.code import CosifCode
from ledger.cosif.errors import InvalidChart, InvalidCode
from ledger.cosif.rubric import AccountType, Nature, Rubric

DATA: Final = "ledger.cosif"

TYPES: Final = {
    1: AccountType.ASSET,
    2: AccountType.ASSET,
    4: AccountType.LIABILITY,
    6: AccountType.EQUITY,
    7: AccountType.INCOME,
    8: AccountType.EXPENSE,
}
"""Type of each group that has one."""

NATURES: Final = {
    AccountType.ASSET: Nature.DEBIT,
    AccountType.EXPENSE: Nature.DEBIT,
    AccountType.LIABILITY: Nature.CREDIT,
    AccountType.EQUITY: Nature.CREDIT,
    AccountType.INCOME: Nature.CREDIT,
}
REDUCING: Final = "(-)"


class Chart:
    """Rubrics by their codes, every one with the levels above it."""

    def __init__(self, rubrics: Iterable[Rubric]) -> None:
        self._rubrics = {rubric.code: rubric for rubric in sorted(rubrics, key=lambda r: r.code)}

    def __len__(self) -> int:
        return len(self._rubrics)

    @property
    def rubrics(self) -> tuple[Rubric, ...]:
        """All of them, in the order of their codes."""
        return tuple(self._rubrics.values())

    def rubric(self, code: CosifCode) -> Rubric | None:
        """The rubric with this code."""
        return self._rubrics.get(code)

    def above(self, rubric: Rubric) -> tuple[Rubric, ...]:
        """The rubrics that `rubric` is counted in, nearest first, up to its group."""
        levels = []
        code = rubric.code.parent
        while code is not None:
            levels.append(self._rubrics[code])
            code = code.parent
        return tuple(levels)


def chart_from(rows: Iterable[Mapping[str, str]]) -> Chart:
    """Make a chart of the rows of a table.

    Args:
        rows: Columns `code`, `type`, `nature`, `valid_from`, `valid_to` (may be empty), `name`.

    Raises:
        InvalidChart: A code is wrong or there twice, a level above is missing or valid for a
            shorter time, or type or nature do not fit.
    """
    table: dict[CosifCode, Mapping[str, str]] = {}
    for row in rows:
        try:
            code = CosifCode.parse(row["code"])
        except InvalidCode as error:
            raise InvalidChart(row["code"], str(error)) from error
        if code in table:
            raise InvalidChart(str(code), "it is there twice")
        table[code] = row
    parents = {code.parent for code in table}
    rubrics = {
        code: _rubric(code, row, is_analytic=code not in parents) for code, row in table.items()
    }
    for rubric in rubrics.values():
        if rubric.code.parent is not None:
            _check_parent(rubric, rubrics.get(rubric.code.parent))
    return Chart(rubrics.values())


def _rubric(code: CosifCode, row: Mapping[str, str], *, is_analytic: bool) -> Rubric:
    try:
        rubric = Rubric(
            code=code,
            name=row["name"],
            type=AccountType(row["type"]),
            nature=Nature(row["nature"]),
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            is_analytic=is_analytic,
        )
    except ValueError as error:
        raise InvalidChart(str(code), str(error)) from error
    if TYPES.get(code.group) is not rubric.type:
        raise InvalidChart(str(code), f"group {code.group} is not of type {rubric.type}")
    is_reducing = rubric.nature is not NATURES[rubric.type]
    if is_reducing is not rubric.name.startswith(REDUCING):
        raise InvalidChart(str(code), f"only an account named {REDUCING!r} reduces its type")
    if rubric.valid_to is not None and rubric.valid_to < rubric.valid_from:
        raise InvalidChart(str(code), "it ends before it begins")
    return rubric


def _check_parent(rubric: Rubric, parent: Rubric | None) -> None:
    if parent is None:
        raise InvalidChart(str(rubric.code), f"{rubric.code.parent} above it is missing")
    ends = parent.valid_to
    outlives = ends is not None and (rubric.valid_to is None or rubric.valid_to > ends)
    if rubric.valid_from < parent.valid_from or outlives:
        raise InvalidChart(str(rubric.code), f"{parent.code} above it is valid for a shorter time")


def table(name: str) -> list[dict[str, str]]:
    """The rows of a data file of this package."""
    file = resources.files(DATA) / "data" / name
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


CHART: Final = chart_from(table("chart.csv"))
"""Our selection."""
