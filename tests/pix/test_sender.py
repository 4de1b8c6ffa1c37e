"""From the table of open payments into the SPI, whatever is cut on the way."""

import asyncio
from typing import Any

import pytest

from bacen import SigningUnavailable
from bacen.signing import KeyFiles, KeyRing, signer_pool
from bacen.wire import Pacs008, Signer, Verifier, decode
from ledger import Commit
from pix import PaymentStatus, SenderSettings, SpiSender, Wake, verify_payments
from pix.payments import Payment
from pix.records import NewPayment
from tests.pix.desk import TENANT, WRITER, Desk, make_payment

SIGNER = "signer"


class TokenThatIsAway:
    """Keys of a file, behind a token that refuses some signatures."""

    threads_max = 1

    def __init__(self, keys: KeyFiles, refusals: int) -> None:
        self.keys = keys
        self.refusals = refusals

    def load(self) -> KeyRing:
        (held,) = self.keys.load().signers
        self.held = held
        return KeyRing([Signer(self, held.certificate)])

    def public_key(self) -> Any:
        return self.held.certificate.public_key()

    def sign(self, data: bytes) -> bytes:
        if self.refusals:
            self.refusals -= 1
            raise SigningUnavailable("the token was pulled out")
        return self.held.sign_bytes(data)


async def send(desk: Desk) -> None:
    """Start a sender."""
    pair = desk.authority.participant(TENANT).signing
    if desk.node.whereis(SIGNER) is None:
        keys = KeyFiles((pair.certificate, pair.key))
        await desk.node.start(signer_pool(keys), name=SIGNER, link=False)
    settings = SenderSettings(TENANT, SIGNER, WRITER)
    sender = SpiSender(0, settings, desk.opened, desk.icom, desk.reader)
    await desk.node.start(sender, name="sender", link=False)


async def until_submitted(desk: Desk, *payments: Payment) -> None:
    for payment in payments:
        while True:
            view = await desk.reader.payment(payment.payment_id)
            if view is not None and view.status is PaymentStatus.SUBMITTED:
                break
            await asyncio.sleep(0.01)


def messages(desk: Desk, *bodies: bytes) -> list[Pacs008]:
    certificate = desk.authority.participant(TENANT).signing.certificate
    verifier = Verifier([certificate.read_bytes()])
    decoded = [decode(body, verifier) for body in bodies]
    assert all(isinstance(one, Pacs008) for one in decoded)
    return decoded  # type: ignore[return-value] # just checked


async def test_waiting_payments_travel_ten_a_message_and_are_submitted(desk: Desk) -> None:
    payments = [await desk.accept(number) for number in range(23)]

    await send(desk)
    await until_submitted(desk, *payments)

    sent = [one for post in desk.icom.posted for one in messages(desk, *post)]
    assert [len(one.transfers) for one in sent] == [10, 10, 3]
    carried = [one.end_to_end_id for message in sent for one in message.transfers]
    assert carried == [payment.end_to_end_id for payment in payments]


async def test_payments_wait_while_no_key_can_sign_and_are_sent_when_one_can(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pix.sender.BACK_OFF_MS_MAX", 10)
    pair = desk.authority.participant(TENANT).signing
    keys = TokenThatIsAway(KeyFiles((pair.certificate, pair.key)), refusals=6)
    await desk.node.start(signer_pool(keys), name=SIGNER, link=False)
    payment = await desk.accept(1)

    await send(desk)
    await until_submitted(desk, payment)

    assert keys.refusals == 0
    assert len(messages(desk, *desk.icom.posted[0])) == 1


async def test_cut_post_is_repeated_with_the_same_bytes(desk: Desk) -> None:
    desk.icom.cuts = 2
    payment = await desk.accept(1)

    await send(desk)
    await until_submitted(desk, payment)

    assert len(desk.icom.posted) == 3
    assert len({tuple(post) for post in desk.icom.posted}) == 1


async def test_message_that_icom_refuses_fails_its_payments_and_frees_their_money(
    desk: Desk,
) -> None:
    desk.icom.is_refusing = True
    payment = await desk.accept(1)

    await send(desk)
    while desk.opened.payments:
        await asyncio.sleep(0.01)

    view = await desk.reader.payment(payment.payment_id)
    assert view is not None
    assert (view.status, view.reason) == (PaymentStatus.FAILED, "message_refused")
    assert len(desk.icom.posted) == 1
    assert (await verify_payments(desk.dsn)).ok


async def test_refusal_after_a_cut_post_leaves_the_payment_to_the_spi(desk: Desk) -> None:
    desk.icom.cuts = 1
    desk.icom.is_refusing = True
    payment = await desk.accept(1)

    await send(desk)
    while len(desk.icom.posted) < 2:
        await asyncio.sleep(0.01)
    desk.node.send("sender", "sweep")
    other = await desk.accept(2)
    desk.node.cast("sender", Wake())
    while other.end_to_end_id in desk.opened.payments:
        await asyncio.sleep(0.01)

    assert payment.end_to_end_id in desk.opened.payments
    assert len(desk.icom.posted) == 3  # the first twice, and the other
    assert desk.icom.posted[0] == desk.icom.posted[1]


async def test_successor_of_a_dead_sender_sends_the_stored_bytes(desk: Desk) -> None:
    desk.icom.cuts = 1_000_000
    payment = await desk.accept(1)
    await send(desk)
    while not desk.icom.posted:
        await asyncio.sleep(0.01)
    await desk.kill("sender")
    desk.icom.cuts = 0

    await send(desk)
    await until_submitted(desk, payment)

    assert len({tuple(post) for post in desk.icom.posted}) == 1
    assert await desk.rows("SELECT count(*) FROM spi_messages") == [(1,)]


async def test_new_writer_and_sender_resume_what_was_stored_and_what_was_not(desk: Desk) -> None:
    desk.icom.cuts = 1_000_000
    first = await desk.accept(1)
    await send(desk)
    while not desk.icom.posted:
        await asyncio.sleep(0.01)
    second = await desk.accept(2)
    for name in ("sender", WRITER):
        await desk.kill(name)
    desk.icom.cuts = 0

    await desk.start_writer()
    await desk.node.call(WRITER, Commit(()))
    assert desk.wakes[-1] is True
    await send(desk)
    desk.node.cast("sender", Wake(is_after_load=True))
    await until_submitted(desk, first, second)

    assert (await verify_payments(desk.dsn)).ok
    assert await desk.rows("SELECT count(*) FROM spi_messages") == [(2,)]


async def test_payment_that_no_message_can_carry_fails_alone(desk: Desk) -> None:
    good = await desk.accept(1)
    bad = await desk.accept(2)
    unwritable = make_payment(desk.node, 2, payment_id=bad.payment_id, description="\x01")
    desk.opened._unassigned[0][bad.end_to_end_id] = NewPayment(unwritable)

    await send(desk)
    await until_submitted(desk, good)

    view = await desk.reader.payment(bad.payment_id)
    assert view is not None
    assert (view.status, view.reason) == (PaymentStatus.FAILED, "invalid_message")
    assert (await verify_payments(desk.dsn)).ok
