"""What a participant learns about its PI account: balances, entries, files, the STR."""

import gzip
import hashlib
import json
from concurrent.futures import Future
from datetime import UTC, date, datetime, time
from typing import Any

import aiohttp
import msgspec
import pytest

from bacen.simulator import RunningBank, files
from bacen.simulator.engine import Engine
from bacen.simulator.errors import (
    BankFault,
    ControlNumberTaken,
    InsufficientBalance,
    UnknownAccount,
)
from bacen.simulator.liquidity import fund, move, refusal, withdraw
from bacen.simulator.payments import Moment
from bacen.simulator.requests import MoveLiquidity
from bacen.simulator.statements import bounds_of, question_problem
from bacen.wire import (
    SPI_ISPB,
    AccountId,
    Admi002,
    Admi004,
    Camt052,
    Camt053,
    Camt054,
    Camt060,
    Pacs002,
    Pibr001,
    Pibr002,
    ReportPeriod,
    Tax,
    TaxRecord,
)
from tests.bacen.simulator.conftest import BALANCE_CENTS, OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL, Desk, admin, settle
from tests.bacen.simulator.test_simulator_engine import NOW, make_engine

CONTROL = "STR20260928000000001"
EVER = ReportPeriod(first=date(2020, 1, 1), last=date(2090, 1, 1))


async def ask(desk: Desk, report: str, **fields: object) -> Any:
    """Ask one question and read the one answer."""
    question = Camt060(
        sender=desk.ispb,
        receiver=SPI_ISPB,
        message_id=desk.new_message_id(),
        created_at=datetime.now(UTC),
        report=report,
        **{"owner_ispb": desk.ispb, **fields},
    )
    await desk.client.post([desk.encode(question)])
    while True:
        for answer in await desk.read():
            if not isinstance(answer, Pacs002):
                return answer, question.message_id


async def test_balances_are_those_of_the_account(payer: Desk) -> None:
    await payer.pay(payer.transfer(), payer.transfer(creditor_account=AccountId("SILENT1")))
    await payer.read_reports()

    answer, question_id = await ask(payer, "camt.053", balance_type="CSA")

    assert isinstance(answer, Camt053)
    (statement,) = answer.statements
    assert (statement.request_id, statement.owner_ispb) == (question_id, PAYER)
    assert {each.type: each.amount_cents for each in statement.balances} == {
        "SADP": BALANCE_CENTS - 2_100,
        "SABK": 1_050,
    }


async def test_this_bank_pays_no_remuneration(payer: Desk) -> None:
    answer, _ = await ask(payer, "camt.053", balance_type="CRE")

    (statement,) = answer.statements
    assert {each.type: each.amount_cents for each in statement.balances} == {"PSSR": 0, "REMN": 0}


async def test_entry_of_a_payment_tells_both_sides_all_that_the_payment_said(
    payer: Desk, receiver: Desk
) -> None:
    tax = Tax("NF1", (TaxRecord("CBSSPLIT", 10), TaxRecord("IBSSPLIT", 5)))
    original = await settle(
        payer,
        receiver,
        tax=tax,
        debtor_tax_id="11222333000181",
        creditor_tax_id="45723174000110",
        remittance="aluguel <maio>",
        local_instrument="DICT",
        creditor_key="a@b.c",
    )

    debit, _ = await ask(payer, "camt.054", entry_id=original.end_to_end_id)
    credit, _ = await ask(receiver, "camt.054", entry_id=original.end_to_end_id)

    (of_payer,), (of_receiver,) = debit.entries, credit.entries
    assert (of_payer.side, of_payer.family, of_payer.owner_ispb) == ("DBIT", "IRCT", PAYER)
    assert (of_receiver.side, of_receiver.family) == ("CRDT", "RRCT")
    assert (of_payer.status, of_payer.sub_family, of_payer.domain) == ("BOOK", "DMCT", "PMNT")
    assert (of_payer.source, of_payer.amount_cents) == ("pacs.008", 1_050)
    assert of_payer.booked_on is not None
    assert (of_payer.service_level, of_payer.priority) == ("PAGPRI", "HIGH")
    assert of_payer.end_to_end_id == original.end_to_end_id
    assert (of_payer.debtor_ispb, of_payer.creditor_ispb) == (PAYER, CONNECTED)
    assert of_payer.remittance == original.remittance
    assert (of_payer.tax_document, of_payer.tax_records) == ("NF1", tax.records)
    assert of_payer.parties is not None
    assert of_payer.parties.debtor_name == original.debtor_name
    assert of_payer.parties.creditor_key == "a@b.c"
    assert of_payer.accepted_at is not None
    assert of_payer.error_code is None
    told = {"side", "family", "owner_ispb", "notification_id"}
    assert without(of_payer, told) == without(of_receiver, told)


