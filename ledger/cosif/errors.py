"""Errors of the chart of accounts.

CosifError
├── InvalidCode        no code of nine digits and a check digit     OldStyleCode
├── InvalidChart       a table contradicts itself
└── NoRubric           nothing is valid for an account code on a day
"""

from dataclasses import dataclass
from datetime import date

from ledger.errors import LedgerError


@dataclass(eq=False)
class CosifError(LedgerError):
    """Root of the errors about rubrics and their codes."""


@dataclass(eq=False)
class InvalidCode(CosifError):
    """A text is not the code of a rubric."""

    text: str
    problem: str

    def __str__(self) -> str:
        return f"{self.text!r} is no COSIF code: {self.problem}"


@dataclass(eq=False)
class OldStyleCode(InvalidCode):
    """A code of seven digits and a check digit, out of use since January 2025."""


@dataclass(eq=False)
class InvalidChart(CosifError):
    """A table of rubrics cannot be used.

    Attributes:
        where: Code or account code of the row.
        problem: What is wrong with it.
    """

    where: str
    problem: str


@dataclass(eq=False)
class NoRubric(CosifError):
    """No rubric is valid for the account code on that day, or on any where none is named."""

    account_code: int
    on: date | None

    def __str__(self) -> str:
        day = f" on {self.on.isoformat()}" if self.on is not None else ""
        return f"account code {self.account_code} has no COSIF rubric{day}"
