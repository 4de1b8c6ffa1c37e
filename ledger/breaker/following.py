"""What TigerBeetle is told of a transfer that PostgreSQL has written. No I/O."""

import hashlib
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from ledger.core import Posting
from ledger.transfers import Transfer, TransferFlag, TransferKind, post, void

BALANCING: Final = int(TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT)
DECIDED: Final = int(TransferFlag.LINKED) | BALANCING
"""Flags of what is decided already: the chain was whole, the amount is what there was."""

LOW_BITS: Final = 64


def followed(posting: Posting) -> Transfer:
    """The transfer that has the same effect, whatever decided it.

    A hold has no timeout: its end, if it came by itself, is a transfer of its own (`EXPIRED`),
    which is a void elsewhere.
    """
    if posting.pending_id is not None:
        if posting.kind == TransferKind.POST:
            return post(posting.id, posting.pending_id, posting.amount_cents)
        return void(posting.id, posting.pending_id)
    return Transfer(
        posting.id,
        posting.debit_account_id,
        posting.credit_account_id,
        posting.amount_cents,
        posting.code,
        posting.flags & ~DECIDED,
        None,
        0,
        posting.ledger,
        posting.user_data_128,
        posting.user_data_64,
        posting.user_data_32,
    )


def renamed(transfer: Transfer, names: Mapping[UUID, UUID]) -> Transfer:
    """The transfer under the ids that it, and its hold, have in TigerBeetle."""
    own = names.get(transfer.id, transfer.id)
    held = transfer.pending_id
    of_hold = None if held is None else names.get(held, held)
    if own == transfer.id and of_hold == held:
        return transfer
    return msgspec.structs.replace(transfer, id=own, pending_id=of_hold)


def next_id(transfer_id: UUID, attempt: int) -> UUID:
    """The id of a transfer's next attempt: always the same one, and of the same time.

    Args:
        transfer_id: Of the first attempt.
        attempt: From 1.
    """
    return _made_of(b"again", transfer_id, attempt)


def ending_id(hold_id: UUID, attempt: int) -> UUID:
    """The id of the void that ends a hold nobody else ends; as `next_id`."""
    return _made_of(b"end", hold_id, attempt)


def _made_of(purpose: bytes, transfer_id: UUID, attempt: int) -> UUID:
    digest = hashlib.sha256(b"%s %d %d" % (purpose, transfer_id.int, attempt)).digest()
    low = int.from_bytes(digest[: LOW_BITS // 8])
    return UUID(int=transfer_id.int >> LOW_BITS << LOW_BITS | low)
