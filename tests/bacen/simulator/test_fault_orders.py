"""How faults are asked for: JSON, words, and scenario files, and what is refused."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors import Node, VirtualClock
from bacen.simulator import InvalidControl
from bacen.simulator.faults import (
    KINDS,
    FaultOrder,
    FaultPlan,
    order_of_json,
    order_of_words,
    read_scenario,
)
from bacen.simulator.faults.plan import FAULTS_MAX

PAYER = "12345678"


def test_words_and_json_say_the_same() -> None:
    words = "late by=5s ispb=12345678 message=pacs.008 probability=0.3 next=7 from=10s for=1m"
    same = {
        "fault": "late",
        "by": "5s",
        "ispb": PAYER,
        "message": "pacs.008",
        "probability": 0.3,
        "next": 7,
        "from": "10s",
        "for": "1m",
    }

    order = order_of_words(words.split())

    assert order == order_of_json(msgspec.json.encode(same))
    assert order.probability == Decimal("0.3")
    assert order_of_json(msgspec.json.encode(order)) == order


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_can_be_had_with_nothing_said(name: str) -> None:
    assert order_of_words([name]) == FaultOrder(fault=name)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("later", "fault"),
        ("late lost", "fault"),
        ("by=5s", "fault"),
        ("late by=5s by=6s", "by"),
        ("late by=soon", "by"),
        ("late by=-5s", "by"),
        ("late by=367d", "by"),
        ("lost by=5s", "by"),
        ("late service=icom", "service"),
        ("maintenance service=str", "service"),
        ("late ispb=1", "ispb"),
        ("expired_certificate ispb=12345678", "ispb"),
        ("late message=pacs", "message"),
        ("stored_5xx message=pacs.008", "message"),
        ("late probability=0", "probability"),
        ("late probability=1.5", "probability"),
        ("late probability=NaN", "probability"),
        ("late probability=often", "fault"),
        ("late next=0", "next"),
        ("late next=x", "fault"),
        ("late from=x", "from"),
        ("late for=x", "for"),
        ("late colour=red", "fault"),
    ],
)
def test_fault_that_cannot_be_had_is_refused_by_the_name_of_its_field(
    line: str, field: str
) -> None:
    with pytest.raises(InvalidControl) as refused:
        order_of_words(line.split())

    assert refused.value.field == field


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"fault": "late", "colour": "red"}'])
def test_json_that_is_no_fault_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidControl):
        order_of_json(body)


def test_scenario_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "bad-day.txt"
    path.write_text("# a bad day\n\nlate by=5s  # slow\nlost next=3\n")

    assert [each.fault for each in read_scenario(path)] == ["late", "lost"]


def test_bad_line_of_a_scenario_is_named_with_its_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "bad-day.txt"
    path.write_text("late by=5s\n\nlate by=soon\n")

    with pytest.raises(InvalidControl) as refused:
        read_scenario(path)

    assert str(refused.value).startswith(f"{path}:3: by: ")
    assert "\n" not in str(refused.value)


def test_faults_have_a_bound() -> None:
    plan = FaultPlan(Node("bank", clock=VirtualClock()))
    for _ in range(FAULTS_MAX):
        plan.add(FaultOrder(fault="late"))

    with pytest.raises(InvalidControl):
        plan.add(FaultOrder(fault="late"))


def test_scenario_has_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("late\n" * 1_001)

    with pytest.raises(InvalidControl) as refused:
        read_scenario(path)

    assert refused.value.place == f"{path}:1001"


async def test_next_strikes_so_often_and_no_more() -> None:
    plan = FaultPlan(Node("bank", clock=VirtualClock()))
    plan.add(FaultOrder(fault="lost", next=2))

    struck = [plan.strike("lost", PAYER, message="pacs.002") is not None for _ in range(4)]

    assert struck == [True, True, False, False]
    assert plan.strikes == {("lost", PAYER): 2}


def shown(plan: FaultPlan) -> list[Any]:
    return [plan.shown(each)["id"] for each in plan.all()]


async def test_second_fault_of_a_kind_strikes_where_the_first_does_not() -> None:
    plan = FaultPlan(Node("bank", clock=VirtualClock()))
    plan.add(FaultOrder(fault="late", by="1s", next=1))
    plan.add(FaultOrder(fault="late", by="2s"))

    strikes = [plan.strike("late", PAYER, message="pacs.002") for _ in range(3)]
    delays = [fault.by_ms for fault in strikes if fault is not None]

    assert delays == [1_000, 2_000, 2_000]
    assert shown(plan) == ["f1", "f2"]
    assert plan.remove("f1")
    assert not plan.remove("f1")
    assert shown(plan) == ["f2"]
