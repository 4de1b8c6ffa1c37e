"""What the TigerBeetle back end is asked and what it answers."""

from dataclasses import dataclass
from uuid import UUID

from ledger.accounts import Balance
from ledger.transfers import LEDGER_BRL, Transfer


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What TigerBeetle keeps of an account; names and numbers stay in PostgreSQL.

    Attributes:
        id: As in PostgreSQL.
        code: Type of the account.
        flags: `AccountFlag`.
        ledger: Currency, as its ISO 4217 number.
    """

    id: UUID
    code: int
    flags: int = 0
    ledger: int = LEDGER_BRL


@dataclass(frozen=True, slots=True)
class CreateAccounts:
    """Request: open accounts.

    The reply is a tuple with TigerBeetle's status of each (`tigerbeetle.CreateAccountStatus`).
    """

    accounts: tuple[NewAccount, ...]


@dataclass(frozen=True, slots=True)
class CreateTransfers:
    """Request: carry out transfers in order.

    The reply is a tuple with the `TransferResult` of each. `OutcomeUnknown` is raised at the caller
    when some of them may have been carried out without an answer.
    """

    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class LookUpAccounts:
    """Request: read accounts. The reply is a dict of `FoundAccount` by id, without the missing."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class LookUpTransfers:
    """Request: read transfers. The reply is a dict of `FoundTransfer` by id, without the missing.

    An id that is not found is no proof: its transfer may still be on the way.
    """

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Renew:
    """Cast: use a new client from now on; what is under way with the old one stays under way."""


@dataclass(frozen=True, slots=True)
class DropRetired:
    """Cast: close the clients that were replaced; whoever still waits for them waits no more."""


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account as TigerBeetle has it.

    Attributes:
        account: What was opened.
        balance: The four counters, in centavos.
        timestamp: When it was opened, in nanoseconds.
    """

    account: NewAccount
    balance: Balance
    timestamp: int


@dataclass(frozen=True, slots=True)
class FoundTransfer:
    """A transfer as TigerBeetle has it: what a post took from its hold is filled in.

    Attributes:
        transfer: What was carried out.
        timestamp: When, in nanoseconds; the order of timestamps is the order of execution.
    """

    transfer: Transfer
    timestamp: int
