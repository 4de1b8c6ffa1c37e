"""Our selection of COSIF rubrics and the one of them that each account code is reported under.

Fifty-nine accounts of five types for a payment institution. It is a selection of ours, made to be
replaced by an institution's own: check it against the official list of accounts before a filing.
The table is read and checked once, when this package is imported.
"""

from ledger.cosif.chart import CHART, Chart
from ledger.cosif.code import CosifCode, check_digit
from ledger.cosif.errors import CosifError, InvalidChart, InvalidCode, NoRubric, OldStyleCode
from ledger.cosif.mapping import nature_of, rubric_of
from ledger.cosif.rubric import AccountType, Nature, Rubric

__all__ = [
    "CHART",
    "AccountType",
    "Chart",
    "CosifCode",
    "CosifError",
    "InvalidChart",
    "InvalidCode",
    "Nature",
    "NoRubric",
    "OldStyleCode",
    "Rubric",
    "check_digit",
    "nature_of",
    "rubric_of",
]
