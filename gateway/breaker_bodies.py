"""Answers and orders of ``/api/v1/admin/breaker``: how it stands, and its audit."""

from datetime import datetime
from typing import Annotated

import msgspec

from gateway.errors import InvalidRequest, Violation
from ledger.breaker import BreakerEvent, BreakerOrder, Status

HISTORY = 20
HISTORY_MAX = 1_000


class BreakerOrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the breaker is to be opened or closed; kept in the audit with who and when."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]


class BreakerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands.

    `position` is ``closed`` (TigerBeetle decides) or ``open`` (PostgreSQL does); `is_held`: until a
    person closes it. `unknown_transfers` have a fate that nobody knows yet; `waiting_transfers`
    were booked by PostgreSQL and TigerBeetle lacks them.
    """

    position: str
    is_held: bool
    epoch: int
    reason: str
    unknown_transfers: int
    waiting_transfers: int


class BreakerEventAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A change of position: what became true. `made_by` is ``breaker`` when nobody ordered it."""

    at: datetime
    epoch: int
    position: str
    is_held: bool
    reason: str
    made_by: str


class BreakerOrderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody ordered, whatever became of it."""

    at: datetime
    position: str
    reason: str
    made_by: str


class BreakerHistoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The audit, newest first."""

    events: tuple[BreakerEventAnswer, ...]
    orders: tuple[BreakerOrderAnswer, ...]


_decode_order = msgspec.json.Decoder(BreakerOrderBody).decode


def decode_breaker_order(body: bytes) -> BreakerOrderBody:
    """The order.

    Raises:
        InvalidRequest: The body is not JSON, or has no reason.
    """
    try:
        return _decode_order(body)
    except msgspec.ValidationError as error:
        problem = "is needed, 1 to 255 characters"
        raise InvalidRequest("validation_failed", (Violation(problem, "reason"),)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest("malformed_json", ()) from error


def breaker_answer(status: Status) -> BreakerAnswer:
    """The answer that shows `status`."""
    return BreakerAnswer(
        position=status.position.value,
        is_held=status.is_held,
        epoch=status.epoch,
        reason=status.reason,
        unknown_transfers=status.unknown,
        waiting_transfers=status.lag,
    )


def history_answer(
    events: tuple[BreakerEvent, ...], orders: tuple[BreakerOrder, ...]
) -> BreakerHistoryAnswer:
    """The answer that shows the audit."""
    return BreakerHistoryAnswer(
        events=tuple(
            BreakerEventAnswer(
                at=each.at,
                epoch=each.epoch,
                position=each.position.value,
                is_held=each.is_held,
                reason=each.reason,
                made_by=each.made_by,
            )
            for each in events
        ),
        orders=tuple(
            BreakerOrderAnswer(
                at=each.at,
                position=each.position.value,
                reason=each.reason,
                made_by=each.made_by,
            )
            for each in orders
        ),
    )