def without(entry: msgspec.Struct, names: set[str]) -> dict[str, object]:
    return {
        name: value for name, value in msgspec.structs.asdict(entry).items() if name not in names
    }


async def test_entry_of_a_rejected_payment_has_its_reason_and_is_not_booked(payer: Desk) -> None:
    refused = payer.transfer(creditor_account=AccountId("AC03001"))
    await payer.pay(refused)
    await payer.read_reports()

    answer, _ = await ask(payer, "camt.054", entry_id=refused.end_to_end_id)

    (entry,) = answer.entries
    assert (entry.status, entry.error_code, entry.booked_on) == ("INFO", "AC03", None)


async def test_entry_of_a_return_is_found_by_its_own_id(payer: Desk, receiver: Desk) -> None:
    original = await settle(payer, receiver)
    one = receiver.return_of(original, amount_cents=50, additional="engano")
    await receiver.client.post([receiver.encode(receiver.pacs004(one))])
    await payer.read()
    await payer.answer_return(one, "ACSP")
    await payer.read_reports()

    answer, _ = await ask(payer, "camt.054", entry_id=one.return_id)

    (entry,) = answer.entries
    assert (entry.side, entry.sub_family, entry.source) == ("CRDT", "RRTN", "pacs.004")
    assert (entry.instruction_id, entry.end_to_end_id) == (one.return_id, one.end_to_end_id)
    assert (entry.return_reason, entry.return_text) == ("MD06", "engano")
    assert (entry.debtor_ispb, entry.creditor_ispb, entry.amount_cents) == (PAYER, CONNECTED, 50)


async def test_participant_that_lost_an_outcome_learns_it_after_a_restart(
    start: StartBank, desks: OpenDesk
) -> None:
    first = await start()
    payer = desks(first)
    original = payer.transfer()
    await payer.pay(original)
    await first.stop()

    answer, _ = await ask(desks(await start()), "camt.054", entry_id=original.end_to_end_id)

    assert (answer.entries[0].status, answer.entries[0].side) == ("BOOK", "DBIT")


async def test_question_about_something_unknown_or_foreign_or_under_way_is_refused(
    payer: Desk, receiver: Desk
) -> None:
    foreign, silent = payer.transfer(), payer.transfer(creditor_account=AccountId("SILENT1"))
    await payer.pay(foreign, silent)

    unknown, question_id = await ask(payer, "camt.054", entry_id=CONTROL)
    not_own, _ = await ask(receiver, "camt.054", entry_id=foreign.end_to_end_id)
    pending, _ = await ask(payer, "camt.054", entry_id=silent.end_to_end_id)
    other_account, _ = await ask(receiver, "camt.053", balance_type="CSA", owner_ispb=PAYER)

    assert isinstance(unknown, Admi002)
    assert (unknown.related_reference, unknown.additional_data) == (question_id, f"Id={CONTROL}")
    reasons = [each.rejecting_party_reason for each in (unknown, not_own, pending, other_account)]
    assert reasons == [
        "Lancamento nao encontrado",
        "Lancamento nao encontrado",
        "Lancamento em processamento",
        "CH16",
    ]


