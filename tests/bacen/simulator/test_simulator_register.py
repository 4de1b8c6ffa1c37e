"""Indirect participants that change hands, and participants whose data change."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors import Node
from bacen.simulator import BankClock, RunningBank
from bacen.simulator.changes import Changes
from bacen.simulator.clock import STEPPED
from bacen.simulator.engine import Engine
from bacen.simulator.participants import Participant
from bacen.simulator.payments import Moment
from bacen.simulator.registrations import PublicData, Registrations
from bacen.simulator.store import Batch, Store
from bacen.validation import validate
from bacen.wire import (
    Admi002,
    Camt014,
    Message,
    Reda014,
    Reda016,
    Reda017,
    Reda022,
    Reda041,
    encode,
)
from tests.bacen.rule_messages import CONTACT, CPF, DIRECTOR, modified
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.controls import Controls
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL, Desk, DeskKeys, admin
from tests.bacen.simulator.test_simulator_engine import NOW, make_engine
from tests.bacen.simulator.test_simulator_registrations import (
    CNPJ,
    INDIRECT,
    answered,
    answers,
    header,
    registration,
    removal,
)

OF_VIRTUAL = "03973814"  # settles through 99999A04 in the bank's own table


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Run a node whose time stands still until it is moved."""
    node = Node("bank", clock=BankClock(STEPPED))
    yield node
    await node.shutdown()


def engine_with_one_at_the_payer() -> Engine:
    engine = make_engine()
    answered(engine, registration())
    return engine


def statuses(messages: Sequence[Message]) -> list[tuple[Any, ...]]:
    """What one is told: of a reda.016 status and reason, else the kind and whom it is about."""
    told: list[tuple[Any, ...]] = []
    for each in messages:
        if isinstance(each, Reda016):
            told.append((each.status, each.reason or each.direct_ispb))
        elif isinstance(each, Camt014):
            told.append((each.participant_ispb, each.status))
        else:
            told.append((type(each).__name__,))
    return told


def test_participant_that_settles_through_another_is_asked_for_and_moves_when_let_go() -> None:
    engine = engine_with_one_at_the_payer()

    asked = answered(engine, registration(CONNECTED))
    assert engine.participants[INDIRECT].settled_by == PAYER
    moved = answered(engine, removal())

    assert statuses(answers(asked, CONNECTED)) == [("QUED", "IND4")]
    (question,) = answers(asked, PAYER)
    assert question.indirect_ispb == INDIRECT
    assert question.confirm_until == NOW + timedelta(hours=24)
    assert statuses(answers(moved, PAYER)) == [("COMP", None), (INDIRECT, "ENBL")]
    assert statuses(answers(moved, CONNECTED)) == [("COMP", CONNECTED), (INDIRECT, "ENBL")]
    assert answers(moved, CONNECTED)[0].original_message_id == header(CONNECTED)["message_id"]
    assert engine.participants[INDIRECT].settled_by == CONNECTED
    assert (engine.moves, moved.moves) == ({}, {INDIRECT: None})


def test_request_that_nobody_confirms_lapses_after_24_hours_and_nothing_has_changed() -> None:
    engine = engine_with_one_at_the_payer()
    before = dict(engine.participants)
    answered(engine, registration(CONNECTED))
    early, late = (Moment(NOW + timedelta(days=1, milliseconds=each)) for each in (-1, 0))

    assert engine.due(early) == []
    (move,) = engine.due(late)
    lapsed = Changes()
    Registrations(engine).lapse(move, lapsed)

    assert statuses(answers(lapsed, CONNECTED)) == [("REJT", "EXP5")]
    assert answers(lapsed, PAYER) == []
    assert (engine.participants, engine.moves) == (before, {})
    assert engine.due(late) == []


def test_only_one_may_ask_at_a_time_and_its_owner_need_not() -> None:
    engine = engine_with_one_at_the_payer()
    answered(engine, registration(CONNECTED))

    again, owner = answered(engine, registration(CONNECTED)), answered(engine, registration())

    assert statuses(answers(again, CONNECTED)) == [("REJT", "ITC6")]
    assert statuses(answers(owner, PAYER)) == [("REJT", "IND3")]


def test_participant_of_a_virtual_one_moves_at_once_and_may_go_then() -> None:
    engine = make_engine()

    moved = answered(engine, registration(cnpj=f"{OF_VIRTUAL}000181"))
    gone = answered(engine, removal(OF_VIRTUAL))

    assert statuses(answers(moved, PAYER)) == [("COMP", PAYER), (OF_VIRTUAL, "ENBL")]
    assert statuses(answers(gone, PAYER)) == [("COMP", None), (OF_VIRTUAL, "DLTD")]


