"""The table from which senders and receivers take their work."""

from datetime import UTC, datetime
from uuid import UUID

from pix.open_payments import RECEIVED_MAX, OpenPayments
from pix.payments import Outcome, Party, Payment, PaymentStatus
from pix.records import Concluded, MessageSent, NewPayment, Received, StoreMessage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MESSAGE = UUID(int=1 << 70)


def payment(number: int) -> Payment:
    party = Party(ispb="12345678", account_number="1", account_type="CACC", tax_id="52998224725")
    return Payment(
        payment_id=UUID(int=number << 8),
        tenant="12345678",
        end_to_end_id=f"E{number}",
        amount_cents=100,
        debtor_account_id=UUID(int=7),
        debtor=party,
        creditor=party,
        created_at=NOW,
    )


def message(*payments: Payment) -> StoreMessage:
    return StoreMessage(
        MESSAGE,
        "M1",
        b"<xml/>",
        tuple(one.end_to_end_id for one in payments),
        tuple(one.payment_id for one in payments),
    )


def concluded(one: Payment) -> Concluded:
    outcome = Outcome(PaymentStatus.CONFIRMED, None, NOW)
    return Concluded(one.payment_id, one.end_to_end_id, outcome)


def test_a_payment_waits_for_a_message_in_the_order_it_came() -> None:
    opened = OpenPayments()
    first, second = payment(1), payment(2)

    opened.apply([NewPayment(first), NewPayment(second)])

    assert [one.payment for one in opened.unassigned(0)] == [first, second]


def test_a_payment_never_travels_in_a_second_message() -> None:
    opened = OpenPayments()
    first, second = payment(1), payment(2)
    opened.apply([NewPayment(first), NewPayment(second)])
    opened.apply([message(first)])

    assert opened.claims(message(first, second)) is None
    assert opened.claims(message(second)) == ("E2",)
    assert [one.payment for one in opened.unassigned(0)] == [second]


def test_a_payment_is_concluded_once() -> None:
    opened = OpenPayments()
    one = payment(1)
    opened.apply([NewPayment(one), message(one)])
    assert opened.claims(concluded(one)) is not None

    opened.apply([concluded(one)])

    assert opened.claims(concluded(one)) is None
    assert not opened.payments
    assert not opened.messages


def test_a_message_stays_until_its_last_payment_is_concluded() -> None:
    opened = OpenPayments()
    first, second = payment(1), payment(2)
    opened.apply([NewPayment(first), NewPayment(second), message(first, second)])
    opened.apply([MessageSent(MESSAGE, "R1", NOW)])

    opened.apply([concluded(first)])

    assert opened.messages[MESSAGE].sent_at == NOW
    assert opened.messages[MESSAGE].remaining == {"E2"}


def test_loading_a_message_whose_payments_are_final_leaves_nothing() -> None:
    opened = OpenPayments()

    opened.apply([message(payment(1))])

    assert not opened.messages


def test_resource_ids_are_remembered_up_to_a_bound() -> None:
    opened = OpenPayments()

    opened.apply([Received(str(number), NOW) for number in range(RECEIVED_MAX + 1)])

    assert not opened.was_received("0")
    assert opened.was_received("1")
    assert opened.was_received(str(RECEIVED_MAX))
