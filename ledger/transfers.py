"""Transfers: money from one account to another, held, posted or released."""

from enum import IntEnum, IntFlag
from typing import Final
from uuid import UUID

import msgspec

AMOUNT_ALL: Final = 2**128 - 1
"""Amount of a post: everything that was held. Of a balancing transfer: as much as there is."""

LEDGER_BRL: Final = 986
"""The ledger of a currency is its ISO 4217 number; a tenant has one for each currency."""

NIL: Final = UUID(int=0)
"""Account of a post or void: taken from the hold."""


class TransferFlag(IntFlag):
    """How a transfer moves money; bits as in TigerBeetle 0.17.

    `PENDING`, `POST_PENDING_TRANSFER` and `VOID_PENDING_TRANSFER` exclude one another.
    """

    NONE = 0
    LINKED = 1
    PENDING = 2
    POST_PENDING_TRANSFER = 4
    VOID_PENDING_TRANSFER = 8
    BALANCING_DEBIT = 16
    BALANCING_CREDIT = 32
    CLOSING_DEBIT = 64
    CLOSING_CREDIT = 128


class TransferKind(IntEnum):
    """Phase of a stored transfer: posted at once, or a hold and what ended it."""

    POSTED = 0
    PENDING = 1
    POST = 2
    VOID = 3
    EXPIRED = 4
    """Made by the ledger itself when the time of a hold is over; releases it like a void."""


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
    LINKED_EVENT_FAILED = 1
    LINKED_EVENT_CHAIN_OPEN = 2
    RESERVED_FLAG = 4
    ID_MUST_NOT_BE_ZERO = 5
    ID_MUST_NOT_BE_INT_MAX = 6
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = 7
    DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO = 8
    DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX = 9
    CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO = 10
    CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX = 11
    ACCOUNTS_MUST_BE_DIFFERENT = 12
    PENDING_ID_MUST_BE_ZERO = 13
    PENDING_ID_MUST_NOT_BE_ZERO = 14
    PENDING_ID_MUST_NOT_BE_INT_MAX = 15
    PENDING_ID_MUST_BE_DIFFERENT = 16
    TIMEOUT_RESERVED_FOR_PENDING_TRANSFER = 17
    LEDGER_MUST_NOT_BE_ZERO = 19
    CODE_MUST_NOT_BE_ZERO = 20
    DEBIT_ACCOUNT_NOT_FOUND = 21
    CREDIT_ACCOUNT_NOT_FOUND = 22
    ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER = 23
    TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS = 24
    PENDING_TRANSFER_NOT_FOUND = 25
    PENDING_TRANSFER_NOT_PENDING = 26
    PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID = 27
    PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID = 28
    PENDING_TRANSFER_HAS_DIFFERENT_LEDGER = 29
    PENDING_TRANSFER_HAS_DIFFERENT_CODE = 30
    EXCEEDS_PENDING_TRANSFER_AMOUNT = 31
    PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT = 32
    PENDING_TRANSFER_ALREADY_POSTED = 33
    PENDING_TRANSFER_ALREADY_VOIDED = 34
    PENDING_TRANSFER_EXPIRED = 35
    EXISTS_WITH_DIFFERENT_FLAGS = 36
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID = 37
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID = 38
    EXISTS_WITH_DIFFERENT_AMOUNT = 39
    EXISTS_WITH_DIFFERENT_PENDING_ID = 40
    EXISTS_WITH_DIFFERENT_USER_DATA_128 = 41
    EXISTS_WITH_DIFFERENT_USER_DATA_64 = 42
    EXISTS_WITH_DIFFERENT_USER_DATA_32 = 43
    EXISTS_WITH_DIFFERENT_TIMEOUT = 44
    EXISTS_WITH_DIFFERENT_CODE = 45
    EXISTS = 46
    OVERFLOWS_DEBITS_PENDING = 47
    OVERFLOWS_CREDITS_PENDING = 48
    OVERFLOWS_DEBITS_POSTED = 49
    OVERFLOWS_CREDITS_POSTED = 50
    OVERFLOWS_DEBITS = 51
    OVERFLOWS_CREDITS = 52
    OVERFLOWS_TIMEOUT = 53
    EXCEEDS_CREDITS = 54
    EXCEEDS_DEBITS = 55
    CLOSING_TRANSFER_MUST_BE_PENDING = 64
    DEBIT_ACCOUNT_ALREADY_CLOSED = 65
    CREDIT_ACCOUNT_ALREADY_CLOSED = 66
    EXISTS_WITH_DIFFERENT_LEDGER = 67
    ID_ALREADY_FAILED = 68
    AMOUNT_OUT_OF_RANGE = 1000
    DEBIT_ACCOUNT_INACTIVE = 1001
    CREDIT_ACCOUNT_INACTIVE = 1002
    DEBIT_ACCOUNT_BLOCKED = 1003
    EXCEEDS_TRANSFER_LIMIT = 1004
    EXCEEDS_DAY_LIMIT = 1005
    EXCEEDS_BALANCE_LIMIT = 1006


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """One movement of money between two accounts of the same shard.

    Build a plain transfer here, the others with `hold`, `post` and `void`.

    Attributes:
        id: Chosen and stored by the originator before the first attempt; every retry reuses it.
        debit_account_id: Account debited; `NIL` in a post or void.
        credit_account_id: Account credited; `NIL` in a post or void.
        amount_cents: Centavos, at least 1 and what the counters hold; `AMOUNT_ALL` or a part of
            the hold in a post, 0 in a void.
        code: Why the money moved; `OF_HOLD` in a post or void.
        flags: How.
        pending_id: The hold that a post or void resolves.
        timeout_seconds: A hold ends by itself after this time; 0: never.
        ledger: Number of the currency; 0 in a post or void.
        user_data_128: The originator's, as are the two others; 0 in a post or void: the hold's.
    """

    id: UUID
    debit_account_id: UUID
    credit_account_id: UUID
    amount_cents: int
    code: int
    flags: int = 0
    pending_id: UUID | None = None
    timeout_seconds: int = 0
    ledger: int = LEDGER_BRL
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0


# Called by keyword everywhere: the facts of a hold are all of the same weight.
def hold(
    id: UUID,  # noqa: A002 - the field's own name
    debit_account_id: UUID,
    credit_account_id: UUID,
    amount_cents: int,
    code: int,
    *,
    timeout_seconds: int = 0,
) -> Transfer:
    """Reserve `amount_cents`: counts against the debit account's limit, moves nothing yet."""
    flags = int(TransferFlag.PENDING)
    return Transfer(
        id, debit_account_id, credit_account_id, amount_cents, code, flags, None, timeout_seconds
    )


def post(id: UUID, pending_id: UUID, amount_cents: int = AMOUNT_ALL) -> Transfer:  # noqa: A002
    """Post the hold `pending_id`, or a part of it: the rest is released."""
    flags = int(TransferFlag.POST_PENDING_TRANSFER)
    return Transfer(id, NIL, NIL, amount_cents, 0, flags, pending_id, 0, 0)


def void(id: UUID, pending_id: UUID) -> Transfer:  # noqa: A002 - the field's own name
    """Release the whole hold `pending_id`."""
    flags = int(TransferFlag.VOID_PENDING_TRANSFER)
    return Transfer(id, NIL, NIL, 0, 0, flags, pending_id, 0, 0)
