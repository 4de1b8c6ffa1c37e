"""Conversations of participants with the central bank over HTTPS: payments and their outcomes."""

from bacen.simulator import RunningBank
from bacen.wire import AccountId, Admi002, CreditTransfer, Pacs002, Pacs008, encode
from tests.bacen.simulator.conftest import BALANCE_CENTS, OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL, Desk, admin, outcome


async def test_payment_to_a_virtual_participant_is_settled(bank: RunningBank, payer: Desk) -> None:
    transfer = payer.transfer(creditor_key="maria@example.com", local_instrument="DICT")

    resource_ids = await payer.pay(transfer)
    (settled,) = await payer.read_reports()

    assert len(resource_ids) == 1
    assert settled.end_to_end_id == transfer.end_to_end_id
    assert settled.original_instruction_id == transfer.end_to_end_id
    assert outcome(settled) == ("ACSC",)
    assert settled.settled_at is not None
    assert settled.settlement_date is not None
    assert (await admin(bank, f"accounts/{PAYER}"))["balance_cents"] == BALANCE_CENTS - 1_050
    assert (await admin(bank, f"accounts/{VIRTUAL}"))["balance_cents"] == BALANCE_CENTS + 1_050


async def test_results_of_one_payer_are_grouped_by_ten(payer: Desk) -> None:
    messages = [
        payer.encode(payer.pacs008(*(payer.transfer() for _ in range(10)))) for _ in range(10)
    ]

    resource_ids = await payer.client.post(messages)
    delivered = await payer.read(10)

    assert len(set(resource_ids)) == 10
    assert [len(each.reports) for each in delivered if isinstance(each, Pacs002)] == [10] * 10


async def test_connected_receiver_gets_the_payment_and_both_learn_the_outcome(
    payer: Desk, receiver: Desk, bank: RunningBank
) -> None:
    transfer = payer.transfer(creditor_ispb=CONNECTED, remittance="aluguel <maio> & condomínio")

    await payer.pay(transfer)
    (asked,) = await receiver.read()
    blocked = await admin(bank, f"accounts/{PAYER}")
    await receiver.answer(transfer, "ACSP")
    (for_payer,) = await payer.read_reports()
    (for_receiver,) = await receiver.read_reports()

    assert isinstance(asked, Pacs008)
    accepted = transfer.accepted_at.replace(
        microsecond=transfer.accepted_at.microsecond // 1000 * 1000
    )
    assert asked.transfers[0].end_to_end_id == transfer.end_to_end_id
    assert asked.transfers[0].remittance == transfer.remittance
    assert asked.transfers[0].accepted_at == accepted
    assert blocked["blocked_cents"] == 1_050
    assert blocked["available_cents"] == BALANCE_CENTS - 1_050
    assert outcome(for_payer) == ("ACSC",)
    assert outcome(for_receiver) == ("ACCC",)
    assert for_payer.settled_at == for_receiver.settled_at
    assert (await admin(bank, f"accounts/{CONNECTED}"))["balance_cents"] == BALANCE_CENTS + 1_050


async def test_rejection_of_a_connected_receiver_is_told_to_both(
    payer: Desk, receiver: Desk, bank: RunningBank
) -> None:
    transfer = payer.transfer(creditor_ispb=CONNECTED)

    await payer.pay(transfer)
    await receiver.read()
    await receiver.answer(transfer, "RJCT", "AC07")

    assert outcome((await payer.read_reports())[0]) == ("RJCT", "AC07")
    assert outcome((await receiver.read_reports())[0]) == ("RJCT", "AC07")
    account = await admin(bank, f"accounts/{PAYER}")
    assert (account["balance_cents"], account["blocked_cents"]) == (BALANCE_CENTS, 0)


async def test_account_number_decides_the_answer_of_a_virtual_receiver(payer: Desk) -> None:
    await payer.pay(
        payer.transfer(creditor_account=AccountId("AC0300001")),
        payer.transfer(creditor_account=AccountId("BE010001")),
        payer.transfer(),
    )

    reports = await payer.read_reports(3)

    assert [outcome(each) for each in reports] == [("RJCT", "AC03"), ("RJCT", "BE01"), ("ACSC",)]


async def test_payment_above_the_available_balance_is_rejected(payer: Desk) -> None:
    await payer.pay(payer.transfer(amount_cents=BALANCE_CENTS), payer.transfer(amount_cents=1))

    reports = await payer.read_reports(2)

    assert [outcome(each) for each in reports] == [("ACSC",), ("RJCT", "AM04")]


def held(payer: Desk, *transfers: CreditTransfer) -> bytes:
    """Sign payments whose time counts from the receipt: a slow test run changes nothing."""
    return payer.encode(payer.pacs008(*transfers, priority="NORM", service_level="PAGFRD"))


