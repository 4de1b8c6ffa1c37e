"""`corrente bacen up` with its controls, `corrente bacen fault`, and the words of their page."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bacen.simulator.counterparties import read_counterparties
from bacen.simulator.faults import KINDS, read_scenario
from bacen.wire import LocalAuthority

PAGE = (Path(__file__).parents[2] / "docs" / "bank-control.md").read_text(encoding="utf-8")
READY_SECONDS = 120


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("bank")
    authority = LocalAuthority.create(home, now=datetime.now(UTC))
    authority.server()
    authority.spi_signing()
    authority.participant("12345678")
    return home


@pytest.fixture
def admin_url(pki: Path, tmp_path: Path) -> Iterator[str]:
    """Run a bank with everything that the page shows."""
    scenario, banks, ready = tmp_path / "bad-day.txt", tmp_path / "banks.json", tmp_path / "r.json"
    scenario.write_text(blocks("scenario")[0])
    banks.write_text(blocks("json")[0])
    files = ("--scenario", str(scenario), "--counterparties", str(banks))
    program = (sys.executable, "-m", "corrente", "bacen", "up")
    argv = (*program, "--home", str(pki), "--ready-file", str(ready), "--clock", "stepped", *files)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not ready.exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield str(json.loads(ready.read_text())["admin_url"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=READY_SECONDS)


def test_every_line_of_the_page_does_what_it_says(admin_url: str) -> None:
    answers: list[Any] = []
    for line in "".join(blocks("console")).splitlines():
        words = shlex.split(line.removeprefix("$ ").replace("$ADMIN", admin_url))
        if words[0] == "corrente":
            done = corrente(*words[1:])
            assert done.returncode == 0, (line, done.stderr)
            answers.append(done.stdout)
            continue
        done = subprocess.run(
            [*words, "--fail-with-body"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stdout)
        answers.append(msgspec.json.decode(done.stdout) if done.stdout else None)

    late, maintenance, faults, removed = answers[:4]
    assert (late["fault"], late["by"], maintenance["service"]) == ("late", "5s", "icom")
    assert len(faults["faults"]) == len(blocks("scenario")[0].splitlines()) - 1 + 2
    assert removed is None
    shown = next(each for each in answers if isinstance(each, dict) and "rate" in each)
    assert shown["clock"] == "stepped"
    assert shown["ahead"].startswith(("6d", "7d"))
    (listed,) = [each for each in answers if isinstance(each, dict) and "counterparties" in each]
    assert [each["config"]["ispb"] for each in listed["counterparties"]] == ["60701190", "60746948"]


def corrente(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = (sys.executable, "-m", "corrente", *arguments)
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_fault_is_refused_in_one_line_where_no_bank_answers(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    refused = corrente("bacen", "fault", "list", "--admin-url", nowhere)
    homeless = corrente("bacen", "fault", "list", "--home", str(tmp_path))
    wrong = corrente("bacen", "fault", "add", "late", "by=soon", "--admin-url", nowhere)

    assert [each.returncode for each in (refused, homeless, wrong)] == [1, 1, 2]
    assert "no bank answers" in refused.stderr
    assert "--admin-url" in homeless.stderr
    assert [each.stderr.count("\n") for each in (refused, homeless, wrong)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("option", "text", "told"),
    [
        ("--scenario", "lost\nlater by=5s\n", ":2: fault: 'later' is none of"),
        ("--counterparties", '[{"ispb": "1"}]', "[0]: ispb: "),
        ("--counterparties", '[{"ispb": "12345678"}]', "it speaks for itself"),
        ("--clock", "x1000", "'x1000' is none of"),
    ],
)
def test_bank_that_cannot_be_started_so_says_why_in_one_line(
    pki: Path, tmp_path: Path, option: str, text: str, told: str
) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    value = text if option == "--clock" else str(path)

    result = corrente("bacen", "up", "--home", str(pki), option, value)

    assert result.returncode == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_page_names_every_fault_and_its_files_are_read(tmp_path: Path) -> None:
    table = re.findall(r"^\| `([a-z0-9_]+)` \| .* \| ", PAGE, re.MULTILINE)
    scenario, banks = tmp_path / "s.txt", tmp_path / "b.json"
    scenario.write_text(blocks("scenario")[0])
    banks.write_text(blocks("json")[0])

    assert table[: len(KINDS)] == list(KINDS)
    assert len(read_scenario(scenario)) == 4
    assert len(read_counterparties(banks)) == 1
