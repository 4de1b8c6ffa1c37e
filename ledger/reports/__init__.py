"""What the ledger says of the past: balances, statements, trial balances, and the file of it.

Everything is computed from the transfers, at any instant, by reading only; the platform may run
meanwhile. Days are days of Brasília. Every read names the tenant: an account of another one is
not found.
"""

from ledger.days import BRASILIA, business_day, day_end, day_start
from ledger.reports.amounts import signed_text
from ledger.reports.balances import Funds, balance_at, find_account, funds
from ledger.reports.cadoc import Submission, cadoc_4010
from ledger.reports.errors import (
    AccountNotFound,
    CannotFile,
    InvalidPeriod,
    ReportError,
    TenantNotFound,
)
from ledger.reports.period import Period
from ledger.reports.statement import (
    LINES_MAX,
    Statement,
    StatementAccount,
    StatementLine,
    statement,
    statement_pages,
)
from ledger.reports.trial_balance import TrialBalance, TrialLine, trial_balance

__all__ = [
    "BRASILIA",
    "LINES_MAX",
    "AccountNotFound",
    "CannotFile",
    "Funds",
    "InvalidPeriod",
    "Period",
    "ReportError",
    "Statement",
    "StatementAccount",
    "StatementLine",
    "Submission",
    "TenantNotFound",
    "TrialBalance",
    "TrialLine",
    "balance_at",
    "business_day",
    "cadoc_4010",
    "day_end",
    "day_start",
    "find_account",
    "funds",
    "signed_text",
    "statement",
    "statement_pages",
    "trial_balance",
]
