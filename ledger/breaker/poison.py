"""How an unknown transfer is made known: its id is used up, or turns out to be used.

A lookup is no proof: the transfer may still be on its way. So its id is sent once more, with an
account that never exists. Either the id is free: then that attempt fails and burns it, and whatever
arrives later under it fails as well. Or it is not, and the answer says who was first.
"""

from enum import Enum
from typing import Final
from uuid import UUID

from ledger.transfers import LEDGER_BRL, Transfer, TransferCode, TransferResult

NEVER_CREATED: Final = UUID(int=2**128 - 2)
"""No account ever has this id."""

COUNTERPART: Final = UUID(int=2**128 - 3)
"""The other account of a poison; nobody comes to look at it."""


class Verdict(Enum):
    """What became of an unknown transfer."""

    RAN = "ran"
    NEVER = "never"
    UNEXPECTED = "unexpected"


def poison_of(transfer_id: UUID, ledger: int = LEDGER_BRL) -> Transfer:
    """The transfer that takes an id, and never anything else.

    Args:
        transfer_id: Of the transfer whose fate is unknown.
        ledger: A currency that the tenant has.
    """
    code = int(TransferCode.CORRECTION)
    return Transfer(transfer_id, NEVER_CREATED, COUNTERPART, 1, code, ledger=ledger)


def verdict_of(result: TransferResult) -> Verdict:
    """What the answer to a poison proves.

    `ID_ALREADY_FAILED`: the transfer was refused when it ran, or an earlier poison was first. Plain
    `EXISTS` would be a poison that was carried out.
    """
    if result in (TransferResult.DEBIT_ACCOUNT_NOT_FOUND, TransferResult.ID_ALREADY_FAILED):
        return Verdict.NEVER
    if result.name.startswith("EXISTS_WITH_DIFFERENT"):
        return Verdict.RAN
    return Verdict.UNEXPECTED
