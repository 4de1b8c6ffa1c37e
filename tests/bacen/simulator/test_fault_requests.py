"""Faults of requests through the real endpoint.

Each shows what the participant sees, what the operator sees, and that the books are right.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs
from yarl import URL

from actors import Node
from bacen import IcomRefused, IcomUnknown
from bacen.simulator import BankClock, RunningBank
from bacen.simulator.faults import KINDS
from bacen.wire import AccountId, Pacs008, make_end_to_end_id
from tests.bacen.simulator.conftest import BALANCE_CENTS, OpenDesk
from tests.bacen.simulator.controls import Controls, logged
from tests.bacen.simulator.desk import PAYER, Desk, DeskKeys, admin, outcome

KEY = "+5511999887766"
TRIES_MAX = 200


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Run a node whose clock can be moved."""
    node = Node("bank", clock=BankClock(), seed=7)
    yield node
    await node.shutdown()


@pytest.fixture
def controls(bank: RunningBank) -> Controls:
    return Controls(bank)


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs() as logs:
        yield logs


class Asker:
    """Asks DICT and ICOM by plain requests, to see status and headers as they are."""

    def __init__(self, bank: RunningBank, context: ssl.SSLContext) -> None:
        self._url = bank.url
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))

    async def close(self) -> None:
        await self._session.close()

    async def entry(self, seconds: int = 30) -> tuple[int, str]:
        """Look a key up; gives the status and the body."""
        headers = {
            "PI-RequestingParticipant": PAYER,
            "PI-PayerId": "52998224725",
            "PI-EndToEndId": make_end_to_end_id(PAYER, datetime.now(UTC), "0" * 11),
            "Accept": "application/xml",
        }
        timeout = aiohttp.ClientTimeout(total=seconds)
        url = f"{self._url}/api/v2/entries/{KEY.replace('+', '%2B')}"
        async with self._session.get(
            URL(url, encoded=True), headers=headers, timeout=timeout
        ) as response:
            return response.status, await response.text()

    async def catalogue(self) -> aiohttp.ClientResponse:
        async with self._session.get(f"{self._url}/api/v1/in/catalog") as response:
            await response.read()
            return response


@pytest.fixture
async def asker(bank: RunningBank, desk_keys: dict[str, DeskKeys]) -> AsyncIterator[Asker]:
    asker = Asker(bank, desk_keys[PAYER].context)
    yield asker
    await asker.close()


async def check(
    bank: RunningBank, controls: Controls, logs: list[Any], fault: str, payments: int
) -> None:
    """Check what the operator sees of one strike, and the books after payments of R$ 10,50."""
    assert await controls.strikes(fault, PAYER) == 1
    assert logged(logs, fault) == [PAYER]
    account = await admin(bank, f"accounts/{PAYER}")
    assert account["balance_cents"] == BALANCE_CENTS - 1_050 * payments
    assert await controls.missing_cents() == 0


@pytest.mark.parametrize("fault", ["stored_5xx", "cut_after_storing"])
async def test_post_that_was_stored_and_not_acknowledged_counts_once_when_it_is_sent_again(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any], fault: str
) -> None:
    await controls.fault(fault, next=1)
    transfer = payer.transfer()
    body = payer.encode(payer.pacs008(transfer))

    with pytest.raises(IcomUnknown):
        await payer.client.post([body])
    (report,) = await payer.read_reports()
    await payer.client.post([body])
    (again,) = await payer.read_reports()

    assert report.end_to_end_id == transfer.end_to_end_id
    assert outcome(report) == outcome(again) == ("ACSC",)
    await check(bank, controls, logs, fault, payments=1)


