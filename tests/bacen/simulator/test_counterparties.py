"""Simulated participants: they pay and answer as they were told to, and money is right."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from actors import Killed, Node, make_rng
from bacen.simulator import BankClock, InvalidControl, RunningBank
from bacen.simulator.changes import Changes, Rejection
from bacen.simulator.clock import STEPPED
from bacen.simulator.counterparties import (
    OFFICE,
    Counterparty,
    counterparty_of_json,
    read_counterparties,
)
from bacen.simulator.counterparties.behaviour import Behaviour, answer_times
from bacen.simulator.counterparties.config import Fixed, LogNormal, Target, Uniform
from bacen.simulator.counterparties.roster import Roster, process_name
from bacen.simulator.payments import rejected_report
from bacen.simulator.requests import SETTLEMENT
from bacen.wire import CreditTransfer, Pacs002, Pacs008, make_end_to_end_id
from tests.bacen.simulator.conftest import BALANCE_CENTS, OpenDesk, StartBank
from tests.bacen.simulator.controls import Controls
from tests.bacen.simulator.desk import CONNECTED, admin, outcome

ITAU, BRADESCO, NEW = "60701190", "60746948", "90000001"
TIMEOUT_MS = 40_000
TURNS_MAX = 400


def target(ispb: str) -> Target:
    return Target(ispb=ispb, account_number="1000001", tax_id="52998224725")


def payer_of(receiver: str, **more: Any) -> Counterparty:
    settings: dict[str, Any] = {
        "ispb": ITAU,
        "rate_per_second": Decimal(10),
        "payments_max": 200,
        "amount_cents": (100, 500),
        "targets": (target(receiver),),
    }
    return Counterparty(**{**settings, **more})


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Run a node whose time stands still until it is moved."""
    node = Node("bank", clock=BankClock(STEPPED), seed=11)
    yield node
    await node.shutdown()


async def counts(controls: Controls, ispb: str) -> dict[str, Any]:
    for each in (await controls.ask("GET", "/counterparties"))["counterparties"]:
        if each["config"]["ispb"] == ispb:
            return dict(each["counts"])
    raise AssertionError(f"{ispb} is not listed")


async def pass_until_told(controls: Controls, payments: int, step: str) -> dict[str, Any]:
    """Let time pass until a counterparty knows how all its payments ended."""
    for _ in range(TURNS_MAX):
        told = await counts(controls, ITAU)
        if sum(told["outcomes"].values()) >= payments:
            return told
        await controls.advance(step)
    raise AssertionError(told)


async def test_200_payments_at_a_rate_end_in_the_shares_that_were_asked_for(
    start: StartBank,
) -> None:
    receiver = Counterparty(
        ispb=BRADESCO,
        answers=LogNormal("300ms", "2s"),
        reject={"AC03": Decimal("0.1"), "AB09": Decimal("0.05")},
        silent=Decimal("0.05"),
        late=Decimal("0.05"),
    )
    bank = await start(counterparties=(payer_of(BRADESCO), receiver))
    controls = Controls(bank)

    await controls.advance("10s")
    half = await counts(controls, ITAU)
    told = await pass_until_told(controls, 200, "1s")
    received = await counts(controls, BRADESCO)

    assert 80 <= half["sent"] <= 100
    assert (told["sent"], told["failed"]) == (200, 0)
    assert received["asked"] == 200
    ends = Counter(told["outcomes"])
    assert sum(ends.values()) == 200
    assert set(ends) == {"ACSC", "AC03", "AB09", "AB03"}
    # Four deviations of a binomial to each side.
    for reason, share in (("AC03", 0.1), ("AB09", 0.05), ("AB03", 0.1)):
        assert abs(ends[reason] - 200 * share) <= 4 * math.sqrt(200 * share * (1 - share))
    assert ends["AC03"] == received["answers"]["AC03"]
    assert ends["AB03"] == received["answers"]["silent"] + received["answers"]["late"]
    shown = await admin(bank, None)
    for metric in (
        f'payments_total{{ispb="{ITAU}",state="sent"}} 200.0',
        f'payments_total{{ispb="{ITAU}",state="failed"}} 0.0',
        f'outcomes_total{{ispb="{ITAU}",outcome="AB03"}} {ends["AB03"]}.0',
        f'answers_total{{answer="AC03",ispb="{BRADESCO}"}} {ends["AC03"]}.0',
    ):
        assert f"corrente_bacen_counterparty_{metric}\n" in shown
    moved = (await admin(bank, f"accounts/{BRADESCO}"))["balance_cents"] - BALANCE_CENTS
    assert 100 * ends["ACSC"] <= moved <= 500 * ends["ACSC"]
    assert await controls.missing_cents() == 0