DAY = ReportPeriod(first=date(2026, 9, 28))
BACKWARDS = ReportPeriod(first=date(2026, 9, 28), last=date(2026, 9, 27))


@pytest.mark.parametrize(
    ("fields", "is_right"),
    [
        ({"report": "camt.053", "balance_type": "CSA"}, True),
        ({"report": "camt.053", "balance_type": "CRE"}, True),
        ({"report": "camt.053"}, False),
        ({"report": "camt.053", "balance_type": "TRD"}, False),
        ({"report": "camt.053", "balance_type": "CSA", "period": DAY}, False),
        ({"report": "camt.054", "entry_id": CONTROL}, True),
        ({"report": "camt.054"}, False),
        ({"report": "camt.052", "balance_type": "TRD", "period": DAY}, True),
        ({"report": "camt.052", "balance_type": "REL", "period": DAY}, True),
        ({"report": "camt.052", "balance_type": "TRT", "period": DAY}, False),
        ({"report": "camt.052", "balance_type": "TRD"}, False),
        ({"report": "camt.052", "balance_type": "TRD", "period": BACKWARDS}, False),
        ({"report": "camt.053", "balance_type": "CSA", "owner_ispb": VIRTUAL}, False),
    ],
)
def test_fields_of_a_question_have_to_fit_together(fields: dict[str, Any], is_right: bool) -> None:
    question = Camt060(
        sender=PAYER,
        receiver=SPI_ISPB,
        message_id=f"M{PAYER}{1:023d}",
        created_at=NOW,
        **{"owner_ispb": PAYER, **fields},
    )

    assert (question_problem(question) is None) is is_right


def test_day_of_a_period_is_that_of_the_books_and_times_are_in_utc() -> None:
    day = date(2026, 9, 28)
    night = ReportPeriod(first=day, start=time(1, tzinfo=UTC), end=time(2, tzinfo=UTC))
    start = Moment(datetime(2026, 9, 28, 3, tzinfo=UTC)).ms

    assert bounds_of(ReportPeriod(first=day)) == (start, start + 24 * 3_600_000)
    assert bounds_of(night) == (start - 2 * 3_600_000, start - 3_600_000 + 1)
    assert bounds_of(ReportPeriod(first=date.min, last=date.max))[0] < 0


async def test_file_of_entries_is_announced_and_has_every_entry_once(
    bank: RunningBank, payer: Desk, receiver: Desk
) -> None:
    paid = payer.transfer()
    received = receiver.transfer(creditor_ispb=PAYER)
    await payer.pay(paid, payer.transfer(creditor_account=AccountId("AC03001")))
    await receiver.pay(received)
    messages = await payer.read(2)
    assert len(messages) == 2
    await payer.answer(received, "ACSP")
    await receiver.read_reports()
    await fund(bank.node, PAYER, 700, CONTROL)
    assert [type(each) for each in await payer.read(2)] == [Pacs002, Camt054]

    answer, question_id = await ask_file(payer)
    status, body = await fetch(payer, bank, answer.files[0].file_hash)

    (one,) = answer.files
    assert (one.request_id, one.owner_ispb, one.entries_count) == (question_id, PAYER, 3)
    assert (status, hashlib.sha256(body).hexdigest()) == (200, one.file_hash)
    lines = [json.loads(line) for line in gzip.decompress(body).splitlines()]
    assert [(each["kind"], each["id"], each["side"], each["amount_cents"]) for each in lines] == [
        ("payment", paid.end_to_end_id, "DBIT", 1_050),
        ("payment", received.end_to_end_id, "CRDT", 1_050),
        ("liquidity", CONTROL, "CRDT", 700),
    ]
    assert [each["counterparty"] for each in lines] == [VIRTUAL, CONNECTED, None]
    change = sum(each["amount_cents"] * (1 if each["side"] == "CRDT" else -1) for each in lines)
    account = await admin(bank, f"accounts/{PAYER}")
    assert account["balance_cents"] == BALANCE_CENTS + change


async def ask_file(desk: Desk) -> Any:
    return await ask(desk, "camt.052", balance_type="TRD", period=EVER)


