"""The words about DICT are true."""

import re
from pathlib import Path

import bacen
from bacen import DictError
from bacen import dict as directory
from bacen.dict import OPERATIONS, Listing, Repeat

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "dict.md").read_text()


def test_errors_of_the_table_exist_and_none_is_left_out() -> None:
    named = set(re.findall(r"^\| `(Dict\w+)` \|", DOCUMENT, re.MULTILINE))
    errors = {
        name
        for name in bacen.__all__
        if isinstance(thing := getattr(bacen, name), type)
        and issubclass(thing, DictError)
        and name.startswith("Dict")
    }

    assert named == errors - {"DictError", "DictRefused"}


def test_listings_of_the_table_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (\w+) \|", DOCUMENT, re.MULTILINE))

    assert rows == {
        name: thing.operation.name
        for name in directory.__all__
        if isinstance(thing := getattr(directory, name), Listing)
    }


def test_what_is_not_repeated_is_what_the_document_says() -> None:
    asked = {name for name, each in OPERATIONS.items() if each.repeat is Repeat.ASK}
    words = ("Refund", "FundsRecovery", "InfractionReport", "cancelFraudMarker", "TrackingGraph")

    assert all(any(word in name for word in words) for name in asked)
    assert len(OPERATIONS) == int(re.findall(r"the (\d+) operations", DOCUMENT)[0])
