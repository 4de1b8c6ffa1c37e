"""The capacity test counts exactly, and passes and fails by the published limits."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors import Killed, Node
from bacen.simulator import BankClock, DictSettings, RunningBank
from bacen.simulator.cockpit import COCKPIT
from bacen.simulator.cockpit.capacity import Figures, percentile
from bacen.simulator.cockpit.sights import DICT, FINISHED, RECEIVED, SENT, Sight
from tests.bacen.simulator.cockpit.conftest import OpenReference
from tests.bacen.simulator.cockpit.reference import Reference
from tests.bacen.simulator.cockpit.test_cockpit_script import RUNS, begin, ended, shown
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.controls import Controls
from tests.bacen.simulator.desk import PAYER

T0 = 1_700_000_000_000
SENT_GAUGE, FETCHED, HALF, MOST, PAID, LOOK_UPS = range(6)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """A node whose clock can be moved."""
    made = Node("bank", clock=BankClock())
    yield made
    await made.shutdown()


async def counterparties(controls: Controls) -> list[Any]:
    return list((await controls.ask("GET", "/counterparties"))["counterparties"])


async def test_participant_that_keeps_the_rate_passes(
    controls: Controls, reference: Reference
) -> None:
    run = await reference.play(await begin(controls, "C17", capacity_seconds=3))

    (step,) = run["steps"]
    gauges = step["capacity"]["gauges"]
    assert (step["state"], step["reason"]) == ("PASSED", "")
    assert (gauges[SENT_GAUGE]["value"], gauges[SENT_GAUGE]["total"]) == (51, 51)
    assert gauges[PAID]["value"] >= 51
    assert gauges[HALF]["total"] == gauges[MOST]["total"] == 51
    assert len(reference.received) == 51
    assert step["capacity"]["milliseconds"]["answered"]["p95"] is not None
    assert await counterparties(controls) == []


async def test_participant_that_is_silent_fails_with_all_that_it_missed(
    controls: Controls, node: Node
) -> None:
    run_id = await begin(controls, "C17", capacity_seconds=1)
    async with asyncio.timeout(30):
        while (await shown(controls, run_id))["steps"][0]["capacity"]["gauges"][0]["value"] < 17:
            await asyncio.sleep(0.05)

    await controls.advance("2m")
    run = await ended(controls, run_id)

    (step,) = run["steps"]
    gauges = step["capacity"]["gauges"]
    assert step["state"] == "FAILED"
    assert [each["is_met"] for each in gauges] == [True, False, False, False, False, False]
    assert step["reason"].count("; ") == 4


async def test_test_that_is_stopped_pays_no_more(controls: Controls) -> None:
    run_id = await begin(controls, "C67", capacity_seconds=60)
    assert [each["config"]["ispb"] for each in await counterparties(controls)] == ["99999A03"]

    await controls.ask("POST", f"{RUNS}/{run_id}/stop", {})

    assert await counterparties(controls) == []


async def test_virtual_payer_that_is_simulated_already_is_left_as_it_is(controls: Controls) -> None:
    await controls.ask("POST", "/counterparties", {"ispb": "99999A03"}, 201)

    run = await ended(controls, await begin(controls, "C17", capacity_seconds=1))

    assert "99999A03 is a counterparty already" in run["steps"][0]["reason"]
    assert len(await counterparties(controls)) == 1


async def test_restart_of_the_bank_fails_a_test_under_way(
    start: StartBank, open_reference: OpenReference
) -> None:
    bank = await start()
    run_id = await begin(Controls(bank), "C17", "1", capacity_seconds=60)
    await bank.stop()

    again = await start()
    async with open_reference(again) as reference:
        run = await reference.play(run_id)

    assert run["steps"][0]["reason"] == "the bank started again during the test"
    assert run["steps"][1]["state"] == "PASSED"


async def test_cockpit_that_dies_goes_on_and_the_virtual_payer_pays_no_more(
    bank: RunningBank, controls: Controls, reference: Reference
) -> None:
    run_id = await begin(controls, "1", "C17", "2a", capacity_seconds=60)
    await reference.echo()
    async with asyncio.timeout(30):
        while not await counterparties(controls):
            await asyncio.sleep(0.05)
    pid = bank.node.whereis(COCKPIT)

    assert pid is not None
    bank.node.exit(pid, Killed())
    async with asyncio.timeout(30):
        while await counterparties(controls):
            await asyncio.sleep(0.05)
    run = await reference.play(run_id)

    assert [each["state"] for each in run["steps"]] == ["PASSED", "FAILED", "PASSED"]


def answered(answered_in_ms: int) -> Sight:
    fields: dict[str, str | int] = {"what": "payment", "role": "receiver", "other": "99999A03"}
    return Sight(FINISHED, T0, {**fields, "answered_in_ms": answered_in_ms})


def paid(received_ms: int, status: str = "SETTLED") -> Sight:
    fields: dict[str, str | int] = {"what": "payment", "role": "payer", "status": status}
    return Sight(FINISHED, received_ms + 9, {**fields, "received_ms": received_ms})


def offered(count: int) -> Sight:
    fields: dict[str, str | int] = {"kind": "pacs.008", "ids": "E99999A03x", "items": count}
    return Sight(SENT, T0, fields)


@pytest.mark.parametrize(
    ("fast", "middling", "slow", "is_half_met", "is_most_met"),
    [(50, 45, 5, True, True), (49, 46, 5, False, True), (50, 44, 6, True, False)],
)
def test_answers_are_judged_at_1400_and_2300_ms(
    fast: int, middling: int, slow: int, is_half_met: bool, is_most_met: bool
) -> None:
    figures = Figures(10, 10, began_ms=T0)
    figures.note(offered(100))
    for times, ms in ((fast, 1_399), (middling, 2_299), (slow, 2_300)):
        for _ in range(times):
            figures.note(answered(ms))

    gauges = figures.gauges()

    assert (gauges[HALF].is_met, gauges[MOST].is_met) == (is_half_met, is_most_met)
    assert (gauges[HALF].value, gauges[MOST].value) == (fast, fast + middling)
    assert percentile(figures.answered, 95) == (2_299 if is_most_met else 2_300)


def test_answer_that_never_came_counts_as_late() -> None:
    figures = Figures(10, 10, began_ms=T0)
    figures.note(offered(100))
    for _ in range(94):
        figures.note(answered(1))

    assert not figures.gauges()[MOST].is_met


@pytest.mark.parametrize(("late", "is_met"), [(1, True), (2, False)])
def test_messages_are_judged_at_200_ms(late: int, is_met: bool) -> None:
    figures = Figures(10, 10, began_ms=T0, fetched={200: 100 - late, 201: late})

    assert figures.gauges()[FETCHED].is_met == is_met


def test_time_of_the_participant_begins_with_its_first_payment_but_no_later_than_allowed() -> None:
    prompt, slow = Figures(10, 10, began_ms=T0), Figures(10, 10, began_ms=T0)
    first = {"kind": "pacs.008", "channel": "primary", "message_id": "M"}
    prompt.note(Sight(RECEIVED, T0 + 5_000, dict(first)))
    slow.note(Sight(RECEIVED, T0 + 60_000, dict(first)))
    for each in (T0 + 14_999, T0 + 15_000):
        prompt.note(paid(each))
    prompt.note(paid(T0 + 6_000, "REJECTED"))
    for each in (T0 + 39_999, T0 + 60_000):
        slow.note(paid(each))

    assert (prompt.paid, slow.paid) == (1, 1)


def test_look_ups_that_were_refused_for_their_rate_do_not_count() -> None:
    figures = Figures(17, 600, began_ms=T0)
    for kind in ("OK", "NotFound", "RateLimited"):
        figures.note(Sight(DICT, T0, {"operation": "getEntry", "type": kind}))

    assert (figures.looked_up, figures.look_ups_wanted()) == (2, 1_000)


def test_test_without_a_payment_is_not_passed() -> None:
    assert not any(each.is_met for each in Figures(17, 600, began_ms=T0).gauges())


async def test_time_that_a_message_waited_is_that_of_the_banks_clock_and_counts_once(
    controls: Controls, bank: RunningBank, desks: OpenDesk
) -> None:
    run_id = await begin(controls, "C17", capacity_seconds=1)
    async with asyncio.timeout(30):
        while (await shown(controls, run_id))["steps"][0]["capacity"]["gauges"][0]["value"] < 17:
            await asyncio.sleep(0.05)
    await controls.advance("5s")

    desk = desks(bank, PAYER)
    while not await desk.is_quiet():
        pass

    capacity = (await shown(controls, run_id))["steps"][0]["capacity"]
    assert capacity["gauges"][FETCHED]["value"] == 0
    assert capacity["gauges"][FETCHED]["total"] == len(set(desk.resource_ids))
    assert capacity["milliseconds"]["fetched"]["p50"] >= 5_000


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("level", [17, 33, 67])
async def test_reference_participant_passes_the_whole_capacity_test(
    start: StartBank, open_reference: OpenReference, level: int
) -> None:
    bank = await start(pi_balance_cents=10**12, directory=DictSettings(rate_factor=1_000))
    async with open_reference(bank) as reference:
        run = await reference.play(await begin(Controls(bank), f"C{level}"))

    (step,) = run["steps"]
    print(f"{level} a second: {json.dumps(step['capacity'], indent=1)}")
    assert (step["state"], step["reason"]) == ("PASSED", "")
