"""Decisions of the central bank, without disk, network or clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen.simulator.accounts import PiAccount, PiAccounts
from bacen.simulator.changes import Changes
from bacen.simulator.engine import Engine
from bacen.simulator.participants import load_participants, with_connected
from bacen.simulator.payments import Moment, Payment
from bacen.simulator.receivers import RECEIVER_REASONS
from bacen.wire import (
    SPI_ISPB,
    STATUS_REASONS,
    AccountId,
    CreditTransfer,
    Pacs002,
    Pacs008,
    StatusReport,
    Tax,
    TaxRecord,
    make_end_to_end_id,
    message_id,
)

NOW = datetime(2026, 9, 28, 14, 35, tzinfo=UTC)
PAYER = "12345678"
CONNECTED = "87654321"
VIRTUAL = "60701190"
BALANCE_CENTS = 100_000
TIMEOUT_MS = 40_000
NOTHING: Mapping[str, Payment] = {}


def make_engine(balance_cents: int = BALANCE_CENTS) -> Engine:
    participants = with_connected(load_participants(), (PAYER, CONNECTED))
    accounts = {
        ispb: PiAccount(ispb, balance_cents)
        for ispb, each in participants.items()
        if each.kind == "DRCT"
    }
    return Engine(
        participants,
        PiAccounts(accounts),
        (PAYER, CONNECTED),
        acceptance_timeout_ms=TIMEOUT_MS,
        scheduled_timeout_ms=60 * TIMEOUT_MS,
        return_days=90,
    )


def transfer(number: int = 1, **changed: object) -> CreditTransfer:
    made = CreditTransfer(
        end_to_end_id=make_end_to_end_id(PAYER, NOW, f"{number:011d}"),
        amount_cents=1_050,
        accepted_at=NOW,
        local_instrument="MANU",
        debtor_name="Fulano",
        debtor_tax_id="52998224725",
        debtor_account=AccountId("1000"),
        debtor_ispb=PAYER,
        creditor_ispb=VIRTUAL,
        creditor_tax_id="39053344705",
        creditor_account=AccountId("2000"),
    )
    return msgspec.structs.replace(made, **changed)


def pacs008(*transfers: CreditTransfer, number: int = 1, **changed: object) -> Pacs008:
    made = Pacs008(
        sender=PAYER,
        receiver=SPI_ISPB,
        message_id=message_id(PAYER, f"{number:023d}"),
        created_at=NOW,
        transfers=transfers,
    )
    return msgspec.structs.replace(made, **changed)


def answer(end_to_end_id: str, status: str, *reasons: str, number: int = 1) -> Pacs002:
    report = StatusReport(
        original_instruction_id=end_to_end_id,
        end_to_end_id=end_to_end_id,
        status=status,
        reasons=reasons,
    )
    return Pacs002(
        sender=CONNECTED,
        receiver=SPI_ISPB,
        message_id=message_id(CONNECTED, f"{number:023d}"),
        created_at=NOW,
        reports=(report,),
    )


def told(changes: Changes, ispb: str = PAYER) -> list[tuple[str, str]]:
    return [
        (each.status, each.reasons[0] if each.reasons else "")
        for each in changes.reports.get(ispb, [])
    ]


def pay(engine: Engine, message: Pacs008, at: datetime = NOW) -> Changes:
    changes = Changes()
    engine.pay(message, NOTHING, Moment(at), changes)
    return changes


def expire(engine: Engine, at: datetime, changes: Changes) -> None:
    for payment in engine.due(Moment(at)):
        engine.expire(payment, Moment(at), changes)


def test_payment_to_a_virtual_participant_settles_at_once() -> None:
    engine = make_engine()

    changes = pay(engine, pacs008(transfer(creditor_key="a@b.c", local_instrument="DICT")))

    assert told(changes) == [("ACSC", "")]
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS - 1_050, 0)
    assert engine.accounts.get(VIRTUAL) == PiAccount(VIRTUAL, BALANCE_CENTS + 1_050, 0)
    report = changes.reports[PAYER][0]
    assert report.settled_at == NOW
    assert report.settlement_date == NOW.date()


def test_settlement_date_is_the_day_in_brasilia() -> None:
    engine = make_engine()
    night = datetime(2026, 9, 29, 1, 0, tzinfo=UTC)

    changes = pay(engine, pacs008(transfer(accepted_at=night)), night)

    assert str(changes.reports[PAYER][0].settlement_date) == "2026-09-28"


def test_payment_through_an_indirect_participant_credits_its_settling_participant() -> None:
    engine = make_engine()

    pay(engine, pacs008(transfer(creditor_ispb="03973814")))

    assert engine.accounts.get("99999A04") == PiAccount("99999A04", BALANCE_CENTS + 1_050, 0)


@pytest.mark.parametrize("reason", sorted(RECEIVER_REASONS))
def test_virtual_receiver_rejects_by_the_prefix_of_the_account(reason: str) -> None:
    engine = make_engine()

    changes = pay(engine, pacs008(transfer(creditor_account=AccountId(f"{reason}001"))))

    assert told(changes) == [("RJCT", reason)]
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS, 0)


def test_reasons_of_a_receiver_are_reasons_of_the_schema() -> None:
    assert RECEIVER_REASONS <= STATUS_REASONS


TAX = Tax("1", (TaxRecord("CBSSPLIT", 1_000), TaxRecord("IBSSPLIT", 51)))
REFUSED: dict[str, tuple[str, dict[str, object]]] = {
    "zero amount": ("AM01", {"amount_cents": 0}),
    "own institution": ("AG12", {"creditor_ispb": PAYER}),
    "unknown receiver": ("RC10", {"creditor_ispb": "99999999"}),
    "the bank as receiver": ("RC10", {"creditor_ispb": SPI_ISPB}),
    "unknown payer": ("RC09", {"debtor_ispb": "99999999"}),
    "payer of another participant": ("AGNT", {"debtor_ispb": VIRTUAL, "creditor_ispb": CONNECTED}),
    "id of another participant": (
        "FF08",
        {"end_to_end_id": make_end_to_end_id(VIRTUAL, NOW, "1" * 11)},
    ),
    "id too old": (
        "FF08",
        {
            "end_to_end_id": make_end_to_end_id(
                PAYER, NOW - timedelta(hours=12, minutes=1), "1" * 11
            )
        },
    ),
    "id too new": (
        "FF08",
        {
            "end_to_end_id": make_end_to_end_id(
                PAYER, NOW + timedelta(hours=12, minutes=1), "1" * 11
            )
        },
    ),
    "larger than the PI account": ("AM04", {"amount_cents": BALANCE_CENTS + 1}),
    "accepted too long ago": ("AB03", {"accepted_at": NOW - timedelta(milliseconds=TIMEOUT_MS)}),
    "key with typed account": ("CH16", {"creditor_key": "a@b.c"}),
    "no key": ("CH16", {"local_instrument": "DICT"}),
    "dynamic code with short txid": (
        "CH16",
        {"local_instrument": "QRDN", "creditor_key": "a@b.c", "transaction_id": "a" * 25},
    ),
    "cash without purpose": ("CH16", {"purpose": "GSCB"}),
    "root payment missing": ("CH16", {"purpose": "IPRT"}),
    "tax of persons": ("RR06", {"tax": TAX}),
    "taxes above the amount": (
        "AM23",
        {"tax": TAX, "debtor_tax_id": "11222333000181", "creditor_tax_id": "45723174000110"},
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_payment_that_breaks_a_rule_is_rejected_and_moves_no_money(case: str) -> None:
    reason, changed = REFUSED[case]
    engine = make_engine()

    changes = pay(engine, pacs008(transfer(**changed)))

    assert told(changes) == [("RJCT", reason)]
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS, 0)
    assert changes.accounts == set()


@pytest.mark.parametrize("minutes", [-720, 720])
def test_end_to_end_id_at_the_edge_of_the_tolerance_is_taken(minutes: int) -> None:
    edge = make_end_to_end_id(PAYER, NOW + timedelta(minutes=minutes), "1" * 11)

    assert told(pay(make_engine(), pacs008(transfer(end_to_end_id=edge)))) == [("ACSC", "")]


def test_wrong_count_rejects_every_payment_of_the_message() -> None:
    changes = pay(make_engine(), pacs008(transfer(1), transfer(2), declared_count=3))

    assert told(changes) == [("RJCT", "AM18")] * 2


def test_more_than_ten_priority_payments_in_a_message_are_rejected() -> None:
    changes = pay(make_engine(), pacs008(*(transfer(each) for each in range(11))))

    assert told(changes) == [("RJCT", "AM18")] * 11


def test_scheduled_message_has_five_hundred_payments_and_each_has_45_minutes() -> None:
    engine = make_engine()
    scheduled = {"priority": "NORM", "service_level": "PAGAGD"}
    old = NOW - timedelta(hours=3)
    some = [transfer(each, amount_cents=1, accepted_at=old) for each in range(499)]
    asked = transfer(499, amount_cents=1, accepted_at=old, creditor_ispb=CONNECTED)

    changes = pay(engine, pacs008(*some, asked, **scheduled))
    too_many = pay(make_engine(), pacs008(*some, asked, transfer(500), **scheduled))

    assert told(changes) == [("ACSC", "")] * 499
    assert changes.forwards == {(CONNECTED, "NORM", "PAGAGD"): [asked]}
    assert engine.next_deadline_ms() == Moment(NOW).ms + 60 * TIMEOUT_MS
    assert told(too_many) == [("RJCT", "AM18")] * 501


def test_priority_that_does_not_fit_the_service_level_is_rejected() -> None:
    assert told(pay(make_engine(), pacs008(transfer(), priority="NORM"))) == [("RJCT", "CH16")]


def test_end_to_end_id_is_taken_once() -> None:
    engine = make_engine()

    changes = pay(engine, pacs008(transfer(1), transfer(1)))
    again = pay(engine, pacs008(transfer(1), number=2))

    assert told(changes) == [("ACSC", ""), ("RJCT", "FF08")]
    assert told(again) == [("RJCT", "FF08")]
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS - 1_050, 0)


def test_end_to_end_id_known_to_the_store_is_refused() -> None:
    engine, changes, one = make_engine(), Changes(), transfer()
    earlier = Payment(one.end_to_end_id, one.end_to_end_id, "M", PAYER, VIRTUAL, 1_050, "SETTLED")

    engine.pay(pacs008(one), {one.end_to_end_id: earlier}, Moment(NOW), changes)

    assert told(changes) == [("RJCT", "FF08")]
    assert changes.payments == {}


def test_connected_receiver_is_asked_and_both_are_told() -> None:
    engine, one = make_engine(), transfer(creditor_ispb=CONNECTED)

    asked = pay(engine, pacs008(one))

    assert asked.forwards == {(CONNECTED, "HIGH", "PAGPRI"): [one]}
    assert asked.reports == {}
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS, 1_050)

    settled = Changes()
    engine.answer(answer(one.end_to_end_id, "ACSP"), Moment(NOW), settled)

    assert told(settled) == [("ACSC", "")]
    assert told(settled, CONNECTED) == [("ACCC", "")]
    assert engine.accounts.get(CONNECTED) == PiAccount(CONNECTED, BALANCE_CENTS + 1_050, 0)
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS - 1_050, 0)


def test_connected_receiver_rejects_and_both_are_told() -> None:
    engine, one, changes = make_engine(), transfer(creditor_ispb=CONNECTED), Changes()
    pay(engine, pacs008(one))

    engine.answer(answer(one.end_to_end_id, "RJCT", "AC07"), Moment(NOW), changes)

    assert told(changes) == told(changes, CONNECTED) == [("RJCT", "AC07")]
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS, 0)


def test_answer_of_a_participant_that_was_not_asked_changes_nothing() -> None:
    engine, one, changes = make_engine(), transfer(creditor_ispb=CONNECTED), Changes()
    pay(engine, pacs008(one))
    foreign = msgspec.structs.replace(answer(one.end_to_end_id, "ACSP"), sender=VIRTUAL)

    engine.answer(foreign, Moment(NOW), changes)

    assert changes.reports == {}
    assert [each.ispb for each in changes.rejections] == [VIRTUAL]
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS, 1_050)


def test_silence_is_rejected_when_the_time_is_over_and_not_before() -> None:
    engine = make_engine()
    accepted = NOW - timedelta(seconds=10)
    silent = transfer(1, creditor_account=AccountId("SILENT1"), accepted_at=accepted)
    asked = transfer(2, creditor_ispb=CONNECTED, accepted_at=accepted)
    pay(engine, pacs008(silent, asked))

    early, late = Changes(), Changes()
    expire(engine, NOW + timedelta(milliseconds=29_999), early)
    expire(engine, NOW + timedelta(milliseconds=30_000), late)

    assert early.reports == {}
    assert told(late) == [("RJCT", "AB03")] * 2
    assert told(late, CONNECTED) == [("RJCT", "AB03")]
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS, 0)


def test_payment_held_for_fraud_analysis_has_its_time_from_the_receipt() -> None:
    engine = make_engine()
    held = transfer(creditor_ispb=CONNECTED, accepted_at=NOW - timedelta(hours=1))

    changes = pay(engine, pacs008(held, priority="NORM", service_level="PAGFRD"))

    assert changes.reports == {}
    assert engine.next_deadline_ms() == Moment(NOW).ms + TIMEOUT_MS


def test_answer_after_the_time_limit_is_counted_and_moves_no_money() -> None:
    engine, one = make_engine(), transfer(creditor_ispb=CONNECTED)
    pay(engine, pacs008(one))
    late = Moment(NOW + timedelta(minutes=1))
    expire(engine, late.at, Changes())

    changes = Changes()
    engine.answer(answer(one.end_to_end_id, "ACSP"), late, changes)

    assert changes.reports == {}
    assert engine.late_answers == 1
    assert engine.accounts.get(PAYER) == PiAccount(PAYER, BALANCE_CENTS, 0)


def test_repeated_message_tells_finished_payments_again_and_moves_no_money() -> None:
    engine = make_engine()
    first = pay(engine, pacs008(transfer(1), transfer(2, creditor_ispb=CONNECTED)))
    (received,) = first.received.values()

    again = Changes()
    engine.repeat(received, PAYER, NOTHING, again)

    assert told(again) == [("ACSC", "")]
    assert again.payments == {}
    assert again.accounts == set()


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "accept", "reject", "expire", "repeat"]),
        st.integers(0, 12),
        st.integers(0, 60_000),
        st.sampled_from([VIRTUAL, CONNECTED, "03973814", PAYER, "99999999"]),
        st.sampled_from(["1000", "AC03001", "SILENT1"]),
    ),
    max_size=60,
)


@given(ACTIONS)
def test_no_sequence_of_messages_makes_or_loses_money(
    actions: list[tuple[str, int, int, str, str]],
) -> None:
    engine = make_engine()
    total = engine.accounts.total_cents()
    received = {}
    for step, (kind, number, value, receiver, account) in enumerate(actions):
        changes, at = Changes(), NOW + timedelta(seconds=step)
        one = transfer(
            number,
            amount_cents=value,
            creditor_ispb=receiver,
            creditor_account=AccountId(account),
            accepted_at=at,
        )
        if kind == "pay":
            engine.pay(pacs008(one, number=step), NOTHING, Moment(at), changes)
            received.update(changes.received)
        elif kind == "expire":
            expire(engine, at + timedelta(minutes=1), changes)
        elif kind == "repeat":
            for each in received.values():
                engine.repeat(each, PAYER, NOTHING, changes)
        else:
            status, reasons = ("ACSP", ()) if kind == "accept" else ("RJCT", ("AC03",))
            message = answer(one.end_to_end_id, status, *reasons, number=step)
            engine.answer(message, Moment(at), changes)

        assert engine.accounts.total_cents() == total
        waiting = sum(
            each.amount_cents for each in engine.payments.values() if each.status == "PENDING"
        )
        blocked = [each.blocked_cents for each in engine.accounts.all()]
        assert sum(blocked) == waiting
        assert min(blocked) >= 0
        assert min(each.available_cents for each in engine.accounts.all()) >= 0