def test_step_that_is_undone_leaves_requests_as_they_were() -> None:
    engine = engine_with_one_at_the_payer()
    step = engine.begin()
    Registrations(engine).answer(registration(CONNECTED), Moment(NOW), step)
    engine.undo(step)
    assert engine.moves == {}

    answered(engine, registration(CONNECTED))
    (move,), before = engine.moves.values(), dict(engine.participants)
    step = engine.begin()
    Registrations(engine).answer(removal(), Moment(NOW), step)
    engine.undo(step)

    assert (engine.moves, engine.participants) == ({INDIRECT: move}, before)
    assert engine.due(Moment(NOW + timedelta(days=1))) == [move]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"left_out": 0, "doubled": 1}, "CTT9"),
        ({"left_out": 1, "doubled": 0}, "CTT9"),
        ({"left_out": 1, "doubled": 2}, "DI11"),
        ({"left_out": 2, "doubled": 3}, "PCH8"),
        ({"left_out": 3, "doubled": 2}, "PCH8"),
        ({"contact": {**CONTACT, "responsibility": "DIRETORPSP"}}, "RP13"),
        ({"direct_ispb": CONNECTED}, "ATC7"),
    ],
)
def test_data_that_break_a_rule_are_refused_with_its_code(
    change: dict[str, Any], reason: str
) -> None:
    message = msgspec.structs.replace(modified(**change), **header(PAYER))
    assert isinstance(message, Reda022)

    changes = answered(make_engine(), message)

    assert statuses(answers(changes, PAYER)) == [("REJT", reason)]
    assert changes.own_data == {}


def test_third_telephone_of_a_director_refuses_the_message() -> None:
    message = modified(director={**DIRECTOR, "telephone_3": "+55-61"})
    assert isinstance(message, Reda022)

    changes = answered(make_engine(), message)

    (rejection,) = changes.rejections
    assert rejection.reason == "CH16"
    assert (changes.drafts, changes.own_data) == ([], {})


def test_change_of_names_and_role_is_told_to_the_others_once() -> None:
    engine = make_engine()
    registrations = Registrations(engine)
    old = engine.participants[CONNECTED].short_name
    first, again = Changes(), Changes()

    new = PublicData(name="Banco Novo S.A.", short_name="NOVO", role="GOVE")
    registrations.change(CONNECTED, new, first)
    registrations.change(CONNECTED, new, again)

    (notice,) = answers(first, PAYER)
    assert notice.participant_ispb == CONNECTED
    told = [(each.field, each.old, each.new) for each in notice.changes]
    assert told == [
        ("MODP", "PDCT", "GOVE"),
        ("NOME", old, "Banco Novo S.A."),
        ("NOMR", old, "NOVO"),
    ]
    assert answers(first, CONNECTED) == []
    assert (again.drafts, again.participants) == ([], {})


def test_everything_that_is_told_passes_the_judge(desk_keys: dict[str, DeskKeys]) -> None:
    engine = engine_with_one_at_the_payer()
    own = msgspec.structs.replace(modified(direct_ispb=PAYER), **header(PAYER))
    assert isinstance(own, Reda022)
    all_ = [answered(engine, each) for each in (registration(CONNECTED), removal(), own)]
    lapsed = Changes()
    answered(engine, registration(PAYER))
    Registrations(engine).lapse(engine.moves[INDIRECT], lapsed)
    changed = Changes()
    Registrations(engine).change(VIRTUAL, PublicData(name="X", role="ITUS"), changed)

    told = [
        message
        for changes in (*all_, lapsed, changed)
        for ispb in (PAYER, CONNECTED)
        for message in answers(changes, ispb)
    ]

    assert {type(each) for each in told} == {Reda016, Reda017, Reda041, Camt014}
    for each in told:
        assert validate(encode(each, desk_keys[PAYER].signer)).violations == ()


async def register(desk: Desk) -> Reda014:
    """Ask for the indirect participant; gives the message."""
    message = msgspec.structs.replace(
        registration(desk.ispb, CNPJ),
        message_id=desk.new_message_id(),
        created_at=datetime.now(UTC),
    )
    await desk.client.post([desk.encode(message)])
    return message


