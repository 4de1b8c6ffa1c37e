"""Indirect participants that come and go, and reports of payments outside the SPI."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bacen.simulator import RunningBank
from bacen.simulator.book_transfers import report_reason
from bacen.simulator.changes import Changes
from bacen.simulator.engine import Engine
from bacen.simulator.payments import Moment
from bacen.simulator.registrations import Registrations, Request
from bacen.wire import (
    SPI_ISPB,
    AccountId,
    BookTransfer,
    Camt014,
    Camt025,
    Reda014,
    Reda016,
    Reda031,
    Trck002,
)
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL, Desk, admin, outcome
from tests.bacen.simulator.test_simulator_engine import NOW, make_engine, pay, told, transfer
from tests.bacen.simulator.test_simulator_engine import pacs008 as message_of

INDIRECT = "11222333"
CNPJ = "11222333000181"


def header(ispb: str, number: int = 1) -> dict[str, Any]:
    return {
        "sender": ispb,
        "receiver": SPI_ISPB,
        "message_id": f"M{ispb}{number:023d}",
        "created_at": NOW,
    }


def registration(ispb: str = PAYER, cnpj: str = CNPJ, direct: str | None = None) -> Reda014:
    return Reda014(direct_ispb=direct or ispb, indirect_cnpj=cnpj, **header(ispb))


def removal(indirect: str = INDIRECT, by: str = PAYER) -> Reda031:
    return Reda031(indirect_ispb=indirect, **header(by))


def answered(engine: Engine, message: Request) -> Changes:
    changes = Changes()
    Registrations(engine).answer(message, Moment(NOW), changes)
    return changes


def answers(changes: Changes, ispb: str) -> list[Any]:
    made = [draft(**header(SPI_ISPB)) for to, draft in changes.drafts if to == ispb]
    return [msgspec.structs.replace(each, sender=SPI_ISPB, receiver=ispb) for each in made]


async def test_registered_indirect_participant_pays_and_receives_through_its_direct_one(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start()
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    one = msgspec.structs.replace(registration(), message_id=payer.new_message_id())
    await payer.client.post([payer.encode(one)])
    done, notice = await payer.read(2)
    (other_notice,) = await receiver.read()
    await receiver.is_quiet()
    await payer.is_quiet()
    await bank.stop()

    bank = await start()
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    original = receiver.transfer(creditor_ispb=INDIRECT)
    await receiver.pay(original)
    await payer.read()
    await payer.answer(original, "ACSP")

    assert isinstance(done, Reda016)
    assert (done.status, done.original_message_id) == ("COMP", one.message_id)
    assert (done.participant_ispb, done.direct_ispb) == (INDIRECT, PAYER)
    for each in (notice, other_notice):
        assert isinstance(each, Camt014)
        assert (each.participant_ispb, each.cnpj) == (INDIRECT, CNPJ)
        assert (each.type, each.status) == ("IDRT", "ENBL")
    assert outcome((await receiver.read_reports())[0]) == ("ACSC",)
    assert (await admin(bank, f"accounts/{PAYER}"))["balance_cents"] == 1_001_050


def test_removed_indirect_participant_neither_pays_nor_receives_and_may_come_again() -> None:
    engine = make_engine()
    answered(engine, registration())
    one = transfer(1, creditor_ispb=INDIRECT, debtor_ispb=CONNECTED)

    removed = answered(engine, removal())

    (done, notice) = answers(removed, PAYER)
    assert (done.status, notice.status) == ("COMP", "DLTD")
    assert answers(removed, CONNECTED)[0].participant_ispb == INDIRECT
    end_to_end_id = one.end_to_end_id.replace(PAYER, CONNECTED)
    refused = msgspec.structs.replace(one, end_to_end_id=end_to_end_id)
    assert told(pay(engine, message_of(refused, sender=CONNECTED)), CONNECTED) == [("RJCT", "DS27")]
    again = answered(engine, registration(CONNECTED))
    assert answers(again, CONNECTED)[0].status == "COMP"
    assert engine.participants[INDIRECT].settled_by == CONNECTED


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (registration(direct=CONNECTED), "DIR2"),
        (removal(PAYER), "DIR1"),
        (registration(cnpj=f"{VIRTUAL}000104"), "IND2"),
        (registration(cnpj="44555666000181"), "IND3"),
        (removal("77888999"), "IND5"),
        (removal("03973814"), "IND5"),
        (removal("00000009"), "IND5"),
    ],
)
def test_request_that_cannot_be_done_changes_nothing(
    request_: Reda014 | Reda031, reason: str
) -> None:
    engine = make_engine()
    answered(engine, registration(cnpj="44555666000181"))
    answered(engine, registration(CONNECTED, "77888999000181"))
    before = dict(engine.participants)

    changes = answered(engine, request_)

    (refused,) = answers(changes, PAYER)
    assert (refused.status, refused.reason) == ("REJT", reason)
    assert answers(changes, CONNECTED) == []
    assert engine.participants == before


def test_registration_that_is_undone_leaves_no_trace() -> None:
    engine = make_engine()
    before = dict(engine.participants)

    step = engine.begin()
    Registrations(engine).answer(registration(), Moment(NOW), step)
    Registrations(engine).answer(removal(), Moment(NOW), step)
    engine.undo(step)

    assert engine.participants == before


def reported(number: int = 1, **changed: object) -> BookTransfer:
    made = BookTransfer(
        end_to_end_id=transfer(number).end_to_end_id,
        local_instrument="MANU",
        scenario="BOK1",
        amount_cents=100,
        settled_at=NOW,
        debtor_tax_id="52998224725",
        debtor_account=AccountId("1"),
        debtor_ispb=PAYER,
        creditor_ispb=PAYER,
        creditor_tax_id="39053344705",
        creditor_account=AccountId("2"),
    )
    return msgspec.structs.replace(made, **changed)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"amount_cents": 0}, "AM01"),
        ({"settled_at": NOW + timedelta(milliseconds=1)}, "DT02"),
        ({"debtor_ispb": "99999999"}, "RC10"),
        ({"debtor_ispb": "99999999", "scenario": "BOK2"}, "RC09"),
        ({"creditor_ispb": "99999999", "scenario": "BOK2"}, "RC10"),
        ({"creditor_ispb": VIRTUAL, "scenario": "BOK2"}, "AG01"),
        ({"creditor_key": "a@b.br"}, "ED05"),
        ({"settled_at": NOW - timedelta(days=31)}, "FF08"),
    ],
)
def test_reported_payment_is_judged_by_itself(
    changed: dict[str, object], reason: str | None
) -> None:
    participants = make_engine().participants

    one = reported(**changed)
    message = Trck002(
        sender=PAYER,
        receiver=SPI_ISPB,
        message_id=f"M{PAYER}{1:023d}",
        created_at=NOW,
        transfers=(one,),
    )

    assert report_reason(message, one, participants, Moment(NOW)) == reason


async def test_report_of_book_transfers_gets_a_receipt_for_each(
    bank: RunningBank, payer: Desk
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    message = Trck002(
        sender=PAYER,
        receiver=SPI_ISPB,
        message_id=payer.new_message_id(),
        created_at=now,
        transfers=(reported(1, settled_at=now), reported(2, settled_at=now, amount_cents=0)),
    )

    await payer.client.post([payer.encode(message)])
    (answer,) = await payer.read()

    assert isinstance(answer, Camt025)
    assert [(each.status, each.reason) for each in answer.receipts] == [
        ("ACPT", None),
        ("RJCT", "AM01"),
    ]
    assert {each.original_message_id for each in answer.receipts} == {message.message_id}