async def test_too_many_requests_are_refused_with_a_time_to_wait_and_nothing_is_stored(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("too_many_requests", service="icom", next=1)

    with pytest.raises(IcomRefused) as refused:
        await payer.pay(payer.transfer())

    assert refused.value.status == 429
    assert refused.value.retry_after_s == 1
    await check(bank, controls, logs, "too_many_requests", payments=0)
    await payer.pay(payer.transfer())
    assert outcome((await payer.read_reports())[0]) == ("ACSC",)


async def test_maintenance_answers_503_for_its_window_and_stores_nothing(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("maintenance", service="icom", during="10m")
    transfer = payer.transfer()

    with pytest.raises(IcomUnknown):
        await payer.pay(transfer)
    with pytest.raises(aiohttp.ClientResponseError):  # 404
        await controls.payment(transfer.end_to_end_id)
    await check(bank, controls, logs, "maintenance", payments=0)

    await controls.advance("10m")
    await payer.pay(payer.transfer(accepted_at=bank.node.clock.now()))
    assert outcome((await payer.read_reports())[0]) == ("ACSC",)


async def test_slow_dict_answers_late_by_the_clock_of_the_bank(
    bank: RunningBank, controls: Controls, asker: Asker, logs: list[Any]
) -> None:
    await controls.fault("slow_dict", by="1h", next=1)
    with pytest.raises(TimeoutError):
        await asker.entry(seconds=1)

    status, _ = await asker.entry()

    assert status == 200
    await check(bank, controls, logs, "slow_dict", payments=0)


async def test_dict_that_is_down_says_so_signed_and_icom_goes_on(
    bank: RunningBank, controls: Controls, asker: Asker, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("dict_down", next=1)

    status, body = await asker.entry()
    await payer.pay(payer.transfer())

    assert status == 503
    assert "Signature" in body
    assert (await asker.entry())[0] == 200
    assert outcome((await payer.read_reports())[0]) == ("ACSC",)
    await check(bank, controls, logs, "dict_down", payments=1)


async def test_fault_of_one_service_leaves_the_other_alone(
    controls: Controls, asker: Asker, payer: Desk
) -> None:
    await controls.fault("too_many_requests", service="dict")

    assert (await asker.entry())[0] == 429
    await payer.pay(payer.transfer())


@pytest.mark.parametrize(("by", "skew"), [("1h", timedelta(hours=1)), ("-1h", timedelta(hours=-1))])
async def test_dates_of_answers_are_off_by_the_skew(
    bank: RunningBank,
    controls: Controls,
    asker: Asker,
    logs: list[Any],
    by: str,
    skew: timedelta,
) -> None:
    await controls.fault("clock_skew", by=by, service="icom")
    before = datetime.now(UTC)

    answered = await asker.catalogue()

    shown = parsedate_to_datetime(answered.headers["Date"])
    assert abs(shown - before - skew) < timedelta(minutes=30)
    await check(bank, controls, logs, "clock_skew", payments=0)


async def test_books_under_every_fault_at_once_are_those_of_a_bank_without(
    bank: RunningBank, controls: Controls, payer: Desk
) -> None:
    for fault in KINDS:
        await controls.fault(fault, probability="0.2")
    endings = {"1": "SETTLED", "AC031": "REJECTED"}
    numbers = [("1", "AC031")[number % 2] for number in range(40)]
    transfers = [payer.transfer(creditor_account=AccountId(number)) for number in numbers]

    for start in range(0, len(transfers), 4):
        await post_until_stored(payer, payer.pacs008(*transfers[start : start + 4]))

    ends = [(await controls.payment(each.end_to_end_id))["status"] for each in transfers]
    assert ends == [endings[number] for number in numbers]
    account = await admin(bank, f"accounts/{PAYER}")
    assert account["balance_cents"] == BALANCE_CENTS - 1_050 * ends.count("SETTLED")
    assert account["blocked_cents"] == 0
    assert await controls.missing_cents() == 0
    struck = {each["fault"] for each in (await controls.ask("GET", "/faults"))["faults"]}
    assert struck == set(KINDS)


async def post_until_stored(desk: Desk, message: Pacs008) -> None:
    """Send the same bytes until they are acknowledged, as a participant does."""
    body = desk.encode(message)
    for _ in range(TRIES_MAX):
        try:
            await desk.client.post([body])
        except (IcomUnknown, IcomRefused):
            continue
        return
    raise AssertionError("never stored")


async def test_expired_certificate_ends_new_connections_until_it_is_taken_back(
    bank: RunningBank, controls: Controls, payer: Desk, desks: OpenDesk, logs: list[Any]
) -> None:
    await payer.pay(payer.transfer())
    fault_id = await controls.fault("expired_certificate")
    await payer.pay(payer.transfer())  # on the connection that is open; it closes now

    with pytest.raises(IcomUnknown) as unknown:
        await payer.pay(payer.transfer())
    strikes = await controls.strikes("expired_certificate", "")
    await controls.remove(fault_id)
    await payer.pay(payer.transfer())

    assert "Certificate" in unknown.value.cause
    assert strikes >= 1
    assert logged(logs, "expired_certificate") == [""] * strikes
    account = await admin(bank, f"accounts/{PAYER}")
    assert account["balance_cents"] == BALANCE_CENTS - 3 * 1_050
    assert await controls.missing_cents() == 0