async def test_request_outlasts_a_restart_and_lapses_by_the_banks_clock(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start()
    owner, asker = desks(bank, PAYER), desks(bank, CONNECTED)
    await register(owner)
    assert statuses(await owner.read(2)) == [("COMP", PAYER), (INDIRECT, "ENBL")]
    assert statuses(await asker.read()) == [(INDIRECT, "ENBL")]
    request = await register(asker)
    assert statuses(await asker.read()) == [("QUED", "IND4")]
    (question,) = await owner.read()
    await bank.stop()
    bank = await start()
    asker, controls = desks(bank, CONNECTED), Controls(bank)

    await controls.advance("PT23H")
    settled_by = (await admin(bank, f"participants/{INDIRECT}"))["settled_by"]
    second = await register(desks(bank, CONNECTED))
    await controls.advance("PT1H")

    told = [each for each in await asker.read(3) if isinstance(each, Reda016)]
    assert isinstance(question, Reda017)
    assert settled_by == PAYER
    ends = {each.original_message_id: (each.status, each.reason) for each in told}
    assert ends[request.message_id] == ("REJT", "EXP5")
    assert ends[second.message_id] == ("REJT", "ITC6")


async def test_own_data_and_names_are_kept_and_shown(start: StartBank, desks: OpenDesk) -> None:
    bank = await start()
    payer, other = desks(bank, PAYER), desks(bank, CONNECTED)
    message = msgspec.structs.replace(
        modified(direct_ispb=PAYER),
        sender=PAYER,
        message_id=payer.new_message_id(),
        created_at=datetime.now(UTC),
    )
    broken = msgspec.structs.replace(
        modified(director={**DIRECTOR, "telephone_3": "+55-61"}, direct_ispb=PAYER),
        sender=PAYER,
        message_id=payer.new_message_id(),
        created_at=datetime.now(UTC),
    )
    await payer.client.post([payer.encode(message), payer.encode(broken)])
    told = await payer.read(2)
    changed = await Controls(bank).ask("POST", f"/participants/{PAYER}", {"short_name": "CORRENTE"})
    (notice,) = await other.read()
    await bank.stop()
    bank = await start()

    shown = await admin(bank, f"participants/{PAYER}")

    assert [type(each) for each in told] == [Reda016, Admi002]
    assert isinstance(notice, Reda041)
    assert [each.field for each in notice.changes] == ["NOMR"]
    assert shown == changed
    assert shown["short_name"] == "CORRENTE"
    assert shown["contact"]["email"] == CONTACT["email"]
    assert shown["director"]["name"] == DIRECTOR["name"]
    assert shown["director_cpf"] == CPF
    assert "abcd1234" not in str(shown)


@pytest.mark.parametrize(
    ("ispb", "body", "status"),
    [
        ("99999999", {"name": "X"}, 404),
        ("00038166", {"name": "X"}, 404),
        (VIRTUAL, {}, 400),
        (VIRTUAL, {"role": "BANK"}, 400),
        (VIRTUAL, {"name": ""}, 400),
        (VIRTUAL, {"short_name": "x" * 141}, 400),
        (VIRTUAL, {"name": "a\x00b"}, 400),
        (VIRTUAL, {"cnpj": CNPJ}, 400),
        (VIRTUAL, [], 400),
    ],
)
async def test_order_that_cannot_be_obeyed_changes_nothing(
    bank: RunningBank, ispb: str, body: object, status: int
) -> None:
    before = await admin(bank, f"participants/{VIRTUAL}")

    await Controls(bank).ask("POST", f"/participants/{ispb}", body, status)

    assert await admin(bank, f"participants/{VIRTUAL}") == before


def test_home_of_before_changes_of_names_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "bank.sqlite3"
    old = sqlite3.connect(path)
    old.executescript(
        "CREATE TABLE participants (ispb TEXT PRIMARY KEY, short_name TEXT NOT NULL,"
        " kind TEXT NOT NULL, settled_by TEXT NOT NULL, cnpj TEXT NOT NULL) WITHOUT ROWID;"
    )
    row = (INDIRECT, "X", "IDRT", PAYER, CNPJ)
    old.execute("INSERT INTO participants VALUES (?, ?, ?, ?, ?)", row)
    old.commit()
    old.close()
    store = Store(path)
    known = store.participants()

    renamed = msgspec.structs.replace(known[INDIRECT], name="Y", role="ITUS")
    store.commit(Batch(participants=[renamed]))
    again = store.participants()
    store.close()

    assert known == {INDIRECT: Participant(INDIRECT, "X", "IDRT", PAYER, CNPJ)}
    assert again == {INDIRECT: renamed}
