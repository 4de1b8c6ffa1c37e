"""The words about the cockpit are true."""

import re
from pathlib import Path

from bacen.simulator import BankSettings
from bacen.simulator.cockpit import STEPS, PayeeAccount
from bacen.simulator.cockpit.capacity import START_MS, TAIL_MS, Figures
from bacen.simulator.cockpit.script import LEVELS
from tests.bacen.simulator.controls import Controls

PAGE = (Path(__file__).parents[4] / "docs" / "bank-cockpit.md").read_text(encoding="utf-8")


def test_table_of_steps_is_the_script() -> None:
    rows = re.findall(r"^\| (\w+) \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)

    told = [row for row in rows if row[0] in STEPS]
    assert told == [(each.id, each.title, each.do) for each in STEPS.values()]


def test_limits_are_those_that_are_judged() -> None:
    percents = [int(each) for each in re.findall(r"\| (\d+) % \|$", PAGE, re.MULTILINE)]
    gauges = Figures(17, 600).gauges()

    assert percents == [each.least for each in gauges if each.least < 100]
    for gauge in gauges:
        assert gauge.text in PAGE
    assert f"from {START_MS // 1_000} s at the latest" in PAGE
    assert f"or {TAIL_MS // 1_000} s\nafter its time" in PAGE
    assert [gauge.total for gauge in gauges][-1] == 1_000
    assert "17, 33 or 67" in PAGE
    assert list(LEVELS) == [17, 33, 67]


def test_default_account_is_the_one_of_the_page() -> None:
    payee = PayeeAccount()

    assert f"`{payee.account_number}/{payee.account_type}/{payee.tax_id}`" in PAGE
    assert f"`{payee.wrong_account_number}`" in PAGE


async def test_routes_of_the_page_are_all_that_there_are(controls: Controls) -> None:
    told = set(re.findall(r"^\| `(\w+) (/admin/cockpit\S*)` \|", PAGE, re.MULTILINE))
    routes = (await controls.ask("GET", ""))["routes"]

    served = {(each["method"], each["path"]) for each in routes}
    assert told == {each for each in served if each[1].startswith("/admin/cockpit")}
    assert {path for _, path in served} >= {"/cockpit", "/cockpit/cockpit.js"}


def test_only_connected_participants_are_led_and_one_is_there_by_default(tmp_path: Path) -> None:
    assert BankSettings(home=tmp_path).connected == ("12345678",)
    assert "--participant 12345678" in PAGE
