"""Errors of the TigerBeetle back end.

LedgerError
├── NothingDone       nothing was sent      UnknownLedger, OutOfRange, OpenChain
├── OutcomeUnknown    ask, or poison        TigerBeetleUnknown
└── Unfit             not as we know it     UnexpectedAnswer
"""

from dataclasses import dataclass

from ledger.errors import NothingDone, OutcomeUnknown, Unfit


@dataclass(eq=False)
class UnknownLedger(NothingDone):
    """The tenant has no TigerBeetle ledger for this currency.

    Attributes:
        currency: ISO 4217 number.
    """

    currency: int


@dataclass(eq=False)
class OutOfRange(NothingDone):
    """A field does not fit its number of bits.

    Attributes:
        what: Name of the field.
        bits: How many it has.
    """

    what: str
    bits: int


@dataclass(eq=False)
class OpenChain(NothingDone):
    """The last transfer is linked to one that is not there; nobody else's may take its place."""


@dataclass(eq=False)
class TigerBeetleUnknown(OutcomeUnknown):
    """The deadline passed, or the client was closed or evicted, before the answer came.

    The request may have been carried out, or may still be.

    Attributes:
        problem: What happened.
    """

    problem: str


@dataclass(eq=False)
class UnexpectedAnswer(Unfit):
    """TigerBeetle answered something that this version of the back end does not know.

    Attributes:
        problem: What.
    """

    problem: str
