"""Errors of the reports.

ReportError
├── AccountNotFound    this tenant has no such account, or more than one by that name
├── TenantNotFound     this database has no accounts of the tenant
├── InvalidPeriod      the instants are not in order, or without a time zone
└── CannotFile         a report that must not be sent as it is
"""

from dataclasses import dataclass

from ledger.errors import LedgerError


@dataclass(eq=False)
class ReportError(LedgerError):
    """Root of the errors of the reports; nothing was written, nothing was made."""


@dataclass(eq=False)
class AccountNotFound(ReportError):
    """The tenant has no such account; whether another tenant has is not told."""

    account: str

    def __str__(self) -> str:
        return f"there is no account {self.account}"


@dataclass(eq=False)
class TenantNotFound(ReportError):
    """No account of this tenant is in the database."""

    tenant: str

    def __str__(self) -> str:
        return f"there are no accounts of tenant {self.tenant}"


@dataclass(eq=False)
class InvalidPeriod(ReportError):
    """A period that cannot be asked about."""

    problem: str

    def __str__(self) -> str:
        return self.problem


@dataclass(eq=False)
class CannotFile(ReportError):
    """A report that must not be sent to the central bank."""

    problem: str

    def __str__(self) -> str:
        return self.problem
