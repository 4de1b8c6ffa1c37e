"""The words about the central bank are true."""

import csv
import re
from pathlib import Path

import pytest

from bacen.simulator import watching
from bacen.simulator.dict import load_entries
from bacen.simulator.files import EntryLine
from bacen.simulator.intake import TAKEN
from bacen.simulator.receivers import ACCEPT, SILENT, answer
from bacen.wire import STATUS_REASONS

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "central-bank.md").read_text()
SPI = (ROOT / "docs" / "bank-spi.md").read_text()
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
        expected = answer(entries[key].account.account_number)
        if "accepts" in promise:
            assert expected == ACCEPT
        elif "AB03" in promise:
            assert expected == SILENT
        else:
            assert expected in promise


def test_rules_name_reasons_that_exist_and_messages_that_are_taken() -> None:
    rules = re.findall(r"^\| ((?:[A-Z]{2,4}[0-9]{0,2}(?:, )?)+) \|", SPI, re.MULTILINE)
    reasons = {each for row in rules for each in row.split(", ")}

    assert {"FF08", "AM09", "AG13", "DT05", "DS27"} <= reasons <= STATUS_REASONS
    assert [each for each in TAKEN.values() if each not in SPI] == []


def test_lines_of_a_file_have_the_fields_of_the_table() -> None:
    (table,) = re.findall(r"^\| Field \| What \|\n\|---\|---\|\n((?:\|.*\n)+)", SPI, re.MULTILINE)
    named = re.findall(r"`([a-z_]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()))

    assert named == list(EntryLine.__struct_fields__)


def test_events_of_the_table_exist() -> None:
    named = re.findall(r"^\| `([A-Z_]+)` \|", SPI, re.MULTILINE)

    assert len(named) == 8
    assert [each for each in named if not hasattr(watching, each)] == []


def test_tables_have_the_same_participants() -> None:
    folder = ROOT / "bacen" / "simulator" / "data"
    with (folder / "entries.csv").open() as entries, (folder / "participants.csv").open() as others:
        of_keys = {row["participant"] for row in csv.DictReader(entries)}
        known = {row["ispb"] for row in csv.DictReader(others)}

    assert of_keys <= known
