"""Transfers: money from one account to another, held, posted or released."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from uuid import UUID

AMOUNT_CENTS_MAX: Final = 2**62
"""Largest amount of one transfer: two of them still fit a signed 64-bit counter."""

NIL: Final = UUID(int=0)
"""Account of a post or void: taken from the hold."""


class TransferKind(IntEnum):
    """Phase of a transfer: posted at once, or a hold and the transfer that resolves it."""

    POSTED = 0
    PENDING = 1
    POST = 2
    VOID = 3


class TransferCode(IntEnum):
    """Why the money moved. `OF_HOLD`: the code of the hold that is resolved."""

    OF_HOLD = 0
    FUNDING = 1
    PIX_OUT = 2
    PIX_IN = 3
    PIX_RETURN_OUT = 4
    PIX_RETURN_IN = 5
    BOOK_TRANSFER = 6
    FEE = 7
    CORRECTION = 8


class TransferResult(IntEnum):
    """Outcome of one transfer; numbers of TigerBeetle 0.17 (CreateTransferStatus), ours from 1000.

    Checks run in TigerBeetle's order and only the first that fails is told.
    """

    CREATED = 0xFFFFFFFF
    ID_MUST_NOT_BE_ZERO = 5
    ID_MUST_NOT_BE_INT_MAX = 6
    DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO = 8
    DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX = 9
    CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO = 10
    CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX = 11
    ACCOUNTS_MUST_BE_DIFFERENT = 12
    PENDING_ID_MUST_BE_ZERO = 13
    PENDING_ID_MUST_NOT_BE_ZERO = 14
    PENDING_ID_MUST_NOT_BE_INT_MAX = 15
    PENDING_ID_MUST_BE_DIFFERENT = 16
    CODE_MUST_NOT_BE_ZERO = 20
    DEBIT_ACCOUNT_NOT_FOUND = 21
    CREDIT_ACCOUNT_NOT_FOUND = 22
    PENDING_TRANSFER_NOT_FOUND = 25
    PENDING_TRANSFER_NOT_PENDING = 26
    PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID = 27
    PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID = 28
    PENDING_TRANSFER_HAS_DIFFERENT_CODE = 30
    EXCEEDS_PENDING_TRANSFER_AMOUNT = 31
    PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT = 32
    PENDING_TRANSFER_ALREADY_POSTED = 33
    PENDING_TRANSFER_ALREADY_VOIDED = 34
    EXISTS_WITH_DIFFERENT_FLAGS = 36
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID = 37
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID = 38
    EXISTS_WITH_DIFFERENT_AMOUNT = 39
    EXISTS_WITH_DIFFERENT_PENDING_ID = 40
    EXISTS_WITH_DIFFERENT_CODE = 45
    EXISTS = 46
    OVERFLOWS_DEBITS_PENDING = 47
    OVERFLOWS_CREDITS_PENDING = 48
    OVERFLOWS_DEBITS_POSTED = 49
    OVERFLOWS_CREDITS_POSTED = 50
    OVERFLOWS_DEBITS = 51
    OVERFLOWS_CREDITS = 52
    EXCEEDS_CREDITS = 54
    EXCEEDS_DEBITS = 55
    DEBIT_ACCOUNT_ALREADY_CLOSED = 65
    CREDIT_ACCOUNT_ALREADY_CLOSED = 66
    AMOUNT_OUT_OF_RANGE = 1000


@dataclass(frozen=True, slots=True)
class Transfer:
    """One movement of money between two accounts of the same shard.

    Build a plain transfer here, the others with `hold`, `post` and `void`.

    Attributes:
        id: Chosen and stored by the originator before the first attempt; every retry reuses it.
        debit_account_id: Account debited; `NIL` in a post or void.
        credit_account_id: Account credited; `NIL` in a post or void.
        amount_cents: 1 to 2^62 centavos; 0 in a post or void, which take the whole hold.
        code: Why the money moved; `OF_HOLD` in a post or void.
        kind: Phase.
        pending_id: The hold that a post or void resolves.
    """

    id: UUID
    debit_account_id: UUID
    credit_account_id: UUID
    amount_cents: int
    code: TransferCode
    kind: TransferKind = TransferKind.POSTED
    pending_id: UUID | None = None


# Called by keyword everywhere: the five facts of a hold are all of the same weight.
def hold(
    id: UUID,  # noqa: A002 - the field's own name
    debit_account_id: UUID,
    credit_account_id: UUID,
    amount_cents: int,
    code: TransferCode,
) -> Transfer:
    """Reserve `amount_cents`: counts against the debit account's limit, moves nothing yet."""
    return Transfer(
        id, debit_account_id, credit_account_id, amount_cents, code, TransferKind.PENDING
    )


def post(id: UUID, pending_id: UUID) -> Transfer:  # noqa: A002 - the field's own name
    """Turn the whole hold `pending_id` into a posted transfer."""
    return Transfer(id, NIL, NIL, 0, TransferCode.OF_HOLD, TransferKind.POST, pending_id)


def void(id: UUID, pending_id: UUID) -> Transfer:  # noqa: A002 - the field's own name
    """Release the whole hold `pending_id`."""
    return Transfer(id, NIL, NIL, 0, TransferCode.OF_HOLD, TransferKind.VOID, pending_id)
