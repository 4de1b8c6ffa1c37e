"""The keys that DICT knows at the start: fictitious people with valid CPFs and CNPJs."""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from typing import cast

from bacen.dict import Entry, KeyType

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
        participant=row["participant"],
        branch=row["branch"],
        account_number=row["account_number"],
        account_type=row["account_type"],
        account_opening_date=ACCOUNTS_OPENED_AT,
        owner_type=row["owner_type"],
        owner_tax_id=row["owner_tax_id"],
        owner_name=row["owner_name"],
        owner_trade_name=row["owner_trade_name"] or None,
        creation_date=ENTERED_AT,
        key_ownership_date=ENTERED_AT,
    )
