"""Errors of the circuit breaker.

LedgerError
├── NothingDone       BreakerFenced, BreakerOpen, Unsupported, NotThisTime
└── OutcomeUnknown    JournalUnknown, HoldUnknown
"""

from dataclasses import dataclass

from ledger.errors import NothingDone, OutcomeUnknown


@dataclass(eq=False)
class BreakerFenced(NothingDone):
    """A younger breaker of the tenant has taken over; this one's epoch is refused for ever.

    Attributes:
        tenant: ISPB.
        epoch: Of the refused writer.
    """

    tenant: str
    epoch: int


@dataclass(eq=False)
class BreakerOpen(NothingDone):
    """That takes TigerBeetle, which does not answer now.

    Attributes:
        tenant: ISPB.
        what: What was asked for.
    """

    tenant: str
    what: str


@dataclass(eq=False)
class Unsupported(NothingDone):
    """Transfers of this form cannot go through a breaker: the two ledgers might differ on them.

    Attributes:
        what: Name of the field.
    """

    what: str


@dataclass(eq=False)
class JournalUnknown(OutcomeUnknown):
    """The journal's database was lost while it was being read or written.

    Attributes:
        tenant: ISPB.
        problem: What happened.
    """

    tenant: str
    problem: str


@dataclass(eq=False)
class NotThisTime(NothingDone):
    """The entries were not tried, or left nothing behind; another attempt takes new ids.

    Attributes:
        problem: What was in the way.
    """

    problem: str


@dataclass(eq=False)
class HoldUnknown(OutcomeUnknown):
    """TigerBeetle did not say whether it holds the money, or PostgreSQL whether it wrote it down.

    A hold that PostgreSQL does not have is released when that is known. An idempotency key tells
    the next attempt whether this one succeeded.

    Attributes:
        problem: What happened.
    """

    problem: str
