"""The words about the central bank are true."""

import csv
import re
from pathlib import Path

import pytest

from bacen.simulator.directory import load_entries
from bacen.simulator.receivers import ACCEPT, SILENT, answer

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "central-bank.md").read_text()
(TABLE,) = re.findall(
    r"^\| Key \| Leads to \|\n\|---\|---\|\n((?:\|.*\n)+)", DOCUMENT, re.MULTILINE
)
KEYS = re.findall(r"^\| `([^`]+)` \| (.*) \|$", TABLE, re.MULTILINE)


def test_example_starts_and_stops_a_bank(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    (home.parent / ".corrente").mkdir()
    home.rename(home.parent / ".corrente" / "bank")
    monkeypatch.chdir(home.parent)

    exec(compile(code, "central-bank.md", "exec"), {})  # noqa: S102 - our own document

    assert (home.parent / ".corrente" / "bank" / "bank.sqlite3").exists()


def test_keys_do_what_the_document_says() -> None:
    entries = load_entries()

    assert len(KEYS) == 8
    for key, promise in KEYS:
        expected = answer(entries[key].account_number)
        if "accepts" in promise:
            assert expected == ACCEPT
        elif "AB03" in promise:
            assert expected == SILENT
        else:
            assert expected in promise


def test_tables_have_the_same_participants() -> None:
    folder = ROOT / "bacen" / "simulator" / "data"
    with (folder / "entries.csv").open() as entries, (folder / "participants.csv").open() as others:
        of_keys = {row["participant"] for row in csv.DictReader(entries)}
        known = {row["ispb"] for row in csv.DictReader(others)}

    assert of_keys <= known
