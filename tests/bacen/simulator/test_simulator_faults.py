"""A fault of the bank's own code on one thing: that is taken back, everything else goes on."""

import itertools
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import aiohttp
import msgspec
import pytest
from structlog.testing import capture_logs

from bacen.icom import IcomUnknown
from bacen.simulator import RunningBank, accounts, engine, liquidity, returns, settlement
from bacen.simulator.changes import Changes
from bacen.simulator.engine import Engine
from bacen.simulator.faults import letters
from bacen.simulator.liquidity import move
from bacen.simulator.payments import Moment
from bacen.simulator.requests import SETTLEMENT, MoveLiquidity
from bacen.simulator.store import Store
from bacen.validation import Rule
from bacen.wire import (
    AccountId,
    Admi002,
    CreditTransfer,
    Message,
    Pacs002,
    Pacs008,
    Signer,
)
from tests.bacen.simulator.conftest import BALANCE_CENTS, OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, Desk, admin, outcome
from tests.bacen.simulator.test_simulator_engine import NOW, make_engine, pacs008, transfer
from tests.bacen.simulator.test_simulator_engine import answer as answered
from tests.bacen.simulator.test_simulator_returns import give_back, pacs004

POISON = "Joana Veneno"


def fault(*_: object) -> None:
    raise ZeroDivisionError(f"no luck with {POISON}")


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rules fail on the payments of one payer."""
    rule = engine.transfer_rule

    def poison(transfer: CreditTransfer, *about: Any) -> Rule | None:
        return fault() if transfer.debtor_name == POISON else rule(transfer, *about)

    monkeypatch.setattr(engine, "transfer_rule", poison)


async def faults_and_missing_cents(bank: RunningBank) -> tuple[float, float]:
    lines = (await admin(bank, None)).splitlines()
    alarms = {
        kind: float(line.rpartition(" ")[2])
        for line in lines
        for kind in ("fault", "money_missing_cents")
        if line.startswith(f'corrente_bacen_alarms_total{{kind="{kind}"}}')
    }
    return alarms["fault"], alarms["money_missing_cents"]


async def test_message_that_the_bank_fails_on_is_answered_and_the_others_settle(
    bank: RunningBank, payer: Desk, poisoned: None
) -> None:
    good = [payer.transfer() for _ in range(8)]
    # The first of the two has moved money when the second makes the bank fail.
    bad = payer.pacs008(payer.transfer(), payer.transfer(debtor_name=POISON))
    bodies = [payer.encode(payer.pacs008(each)) for each in good]
    bodies.insert(4, payer.encode(bad))

    with capture_logs() as logs:
        await payer.client.post(bodies)
        messages = await payer.read(2)

    rejections = [each for each in messages if isinstance(each, Admi002)]
    reports = [each for one in messages if isinstance(one, Pacs002) for each in one.reports]
    assert [(each.related_reference, each.rejecting_party_reason) for each in rejections] == [
        (bad.message_id, "Erro interno")
    ]
    assert [each.end_to_end_id for each in reports] == [each.end_to_end_id for each in good]
    assert {outcome(each) for each in reports} == {("ACSC",)}
    account = await admin(bank, f"accounts/{PAYER}")
    assert (account["balance_cents"], account["blocked_cents"]) == (BALANCE_CENTS - 8 * 1_050, 0)
    assert await faults_and_missing_cents(bank) == (1, 0)
    (entry,) = [each for each in logs if each["event"] == "fault"]
    assert entry["step"] == "message"
    assert entry["error"] == "ZeroDivisionError"
    assert "transfer_rule" in entry["traceback"]
    assert POISON not in str(entry)


async def test_message_that_the_bank_failed_on_settles_when_it_is_sent_again_after_the_repair(
    bank: RunningBank, payer: Desk, poisoned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = payer.encode(payer.pacs008(payer.transfer(debtor_name=POISON)))
    await payer.client.post([body])
    (refused,) = await payer.read()

    monkeypatch.undo()
    await payer.client.post([body])

    assert isinstance(refused, Admi002)
    assert outcome((await payer.read_reports())[0]) == ("ACSC",)


async def test_bytes_that_the_decoder_fails_on_are_answered_and_the_others_settle(
    bank: RunningBank, payer: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bacen.simulator import intake

    decode = intake.decode
    monkeypatch.setattr(
        intake, "decode", lambda body, by: fault() if body == b"<poison/>" else decode(body, by)
    )

    stored = await payer.client.post([b"<poison/>", payer.encode(payer.pacs008(payer.transfer()))])
    messages = await payer.read(2)

    (rejection,) = [each for each in messages if isinstance(each, Admi002)]
    assert rejection.related_reference == stored[0]
    assert rejection.rejecting_party_reason == "Erro interno"
    assert sum(isinstance(each, Pacs002) for each in messages) == 1


async def test_answer_that_the_bank_fails_on_leaves_the_payment_waiting_for_another(
    bank: RunningBank, payer: Desk, receiver: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = payer.transfer(creditor_ispb=CONNECTED)
    await payer.pay(asked)
    await receiver.read()

    with monkeypatch.context() as broken:
        broken.setattr(engine, "settled_report", fault)
        await receiver.answer(asked, "ACSP")
        (rejection,) = await receiver.read()
        account = await admin(bank, f"accounts/{PAYER}")
    await receiver.answer(asked, "ACSP")

    assert isinstance(rejection, Admi002)
    assert rejection.rejecting_party_reason == "Erro interno"
    assert (account["balance_cents"], account["blocked_cents"]) == (BALANCE_CENTS, 1_050)
    assert outcome((await payer.read_reports())[0]) == ("ACSC",)
    assert await faults_and_missing_cents(bank) == (1, 0)


async def test_time_limit_that_the_bank_fails_on_stops_no_other_and_is_tried_again(
    start: StartBank, desks: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = await start(acceptance_timeout_ms=400)
    payer = desks(bank)
    silent = [payer.transfer(creditor_account=AccountId("SILENT1")) for _ in range(5)]
    poison = silent[2].end_to_end_id
    rejected = engine.rejected_report
    monkeypatch.setattr(settlement, "EXPIRY_RETRY_MS", 300)

    def poisoned(instruction_id: str, *others: str) -> object:
        return fault() if instruction_id == poison else rejected(instruction_id, *others)

    with monkeypatch.context() as broken:
        broken.setattr(engine, "rejected_report", poisoned)
        # PAGFRD: the time runs from the receipt, so that a slow machine is not too late already.
        held = payer.pacs008(*silent, priority="NORM", service_level="PAGFRD")
        await payer.client.post([payer.encode(held)])
        reports = await payer.read_reports(4)
        account = await admin(bank, f"accounts/{PAYER}")
        faults, _ = await faults_and_missing_cents(bank)
    (last,) = await payer.read_reports()

    assert {outcome(each) for each in [*reports, last]} == {("RJCT", "AB03")}
    assert last.end_to_end_id == poison
    assert account["blocked_cents"] == 1_050
    assert faults >= 1
    assert (await admin(bank, f"accounts/{PAYER}"))["blocked_cents"] == 0


async def test_virtual_payment_that_the_bank_fails_on_is_refused_and_the_next_is_paid(
    bank: RunningBank, receiver: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(engine, "transfer_rule", fault)
        refused, _ = await originate(bank)
    paid, _ = await originate(bank)
    (asked,) = await receiver.read()

    assert (refused, paid) == (500, 201)
    assert isinstance(asked, Pacs008)
    assert (await admin(bank, "accounts/99999A03"))["blocked_cents"] == 1_050
    assert await faults_and_missing_cents(bank) == (1, 0)


async def originate(bank: RunningBank) -> tuple[int, Any]:
    order = {
        "receiver_ispb": CONNECTED,
        "account_number": "1000001",
        "tax_id": "13579246828",
        "amount_cents": 1_050,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{bank.admin_url}/admin/payments", json=order) as response,
    ):
        return response.status, await response.json()


async def test_outcome_that_the_bank_cannot_write_is_left_out_and_the_others_are_told(
    bank: RunningBank, payer: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfers = [payer.transfer() for _ in range(10)]
    poison = transfers[3].end_to_end_id
    encode = letters.encode

    def poisoned(message: Message, signer: Signer) -> bytes:
        is_bad = any(each.end_to_end_id == poison for each in getattr(message, "reports", ()))
        return fault() if is_bad else encode(message, signer)

    monkeypatch.setattr(letters, "encode", poisoned)
    body = payer.encode(payer.pacs008(*transfers))
    await payer.client.post([body])
    reports = await payer.read_reports(9)

    assert poison not in {each.end_to_end_id for each in reports}
    assert len({each.end_to_end_id for each in reports}) == 9
    assert (await admin(bank, f"payments/{poison}"))["status"] == "SETTLED"
    assert await faults_and_missing_cents(bank) == (1, 0)
    monkeypatch.undo()
    await payer.client.post([body])
    assert poison in {each.end_to_end_id for each in await payer.read_reports(10)}


async def test_rejection_whose_details_cannot_be_written_is_told_without_them(
    bank: RunningBank, payer: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bacen.simulator import intake

    monkeypatch.setattr(intake, "header_problem", lambda *_: "\x00")
    await payer.pay(payer.transfer())
    (rejection,) = await payer.read()

    assert isinstance(rejection, Admi002)
    assert rejection.rejecting_party_reason == "Erro interno"


async def test_sick_disk_is_no_fault_of_the_message_and_the_same_bytes_settle_later(
    bank: RunningBank, payer: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    body = payer.encode(payer.pacs008(payer.transfer()))
    before = bank.node.whereis(SETTLEMENT)
    for broken in ("received", "commit"):
        with monkeypatch.context() as disk:
            disk.setattr(Store, broken, locked)
            with pytest.raises(IcomUnknown):
                await payer.client.post([body])
    while True:
        try:
            await payer.client.post([body])
            break
        except IcomUnknown:
            continue

    assert outcome((await payer.read_reports())[0]) == ("ACSC",)
    assert bank.node.whereis(SETTLEMENT) != before
    assert await faults_and_missing_cents(bank) == (0, 0)


class Interrupted(Exception):
    pass


@contextmanager
def fault_at_line(number: int) -> Iterator[None]:
    """Raise when the engine is about to run its line of this number, counted from 0."""
    lines = itertools.count()
    files = {engine.__file__, accounts.__file__, returns.__file__, liquidity.__file__}

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line" and next(lines) == number:
            raise Interrupted
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def state_of(bank: Engine) -> object:
    return (
        [(each.ispb, each.balance_cents, each.blocked_cents) for each in bank.accounts.all()],
        {key: msgspec.structs.astuple(each) for key, each in bank.payments.items()},
        dict(bank.outcomes),
        bank.late_answers,
        dict(bank.supplies),
        bank.accounts.supplied_cents,
        {key: set(some) for key, some in bank._returns.items()},
    )


LATER = Moment(NOW + timedelta(minutes=2))
ASKED = transfer(1, creditor_ispb=CONNECTED)
MIXED = (
    transfer(2),
    transfer(2),
    transfer(3, creditor_ispb=CONNECTED),
    transfer(4, creditor_account=AccountId("AC03001")),
    transfer(5, creditor_account=AccountId("SILENT1")),
    transfer(6, amount_cents=10**9),
)
SETTLED = transfer(8, creditor_ispb=CONNECTED)
RETURNED = give_back(SETTLED, 1, amount_cents=100)
STEPS: dict[str, Callable[[Engine, Changes], object]] = {
    "payments": lambda bank, step: bank.pay(pacs008(*MIXED, number=2), {}, Moment(NOW), step),
    "acceptance": lambda bank, step: bank.answer(
        answered(ASKED.end_to_end_id, "ACSP", number=3), Moment(NOW), step
    ),
    "rejection": lambda bank, step: bank.answer(
        answered(ASKED.end_to_end_id, "RJCT", "AC03", number=3), Moment(NOW), step
    ),
    "late answer": lambda bank, step: bank.answer(
        answered("E12345678202609281435nothing0000", "ACSP", number=3), Moment(NOW), step
    ),
    "returns": lambda bank, step: bank.give_back(
        pacs004(
            give_back(SETTLED, 2, amount_cents=900),
            give_back(SETTLED, 2, amount_cents=900),
            give_back(SETTLED, 3, amount_cents=60),
            give_back(SETTLED, 4, amount_cents=50),
            number=2,
        ),
        {},
        Moment(NOW),
        step,
    ),
    "acceptance of a return": lambda bank, step: bank.answer(
        answered_return("ACSP"), Moment(NOW), step
    ),
    "rejection of a return": lambda bank, step: bank.answer(
        answered_return("RJCT", "AC03"), Moment(NOW), step
    ),
    "time limit of a return": lambda bank, step: bank.expire(
        bank.payments[RETURNED.return_id], LATER, step
    ),
    "money from the STR": lambda bank, step: move(
        bank, MoveLiquidity(PAYER, 5, "STR20260928000000001"), Moment(NOW), step
    ),
    "time limit": lambda bank, step: bank.expire(bank.payments[ASKED.end_to_end_id], LATER, step),
}


def answered_return(status: str, *reasons: str) -> Pacs002:
    message = answered(SETTLED.end_to_end_id, status, *reasons, number=4)
    report = msgspec.structs.replace(message.reports[0], original_instruction_id=RETURNED.return_id)
    return msgspec.structs.replace(message, sender=PAYER, reports=(report,))


def engine_with_things_under_way() -> Engine:
    """Wait for the answer to a payment and to a return of a settled one."""
    bank = make_engine()
    bank.pay(pacs008(ASKED, SETTLED), {}, Moment(NOW), bank.begin())
    bank.answer(answered(SETTLED.end_to_end_id, "ACSP", number=9), Moment(NOW), bank.begin())
    bank.give_back(pacs004(RETURNED), {}, Moment(NOW), bank.begin())
    return bank


@pytest.mark.parametrize("name", STEPS)
def test_step_that_breaks_off_at_any_line_leaves_no_trace(name: str) -> None:
    untouched, bank = engine_with_things_under_way(), engine_with_things_under_way()
    STEPS[name](untouched, untouched.begin())
    before = state_of(bank)

    for line in itertools.count():
        step = bank.begin()
        try:
            with fault_at_line(line):
                STEPS[name](bank, step)
            break
        except Interrupted:
            bank.undo(step)
            assert state_of(bank) == before, f"after line {line}"

    assert line > 3
    assert state_of(bank) == state_of(untouched)


def test_payment_of_an_undone_step_has_its_own_time_limit_when_it_comes_again() -> None:
    bank = make_engine()
    silent = transfer(1, creditor_account=AccountId("SILENT1"))
    undone = bank.begin()
    bank.pay(pacs008(silent), {}, Moment(NOW), undone)
    bank.undo(undone)
    later = msgspec.structs.replace(silent, accepted_at=NOW + timedelta(seconds=30))
    bank.pay(pacs008(later), {}, Moment(NOW + timedelta(seconds=30)), bank.begin())

    assert bank.due(Moment(NOW + timedelta(seconds=40))) == []
    (due,) = bank.due(Moment(NOW + timedelta(seconds=70)))
    assert due.end_to_end_id == silent.end_to_end_id


def test_payment_accepted_in_the_last_year_of_the_calendar_is_no_fault() -> None:
    bank, step = make_engine(), Changes()
    never = datetime.max.replace(tzinfo=UTC)

    bank.pay(pacs008(transfer(accepted_at=never)), {}, Moment(NOW), step)

    assert [each.status for each in step.payments.values()] == ["SETTLED"]
