"""What virtual participants answer to mandates, charges and their cancellation."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bacen.icom import Received
from bacen.simulator import RunningBank
from bacen.simulator.changes import Changes
from bacen.simulator.payments import Moment
from bacen.simulator.relay import hand_on
from bacen.simulator.virtual_automatic import (
    ANSWERED,
    CANCELLATION_REASONS,
    CHARGE_REASONS,
    MANDATE_REASONS,
)
from bacen.validation import broken_rules, validate
from bacen.wire import SPI_ISPB, Camt029, Message, Pain009, Pain012, Pain014, decode, encode
from tests.bacen.rule_messages import (
    CPF,
    TERMS,
    asked,
    cancellation,
    cancelled,
    charged,
    request_steps,
)
from tests.bacen.simulator.desk import PAYER, VIRTUAL, Desk, DeskKeys
from tests.bacen.simulator.test_simulator_engine import NOW, make_engine
from tests.bacen.wire_messages import AT

ALWAYS = "99999A04"
HEADER = {
    "sender": SPI_ISPB,
    "receiver": PAYER,
    "message_id": f"M{SPI_ISPB}{1:023d}",
    "created_at": NOW,
}


def mandate(contract: str = "c-1", to: str = VIRTUAL, **changes: Any) -> Message:
    return asked(contract=contract, debtor_ispb=to, **changes)


def mandate_end(contract: str = "c-1", to: str = VIRTUAL, **changes: Any) -> Message:
    return cancelled({"contract": contract, "debtor_ispb": to}, **changes)


def charge(charge_id: str = "tx1", to: str = VIRTUAL, **changes: Any) -> Message:
    return charged(charge_id=charge_id, debtor_ispb=to, **changes)


def charge_end(charge_id: str = "tx1", to: str = VIRTUAL, **changes: Any) -> Message:
    return cancellation(charge_id=charge_id, recipient_ispb=to, **changes)


ASKED = {mandate: MANDATE_REASONS, mandate_end: MANDATE_REASONS}
ASKED |= {charge: CHARGE_REASONS, charge_end: CANCELLATION_REASONS}
REFUSALS = [(each, reason) for each, reasons in ASKED.items() for reason in sorted(reasons)]


def answers(message: Message) -> list[Any]:
    changes = Changes()
    hand_on(message, make_engine(), Moment(NOW), changes)
    assert changes.rejections == []
    assert {ispb for ispb, _ in changes.drafts} <= {PAYER}
    return [draft(**HEADER) for _, draft in changes.drafts]


def verdict(answer: Any) -> str | None:
    """What an answer refuses with; None where it accepts."""
    parts = answer.answers if isinstance(answer, Pain012 | Pain014) else (answer,)
    (one,) = parts
    is_accepted = {
        Pain012: lambda: one.is_accepted,
        Pain014: lambda: one.status == "ACSP",
        Camt029: lambda: (one.status, one.type) == ("ACCR", "DHAC"),
    }[type(answer)]()
    assert is_accepted == (one.reason is None)
    reason: str | None = one.reason
    return reason


@pytest.mark.parametrize("ask", ASKED)
def test_what_keeps_the_rules_is_accepted(ask: Any) -> None:
    message = ask()
    assert list(broken_rules(message)) == []

    (answer,) = answers(message)

    assert verdict(answer) is None
    assert list(broken_rules(answer)) == []


@pytest.mark.parametrize(("ask", "reason"), REFUSALS)
def test_contract_or_charge_that_begins_with_a_reason_is_refused_with_it(
    ask: Any, reason: str, desk_keys: dict[str, DeskKeys]
) -> None:
    (answer,) = answers(ask(f"{reason}x1"))

    assert verdict(answer) == reason
    assert list(broken_rules(answer)) == []
    assert validate(encode(answer, desk_keys[PAYER].signer)).violations == ()


@pytest.mark.parametrize("ask", ASKED)
def test_silent_one_gets_no_answer(ask: Any) -> None:
    assert answers(ask("SILENT1")) == []


@pytest.mark.parametrize(("ask", "reason"), [(each, min(ASKED[each])) for each in ASKED])
def test_participant_that_accepts_always_does_so_here_too(ask: Any, reason: str) -> None:
    (refused,) = answers(ask(reason))
    (accepted,) = answers(ask(reason, to=ALWAYS))

    assert verdict(refused) == reason
    assert verdict(accepted) is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (mandate(creditor_tax_id=CPF), "AP06"),
        (mandate(last_on=TERMS["first_on"] - timedelta(days=1)), "CH16"),
        (mandate("SILENT", steps=request_steps("CRAT", "CRTN", "EXPR")), "CH16"),
        (mandate_end(originator_tax_id="39053344705"), "AP10"),
        (charge(amount_cents=0), "AM09"),
        (charge(creditor_tax_id=CPF), "CRNC"),
        (charge(due_on=AT.date() + timedelta(days=11)), "FCD1"),
        (charge(due_on=AT.date() + timedelta(days=1)), "FCD2"),
        (charge("SILENT", count=2), "GRER"),
        (charge_end(reason="FAIL"), "CH16"),
    ],
)
def test_broken_rule_is_refused_with_its_code(message: Message, reason: str) -> None:
    (answer,) = answers(message)

    assert verdict(answer) == reason


def test_answer_repeats_what_was_asked_under_an_id_of_the_one_that_answers() -> None:
    request = mandate(owner_name="Bia", owner_tax_id=CPF, amount_cents=990, debtor_branch="1")
    assert isinstance(request, Pain009)
    (wanted,) = request.mandates

    (answer,) = answers(request)

    (one,) = answer.answers
    assert (answer.issuer_ispb, one.status) == (VIRTUAL, "CFDB")
    assert [each.type for each in one.steps] == ["CRTN", "AUT1"]
    assert one.mandate.original_request_id == wanted.request_id
    assert one.mandate.request_id == f"IS{VIRTUAL}{NOW:%Y%m%d}{wanted.request_id[-11:]}"
    same = set(type(one.mandate).__struct_fields__) - {"request_id", "original_request_id"}
    for field in same - {"municipality"}:
        assert getattr(one.mandate, field) == getattr(wanted, field), field


def test_end_of_a_mandate_and_of_a_charge_name_what_has_ended() -> None:
    (ended,) = answers(mandate_end())
    (charge_ended,) = answers(charge_end())
    (refused,) = answers(mandate_end("AP01"))

    assert ended.answers[0].status == "CCLD"
    assert refused.answers[0].status is None
    assert (charge_ended.issuer_ispb, charge_ended.recipient_ispb) == (VIRTUAL, PAYER)
    request: Any = charge_end()
    for field in ("cancellation_id", "charge_id", "end_to_end_id"):
        assert getattr(charge_ended, field) == getattr(request, field)


def test_each_part_of_a_message_gets_its_own_answer() -> None:
    one: Any = charge("AM02x")
    two: Any = charge("tx2")
    both = msgspec.structs.replace(one, charges=(*one.charges, *two.charges))

    assert [verdict(each) for each in answers(both)] == ["AM02", None]


async def test_answers_over_https_pass_the_judge_and_the_command(
    bank: RunningBank, payer: Desk, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    due_on = now.date() + timedelta(days=5)
    made = [mandate("AP01"), mandate(), mandate_end(), charge(due_on=due_on), charge_end()]
    messages = [
        msgspec.structs.replace(each, message_id=payer.new_message_id(), created_at=now)
        for each in made
    ]
    assert {type(each) for each in messages} == set(ANSWERED)

    await payer.client.post([payer.encode(each) for each in messages])
    bodies: list[Received] = []
    while len(bodies) < len(messages):
        bodies += (await payer.pull()).messages

    told = [verdict(decode(each.body, payer.spi)) for each in bodies]
    assert told == ["AP01", None, None, None, None]
    for each in bodies:
        judged = validate(each.body, payer.spi)
        assert (judged.violations, judged.signature.value) == ((), "verified")
    path = tmp_path / "answers.jsonl"
    lines = [{"id": each.resource_id, "xml": each.body.decode()} for each in bodies]
    path.write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    trusted = str(bank.home / "pki" / "spi-signing.pem")
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "corrente", "bacen", "validate", "--lines"),
        *("--trust", trusted, str(path)),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await command.communicate()
    assert (command.returncode, len(said.splitlines())) == (0, len(bodies)), said.decode()
