"""What an operator sees of the bank, and which settings it refuses."""

from pathlib import Path

import aiohttp
import pytest

from bacen.simulator import BankSettings, InvalidBankSettings, RunningBank
from bacen.simulator.participants import load_participants, with_connected
from bacen.wire import Pacs008
from supervisors import terminate_child, which_children
from tests.bacen.simulator.conftest import BALANCE_CENTS
from tests.bacen.simulator.desk import CONNECTED, PAYER, Desk, admin


async def test_metrics_count_messages_payments_money_and_streams(
    bank: RunningBank, payer: Desk
) -> None:
    await payer.pay(payer.transfer(), payer.transfer(amount_cents=0))
    await payer.read_reports(2)

    text = await admin(bank, None)

    assert 'corrente_bacen_messages_received_total{kind="pacs.008"} 1.0' in text
    assert 'corrente_bacen_payments_total{outcome="ACSC",reason=""} 1.0' in text
    assert 'corrente_bacen_payments_total{outcome="RJCT",reason="AM01"} 1.0' in text
    assert f'corrente_bacen_pi_available_cents{{ispb="{PAYER}"}} {BALANCE_CENTS - 1_050}.0' in text
    assert f'corrente_bacen_pi_blocked_cents{{ispb="{PAYER}"}} 0.0' in text
    assert f'corrente_bacen_streams{{ispb="{PAYER}"}} 1.0' in text
    assert 'corrente_bacen_alarms_total{kind="money_missing_cents"} 0.0' in text


async def test_health_is_ok_while_the_bank_works(bank: RunningBank) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{bank.admin_url}/health") as response,
    ):
        assert response.status == 200
        assert await response.json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["health", "metrics", f"admin/accounts/{PAYER}"])
async def test_admin_says_unavailable_while_the_core_is_down(bank: RunningBank, path: str) -> None:
    core = (await which_children(bank.node, bank.pid))[0]
    assert core.pid is not None
    await terminate_child(bank.node, core.pid, "settlement")

    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{bank.admin_url}/{path}") as response,
    ):
        assert response.status == 503
        assert await response.json() == {"status": "unavailable"}


async def test_payment_can_be_looked_up_when_it_is_finished(bank: RunningBank, payer: Desk) -> None:
    transfer = payer.transfer(amount_cents=0)
    await payer.pay(transfer)
    await payer.read_reports()

    found = await admin(bank, f"payments/{transfer.end_to_end_id}")

    assert (found["status"], found["reason"]) == ("REJECTED", "AM01")


ORDER = {
    "receiver_ispb": CONNECTED,
    "account_number": "1000001",
    "tax_id": "52998224725",
    "amount_cents": 777,
}


async def test_virtual_payer_pays_whom_one_wants_to_see_receive(
    bank: RunningBank, receiver: Desk
) -> None:
    async with aiohttp.ClientSession() as session:
        posted = await session.post(f"{bank.admin_url}/admin/payments", json=ORDER)
        end_to_end_id = (await posted.json())["end_to_end_id"]
    (asked,) = await receiver.read()
    assert isinstance(asked, Pacs008)
    await receiver.answer(asked.transfers[0], "ACSP")

    (settled,) = await receiver.read_reports()

    assert posted.status == 201
    assert asked.transfers[0].amount_cents == 777
    assert (settled.end_to_end_id, settled.status) == (end_to_end_id, "ACCC")
    assert (await admin(bank, f"accounts/{CONNECTED}"))["balance_cents"] == BALANCE_CENTS + 777


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"tax_id": "1"}, 400), ({"other": 1}, 400), ({"amount_cents": -1}, 400)],
)
async def test_order_of_the_wrong_form_is_refused(
    bank: RunningBank, changed: dict[str, object], status: int
) -> None:
    async with aiohttp.ClientSession() as session:
        answered = await session.post(f"{bank.admin_url}/admin/payments", json={**ORDER, **changed})

    assert answered.status == status


async def test_order_that_a_web_page_could_send_is_refused(bank: RunningBank) -> None:
    async with aiohttp.ClientSession() as session:
        answered = await session.post(f"{bank.admin_url}/admin/payments", data="{}")

    assert answered.status == 415


@pytest.mark.parametrize("path", ["accounts/99999999", "payments/E0"])
async def test_unknown_things_are_not_found(bank: RunningBank, path: str) -> None:
    with pytest.raises(aiohttp.ClientResponseError) as refused:
        await admin(bank, path)

    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("retention_hours", 23),
        ("acceptance_timeout_ms", 0),
        ("streams_max", 0),
        ("pi_balance_cents", -1),
        ("long_poll_ms", -1),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(
    tmp_path: Path, setting: str, value: int
) -> None:
    with pytest.raises(InvalidBankSettings) as refused:
        BankSettings(home=tmp_path, **{setting: value})

    assert refused.value.setting == setting


@pytest.mark.parametrize("ispb", ["00038166", "03973814"])
def test_the_bank_and_indirect_participants_cannot_be_connected(ispb: str) -> None:
    with pytest.raises(InvalidBankSettings):
        with_connected(load_participants(), (ispb,))


def test_table_of_participants_has_the_virtual_ones_and_a_settling_one_for_each() -> None:
    table = load_participants()

    assert {"00038166", "12345678", "99999A03", "99999A04"} <= set(table)
    assert all(table[each.settled_by].kind != "IDRT" for each in table.values())
