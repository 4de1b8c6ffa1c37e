"""Returns as participants see them: over HTTPS, after a restart, ordered at the admin port."""

from datetime import UTC, datetime

import aiohttp

from bacen.simulator import RunningBank
from bacen.wire import Admi002, Pacs004
from tests.bacen.simulator.conftest import BALANCE_CENTS, OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL, Desk, admin, outcome, settle


async def test_return_between_connected_participants_over_https(
    bank: RunningBank, payer: Desk, receiver: Desk
) -> None:
    original = await settle(payer, receiver)
    one = receiver.return_of(original, amount_cents=50, remittance="troco <errado>")

    await receiver.client.post([receiver.encode(receiver.pacs004(one))])
    (asked,) = await payer.read()
    await payer.answer_return(one, "ACSP")
    (for_payer,) = await payer.read_reports()
    (for_receiver,) = await receiver.read_reports()

    assert isinstance(asked, Pacs004)
    assert asked.returns == (one,)
    assert outcome(for_payer) == ("ACCC",)
    assert outcome(for_receiver) == ("ACSC",)
    assert for_receiver.original_instruction_id == one.return_id
    assert (await admin(bank, f"accounts/{PAYER}"))["balance_cents"] == BALANCE_CENTS - 1_000
    assert (await admin(bank, f"accounts/{CONNECTED}"))["balance_cents"] == BALANCE_CENTS + 1_000


async def test_returns_and_their_originals_are_known_after_a_restart(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start()
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    original = await settle(payer, receiver)
    under_way = receiver.return_of(original, amount_cents=1_000)
    await receiver.client.post([receiver.encode(receiver.pacs004(under_way))])
    await bank.stop()

    bank = await start()
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    too_much = receiver.return_of(original, amount_cents=51)
    await receiver.client.post([receiver.encode(receiver.pacs004(too_much))])
    refused = await receiver.read_reports(2)  # the ACCC of before was not confirmed
    blocked = (await admin(bank, f"accounts/{CONNECTED}"))["blocked_cents"]
    await payer.answer_return(under_way, "ACSP")

    assert [outcome(each) for each in refused] == [("ACCC",), ("RJCT", "AM09")]
    assert blocked == 1_000
    assert [outcome(each) for each in await receiver.read_reports()] == [("ACSC",)]


async def test_virtual_receiver_returns_when_it_is_asked(bank: RunningBank, payer: Desk) -> None:
    original = payer.transfer(creditor_ispb=VIRTUAL)
    await payer.pay(original)
    await payer.read_reports()

    status, answered = await order_return(
        bank, {"end_to_end_id": original.end_to_end_id, "amount_cents": 50}
    )
    (asked,) = await payer.read()
    assert isinstance(asked, Pacs004)
    await payer.answer_return(asked.returns[0], "ACSP")

    assert (status, answered["return_id"]) == (201, asked.returns[0].return_id)
    assert [outcome(each) for each in await payer.read_reports()] == [("ACCC",)]
    assert (await admin(bank, f"accounts/{VIRTUAL}"))["balance_cents"] == BALANCE_CENTS + 1_000


async def test_return_of_a_payment_that_no_virtual_participant_received_is_not_found(
    bank: RunningBank, payer: Desk, receiver: Desk
) -> None:
    original = await settle(payer, receiver)

    assert (await order_return(bank, {"end_to_end_id": original.end_to_end_id}))[0] == 404
    assert (await order_return(bank, {"end_to_end_id": "E1"}))[0] == 404
    assert (await order_return(bank, {"amount_cents": 1}))[0] == 400


async def order_return(bank: RunningBank, order: dict[str, object]) -> tuple[int, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{bank.admin_url}/admin/returns", json=order) as response,
    ):
        return response.status, await response.json()


async def test_return_without_form_comes_back_as_admi002(payer: Desk, receiver: Desk) -> None:
    original = await settle(payer, receiver)
    body = receiver.encode(receiver.pacs004(receiver.return_of(original)))

    await receiver.client.post([body.replace(b">10.50<", b">99.99<")])
    (rejection,) = await receiver.read()

    assert isinstance(rejection, Admi002)
    assert datetime.now(UTC) >= rejection.created_at
