"""An admi.002 finds whoever sent the message that it rejects."""

from datetime import UTC, datetime
from typing import Any

import pytest

from actors import GenServer, Node, NoReply, Reply
from bacen.icom import MessageRejected, Outcome, SentMessages
from bacen.wire import SPI_ISPB, Admi002

OURS = "12345678"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def message_id(number: int) -> str:
    return f"M{OURS}{number:023d}"


def rejection(reference: str) -> Admi002:
    return Admi002(
        sender=SPI_ISPB,
        receiver=OURS,
        message_id=f"M{SPI_ISPB}{'1'.rjust(23, '0')}",
        created_at=NOW,
        related_reference=reference,
        rejecting_party_reason="XML invalido",
        rejected_at=NOW,
    )


class Sender(GenServer):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    async def handle_call(self, request: Any, sender: Any) -> Reply:
        del request, sender
        return Reply(tuple(self.told))

    async def handle_info(self, message: Any) -> NoReply:
        self.told.append(message)
        return NoReply()


@pytest.fixture
def sent(node: Node) -> SentMessages:
    return SentMessages(node, size_max=3)


@pytest.fixture
def reported(node: Node) -> list[bool]:
    """Whether each refusal was matched."""
    found: list[bool] = []
    node.telemetry.attach(
        ("bacen", "icom", "rejected"), lambda _e, _m, about: found.append(about["is_matched"])
    )
    return found


@pytest.mark.parametrize("reference", [message_id(1), "R1"])
async def test_refusal_by_either_name_reaches_the_sender_once(
    node: Node, sent: SentMessages, reported: list[bool], reference: str
) -> None:
    pid = await node.start(Sender())
    sent.sent(message_id(1), pid)
    sent.stored(message_id(1), "R1")
    assert sent.outcome(message_id(1)) is Outcome.STORED
    refusal = rejection(reference)

    assert sent.rejected(refusal)
    assert sent.rejected(refusal)  # delivered again

    assert await node.call(pid, "told") == (MessageRejected(message_id(1), refusal),)
    assert sent.outcome("R1") is Outcome.REJECTED
    assert reported == [True, True]


async def test_refusal_that_overtakes_the_answer_of_the_post_waits_for_it(
    node: Node, sent: SentMessages, reported: list[bool]
) -> None:
    pid = await node.start(Sender())
    sent.sent(message_id(1), pid)
    early = rejection("R1")

    assert not sent.rejected(early)
    assert await node.call(pid, "told") == ()
    sent.stored(message_id(1), "R1")

    assert await node.call(pid, "told") == (MessageRejected(message_id(1), early),)
    assert sent.outcome(message_id(1)) is Outcome.REJECTED
    assert reported == [False, True]


async def test_refusal_of_a_message_that_nobody_sent_is_reported_as_such(
    sent: SentMessages, reported: list[bool]
) -> None:
    assert not sent.rejected(rejection(message_id(9)))
    assert reported == [False]


async def test_only_the_latest_messages_are_remembered(sent: SentMessages) -> None:
    for number in range(1, 6):
        sent.sent(message_id(number))
        sent.stored(message_id(number), f"R{number}")

    assert len(sent) == 3
    assert sent.outcome("R2") is None
    assert sent.outcome("R3") is sent.outcome(message_id(5)) is Outcome.STORED
    assert len(sent._by_resource) == 3


async def test_unmatched_refusals_do_not_pile_up(sent: SentMessages) -> None:
    for number in range(1_000):
        sent.rejected(rejection(f"R{number}"))

    assert len(sent._early) == 100


async def test_message_sent_again_is_known_by_its_latest_resource_id(sent: SentMessages) -> None:
    sent.sent(message_id(1))
    sent.stored(message_id(1), "R1")
    sent.sent(message_id(1))
    sent.stored(message_id(1), "R2")

    assert sent.outcome("R1") is None
    assert sent.outcome("R2") is Outcome.STORED


async def test_sender_that_is_gone_does_not_matter(node: Node, sent: SentMessages) -> None:
    pid = await node.start(Sender())
    sent.sent(message_id(1), pid)
    await node.stop(pid)

    assert sent.rejected(rejection(message_id(1)))
