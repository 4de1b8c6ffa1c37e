"""Every code of the SPI and DICT has a meaning; unknown ones have neighbours."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bacen.codes import Meaning, explain, load_meanings, near
from bacen.wire import STATUS_REASONS

MEANINGS = load_meanings()


def codes(where: str) -> set[str]:
    return {meaning.code for meaning in MEANINGS if meaning.where == where}


def test_every_reason_that_the_wire_knows_is_explained() -> None:
    assert codes("pacs.002 reason") == STATUS_REASONS


def test_tables_are_those_of_the_catalogue(reference_folder: Path) -> None:
    facts = json.loads((reference_folder / "spi" / "codes.json").read_text())

    assert codes("pacs.002 status") == set(facts["transaction_status"])
    assert codes("pacs.002 reason") == set(facts["pacs002_reason"])
    assert codes("pacs.004 reason") == set(facts["pacs004_reason"])
    assert codes("local instrument") == set(facts["local_instrument"])
    assert codes("purpose") == set(facts["purpose"])
    assert codes("service level") == set(facts["service_level"])
    assert codes("account type") == set(facts["account_type"])
    assert codes("facilitator") == set(facts["facilitator_modality"])
    assert codes("cash part") == set(facts["cash_part"])
    assert codes("SPI message") == set(facts["versions_5_13"])


def test_every_error_of_the_dict_is_explained(reference_folder: Path) -> None:
    path = reference_folder / "openapi" / "dict-api-2.12.1.condensed.json"
    paths = json.loads(path.read_text())["paths"]
    raised = {
        error
        for operations in paths.values()
        for operation in operations.values()
        for error in operation.get("x-error-types", ())
    }

    assert codes("DICT error") == raised | {"InternalServerError"}


def test_every_meaning_is_one_sentence_or_two_and_comes_once() -> None:
    places = Counter((meaning.code, meaning.where) for meaning in MEANINGS)

    assert [place for place, count in places.items() if count > 1] == []
    assert [m.code for m in MEANINGS if not m.text.endswith(".") or not m.code.strip()] == []
    assert all((m.http_status is not None) == (m.where == "DICT error") for m in MEANINGS)


def test_code_is_found_in_whatever_case() -> None:
    (meaning,) = explain(" entrylockedbyclaim ", MEANINGS)

    assert meaning == Meaning(
        "EntryLockedByClaim",
        "DICT error",
        "DICT",
        400,
        "A claim to the key is open: it cannot be deleted.",
    )


def test_code_with_two_meanings_has_both() -> None:
    found = explain("SL02", MEANINGS)

    assert [meaning.where for meaning in found] == ["pacs.002 reason", "pacs.004 reason"]


@pytest.mark.parametrize(
    ("code", "neighbour"),
    [("AB04", "AB03"), ("am4", "AM04"), ("EntryLocked", "EntryLockedByClaim")],
)
def test_unknown_code_has_neighbours(code: str, neighbour: str) -> None:
    assert explain(code, MEANINGS) == ()
    assert neighbour in near(code, MEANINGS)


@pytest.mark.parametrize("code", ["", "?", "\u0660" * 4, "A" * 100_000])
def test_text_that_is_like_no_code_has_none(code: str) -> None:
    assert near(code, MEANINGS) == ()
