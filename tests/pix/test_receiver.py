"""What a message of the SPI does to payments, and what one does that should not be there."""

import asyncio

import pytest

from bacen.icom import Outcome, SentMessages, StreamReader
from bacen.wire import SPI_ISPB, Admi002, Verifier
from ledger import Commit, Entry, verify
from pix import PaymentStatus, SpiReceiver, verify_payments
from pix.records import MessageSent, StoreMessage
from tests.pix.desk import CUSTOMER, FUNDS_CENTS, NOW, TENANT, WRITER, Desk, status

MESSAGE_ID = f"M{TENANT}{'7'.rjust(23, '0')}"


async def listen(desk: Desk, sent: SentMessages | None = None) -> None:
    """Start a receiver on the desk's stream."""
    verifier = Verifier([desk.authority.spi_signing().certificate.read_bytes()])
    stream = StreamReader(desk.node, desk.icom, sent or SentMessages(desk.node))
    receiver = SpiReceiver(TENANT, desk.opened, WRITER, verifier, stream, desk.reader)
    await desk.node.start(receiver, name="receiver", link=False)


async def state(desk: Desk, payment_id: object) -> tuple[PaymentStatus, str | None]:
    view = await desk.reader.payment(payment_id)
    assert view is not None
    return view.status, view.reason


async def test_settlement_posts_the_hold_and_confirms_the_payment(desk: Desk) -> None:
    payment = await desk.accept(1, is_submitted=True)
    desk.icom.deliver(desk.signed(status(payment)))

    await listen(desk)
    await desk.until_confirmed(1)

    assert await state(desk, payment.payment_id) == (PaymentStatus.CONFIRMED, None)
    balance = desk.book.balance(CUSTOMER)
    assert balance is not None
    assert (balance.debits_pending, balance.debits_posted) == (0, 100)
    assert not desk.opened.payments


async def test_rejection_releases_the_hold_and_keeps_the_reason(desk: Desk) -> None:
    payment = await desk.accept(1, is_submitted=True)
    desk.icom.deliver(desk.signed(status(payment, status="RJCT", reason="AC03")))

    await listen(desk)
    await desk.until_confirmed(1)

    assert await state(desk, payment.payment_id) == (PaymentStatus.REJECTED, "AC03")
    balance = desk.book.balance(CUSTOMER)
    assert balance is not None
    assert balance.available_cents == FUNDS_CENTS


async def test_answer_that_overtakes_our_post_still_shows_the_payment_as_submitted(
    desk: Desk,
) -> None:
    payment = await desk.accept(1)
    desk.icom.deliver(desk.signed(status(payment)))

    await listen(desk)
    await desk.until_confirmed(1)

    view = await desk.reader.payment(payment.payment_id)
    assert view is not None
    assert [step.status for step in view.timeline] == [
        PaymentStatus.PROCESSING,
        PaymentStatus.SUBMITTED,
        PaymentStatus.CONFIRMED,
    ]


async def test_redelivered_message_is_dropped(desk: Desk) -> None:
    payment = await desk.accept(1)
    body = desk.signed(status(payment))
    desk.icom.deliver(body, resource_ids=["R"])
    desk.icom.deliver(body, resource_ids=["R"])

    await listen(desk)
    await desk.until_confirmed(2)

    assert not desk.alarms
    assert await desk.rows("SELECT count(*) FROM outbox WHERE name = 'confirmed'") == [(1,)]


async def test_same_outcome_in_another_message_changes_nothing(desk: Desk) -> None:
    payment = await desk.accept(1)
    desk.icom.deliver(desk.signed(status(payment)))
    desk.icom.deliver(desk.signed(status(payment, suffix="2")))

    await listen(desk)
    await desk.until_confirmed(2)

    assert not desk.alarms
    assert (await verify(desk.dsn)).ok
    assert (await verify_payments(desk.dsn)).ok


