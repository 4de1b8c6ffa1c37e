"""The cockpit leads a participant through the script and judges by what the bank saw."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bacen.simulator import MESSAGE_RECEIVED, PAYMENT_FINISHED, DictSettings, RunningBank
from bacen.simulator.cockpit import FUNCTIONAL
from bacen.simulator.cockpit.showing import SIMULATED
from tests.bacen.simulator.cockpit.conftest import OpenReference
from tests.bacen.simulator.cockpit.reference import LOOK_UP, Reference
from tests.bacen.simulator.conftest import StartBank
from tests.bacen.simulator.controls import Controls
from tests.bacen.simulator.desk import CONNECTED, PAYER

RUNS = "/cockpit/runs"
WAIT_SECONDS = 60


async def begin(controls: Controls, *steps: str, **more: Any) -> str:
    order = {"participant": PAYER, "steps": steps, "step_seconds": 60, **more}
    return str((await controls.ask("POST", RUNS, order, 201))["id"])


async def shown(controls: Controls, run_id: str) -> dict[str, Any]:
    return dict(await controls.ask("GET", f"{RUNS}/{run_id}"))


async def ended(controls: Controls, run_id: str) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_SECONDS):
        while (run := await shown(controls, run_id))["state"] == "RUNNING":
            await asyncio.sleep(0.05)
    return run


async def read_evidence(
    bank: RunningBank, run_id: str, kind: str
) -> tuple[str, aiohttp.ClientResponse]:
    url = f"{bank.admin_url}/admin{RUNS}/{run_id}/evidence.{kind}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        return await answer.text(), answer


def states(run: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: f"{each['state']} {each['reason']}".strip() for each in run["steps"]}


async def test_reference_participant_passes_every_functional_step_and_evidence_has_no_person(
    start: StartBank, open_reference: OpenReference
) -> None:
    bank = await start(directory=DictSettings(rate_factor=1_000))
    controls = Controls(bank)
    async with open_reference(bank) as reference:
        run_id = await begin(controls, *FUNCTIONAL)
        run = await reference.play(run_id)

    assert states(run) == dict.fromkeys(FUNCTIONAL, "PASSED")
    assert run["state"] == "PASSED"
    document, _ = await read_evidence(bank, run_id, "html")
    text, answer = await read_evidence(bank, run_id, "json")
    assert "attachment" in answer.headers["Content-Disposition"]
    told = json.loads(text)
    assert told["notice"] == SIMULATED
    assert told["bank"]["is_simulated"]
    assert told["bank"]["machine"]
    for evidence in (text, document):
        assert SIMULATED in evidence
        assert next(iter(reference.received)) in evidence
        for person in ("52998224725", "39053344705", "13579246828", "Ana de", "Fulano", LOOK_UP):
            assert person not in evidence
        assert "+55119" not in evidence


async def test_participant_that_accepts_what_it_has_to_refuse_fails_at_once(
    controls: Controls, reference: Reference
) -> None:
    run_id = await begin(controls, "2e", "2b", payee={"wrong_account_number": "1"})

    run = await reference.play(run_id)

    assert states(run) == {"2e": "FAILED it was accepted", "2b": "PASSED"}
    assert run["state"] == "FAILED"


async def test_participant_that_refuses_what_it_has_to_accept_is_told_with_which_reason(
    controls: Controls, reference: Reference
) -> None:
    run_id = await begin(controls, "2b", payee={"account_number": "AC0600001"})

    run = await reference.play(run_id)

    assert states(run) == {"2b": "FAILED it was rejected AC06"}


async def test_step_ends_with_its_time(controls: Controls) -> None:
    run = await ended(controls, await begin(controls, "1", "2a", step_seconds=1))

    assert set(states(run).values()) == {"FAILED the time of the step is over"}
    assert run["state"] == "FAILED"


async def test_step_is_left_out_with_a_reason_and_the_run_cannot_pass(
    bank: RunningBank, controls: Controls, reference: Reference
) -> None:
    run_id = await begin(controls, "3", "1", "4")
    left_out = {"step": "3", "reason": "<script>alert(1)</script>"}

    await controls.ask("POST", f"{RUNS}/{run_id}/skip", {"step": "3"}, 400)
    await controls.ask("POST", f"{RUNS}/{run_id}/skip", left_out)
    await controls.ask("POST", f"{RUNS}/{run_id}/skip", left_out, 400)
    await controls.ask("POST", f"{RUNS}/{run_id}/skip", {"step": "4", "reason": "later"})
    run = await reference.play(run_id)

    assert [each["state"] for each in run["steps"]] == ["SKIPPED", "PASSED", "SKIPPED"]
    assert run["state"] == "FAILED"
    document, answer = await read_evidence(bank, run_id, "html")
    assert "<script" not in document
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_step_that_failed_passes_when_it_is_done_again(
    controls: Controls, reference: Reference
) -> None:
    run_id = await begin(controls, "1", step_seconds=1)
    assert (await ended(controls, run_id))["state"] == "FAILED"

    await controls.ask("POST", f"{RUNS}/{run_id}/repeat", {"step": "1"})
    run = await reference.play(run_id)

    assert states(run) == {"1": "PASSED"}
    assert run["state"] == "PASSED"


async def test_run_that_is_stopped_listens_no_more(bank: RunningBank, controls: Controls) -> None:
    run_id = await begin(controls, "1", "2a")
    assert bank.node.telemetry.listens(MESSAGE_RECEIVED)

    run = await controls.ask("POST", f"{RUNS}/{run_id}/stop", {})

    assert (run["state"], run["steps"][0]["state"]) == ("STOPPED", "STOPPED")
    assert run["steps"][1]["state"] == "WAITING"
    assert not bank.node.telemetry.listens(MESSAGE_RECEIVED, PAYMENT_FINISHED)
    (listed,) = (await controls.ask("GET", RUNS))["runs"]
    assert (listed["id"], listed["state"]) == (run_id, "STOPPED")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"participant": "60701190"}, "participant"),
        ({"steps": ["2z"]}, "steps"),
        ({"steps": []}, "steps"),
        ({"steps": ["1", "1"]}, "steps"),
        ({"step_seconds": 0}, "step_seconds"),
        ({"capacity_seconds": 4_000}, "capacity_seconds"),
        ({"payees": {}}, "body"),
    ],
)
async def test_order_that_cannot_be_obeyed_is_refused_with_its_field(
    controls: Controls, changed: dict[str, Any], field: str
) -> None:
    order = {"participant": PAYER, "steps": ["1"], **changed}

    problem = await controls.ask("POST", RUNS, order, 400)

    assert problem["field"] == field
    assert (await controls.ask("GET", RUNS))["runs"] == []


async def test_runs_of_two_participants_do_not_meet(
    controls: Controls, reference: Reference
) -> None:
    other = await begin(controls, "1", participant=CONNECTED)
    mine = await begin(controls, "1", "2a")
    await controls.ask("POST", RUNS, {"participant": PAYER, "steps": ["1"]}, 400)

    assert (await reference.play(mine))["state"] == "PASSED"

    assert (await shown(controls, other))["steps"][0]["checks"][0]["count"] == 0
    await controls.ask("GET", f"{RUNS}/{'0' * 32}", status=404)


async def test_payment_account_that_no_message_can_name_fails_the_step_and_says_so(
    controls: Controls,
) -> None:
    run = await ended(controls, await begin(controls, "2b", payee={"account_number": "no!"}))

    assert states(run)["2b"].startswith("FAILED the bank could not do its part")


async def test_run_goes_on_after_a_restart_of_the_bank(
    start: StartBank, open_reference: OpenReference
) -> None:
    bank = await start()
    controls = Controls(bank)
    run_id = await begin(controls, "1", "2b", "2a")
    async with open_reference(bank) as reference:
        await reference.echo()
        async with asyncio.timeout(WAIT_SECONDS):
            while (await shown(controls, run_id))["steps"][1]["state"] != "PASSED":
                await asyncio.sleep(0.05)
    before = await shown(controls, run_id)
    await bank.stop()
    again = await start()
    controls = Controls(again)
    taken_up = await shown(controls, run_id)
    async with open_reference(again) as reference:
        await reference.pay()
        run = await ended(controls, run_id)

    assert taken_up["steps"] == before["steps"]
    assert set(states(run).values()) == {"PASSED"}
    assert run["state"] == "PASSED"


async def test_disk_that_refuses_a_run_does_not_stop_it_and_it_is_kept_later(
    bank: RunningBank, controls: Controls, reference: Reference
) -> None:
    in_the_way = bank.home / "cockpit"
    in_the_way.write_text("no folder")

    run_id = await begin(controls, "1", "3")
    await reference.echo()
    async with asyncio.timeout(WAIT_SECONDS):
        while (await shown(controls, run_id))["steps"][0]["state"] != "PASSED":
            await asyncio.sleep(0.05)
    in_the_way.unlink()

    async with asyncio.timeout(WAIT_SECONDS):
        while not (in_the_way / f"{run_id}.json").exists():
            await asyncio.sleep(0.05)


async def test_files_that_are_no_runs_of_this_script_are_left_alone(
    start: StartBank, home: Path
) -> None:
    folder = home / "cockpit"
    first = await start()
    run_id = await begin(Controls(first), "1")
    await first.stop()
    kept = (folder / f"{run_id}.json").read_text()
    (folder / "broken.json").write_text("{")
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "older.json").write_text(kept.replace('"id":"1"', '"id":"9z"'))

    again = await start()

    assert [each["id"] for each in (await Controls(again).ask("GET", RUNS))["runs"]] == [run_id]
    assert len(list(folder.glob("*.json"))) == 4
