"""The control API: its table, its refusals, the clock; and that participants cannot reach it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from actors import Clock, Node
from bacen.simulator import BankClock, RunningBank
from bacen.simulator.admin_routes import admin_application
from bacen.simulator.clock import STEPPED
from bacen.simulator.endpoint_control import ClockControl, CounterpartyControl, FaultControl
from bacen.simulator.faults import FaultPlan
from tests.bacen.simulator.conftest import StartBank
from tests.bacen.simulator.controls import Controls
from tests.bacen.simulator.desk import Desk, outcome


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Run a node whose time stands still until it is moved."""
    node = Node("bank", clock=BankClock(STEPPED))
    yield node
    await node.shutdown()


@pytest.fixture
def controls(bank: RunningBank) -> Controls:
    return Controls(bank)


async def test_table_lists_every_route_of_the_admin_port(
    bank: RunningBank, controls: Controls
) -> None:
    routes = (await controls.ask("GET", ""))["routes"]

    listed = {(each["method"], each["path"]) for each in routes}
    assert {
        ("GET", "/metrics"),
        ("POST", "/admin/faults"),
        ("DELETE", "/admin/faults/{id}"),
        ("POST", "/admin/clock"),
        ("POST", "/admin/counterparties"),
        ("POST", "/admin/payments"),
    } <= listed
    assert all(each["does"] for each in routes)
    async with aiohttp.ClientSession() as session:
        for method, path in listed - {("GET", "/metrics")}:
            url = bank.admin_url + path.replace("{", "").replace("}", "")
            async with session.request(method, url) as response:
                told = await response.text()
                assert response.status in {200, 400, 404, 415}, (method, path, told)


async def test_week_passes_at_once_and_the_bank_lives_in_the_time_it_was_moved_to(
    bank: RunningBank, controls: Controls, payer: Desk
) -> None:
    before = datetime.fromisoformat((await controls.ask("GET", "/clock"))["now"])

    moved = await controls.ask("POST", "/clock", {"advance": "P7D"})

    assert datetime.fromisoformat(moved["now"]) - before == timedelta(days=7)
    assert moved["ahead"].startswith(("6d", "7d"))
    stale = payer.transfer()
    await payer.pay(stale)
    assert (await controls.payment(stale.end_to_end_id))["reason"] == "FF08"


async def test_silent_receiver_is_given_up_when_forty_seconds_were_passed(
    bank: RunningBank, controls: Controls, payer: Desk
) -> None:
    account = payer.transfer().creditor_account
    silent = payer.transfer(
        creditor_account=type(account)("SILENT1"), accepted_at=bank.node.clock.now()
    )
    await payer.pay(silent)
    assert (await controls.payment(silent.end_to_end_id))["status"] == "PENDING"

    await controls.advance("40500ms")

    (report,) = await payer.read_reports()
    assert outcome(report) == ("RJCT", "AB03")


async def test_forty_seconds_pass_in_less_than_one_when_the_clock_is_fast(
    bank: RunningBank, controls: Controls, payer: Desk
) -> None:
    account = payer.transfer().creditor_account
    silent = payer.transfer(
        creditor_account=type(account)("SILENT1"), accepted_at=bank.node.clock.now()
    )
    await payer.pay(silent)

    await controls.ask("POST", "/clock", {"rate": 60})

    while (await controls.payment(silent.end_to_end_id))["status"] == "PENDING":
        await asyncio.sleep(0.02)
    assert (await controls.payment(silent.end_to_end_id))["reason"] == "AB03"
    shown = await controls.ask("GET", "/clock")
    assert shown["clock"] == "x60"


@pytest.fixture
async def panel(node: Node) -> AsyncIterator[TestClient[Any, Any]]:
    """Serve controls without a bank: what is refused never gets to it."""
    routes = FaultControl(FaultPlan(node)).routes() + ClockControl(node.clock).routes()
    routes += CounterpartyControl(node).routes()
    async with TestClient(TestServer(admin_application(routes))) as client:
        yield client


async def test_clock_is_set_to_another_rate(panel: TestClient[Any, Any]) -> None:
    answered = await panel.post("/admin/clock", json={"rate": 60})

    shown = await answered.json()
    assert (shown["rate"], shown["clock"], shown["movable"]) == (60, "x60", True)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/clock", {}, "body"),
        ("/clock", {"back": "1s"}, "body"),
        ("/clock", {"rate": "fast"}, "body"),
        ("/clock", {"advance": "-1s"}, "duration"),
        ("/clock", {"advance": "soon"}, "duration"),
        ("/clock", {"advance": "400d"}, "advance"),
        ("/clock", {"rate": -1}, "rate"),
        ("/clock", {"rate": 601}, "rate"),
        ("/faults", {"fault": "late", "by": "soon"}, "by"),
        ("/faults", {"fault": "later"}, "fault"),
        ("/faults", [], "body"),
        ("/counterparties", {"ispb": "1"}, "ispb"),
    ],
)
async def test_bad_order_is_refused_with_a_problem_document(
    panel: TestClient[Any, Any], path: str, body: object, field: str
) -> None:
    answered = await panel.post(f"/admin{path}", json=body)

    told = await answered.json()
    assert answered.status == told["status"] == 400
    assert answered.content_type == "application/problem+json"
    assert told["title"] == "Bad Request"
    assert told["field"] == field
    assert told["detail"]


async def test_controls_say_unavailable_while_the_bank_starts_again(
    panel: TestClient[Any, Any],
) -> None:
    answered = await panel.get("/admin/counterparties")

    assert answered.status == 503


async def test_real_clock_of_a_node_is_shown_and_cannot_be_moved() -> None:
    application = admin_application(ClockControl(Clock()).routes())

    async with TestClient(TestServer(application)) as client:
        shown = await (await client.get("/admin/clock")).json()
        refused = await client.post("/admin/clock", json={"advance": "1s"})

    assert (shown["clock"], shown["movable"]) == ("real", False)
    assert refused.status == 409


@pytest.mark.parametrize("path", ["/faults", "/clock", "/counterparties"])
async def test_order_that_a_web_page_could_send_is_refused(
    panel: TestClient[Any, Any], path: str
) -> None:
    answered = await panel.post(f"/admin{path}", data="{}")

    assert answered.status == 415


async def test_request_that_names_another_host_is_refused(panel: TestClient[Any, Any]) -> None:
    answered = await panel.get("/admin/faults", headers={"Host": "bank.example"})

    assert answered.status == 403


async def test_fault_that_does_not_exist_cannot_be_removed(panel: TestClient[Any, Any]) -> None:
    answered = await panel.delete("/admin/faults/f99")

    assert answered.status == 404


async def test_controls_are_on_this_machine_only_whatever_the_bank_binds(start: StartBank) -> None:
    bank = await start(host="0.0.0.0")  # noqa: S104 - what is tested

    assert bank.admin_url.startswith("http://127.0.0.1:")


async def test_participant_cannot_reach_the_controls(bank: RunningBank, payer: Desk) -> None:
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=payer.context)) as session,
        session.get(f"{bank.url}/admin/faults") as response,
    ):
        assert response.status == 404