async def test_contradicting_outcome_raises_an_alarm_and_moves_no_money(desk: Desk) -> None:
    payment = await desk.accept(1)
    desk.icom.deliver(desk.signed(status(payment)))
    desk.icom.deliver(desk.signed(status(payment, status="RJCT", reason="AB03", suffix="2")))

    await listen(desk)
    await desk.until_confirmed(2)

    assert desk.alarms == ["REJECTED after CONFIRMED"]
    assert await state(desk, payment.payment_id) == (PaymentStatus.CONFIRMED, None)
    assert len(await desk.rows("SELECT body FROM spi_quarantine")) == 1


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("garbage", "MalformedXml"),
        ("foreign signature", "SignatureInvalid"),
        ("changed after signing", "SignatureInvalid"),
        ("unknown payment", "outcome of an unknown payment"),
    ],
)
async def test_message_that_cannot_be_trusted_is_kept_and_the_payment_stays_open(
    desk: Desk, kind: str, problem: str
) -> None:
    payment = await desk.accept(1)
    stranger = await desk.accept(2)
    good = desk.signed(status(payment))
    bodies = {
        "garbage": b"\x00<not xml",
        "foreign signature": desk.signed(status(payment), TENANT),
        "changed after signing": good.replace(b"ACSC", b"RJCT"),
        "unknown payment": desk.signed(status(stranger)),
    }
    if kind == "unknown payment":
        del desk.opened.payments[stranger.end_to_end_id]
        await desk.rows("DELETE FROM payments WHERE payment_id = $1", stranger.payment_id)
    desk.icom.deliver(bodies[kind])

    await listen(desk)
    await desk.until_confirmed(1)

    assert len(desk.alarms) == 1
    assert desk.alarms[0].startswith(problem)
    kept = await desk.rows("SELECT body FROM spi_quarantine")
    assert kept == [(bodies[kind],)]
    assert payment.end_to_end_id in desk.opened.payments


async def test_bad_message_between_good_ones_costs_only_itself(desk: Desk) -> None:
    first, second = await desk.accept(1), await desk.accept(2)
    desk.icom.deliver(
        desk.signed(status(first)), b"garbage", desk.signed(status(second, suffix="2"))
    )

    await listen(desk)
    await desk.until_confirmed(1)

    assert not desk.opened.payments
    assert len(desk.alarms) == 1


async def test_message_that_the_spi_refuses_fails_its_payments_and_frees_their_money(
    desk: Desk,
) -> None:
    payment = await desk.accept(1)
    message = desk.node.ids.new_id()
    stored = StoreMessage(
        message, MESSAGE_ID, b"<xml/>", (payment.end_to_end_id,), (payment.payment_id,)
    )
    await desk.commit(Entry(record=stored), Entry(record=MessageSent(message, "P1", NOW)))
    refusal = Admi002(
        sender=SPI_ISPB,
        receiver=TENANT,
        message_id=f"M{SPI_ISPB}{'1'.rjust(23, '0')}",
        created_at=NOW,
        related_reference=MESSAGE_ID,
        rejecting_party_reason="XML inválido",
        rejected_at=NOW,
    )
    desk.icom.deliver(desk.signed(refusal))

    await listen(desk)
    await desk.until_confirmed(1)

    assert await state(desk, payment.payment_id) == (PaymentStatus.FAILED, "message_rejected")
    assert (await verify_payments(desk.dsn)).ok
    assert not desk.opened.messages


def refusal_of(message_id: str) -> Admi002:
    return Admi002(
        sender=SPI_ISPB,
        receiver=TENANT,
        message_id=f"M{SPI_ISPB}{'1'.rjust(23, '0')}",
        created_at=NOW,
        related_reference=message_id,
        rejecting_party_reason="XML inválido",
        rejected_at=NOW,
    )


async def test_refusal_of_another_message_of_ours_is_left_to_who_sent_it(desk: Desk) -> None:
    sent = SentMessages(desk.node)
    sent.sent(MESSAGE_ID)
    desk.icom.deliver(desk.signed(refusal_of(MESSAGE_ID)))

    await listen(desk, sent)
    await desk.until_confirmed(1)

    assert sent.outcome(MESSAGE_ID) is Outcome.REJECTED
    assert not desk.alarms


async def test_refusal_of_a_message_that_nobody_sent_is_kept_and_reported(desk: Desk) -> None:
    desk.icom.deliver(desk.signed(refusal_of(MESSAGE_ID)))

    await listen(desk)
    await desk.until_confirmed(1)

    assert desk.alarms == ["not expected here"]
    assert len(await desk.rows("SELECT body FROM spi_quarantine")) == 1


async def test_stream_is_confirmed_only_after_the_commit(desk: Desk) -> None:
    payment = await desk.accept(1)
    desk.icom.deliver(desk.signed(status(payment)))
    await desk.kill(WRITER)  # nobody there to commit

    await listen(desk)
    while desk.node.whereis("receiver") is not None:  # it ends: the outcome is not known
        await asyncio.sleep(0.01)

    assert not desk.icom.confirmed
    await desk.start_writer()
    await desk.node.call(WRITER, Commit(()))
    assert payment.end_to_end_id in desk.opened.payments
