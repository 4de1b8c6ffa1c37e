"""From the table of open payments into the SPI, whatever is cut on the way."""

import asyncio
from typing import Any

import pytest

from bacen import SigningUnavailable
from bacen.signing import KeyFiles, KeyRing, signer_pool
from bacen.wire import Pacs008, Signer, Verifier, decode
from ledger import Commit
from pix import PaymentStatus, SenderSettings, SpiSender, Wake, verify_payments
from pix.payments import Payment, credit_transfer
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


async def send(desk: Desk, paid: list[tuple[str, str]] | None = None) -> None:
    """Start a sender; `paid` hears of payments to a key."""
    heard = [] if paid is None else paid
    pair = desk.authority.participant(TENANT).signing
    if desk.node.whereis(SIGNER) is None:
        keys = KeyFiles((pair.certificate, pair.key))
        await desk.node.start(signer_pool(keys), name=SIGNER, link=False)
    settings = SenderSettings(TENANT, SIGNER, WRITER, lambda *told: heard.append(told))
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


async def test_each_payment_to_a_key_is_counted_once_when_the_spi_has_it(desk: Desk) -> None:
    desk.icom.cuts = 1
    paid: list[tuple[str, str]] = []
    accounts = [await desk.accept(1)]
    keys = [await desk.accept(number, key=f"{number}@b") for number in (2, 3)]

    await send(desk, paid)
    await until_submitted(desk, *accounts, *keys)

    assert paid == [("52998224725", "2@b"), ("52998224725", "3@b")]


async def test_payment_to_a_key_that_is_not_sent_is_not_counted(desk: Desk) -> None:
    desk.icom.is_refusing = True
    paid: list[tuple[str, str]] = []
    await desk.accept(1, key="a@b")

    await send(desk, paid)
    while desk.opened.payments:
        await asyncio.sleep(0.01)

    assert paid == []


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


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"description": "\x01"}, "invalid_message"),
        ({"amount_cents": 0}, "amount_above_zero"),
        ({"end_to_end_id": f"E{TENANT}202601010000{'a' * 11}"}, "end_to_end_id_within_12_hours"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_payment_that_cannot_be_sent_fails_alone_with_an_alarm_and_its_money_is_free(
    desk: Desk, changes: dict[str, Any], reason: str
) -> None:
    good = await desk.accept(1)
    bad = await desk.accept(2)
    changed = {"payment_id": bad.payment_id, "end_to_end_id": bad.end_to_end_id, **changes}
    # As if it had been let in: the writer knows the payment, what is sent of it is broken.
    transfer = None
    wrong = make_payment(desk.node, 2, **changed)
    if reason != "invalid_message":
        transfer = credit_transfer(wrong)
        wrong = bad
    desk.opened._unassigned[0][bad.end_to_end_id] = NewPayment(wrong, transfer)

    await send(desk)
    await until_submitted(desk, good)

    view = await desk.reader.payment(bad.payment_id)
    assert view is not None
    assert (view.status, view.reason) == (PaymentStatus.FAILED, reason)
    assert desk.given_up == [(bad.end_to_end_id, reason)]
    assert bad.end_to_end_id not in desk.opened.payments
    sent = [one for post in desk.icom.posted for one in messages(desk, *post)]
    assert [one.end_to_end_id for message in sent for one in message.transfers] == [
        good.end_to_end_id
    ]
    assert (await verify_payments(desk.dsn)).ok
