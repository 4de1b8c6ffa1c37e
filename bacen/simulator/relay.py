"""What one participant tells another through the SPI: Pix Automático (pain, camt.055, camt.029).

The bank looks at who speaks to whom and hands the message on under its own header; parts for
several go to each of them. It keeps nothing of it: whether a mandate is there is for the two
participants to know. Virtual participants answer at once. BCB message catalogue 5.13.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from bacen.simulator.changes import Changes, Rejection
from bacen.simulator.engine import Engine
from bacen.simulator.payments import Moment
from bacen.simulator.virtual_automatic import virtual_answer
from bacen.wire import (
    Camt029,
    Camt055,
    Message,
    Pain009,
    Pain011,
    Pain012,
    Pain013,
    Pain014,
)

NOT_THE_SENDERS = "Emissor nao liquida pelo remetente"
NO_RECEIVER = "Destinatario desconhecido"


class Leg(NamedTuple):
    """A part of a message: who says it to whom."""

    issuer: str
    recipient: str
    message: Message


def mandate_requests(message: Pain009) -> Iterable[Leg]:
    for one in message.mandates:
        part = msgspec.structs.replace(message, mandates=(one,))
        yield Leg(one.creditor_ispb, one.debtor_ispb, part)


def cancellation(message: Pain011) -> Iterable[Leg]:
    both = message.mandate.creditor_ispb, message.mandate.debtor_ispb
    yield Leg(message.issuer_ispb, other(both, message.issuer_ispb), message)


def mandate_answers(message: Pain012) -> Iterable[Leg]:
    for one in message.answers:
        both = one.mandate.creditor_ispb, one.mandate.debtor_ispb
        part = msgspec.structs.replace(message, answers=(one,))
        yield Leg(message.issuer_ispb, other(both, message.issuer_ispb), part)


def charges(message: Pain013) -> Iterable[Leg]:
    for one in message.charges:
        part = msgspec.structs.replace(message, charges=(one,))
        yield Leg(one.creditor_ispb, one.debtor_ispb, part)


def charge_answers(message: Pain014) -> Iterable[Leg]:
    for one in message.answers:  # they do not say who answers
        part = msgspec.structs.replace(message, answers=(one,))
        yield Leg(message.sender, one.creditor_ispb, part)


def named(message: Camt055 | Camt029) -> Iterable[Leg]:
    yield Leg(message.issuer_ispb, message.recipient_ispb, message)


RELAYED: Mapping[type[Message], Callable[[Any], Iterable[Leg]]] = {
    Pain009: mandate_requests,
    Pain011: cancellation,
    Pain012: mandate_answers,
    Pain013: charges,
    Pain014: charge_answers,
    Camt055: named,
    Camt029: named,
}


def other(both: tuple[str, str], one: str) -> str:
    return both[0] if one == both[1] else both[1]


def hand_on(message: Message, engine: Engine, moment: Moment, changes: Changes) -> None:
    """Hand a message on to those whom its parts are for, or refuse it as a whole."""
    legs = list(RELAYED[type(message)](message))
    for leg in legs:
        problem = leg_problem(leg, message.sender, engine)
        if problem is not None:
            rejection = Rejection(
                message.sender, message.message_id, "CH16", "/Envelope/Document", problem
            )
            changes.rejections.append(rejection)
            return
    for leg in legs:
        settled_by = engine.participants[leg.recipient].settled_by
        if settled_by in engine.connected:
            changes.write(settled_by, partial(readdressed, leg.message))
            continue
        answer = virtual_answer(leg.message, leg.recipient, moment)
        if answer is not None:
            changes.write(message.sender, answer)


def leg_problem(leg: Leg, sender: str, engine: Engine) -> str | None:
    """Say why a part cannot be handed on, or None."""
    issuer, recipient = map(engine.participants.get, (leg.issuer, leg.recipient))
    if issuer is None or issuer.settled_by != sender:
        return NOT_THE_SENDERS
    if recipient is None or recipient.settled_by not in engine.accounts:
        return NO_RECEIVER
    return None


def readdressed(message: Message, **header: Any) -> Message:
    return msgspec.structs.replace(message, **header)
