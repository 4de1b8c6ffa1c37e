"""What the bank saw a participant do, or did for it: events of the node, without personal data."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from actors import Event
from bacen.dict import Claim, ClaimResponse, CompleteClaimResponse
from bacen.simulator.payments import SETTLED
from bacen.simulator.watching import (
    DICT_ANSWERED,
    FILE_FETCHED,
    LETTERS_FETCHED,
    LIQUIDITY_MOVED,
    MESSAGE_RECEIVED,
    MESSAGE_SIGNED,
    PAYMENT_FINISHED,
)

EVENTS: Final = (
    *(MESSAGE_RECEIVED, MESSAGE_SIGNED, PAYMENT_FINISHED, LETTERS_FETCHED),
    *(LIQUIDITY_MOVED, FILE_FETCHED, DICT_ANSWERED),
)
RECEIVED: Final = "received"
SENT: Final = "sent"
FINISHED: Final = "finished"
FETCHED: Final = "fetched"
MOVED: Final = "moved"
FILE: Final = "file"
DICT: Final = "dict"
YES: Final = "yes"
NO: Final = "no"
IDS_SHOWN = 10


class Sight(msgspec.Struct, frozen=True):
    """One thing seen: its kind, when by the bank's clock, and what is known of it."""

    kind: str
    at_ms: int
    fields: dict[str, str | int]

    def text(self, name: str) -> str:
        return str(self.fields.get(name, ""))

    def number(self, name: str) -> int:
        value = self.fields.get(name, 0)
        return value if isinstance(value, int) else 0


class Noticed(msgspec.Struct, frozen=True):
    """To the cockpit: an event of the node, as it came."""

    event: Event
    measured: Mapping[str, Any]
    told: Mapping[str, Any]
    at_ms: int

    def concerns(self) -> tuple[str, ...]:
        """ISPBs of whom it speaks."""
        if self.event == PAYMENT_FINISHED:
            return str(self.told["payer"]), str(self.told["receiver"])
        return (str(self.told["ispb"]),)


def sight_of(noticed: Noticed, participant: str) -> Sight:
    """Write down what an event says about one participant."""
    told, measured = noticed.told, noticed.measured
    fields: dict[str, str | int]
    match noticed.event:
        case event if event == MESSAGE_RECEIVED:
            kind = RECEIVED
            fields = {name: str(told[name]) for name in ("kind", "channel", "message_id")}
        case event if event == MESSAGE_SIGNED:
            kind = SENT
            fields = {name: str(told[name]) for name in ("kind", "channel", "message_id")}
            fields |= {"ids": " ".join(told["ids"][:IDS_SHOWN]), "items": len(told["ids"])}
        case event if event == PAYMENT_FINISHED:
            kind, fields = FINISHED, finished_fields(noticed, participant)
        case event if event == LETTERS_FETCHED:
            kind, fields = FETCHED, {"count": measured["count"]}
        case event if event == LIQUIDITY_MOVED:
            kind = MOVED
            direction = "in" if measured["amount_cents"] > 0 else "out"
            fields = {"direction": direction, "control_number": told["control_number"]}
        case event if event == FILE_FETCHED:
            kind, fields = FILE, {"sha256": told["sha256"]}
        case _:
            kind, fields = DICT, dict_fields(told)
    return Sight(kind, noticed.at_ms, fields)


def finished_fields(noticed: Noticed, participant: str) -> dict[str, str | int]:
    """Tell how a payment or a return ended, and in which time."""
    told, measured = noticed.told, noticed.measured
    is_return = told["instruction_id"] != told["end_to_end_id"]
    fields: dict[str, str | int] = {
        "what": "return" if is_return else "payment",
        "role": "payer" if told["payer"] == participant else "receiver",
        "other": told["receiver"] if told["payer"] == participant else told["payer"],
        "status": told["status"],
        "reason": told["reason"] or "",
        "instruction_id": told["instruction_id"],
        "end_to_end_id": told["end_to_end_id"],
        "message_id": told["message_id"],
        "received_ms": measured["received_ms"],
        "took_ms": measured["finished_ms"] - measured["received_ms"],
    }
    if measured["answered_ms"] and measured["offered_ms"]:
        fields["answered_in_ms"] = measured["answered_ms"] - measured["offered_ms"]
    return fields


def dict_fields(told: Mapping[str, Any]) -> dict[str, str | int]:
    """Tell of an operation of DICT what is nobody's data."""
    fields: dict[str, str | int] = {"operation": told["operation"], "type": told["type"]}
    claim = claim_of(told["response"])
    if claim is not None:
        fields |= {"claim_type": claim.type, "claim_id": str(claim.id), "status": claim.status}
    return fields


def claim_of(response: object) -> Claim | None:
    """Give the claim that an answer speaks of."""
    return response.claim if isinstance(response, ClaimResponse | CompleteClaimResponse) else None


def is_settled(sight: Sight) -> bool:
    """Say whether a payment or a return moved money."""
    return sight.kind == FINISHED and sight.text("status") == SETTLED
