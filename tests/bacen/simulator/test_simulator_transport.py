"""Both ends of ICOM together: the participant's transport against the bank, while things fail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from actors import GenServer, Node, NoReply, Reply
from bacen.icom import CatalogueMismatch, ChannelName, Icom, IcomAddress, MessageRejected, Outcome
from bacen.simulator import RunningBank
from bacen.simulator.faults import FaultOrder
from bacen.wire import SPI_ISPB, Admi002, Pacs002, Pacs008, Pibr001, decode, definition_of
from tests.bacen.simulator.conftest import StartBank
from tests.bacen.simulator.desk import PAYER, READ_SECONDS, Desk, DeskKeys, admin

OpenIcom = Callable[..., Icom]
FAILURES = 3  # in a row, which a message survives


@pytest.fixture
async def icom_of(node: Node, desk_keys: dict[str, DeskKeys]) -> AsyncIterator[OpenIcom]:
    """Open transports of the payer; all are closed at the end."""
    opened: list[Icom] = []

    def open_icom(bank: RunningBank, per_second: int = 750) -> Icom:
        address = IcomAddress(
            ispb=PAYER,
            primary_url=bank.url,
            secondary_url=bank.secondary_url,
            primary_per_second=per_second,
        )
        opened.append(Icom(node, address, desk_keys[PAYER].context))
        return opened[-1]

    yield open_icom
    for each in opened:
        await each.close()


class Sender(GenServer):
    """Tells what it was told, once it was told something."""

    def __init__(self) -> None:
        self._told: list[Any] = []
        self._asking: list[Any] = []

    async def handle_call(self, request: Any, sender: Any) -> Reply | NoReply:
        del request
        if self._told:
            return Reply(self._told[0])
        self._asking.append(sender)
        return NoReply()

    async def handle_info(self, message: Any) -> NoReply:
        self._told.append(message)
        for sender in self._asking:
            self.node.reply(sender, message)
        return NoReply()


def failures(node: Node) -> list[str]:
    """What POSTs ended in, as they happen."""
    found: list[str] = []
    node.telemetry.attach(
        ("bacen", "icom", "post_failed"), lambda _e, _m, about: found.append(about["problem"])
    )
    return found


@pytest.mark.parametrize(
    ("fault", "is_stored"),
    [("cut_after_storing", True), ("stored_5xx", True), ("maintenance", False)],
)
async def test_message_moves_money_once_however_often_its_post_fails(
    node: Node,
    start: StartBank,
    payer_of: Callable[..., Desk],
    icom_of: OpenIcom,
    fault: str,
    *,
    is_stored: bool,
) -> None:
    bank = await start(faults=(FaultOrder(fault=fault, next=FAILURES, service=None),))
    payer, seen = payer_of(bank), failures(node)
    body = payer.encode(payer.pacs008(payer.transfer()))

    async with asyncio.timeout(READ_SECONDS):
        (resource_id,) = await icom_of(bank).post([body])

    assert resource_id
    assert len(seen) == FAILURES
    (settled, *_) = await payer.read_reports()
    assert settled.status == "ACSC"
    text = await admin(bank, None)
    assert 'corrente_bacen_payments_total{outcome="ACSC",reason=""} 1.0' in text
    assert ('kind="repeated"' in text) is is_stored


@pytest.fixture
def payer_of(desks: Callable[..., Desk]) -> Callable[..., Desk]:
    return lambda bank: desks(bank, PAYER)


async def test_429_of_the_bank_is_waited_for_and_nothing_is_lost(
    node: Node, start: StartBank, payer_of: Callable[..., Desk], icom_of: OpenIcom
) -> None:
    bank = await start(primary_per_second=10)  # fifty tokens
    payer, seen = payer_of(bank), failures(node)
    icom = icom_of(bank)  # believes in 750
    bodies = [
        payer.encode(payer.pacs008(*[payer.transfer(amount_cents=1) for _ in range(10)]))
        for _ in range(7)
    ]

    async with asyncio.timeout(READ_SECONDS):
        for body in bodies:
            await icom.post([body])

    assert any("429" in problem for problem in seen)
    text = await admin(bank, None)
    assert 'messages_received_total{kind="pacs.008"} 7.0' in text


async def test_refusal_by_the_bank_reaches_whoever_sent_the_message(
    node: Node, bank: RunningBank, payer: Desk, icom_of: OpenIcom
) -> None:
    icom, sender = icom_of(bank), await node.start(Sender())
    message = payer.pacs008(payer.transfer())
    spoiled = payer.encode(message).replace(b"<Nm>Fulano", b"<Nm>Outro", 1)
    assert spoiled != payer.encode(message)

    await icom.post([spoiled], sender=sender)
    stream = icom.stream()
    async with asyncio.timeout(READ_SECONDS):
        messages = await stream.next()
        while not messages:
            messages = await stream.next()
    rejection = decode(messages[0].body, payer.spi)

    assert isinstance(rejection, Admi002)
    assert icom.sent.outcome(message.message_id) is Outcome.STORED
    assert stream.rejected(rejection)
    told = await node.call(sender, "what were you told")
    assert told == MessageRejected(message.message_id, rejection)
    assert icom.sent.outcome(message.message_id) is Outcome.REJECTED
    await stream.close()


async def test_message_whose_id_cannot_be_read_is_known_by_its_resource_id(
    node: Node, bank: RunningBank, payer: Desk, icom_of: OpenIcom
) -> None:
    icom = icom_of(bank)

    (resource_id,) = await icom.post([b"<garbage"])
    (rejection,) = await payer.read()

    assert isinstance(rejection, Admi002)
    assert rejection.related_reference == resource_id
    assert not icom.sent.rejected(rejection)  # nobody could have been waiting for it


async def test_stream_confirms_what_was_committed_and_the_next_reader_gets_the_rest(
    bank: RunningBank, payer: Desk, icom_of: OpenIcom
) -> None:
    reading, successor = icom_of(bank), icom_of(bank)
    first, second = payer.transfer(), payer.transfer()
    await payer.pay(first)
    stream = reading.stream()
    committed = await until_some(stream)
    await payer.pay(second)
    lost = await until_some(stream)
    await reading.close()  # before it could commit

    again = await until_some(successor.stream())

    assert [each.resource_id for each in again] == [each.resource_id for each in lost]
    assert {each.resource_id for each in committed}.isdisjoint(each.resource_id for each in again)


async def until_some(stream: Any) -> Any:
    async with asyncio.timeout(READ_SECONDS):
        messages = await stream.next()
        while not messages:
            messages = await stream.next()
    return messages


async def test_scheduled_payment_settles_over_the_secondary_channel(
    bank: RunningBank, payer: Desk, icom_of: OpenIcom
) -> None:
    icom = icom_of(bank)
    message = payer.pacs008(payer.transfer(), priority="NORM", service_level="PAGAGD")

    await icom.post([payer.encode(message)])

    (settled,) = await payer.read_reports()
    assert settled.status == "ACSC"
    assert await icom.stream(ChannelName.SECONDARY).next() == ()


async def test_bank_speaks_the_versions_that_we_do(bank: RunningBank, icom_of: OpenIcom) -> None:
    icom = icom_of(bank)
    ours = [definition_of(Pacs008), definition_of(Pacs002)]

    await icom.check_catalogue(sends=ours, reads=[*ours, definition_of(Admi002)])

    with pytest.raises(CatalogueMismatch, match=r"pacs\.008"):
        await icom.check_catalogue(sends=["pacs.008.spi.1.15"], reads=ours)


async def test_echo_goes_there_and_back(bank: RunningBank, payer: Desk, icom_of: OpenIcom) -> None:
    icom = icom_of(bank)
    echo = Pibr001(
        sender=PAYER,
        receiver=SPI_ISPB,
        message_id=payer.new_message_id(),
        created_at=datetime.now(UTC),
        data="are you there?",
    )

    await icom.post([payer.encode(echo)])

    (answer,) = [decode(each.body, payer.spi) for each in await until_some(icom.stream())]
    assert getattr(answer, "original_data", None) == "are you there?"
