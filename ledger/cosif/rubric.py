"""What a rubric is."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ledger.cosif.code import CosifCode


class AccountType(StrEnum):
    """The five types of account; memorandum accounts (groups 3 and 9) have none."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Nature(StrEnum):
    """The side that makes the balance of an account grow."""

    DEBIT = "debit"
    CREDIT = "credit"

    def balance_cents(self, debits_cents: int, credits_cents: int) -> int:
        """Balance in centavos; negative where the other side is larger."""
        difference = debits_cents - credits_cents
        return difference if self is Nature.DEBIT else -difference


@dataclass(frozen=True, slots=True)
class Rubric:
    """One account of the chart.

    Attributes:
        code: Its code.
        name: In Portuguese, as it is reported.
        type: Asset, liability, equity, income or expense; follows from the group.
        nature: Side of its balance; a reducing account, "(-)", has the other one of its type.
        valid_from: First day on which it may be used.
        valid_to: Last day; None while no end is known.
        is_analytic: Nothing of the chart is below it: balances are kept here, sums above.
    """

    code: CosifCode
    name: str
    type: AccountType
    nature: Nature
    valid_from: date
    valid_to: date | None
    is_analytic: bool

    def is_valid_on(self, day: date) -> bool:
        """Tell whether it may be used on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
