"""Faults of messages through the real endpoint.

Each shows what the participant sees, what the operator sees, and that the books are right.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import Killed, Node
from bacen import SignatureInvalid, UnknownMessage
from bacen.simulator import BankClock, RunningBank
from bacen.simulator.faults import FAULT_APPLIED
from bacen.simulator.requests import SETTLEMENT
from bacen.wire import Admi002, Pacs002, decode
from tests.bacen.simulator.conftest import BALANCE_CENTS
from tests.bacen.simulator.controls import Controls, logged
from tests.bacen.simulator.desk import CONNECTED, PAYER, Desk, admin, outcome


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


async def check(
    bank: RunningBank, controls: Controls, logs: list[Any], fault: str, payments: int = 1
) -> None:
    """Check what the operator sees of one strike, and the books after payments of R$ 10,50."""
    assert await controls.strikes(fault, PAYER) == 1
    assert logged(logs, fault) == [PAYER]
    account = await admin(bank, f"accounts/{PAYER}")
    assert account["balance_cents"] == BALANCE_CENTS - 1_050 * payments
    assert account["blocked_cents"] == 0
    assert await controls.missing_cents() == 0


async def pay(desk: Desk, controls: Controls) -> str:
    """Pay who accepts at once; returns when it is settled."""
    transfer = desk.transfer()
    await desk.pay(transfer)
    assert (await controls.payment(transfer.end_to_end_id))["status"] == "SETTLED"
    return transfer.end_to_end_id


async def test_late_outcome_comes_when_its_time_has_come(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("late", by="20s", next=1)
    late = await pay(payer, controls)
    quiet = await payer.is_quiet()
    in_time = await pay(payer, controls)
    (first,) = await payer.read_reports()

    await controls.advance("20s")
    (second,) = await payer.read_reports()

    assert quiet
    assert (first.end_to_end_id, second.end_to_end_id) == (in_time, late)
    assert outcome(second) == ("ACSC",)
    await check(bank, controls, logs, "late", payments=2)


async def test_late_outcome_comes_at_once_after_a_restart(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("late", by="1h")
    late = await pay(payer, controls)
    pid = bank.node.whereis(SETTLEMENT)
    assert pid is not None

    bank.node.exit(pid, Killed())
    await bank.node.join(pid)
    await is_up(bank)
    (report,) = await payer.read_reports()

    assert report.end_to_end_id == late
    await check(bank, controls, logs, "late")


async def is_up(bank: RunningBank) -> None:
    """Wait until the core runs again and says so."""
    while bank.node.whereis(SETTLEMENT) is None:
        await asyncio.sleep(0.01)


async def test_lost_outcome_never_comes_and_is_told_when_the_message_is_repeated(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("lost", next=1)
    body = payer.encode(payer.pacs008(payer.transfer()))
    await payer.client.post([body])
    quiet = await payer.is_quiet()

    await payer.client.post([body])
    (report,) = await payer.read_reports()

    assert quiet
    assert outcome(report) == ("ACSC",)
    await check(bank, controls, logs, "lost")


async def test_payment_whose_offer_is_lost_ends_with_ab03_and_the_money_is_back(
    bank: RunningBank, controls: Controls, payer: Desk, receiver: Desk, logs: list[Any]
) -> None:
    await controls.fault("lost", message="pacs.008", ispb=CONNECTED)
    transfer = payer.transfer(creditor_ispb=CONNECTED)
    await payer.pay(transfer)
    quiet = await receiver.is_quiet()

    await controls.advance("41s")

    assert quiet
    assert outcome((await payer.read_reports())[0]) == ("RJCT", "AB03")
    assert outcome((await receiver.read_reports())[0]) == ("RJCT", "AB03")
    account = await admin(bank, f"accounts/{PAYER}")
    assert (account["balance_cents"], account["blocked_cents"]) == (BALANCE_CENTS, 0)
    assert logged(logs, "lost") == [CONNECTED]
    assert await controls.missing_cents() == 0


async def test_strike_is_an_event_of_the_node(
    bank: RunningBank, controls: Controls, payer: Desk
) -> None:
    seen: list[Any] = []
    bank.node.telemetry.attach(FAULT_APPLIED, lambda _, __, metadata: seen.append(metadata))
    fault_id = await controls.fault("lost", next=1)

    await pay(payer, controls)

    assert seen == [
        {"fault": "lost", "fault_id": fault_id, "ispb": PAYER, "about": "pacs.002"},
    ]


async def test_duplicate_comes_twice_under_one_name_and_is_forgotten_when_both_are_confirmed(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("duplicate", next=1)
    twice = await pay(payer, controls)

    reports = await payer.read_reports(2)
    assert await payer.is_quiet()  # this pull confirms

    assert [each.end_to_end_id for each in reports] == [twice, twice]
    assert len(payer.resource_ids) == 2
    assert len(set(payer.resource_ids)) == 1
    pid = bank.node.whereis(SETTLEMENT)
    assert pid is not None
    await controls.payment(twice)
    bank.node.exit(pid, Killed())
    await bank.node.join(pid)
    await is_up(bank)
    assert await again_quiet(payer)
    await check(bank, controls, logs, "duplicate")


async def again_quiet(desk: Desk) -> bool:
    """Say whether a new stream brings nothing."""
    desk._next = None
    return await desk.is_quiet()


async def test_reordered_message_is_overtaken_by_the_next(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("reorder", by="1h", next=1)
    first = await pay(payer, controls)
    quiet = await payer.is_quiet()
    second = await pay(payer, controls)

    reports = await payer.read_reports(2)

    assert quiet
    assert [each.end_to_end_id for each in reports] == [second, first]
    await check(bank, controls, logs, "reorder", payments=2)


async def test_reordered_message_that_nothing_follows_comes_after_its_time(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("reorder", by="10s")
    alone = await pay(payer, controls)
    assert await payer.is_quiet()

    await controls.advance("10s")

    assert [each.end_to_end_id for each in await payer.read_reports()] == [alone]
    await check(bank, controls, logs, "reorder")


async def test_signature_that_does_not_hold_is_refused_by_who_reads_it(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("bad_signature", message="pacs.002", next=1)
    await pay(payer, controls)

    (received,) = (await payer.pull()).messages

    with pytest.raises(SignatureInvalid):
        decode(received.body, payer.spi)
    await check(bank, controls, logs, "bad_signature")


async def test_version_that_nobody_speaks_is_well_signed_and_unknown(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("wrong_version", next=1)
    await pay(payer, controls)

    (received,) = (await payer.pull()).messages

    with pytest.raises(UnknownMessage):
        decode(received.body, payer.spi)
    await check(bank, controls, logs, "wrong_version")


async def test_refusal_instead_of_the_outcome_names_the_message_and_moves_no_money_back(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any]
) -> None:
    await controls.fault("admi002", next=1)
    message = payer.pacs008(payer.transfer(), payer.transfer())
    await payer.client.post([payer.encode(message)])

    (told,) = await payer.read()
    quiet = await payer.is_quiet()

    assert isinstance(told, Admi002)
    assert told.related_reference == message.message_id
    assert quiet
    for transfer in message.transfers:
        assert (await controls.payment(transfer.end_to_end_id))["status"] == "SETTLED"
    await check(bank, controls, logs, "admi002", payments=2)


@pytest.mark.parametrize(("by", "skew"), [("2h", timedelta(hours=2)), ("-2h", timedelta(hours=-2))])
async def test_times_in_a_message_are_off_by_the_skew_and_the_day_of_the_books_is_not(
    bank: RunningBank, controls: Controls, payer: Desk, logs: list[Any], by: str, skew: timedelta
) -> None:
    await controls.fault("clock_skew", by=by, message="pacs.002")
    before = datetime.now(UTC)
    await pay(payer, controls)

    (told,) = await payer.read()

    assert isinstance(told, Pacs002)
    (report,) = told.reports
    assert report.settled_at is not None
    for shown in (told.created_at, report.settled_at):
        assert abs(shown - before - skew) < timedelta(minutes=30)
    assert await controls.strikes("clock_skew", PAYER) == 1
    assert logged(logs, "clock_skew") == [PAYER]
    assert await controls.missing_cents() == 0


async def test_fault_meets_whom_it_is_meant_for(
    bank: RunningBank, controls: Controls, payer: Desk, receiver: Desk
) -> None:
    first = await controls.fault("lost", ispb=payer.ispb)
    second = await controls.fault("lost", message="pacs.004")
    theirs = receiver.transfer()
    await receiver.pay(theirs)
    await payer.pay(payer.transfer())

    (report,) = await receiver.read_reports()
    assert report.end_to_end_id == theirs.end_to_end_id
    assert await payer.is_quiet()
    assert await controls.strikes("lost", receiver.ispb) == 0
    assert [await controls.hits("lost", each) for each in (first, second)] == [1, 0]


async def test_probability_strikes_that_share_of_the_messages(
    bank: RunningBank, controls: Controls, payer: Desk
) -> None:
    await controls.fault("lost", probability="0.3")
    for _ in range(100):
        await payer.pay(payer.transfer())

    assert 10 <= await controls.strikes("lost", PAYER) <= 55
    assert await controls.missing_cents() == 0


async def test_window_opens_and_closes_by_the_clock_of_the_bank(
    bank: RunningBank, controls: Controls, payer: Desk
) -> None:
    await controls.fault("lost", since="10s", during="10s")
    states, strikes = [], []
    for _ in range(3):
        await payer.pay(payer.transfer())
        strikes.append(await controls.strikes("lost", PAYER))
        states += [each["state"] for each in (await controls.ask("GET", "/faults"))["faults"]]
        await controls.advance("10s")

    assert strikes == [0, 1, 1]
    assert states == ["waiting", "in force", "over"]


async def test_removed_fault_strikes_no_more(
    bank: RunningBank, controls: Controls, payer: Desk
) -> None:
    fault_id = await controls.fault("lost")
    await payer.pay(payer.transfer())
    await controls.remove(fault_id)

    kept = await pay(payer, controls)

    assert [each.end_to_end_id for each in await payer.read_reports()] == [kept]
    assert await controls.strikes("lost", PAYER) == 1