async def fetch(
    desk: Desk, bank: RunningBank, sha256: str, owner: str | None = None
) -> tuple[int, bytes]:
    url = f"{bank.url}/api/v1/out/{owner or desk.ispb}/files/{sha256}"
    connector = aiohttp.TCPConnector(ssl=desk.context)
    headers = {"Accept-Encoding": "identity"}
    async with (
        aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
        session.get(url, headers=headers) as response,
    ):
        return response.status, await response.read()


async def test_file_is_its_owners_alone(bank: RunningBank, payer: Desk, receiver: Desk) -> None:
    answer, _ = await ask_file(payer)
    sha256 = answer.files[0].file_hash

    assert (await fetch(receiver, bank, sha256))[0] == 404
    assert (await fetch(receiver, bank, sha256, PAYER))[0] == 403
    assert (await fetch(payer, bank, "0" * 64))[0] == 404
    assert (await fetch(payer, bank, "..%2f..%2fbank.sqlite3"))[0] == 404


async def test_file_that_was_asked_for_before_a_restart_is_made_after_it(
    start: StartBank, desks: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = await start()
    payer = desks(bank)
    await payer.pay(payer.transfer())
    await payer.read_reports()
    with monkeypatch.context() as broken:
        broken.setattr(files.EntryFiles, "submit", lambda *_: Future())  # never done
        await payer.client.post([payer.encode(file_question(payer))])
        await bank.stop()

    again = desks(await start())
    while not isinstance(answer := (await again.read())[-1], Camt052):
        pass

    assert answer.files[0].entries_count == 1


def file_question(desk: Desk) -> Camt060:
    return Camt060(
        sender=desk.ispb,
        receiver=SPI_ISPB,
        message_id=desk.new_message_id(),
        created_at=datetime.now(UTC),
        report="camt.052",
        owner_ispb=desk.ispb,
        balance_type="TRD",
        period=EVER,
    )


async def test_file_that_cannot_be_made_is_refused_and_counted(
    bank: RunningBank, payer: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(files.EntryFiles, "make", broken)
    answer, question_id = await ask(payer, "camt.052", balance_type="TRD", period=EVER)

    assert isinstance(answer, Admi002)
    assert answer.related_reference == question_id
    assert answer.rejecting_party_reason == "Arquivo nao gerado"
    assert 'alarms_total{kind="fault"} 1.0' in await admin(bank, None)
    monkeypatch.undo()
    assert isinstance((await ask_file(payer))[0], Camt052)


async def test_echo_comes_back_with_its_data(payer: Desk) -> None:
    echo = Pibr001(
        sender=PAYER,
        receiver=SPI_ISPB,
        message_id=payer.new_message_id(),
        created_at=datetime.now(UTC),
        data="bom dia <SPI>",
    )

    await payer.client.post([payer.encode(echo)])
    (answer,) = await payer.read()

    assert isinstance(answer, Pibr002)
    assert answer.original_data == "bom dia <SPI>"


async def test_repeated_question_is_answered_once(payer: Desk) -> None:
    body = payer.encode(file_question(payer))

    await payer.client.post([body, body])
    (answer,) = await payer.read()

    assert isinstance(answer, Camt052)
    assert await payer.is_quiet()


async def test_money_from_the_str_is_credited_told_and_kept(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start()
    payer = desks(bank)

    await fund(bank.node, PAYER, 700, CONTROL)
    await withdraw(bank.node, PAYER, 200, "STR20260928000000002")
    credit, debit = await payer.read(2)
    await payer.is_quiet()  # confirms
    metrics = await admin(bank, None)
    await bank.stop()
    bank = await start()
    payer = desks(bank)
    await fund(bank.node, PAYER, 700, CONTROL)
    asked, question_id = await ask(payer, "camt.054", entry_id=CONTROL)

    assert isinstance(credit, Camt054)
    assert isinstance(debit, Camt054)
    (entry,) = credit.entries
    assert (entry.side, entry.domain, entry.family) == ("CRDT", "CAMT", "MCOP")
    assert (entry.str_number, entry.amount_cents) == (CONTROL, 700)
    assert entry.notification_id == credit.message_id
    assert (debit.entries[0].side, debit.entries[0].family) == ("DBIT", "MDOP")
    assert 'kind="money_missing_cents"} 0.0' in metrics
    assert without(asked.entries[0], {"notification_id"}) == without(entry, {"notification_id"})
    assert asked.entries[0].notification_id == question_id
    account = await admin(bank, f"accounts/{PAYER}")
    assert account["balance_cents"] == BALANCE_CENTS + 500


async def test_movement_of_the_str_that_cannot_be_made_moves_nothing(bank: RunningBank) -> None:
    await fund(bank.node, PAYER, 700, CONTROL)

    with pytest.raises(InsufficientBalance):
        await withdraw(bank.node, PAYER, BALANCE_CENTS + 701, "STR20260928000000002")
    with pytest.raises(UnknownAccount):
        await fund(bank.node, "03973814", 1, "STR20260928000000003")
    with pytest.raises(ControlNumberTaken):
        await fund(bank.node, PAYER, 701, CONTROL)
    with pytest.raises(BankFault):
        await fund(bank.node, PAYER, 1, "no number of the STR")
    await fund(bank.node, PAYER, 700, CONTROL)  # the same again

    account = await admin(bank, f"accounts/{PAYER}")
    assert account["balance_cents"] == BALANCE_CENTS + 700


def test_movement_of_the_str_that_is_undone_leaves_no_trace() -> None:
    engine, request = make_engine(), MoveLiquidity(PAYER, 5, CONTROL)
    before = engine.accounts.total_cents()

    step = engine.begin()
    move(engine, request, Moment(NOW), step)
    assert (engine.accounts.supplied_cents, engine.accounts.total_cents()) == (5, before + 5)
    engine.undo(step)

    assert (engine.supplies, engine.accounts.supplied_cents) == ({}, 0)
    assert engine.accounts.total_cents() == before
    assert refusal(request, None, engine.accounts) is None


def test_blocked_money_does_not_go_to_the_str() -> None:
    engine: Engine = make_engine()
    engine.accounts.block(PAYER, 99_999)

    assert refusal(MoveLiquidity(PAYER, -1, CONTROL), None, engine.accounts) is None
    error = refusal(MoveLiquidity(PAYER, -2, CONTROL), None, engine.accounts)
    assert isinstance(error, InsufficientBalance)
    assert error.available_cents == 1


async def test_announcement_goes_to_every_connected_participant(
    bank: RunningBank, payer: Desk, receiver: Desk
) -> None:
    assert await order(bank, "announcements", {"text": "Manutencao as 03:00"}) == 201
    for desk in (payer, receiver):
        (notice,) = await desk.read()
        assert isinstance(notice, Admi004)
        assert notice.description == "Manutencao as 03:00"
    assert await order(bank, "announcements", {"text": ""}) == 400


async def test_liquidity_is_ordered_at_the_admin_port(bank: RunningBank, payer: Desk) -> None:
    one = {"ispb": PAYER, "amount_cents": 700, "control_number": CONTROL}
    assert await order(bank, "liquidity", one) == 201
    assert await order(bank, "liquidity", {**one, "amount_cents": 800}) == 409
    assert await order(bank, "liquidity", {**one, "amount_cents": 0}) == 400
    assert await order(bank, "liquidity", {**one, "control_number": "1"}) == 400
    number = "STR20260928000000009"
    poor = {"ispb": PAYER, "amount_cents": -2 * BALANCE_CENTS, "control_number": number}
    assert await order(bank, "liquidity", poor) == 409
    assert await order(bank, "liquidity", {**poor, "ispb": "00000001"}) == 404
    assert isinstance((await payer.read())[0], Camt054)


async def order(bank: RunningBank, path: str, body: dict[str, object]) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{bank.admin_url}/admin/{path}", json=body) as response,
    ):
        return response.status