async def test_same_seed_gives_the_same_answers_and_payments() -> None:
    def drawn() -> list[object]:
        config = payer_of(CONNECTED, answers=Uniform("1ms", "9s"), reject={"AC03": Decimal("0.5")})
        behaviour = Behaviour(config, make_rng(3), make_rng(4), TIMEOUT_MS)
        return [part for _ in range(50) for part in (behaviour.payment(), behaviour.verdict())]

    assert drawn() == drawn()


async def test_counterparty_is_asked_by_a_connected_participant_and_answers_in_its_time(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start(counterparties=(Counterparty(ispb=ITAU, answers=Fixed("5s")),))
    controls = Controls(bank)
    desk = desks(bank)
    transfer = desk.transfer(accepted_at=bank.node.clock.now())
    await desk.pay(transfer)
    await asked(controls, 1)
    pending = (await controls.payment(transfer.end_to_end_id))["status"]
    await controls.advance("4s")
    still_pending = (await controls.payment(transfer.end_to_end_id))["status"]

    await controls.advance("1s")
    (report,) = await desk.read_reports()

    assert pending == still_pending == "PENDING"
    assert outcome(report) == ("ACSC",)
    assert await controls.missing_cents() == 0


async def asked(controls: Controls, payments: int) -> None:
    """Wait until a counterparty was asked, which is after the payment is stored."""
    while (await counts(controls, ITAU))["asked"] < payments:
        await asyncio.sleep(0.01)


async def test_late_answer_of_a_counterparty_moves_nothing(
    start: StartBank, desks: OpenDesk
) -> None:
    config = Counterparty(ispb=ITAU, answers=Fixed("1s"), late=Decimal(1))
    bank = await start(counterparties=(config,))
    controls = Controls(bank)
    desk = desks(bank)
    transfer = desk.transfer(accepted_at=bank.node.clock.now())
    await desk.pay(transfer)
    await asked(controls, 1)

    await controls.advance("40500ms")
    (report,) = await desk.read_reports()
    await controls.advance("10s")

    assert outcome(report) == ("RJCT", "AB03")
    assert (await controls.payment(transfer.end_to_end_id))["reason"] == "AB03"
    for _ in range(TURNS_MAX):
        if 'corrente_bacen_alarms_total{kind="late_answer"} 1.0' in await admin(bank, None):
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("the late answer was not counted")


async def test_counterparty_pays_a_connected_participant_who_answers(
    start: StartBank, desks: OpenDesk
) -> None:
    config = payer_of(CONNECTED, payments_max=2, rate_per_second=Decimal(1))
    bank = await start(counterparties=(config,))
    controls = Controls(bank)
    desk = desks(bank, CONNECTED)

    await controls.advance("3s")
    transfers: list[CreditTransfer] = []
    while len(transfers) < 2:
        for message in await desk.read():
            assert isinstance(message, Pacs008)
            transfers += message.transfers
    await desk.answer(transfers[0], "ACSP")
    await desk.answer(transfers[1], "RJCT", "AC03")
    ends = {each.end_to_end_id: each.status for each in await desk.read_reports(2)}

    assert ends[transfers[0].end_to_end_id] == "ACCC"
    assert ends[transfers[1].end_to_end_id] == "RJCT"
    told = await counts(controls, ITAU)
    assert told["outcomes"] == {"ACSC": 1, "AC03": 1}
    assert (await admin(bank, f"accounts/{CONNECTED}"))["balance_cents"] == (
        BALANCE_CENTS + transfers[0].amount_cents
    )


async def test_counterparty_answers_a_return_of_what_it_paid(
    start: StartBank, desks: OpenDesk
) -> None:
    config = payer_of(CONNECTED, payments_max=1, rate_per_second=Decimal(1), answers=Fixed("1s"))
    bank = await start(counterparties=(config,))
    controls = Controls(bank)
    desk = desks(bank, CONNECTED)
    await controls.advance("2s")
    (offered,) = await desk.read()
    assert isinstance(offered, Pacs008)
    (transfer,) = offered.transfers
    await desk.answer(transfer, "ACSP")
    await desk.read_reports()
    back = desk.return_of(transfer)

    await desk.client.post([desk.encode(desk.pacs004(back))])
    await asked(controls, 1)
    await controls.advance("1s")
    (report,) = await desk.read_reports()

    assert report.original_instruction_id == back.return_id
    assert outcome(report) == ("ACSC",)
    assert (await counts(controls, ITAU))["outcomes"] == {"ACSC": 1}
    for ispb in (ITAU, CONNECTED):
        assert (await admin(bank, f"accounts/{ispb}"))["balance_cents"] == BALANCE_CENTS
    assert await controls.missing_cents() == 0


async def test_counterparty_asks_dict_where_a_key_leads_to(start: StartBank) -> None:
    targets = (Target(key="+5511999887766"), Target(key="nobody@example.com"))
    bank = await start(counterparties=(payer_of(ITAU, ispb=NEW, targets=targets, payments_max=20),))
    controls = Controls(bank)

    for _ in range(TURNS_MAX):
        told = await counts(controls, NEW)
        if told["sent"] + told["failed"] == 20 and sum(told["outcomes"].values()) == told["sent"]:
            break
        await controls.advance("500ms")

    assert told["sent"] > 0
    assert told["failed"] > 0
    assert told["outcomes"] == {"ACSC": told["sent"]}
    received = (await admin(bank, f"accounts/{ITAU}"))["balance_cents"] - BALANCE_CENTS
    paid = BALANCE_CENTS - (await admin(bank, f"accounts/{NEW}"))["balance_cents"]
    assert received == paid > 0
    assert await controls.missing_cents() == 0


async def test_counterparty_comes_and_goes_over_the_control_api(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start()
    controls = Controls(bank)
    desk = desks(bank)
    await controls.ask("POST", "/counterparties", {"ispb": ITAU, "silent": "1"}, 201)
    with_it = desk.transfer(accepted_at=bank.node.clock.now())
    await desk.pay(with_it)
    await asked(controls, 1)
    await controls.ask("DELETE", f"/counterparties/{ITAU}", status=204)
    without = desk.transfer(accepted_at=bank.node.clock.now())
    await desk.pay(without)

    assert (await controls.payment(with_it.end_to_end_id))["status"] == "PENDING"
    assert (await controls.payment(without.end_to_end_id))["status"] == "SETTLED"
    assert (await controls.ask("GET", "/counterparties"))["counterparties"] == []
    await controls.ask("DELETE", f"/counterparties/{ITAU}", status=404)


def test_nothing_is_written_to_a_counterparty_and_all_of_it_to_the_others() -> None:
    roster = Roster((CONNECTED,))
    changes = Changes()
    ids = (make_end_to_end_id(ITAU, datetime(2026, 1, 5, 12, tzinfo=UTC), "0" * 11),) * 2
    report = rejected_report(*ids, "AB03")
    for ispb in (CONNECTED, ITAU):
        changes.report(ispb, report)
        changes.rejections.append(Rejection(ispb, "M", "Erro interno"))
        changes.write(ispb, Pacs002)
        changes.forwards[ispb, "HIGH", "PAGPRI"] = []
        changes.returns[ispb] = []
    assert roster.written(changes) is changes

    roster.enlist(Counterparty(ispb=ITAU))
    assert ITAU in roster
    roster.dismiss(ITAU)
    told = roster.written(changes)

    assert ITAU not in roster
    for kept in (told.reports, told.returns, {address[0] for address in told.forwards}):
        assert set(kept) == {CONNECTED}
    assert [each.ispb for each in told.rejections] == [CONNECTED]
    assert [ispb for ispb, _ in told.drafts] == [CONNECTED]
    assert set(changes.reports) == {CONNECTED, ITAU}


async def test_counterparty_that_dies_is_started_again(start: StartBank) -> None:
    bank = await start(counterparties=(Counterparty(ispb=ITAU),))
    pid = bank.node.whereis(process_name(ITAU))
    assert pid is not None

    bank.node.exit(pid, Killed())
    await bank.node.join(pid)
    while bank.node.whereis(process_name(ITAU)) is None:
        await asyncio.sleep(0)

    assert bank.node.is_alive(bank.pid)


async def test_counterparty_counts_from_zero_when_it_starts_and_not_at_all_when_dismissed(
    start: StartBank,
) -> None:
    bank = await start(counterparties=(payer_of(BRADESCO, payments_max=2),))
    controls = Controls(bank)
    await pass_until_told(controls, 2, "1s")

    await controls.ask("POST", "/counterparties", {"ispb": ITAU}, 201)
    anew = await counts(controls, ITAU)
    await controls.ask("DELETE", f"/counterparties/{ITAU}", status=204)

    assert (anew["sent"], anew["outcomes"]) == (0, {})
    assert "corrente_bacen_counterparty_payments_total{" not in await admin(bank, None)


async def test_office_that_dies_finds_its_counterparties_again(start: StartBank) -> None:
    bank = await start(counterparties=(Counterparty(ispb=ITAU),))
    controls = Controls(bank)
    counterparty, office = bank.node.whereis(process_name(ITAU)), bank.node.whereis(OFFICE)
    assert office is not None

    bank.node.exit(office, Killed())
    await bank.node.join(office)
    while bank.node.whereis(OFFICE) is None:
        await asyncio.sleep(0)
    while not await is_served(bank):
        await asyncio.sleep(0.01)

    await controls.ask("POST", "/counterparties", {"ispb": BRADESCO}, 201)
    listed = (await controls.ask("GET", "/counterparties"))["counterparties"]
    assert [each["config"]["ispb"] for each in listed] == [ITAU, BRADESCO]
    assert bank.node.whereis(process_name(ITAU)) == counterparty


async def is_served(bank: RunningBank) -> bool:
    """Say whether the admin listener, which starts again after the office, answers."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{bank.admin_url}/admin/counterparties") as response,
        ):
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def test_counterparty_answers_what_it_was_asked_before_the_core_started_again(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start(counterparties=(Counterparty(ispb=ITAU, answers=Fixed("5s")),))
    controls = Controls(bank)
    desk = desks(bank)
    transfer = desk.transfer(accepted_at=bank.node.clock.now())
    await desk.pay(transfer)
    await asked(controls, 1)
    core = bank.node.whereis(SETTLEMENT)
    assert core is not None

    bank.node.exit(core, Killed())
    await bank.node.join(core)
    while bank.node.whereis(SETTLEMENT) is None:
        await asyncio.sleep(0.01)
    await controls.advance("5s")
    (report,) = await desk.read_reports()

    assert outcome(report) == ("ACSC",)
    assert await controls.missing_cents() == 0


async def test_only_a_direct_participant_that_is_not_connected_can_be_simulated(
    start: StartBank,
) -> None:
    controls = Controls(await start())

    for ispb, problem in (
        (CONNECTED, "connected"),
        ("99999999", "no direct"),
        ("03973814", "no direct"),
    ):
        told = await controls.ask("POST", "/counterparties", {"ispb": ispb}, 400)
        assert told["field"] == "ispb"
        assert problem in told["detail"]


def draws(times: Any) -> list[int]:
    draw = answer_times(times, make_rng(5))
    return sorted(draw() for _ in range(2_000))


def test_answer_times_have_the_distribution_that_was_asked_for() -> None:
    fixed, uniform = draws(Fixed("200ms")), draws(Uniform("100ms", "300ms"))
    long_tailed = draws(LogNormal("300ms", "2s"))

    assert set(fixed) == {200}
    assert 100 <= uniform[0] <= 105
    assert 295 <= uniform[-1] <= 300
    assert 190 <= uniform[1_000] <= 210
    assert 270 <= long_tailed[1_000] <= 330
    assert 1_700 <= long_tailed[1_900] <= 2_300


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ispb": "1"}, "ispb"),
        ({"rate_per_second": "0"}, "rate_per_second"),
        ({"rate_per_second": "1001"}, "rate_per_second"),
        ({"rate_per_second": "1"}, "targets"),
        ({"amount_cents": [0, 5]}, "amount_cents"),
        ({"amount_cents": [6, 5]}, "amount_cents"),
        ({"reject": {"XX00": "0.1"}}, "reject"),
        ({"silent": "0.6", "late": "0.6"}, "reject, silent, late"),
        ({"silent": "NaN"}, "reject, silent, late"),
        ({"answers": {"type": "fixed", "after": "soon"}}, "answers.after"),
        ({"answers": {"type": "uniform", "low": "2s", "high": "1s"}}, "answers"),
        ({"answers": {"type": "lognormal", "p50": "2s", "p95": "1s"}}, "answers"),
        ({"payments_max": -1}, "payments_max"),
        ({"unknown": 1}, "body"),
        (
            {"targets": [{"ispb": CONNECTED, "account_number": "1", "tax_id": "1"}]},
            "targets[0]",
        ),
        ({"targets": [{"ispb": CONNECTED, "account_number": "1"}]}, "targets[0]"),
        ({"targets": [{"ispb": CONNECTED}]}, "targets[0]"),
        ({"targets": [{}]}, "targets[0]"),
        ({"targets": [{"key": "no key"}]}, "targets[0]"),
    ],
)
def test_counterparty_that_cannot_work_is_refused_by_the_name_of_its_field(
    changed: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidControl) as refused:
        counterparty_of_json(msgspec.json.encode({"ispb": ITAU, **changed}))

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[{"ispb": "60701190"}, {"ispb": "1"}]', "[1]"),
        ('[{"ispb": "60701190"}, {"ispb": "60701190"}]', "[1]"),
        ("{", ".json"),
    ],
)
def test_file_of_counterparties_is_refused_by_its_place(
    tmp_path: Path, text: str, place: str
) -> None:
    path = tmp_path / "banks.json"
    path.write_text(text)

    with pytest.raises(InvalidControl) as refused:
        read_counterparties(path)

    assert refused.value.place == f"{path}{place}".replace(".json.json", ".json")


def test_file_of_counterparties_is_read(tmp_path: Path) -> None:
    path = tmp_path / "banks.json"
    path.write_text('[{"ispb": "60701190", "reject": {"AC03": "0.02"}}]')

    (config,) = read_counterparties(path)

    assert config.reject == {"AC03": Decimal("0.02")}
