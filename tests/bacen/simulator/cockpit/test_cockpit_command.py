"""`corrente bacen homologate` leads a participant through the script and ends with its result."""

import asyncio
import json
import sys
from pathlib import Path

from bacen.simulator import RunningBank
from tests.bacen.simulator.cockpit.reference import Reference
from tests.bacen.simulator.controls import Controls
from tests.bacen.simulator.desk import PAYER

WAIT_SECONDS = 120


async def homologate(*words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "corrente", "bacen", "homologate", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(WAIT_SECONDS):
        told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


async def play(controls: Controls, reference: Reference) -> None:
    while not (runs := (await controls.ask("GET", "/cockpit/runs"))["runs"]):
        await asyncio.sleep(0.05)
    await reference.play(runs[0]["id"])


async def test_command_ends_with_0_when_all_passed_and_keeps_the_evidence(
    bank: RunningBank, controls: Controls, reference: Reference, tmp_path: Path
) -> None:
    words = ("--participant", PAYER, "--admin", bank.admin_url, "--steps", "1,2b")
    capacity = ("--capacity", "17", "--minutes", "0.04", "--evidence", str(tmp_path / "kept"))

    (code, told), _ = await asyncio.gather(homologate(*words, *capacity), play(controls, reference))

    assert code == 0, told
    assert "simulated" in told
    for line in ("1    PASSED", "2b   PASSED", "C17  PASSED", "3 of 3 steps passed"):
        assert line in told
    kept = {path.suffix: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    assert json.loads(kept[".json"])["state"] == "PASSED"
    assert kept[".html"].startswith(b"<!doctype html>")


async def test_command_ends_with_1_when_a_step_failed(bank: RunningBank) -> None:
    words = ("--participant", PAYER, "--steps", "1", "--step-seconds", "1")

    code, told = await homologate(*words, "--admin-url", bank.admin_url)

    assert code == 1
    assert "the time of the step is over" in told


async def test_command_says_when_no_bank_answers() -> None:
    code, told = await homologate("--participant", PAYER, "--admin", "http://127.0.0.1:1")

    assert code == 1
    assert "no bank answers" in told
    assert len(told.splitlines()) == 1


async def test_participant_that_is_not_connected_is_refused_by_the_bank(bank: RunningBank) -> None:
    code, told = await homologate("--participant", "60701190", "--admin", bank.admin_url)

    assert code == 1
    assert "60701190 is not connected" in told
