"""What participants tell each other through the bank: mandates, charges and their cancellation."""

import msgspec
import pytest

from bacen.simulator import RunningBank
from bacen.simulator.changes import Changes
from bacen.simulator.payments import Moment
from bacen.simulator.relay import RELAYED, hand_on
from bacen.simulator.virtual_automatic import ANSWERED
from bacen.wire import SPI_ISPB, Admi002, AnsweredMandate, Message, Pain009
from tests.bacen.rule_messages import (
    TAIL,
    TERMS,
    asked,
    cancellation,
    cancellation_answer,
    cancelled,
    charge_answer,
    charged,
    mandate_answer,
)
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL, Desk
from tests.bacen.simulator.test_simulator_engine import NOW, make_engine


def said(to: str, *, by: str = PAYER) -> list[Message]:
    """One message of each kind, from a participant to another."""
    both = {"creditor_ispb": by, "debtor_ispb": to}
    mandate = AnsweredMandate(**{**TERMS, **both, "request_id": f"IS{by}{TAIL}"})
    made = [
        asked(**both),
        cancelled({**both}, issuer_ispb=by),
        msgspec.structs.replace(mandate_answer(mandate=mandate), issuer_ispb=by),
        charged(**both),
        charge_answer(creditor_ispb=to),
        cancellation(issuer_ispb=by, recipient_ispb=to),
        cancellation_answer(issuer_ispb=by, recipient_ispb=to),
    ]
    assert {type(each) for each in made} == set(RELAYED)
    return made


def handed_on(message: Message) -> Changes:
    changes = Changes()
    hand_on(message, make_engine(), Moment(NOW), changes)
    return changes


@pytest.mark.parametrize("message", said(CONNECTED), ids=lambda each: type(each).__name__)
def test_message_is_handed_on_under_the_banks_header_and_nothing_else_changes(
    message: Message,
) -> None:
    changes = handed_on(message)

    ((ispb, draft),) = changes.drafts
    header = {
        "sender": SPI_ISPB,
        "receiver": CONNECTED,
        "message_id": f"M{SPI_ISPB}{1:023d}",
        "created_at": message.created_at,
    }
    assert ispb == CONNECTED
    assert draft(**header) == msgspec.structs.replace(message, **header)
    assert changes.rejections == []


@pytest.mark.parametrize(
    "message",
    [each for each in said(VIRTUAL) if type(each) not in ANSWERED],
    ids=lambda each: type(each).__name__,
)
def test_virtual_participant_that_is_answered_says_nothing(message: Message) -> None:
    changes = handed_on(message)

    assert (changes.drafts, changes.rejections) == ([], [])


@pytest.mark.parametrize("message", said("99999999"), ids=lambda each: type(each).__name__)
def test_message_to_nobody_is_refused(message: Message) -> None:
    changes = handed_on(message)

    (rejection,) = changes.rejections
    assert (rejection.ispb, rejection.reason) == (PAYER, "CH16")
    assert rejection.description == "Destinatario desconhecido"
    assert changes.drafts == []


@pytest.mark.parametrize(
    "message",
    [each for each in said(CONNECTED, by=VIRTUAL) if type(each).__name__ != "Pain014"],
    ids=lambda each: type(each).__name__,
)
def test_message_in_the_name_of_another_is_refused(message: Message) -> None:
    (rejection,) = handed_on(message).rejections

    assert rejection.description == "Emissor nao liquida pelo remetente"


def test_parts_for_several_go_to_each_of_them_and_one_bad_part_refuses_all() -> None:
    one, two = asked(debtor_ispb=CONNECTED), asked(debtor_ispb=VIRTUAL)
    bad = asked(debtor_ispb="99999999")
    assert isinstance(one, Pain009)
    assert isinstance(two, Pain009)
    assert isinstance(bad, Pain009)
    both = msgspec.structs.replace(one, mandates=(*one.mandates, *two.mandates))
    broken = msgspec.structs.replace(one, mandates=(*one.mandates, *bad.mandates))

    assert [ispb for ispb, _ in handed_on(both).drafts] == [CONNECTED, PAYER]
    refused = handed_on(broken)
    assert (refused.drafts, len(refused.rejections)) == ([], 1)


async def test_mandate_is_asked_for_over_https(
    bank: RunningBank, payer: Desk, receiver: Desk
) -> None:
    message = msgspec.structs.replace(
        asked(debtor_ispb=CONNECTED), message_id=payer.new_message_id()
    )
    to_nobody = msgspec.structs.replace(
        asked(debtor_ispb="99999999"), message_id=payer.new_message_id()
    )

    await payer.client.post([payer.encode(message), payer.encode(to_nobody)])
    (told,) = await receiver.read()
    (refused,) = await payer.read()

    assert isinstance(message, Pain009)
    assert isinstance(told, Pain009)
    assert told.mandates == message.mandates
    assert isinstance(refused, Admi002)
    assert refused.related_reference == to_nobody.message_id
