"""The words about ICOM are true."""

import re
from pathlib import Path

from bacen.icom import PRIMARY_PER_SECOND, ChannelName, rates_of
from bacen.simulator.problem import TITLES

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "icom.md").read_text()


def test_limits_are_those_of_the_code() -> None:
    day, night = (
        re.findall(rf"\| [^|]*{when}[^|]* \| ([^|]+) \| ([^|]+) \|", DOCUMENT)[0]
        for when in ("08:00 to midnight", "midnight to 08:00")
    )
    for column, channel in enumerate((ChannelName.PRIMARY, ChannelName.SECONDARY)):
        rates = rates_of(channel, PRIMARY_PER_SECOND)
        for row, rule in ((day, rates.by_day), (night, rates.by_night)):
            assert row[column] == f"{rule.capacity:,}, {rule.refill}/s"


def test_every_status_of_the_table_has_a_title() -> None:
    table = DOCUMENT.partition("## What the bank answers")[2]
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*) \|", table, re.MULTILINE)
    statuses = {int(status) for row in rows for status in row.split(", ")}

    assert statuses <= TITLES.keys()
    assert TITLES.keys() - statuses == {500, 502}
