"""What a breaker is asked and what it answers."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from ledger.tigerbeetle import NewAccount
from ledger.transfers import Transfer, TransferResult


class Standing(Enum):
    """How a transfer stands that has no result yet."""

    UNKNOWN = "unknown"
    """It may have been carried out, and never will be twice: ask again with the same id."""
    NOT_NOW = "not_now"
    """Nothing was done: it is about a hold, or an account, whose own fate is unknown. Ask again."""


Answer: TypeAlias = TransferResult | Standing
"""`CREATED`: booked. `EXISTS`: booked before. Other results: it is not and never will be."""


class Position(Enum):
    """Which way the money goes."""

    CLOSED = "closed"
    """Through TigerBeetle."""
    OPEN = "open"
    """Into PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Request: carry out transfers in order, each for itself, linked ones together or not at all.

    The reply is a tuple of `Answer`. None at all is answered when all before it were. A hold with a
    timeout is ended by the breaker. `Unsupported` when one of them cannot go through a breaker.
    """

    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class AddAccounts:
    """Request: open accounts in both ledgers; those that are there already, unchanged, are fine.

    The reply is a tuple of TigerBeetle's statuses, or of what they would be: while the breaker is
    open, TigerBeetle gets the accounts on the way back. `BreakerOpen` when it has just failed.
    """

    accounts: tuple[NewAccount, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """Request: go to PostgreSQL and stay there until `Close` is asked for. Replies `Status`.

    Attributes:
        reason: Why.
        made_by: Who asked for it, as an audit knows them.
    """

    reason: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Close:
    """Request: try to go back to TigerBeetle now. Nothing is skipped; replies `Status`.

    Attributes:
        reason: Why.
        made_by: Who asked for it, as an audit knows them.
    """

    reason: str
    made_by: str


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Request: the reply is a `Status`."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a breaker stands.

    Attributes:
        position: Which ledger takes the transfers.
        epoch: Of its writer.
        is_held: It stays open until a person closes it.
        reason: Of the last change of position.
        unknown: Transfers whose fate is unknown.
        lag: Transfers that one ledger has and the other one lacks.
    """

    position: Position
    epoch: int
    is_held: bool
    reason: str
    unknown: int
    lag: int


@dataclass(frozen=True, slots=True)
class Follow:
    """Cast to a `Follower`: PostgreSQL has written something."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Request to a `Follower`: follow now. The reply is False when something is in the way."""