async def test_silence_of_the_receiver_ends_with_ab03_for_both(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start(acceptance_timeout_ms=500)
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)

    silent = payer.transfer(creditor_account=AccountId("SILENT01"))
    await payer.client.post([held(payer, silent, payer.transfer(creditor_ispb=CONNECTED))])
    (asked,) = await receiver.read()
    reports = await payer.read_reports(2)

    assert isinstance(asked, Pacs008)
    assert [outcome(each) for each in reports] == [("RJCT", "AB03")] * 2
    assert outcome((await receiver.read_reports())[0]) == ("RJCT", "AB03")
    assert (await admin(bank, f"accounts/{PAYER}"))["blocked_cents"] == 0


async def test_garbage_is_stored_and_comes_back_as_admi002_with_its_resource_id(
    payer: Desk,
) -> None:
    (resource_id,) = await payer.client.post([b"<not xml"])

    (rejection,) = await payer.read()

    assert isinstance(rejection, Admi002)
    assert rejection.related_reference == resource_id


async def test_wrong_signature_comes_back_as_admi002_with_the_message_id(
    payer: Desk, receiver: Desk, bank: RunningBank
) -> None:
    message = payer.pacs008(payer.transfer())

    await payer.client.post([encode(message, receiver.signer)])
    (rejection,) = await payer.read()

    assert isinstance(rejection, Admi002)
    assert rejection.related_reference == message.message_id
    assert (await admin(bank, f"accounts/{PAYER}"))["balance_cents"] == BALANCE_CENTS


async def test_changed_amount_comes_back_as_admi002(payer: Desk) -> None:
    body = payer.encode(payer.pacs008(payer.transfer()))

    await payer.client.post([body.replace(b"10.50", b"99.50")])
    (rejection,) = await payer.read()

    assert isinstance(rejection, Admi002)


async def test_message_of_another_sender_comes_back_as_admi002(payer: Desk, receiver: Desk) -> None:
    foreign = receiver.pacs008(receiver.transfer())

    await payer.client.post([receiver.encode(foreign)])
    (rejection,) = await payer.read()

    assert isinstance(rejection, Admi002)
    assert rejection.related_reference == foreign.message_id


async def test_repeated_message_changes_nothing_and_tells_the_outcome_again(
    payer: Desk, bank: RunningBank
) -> None:
    body = payer.encode(payer.pacs008(payer.transfer()))

    await payer.client.post([body])
    first = await payer.read_reports()
    await payer.client.post([body])
    again = await payer.read_reports()

    assert again == first
    assert len(set(payer.resource_ids)) == 2
    assert (await admin(bank, f"accounts/{PAYER}"))["balance_cents"] == BALANCE_CENTS - 1_050


async def test_message_repeated_within_one_post_is_paid_once(
    payer: Desk, bank: RunningBank
) -> None:
    body = payer.encode(payer.pacs008(payer.transfer()))

    await payer.client.post([body, body])
    await payer.read_reports(2)

    assert (await admin(bank, f"accounts/{PAYER}"))["balance_cents"] == BALANCE_CENTS - 1_050


async def test_end_to_end_id_of_an_earlier_payment_is_refused(payer: Desk) -> None:
    transfer = payer.transfer()

    await payer.pay(transfer)
    await payer.read_reports()
    await payer.pay(transfer)

    assert outcome((await payer.read_reports())[0]) == ("RJCT", "FF08")


async def test_answer_to_a_payment_that_was_not_asked_is_refused(
    payer: Desk, receiver: Desk
) -> None:
    transfer = payer.transfer(creditor_account=AccountId("SILENT01"))
    await payer.pay(transfer)

    await receiver.answer(transfer, "ACSP")
    (rejection,) = await receiver.read()

    assert isinstance(rejection, Admi002)
    assert rejection.additional_data == f"EndToEndId={transfer.end_to_end_id}"


async def test_messages_of_one_post_are_taken_in_their_order(payer: Desk) -> None:
    transfers = [payer.transfer() for _ in range(5)]

    await payer.client.post([payer.encode(payer.pacs008(each)) for each in transfers])
    reports = await payer.read_reports(5)

    assert [each.end_to_end_id for each in reports] == [each.end_to_end_id for each in transfers]


async def test_nothing_is_sent_for_a_late_answer(start: StartBank, desks: OpenDesk) -> None:
    bank = await start(acceptance_timeout_ms=300)
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    transfer = payer.transfer(creditor_ispb=CONNECTED)
    await payer.client.post([held(payer, transfer)])
    await payer.read_reports()
    await receiver.read(2)

    await receiver.answer(transfer, "ACSP")

    assert await receiver.is_quiet()
    assert 'corrente_bacen_alarms_total{kind="late_answer"} 1.0' in await admin(bank, None)
