"""The keys that DICT knows at the start: fictitious people with valid CPFs and CNPJs."""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from typing import Any, cast

from bacen.dict import Account, Entry, KeyType, Person

DATA = "bacen.simulator"
ENTERED_AT = datetime(2025, 3, 10, 12, tzinfo=UTC)
ACCOUNTS_OPENED_AT = datetime(2021, 6, 1, 12, tzinfo=UTC)


def load_entries() -> Mapping[str, Entry]:
    """Read the table, by key in its one written form."""
    table = resources.files(DATA) / "data" / "entries.csv"
    with table.open(encoding="utf-8") as lines:
        return {row["key"]: entry_of(row) for row in csv.DictReader(lines)}


def entry_of(row: Mapping[str, str]) -> Entry:
    return Entry(
        key=row["key"],
        key_type=cast("KeyType", row["key_type"]),
        account=Account(
            participant=row["participant"],
            branch=row["branch"],
            account_number=row["account_number"],
            account_type=cast("Any", row["account_type"]),
            opening_date=ACCOUNTS_OPENED_AT,
        ),
        owner=Person(
            type="LEGAL_PERSON" if row["owner_type"] == "LEGAL_PERSON" else "NATURAL_PERSON",
            tax_id_number=row["owner_tax_id"],
            name=row["owner_name"],
            trade_name=row["owner_trade_name"] or None,
        ),
        creation_date=ENTERED_AT,
        key_ownership_date=ENTERED_AT,
    )
