"""Returns: decided as payments are, beside their original, and told to both."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen.simulator import returns
from bacen.simulator.accounts import PiAccount
from bacen.simulator.changes import Changes
from bacen.simulator.engine import Engine
from bacen.simulator.liquidity import move
from bacen.simulator.payments import Moment, Payment
from bacen.simulator.requests import MoveLiquidity
from bacen.wire import SPI_ISPB, AccountId, CreditTransfer, Pacs004, PaymentReturn
from tests.bacen.simulator.desk import CONNECTED, PAYER, VIRTUAL
from tests.bacen.simulator.test_simulator_engine import BALANCE_CENTS as ENGINE_CENTS
from tests.bacen.simulator.test_simulator_engine import (
    NOW,
    answer,
    expire,
    make_engine,
    message_id,
    pacs008,
    told,
    transfer,
)

VIRTUAL_PAYER = "99999A03"


def return_id(ispb: str, at: datetime, number: int) -> str:
    return f"D{ispb}{at:%Y%m%d%H%M}{number:011d}"


def give_back(original: CreditTransfer, number: int = 1, **changed: object) -> PaymentReturn:
    made = PaymentReturn(
        return_id=return_id(original.creditor_ispb, NOW, number),
        end_to_end_id=original.end_to_end_id,
        amount_cents=original.amount_cents,
        reason="MD06",
        debtor_ispb=original.debtor_ispb,
        creditor_ispb=original.creditor_ispb,
    )
    return msgspec.structs.replace(made, **changed)


def pacs004(*returns: PaymentReturn, number: int = 1, **changed: object) -> Pacs004:
    made = Pacs004(
        sender=CONNECTED,
        receiver=SPI_ISPB,
        message_id=message_id(CONNECTED, f"{900 + number:023d}"),
        created_at=NOW,
        returns=returns,
    )
    return msgspec.structs.replace(made, **changed)


def returned(
    engine: Engine, message: Pacs004, at: datetime = NOW, known: Mapping[str, Payment] | None = None
) -> Changes:
    changes = Changes()
    engine.give_back(message, known or {}, Moment(at), changes)
    return changes


def settled(engine: Engine, **changed: object) -> CreditTransfer:
    """Settle a payment of PAYER to CONNECTED."""
    one = transfer(**{"creditor_ispb": CONNECTED, **changed})
    engine.pay(pacs008(one), {}, Moment(NOW), Changes())
    engine.answer(answer(one.end_to_end_id, "ACSP"), Moment(NOW), Changes())
    assert engine.payments[one.end_to_end_id].status == "SETTLED"
    return one


def accept(engine: Engine, one: PaymentReturn, status: str = "ACSP", *reasons: str) -> Changes:
    changes = Changes()
    message = answer(one.end_to_end_id, status, *reasons)
    report = msgspec.structs.replace(message.reports[0], original_instruction_id=one.return_id)
    message = msgspec.structs.replace(message, sender=PAYER, reports=(report,))
    engine.answer(message, Moment(NOW), changes)
    return changes


def balances(engine: Engine) -> tuple[int, int, int, int]:
    payer, receiver = engine.accounts.get(PAYER), engine.accounts.get(CONNECTED)
    assert payer is not None
    assert receiver is not None
    return (
        payer.balance_cents - ENGINE_CENTS,
        payer.blocked_cents,
        receiver.balance_cents - ENGINE_CENTS,
        receiver.blocked_cents,
    )


def test_return_blocks_asks_the_payer_and_settles_when_it_accepts() -> None:
    engine = make_engine()
    one = give_back(settled(engine), amount_cents=50)

    asked = returned(engine, pacs004(one))
    assert asked.returns == {PAYER: [one]}
    assert asked.reports == {}
    assert balances(engine) == (-1_050, 0, 1_050, 50)

    done = accept(engine, one)

    assert told(done) == [("ACCC", "")]
    assert told(done, CONNECTED) == [("ACSC", "")]
    assert balances(engine) == (-1_000, 0, 1_000, 0)


def test_reports_of_a_return_name_it_and_its_payment() -> None:
    engine = make_engine()
    one = give_back(settled(engine))
    returned(engine, pacs004(one))

    done = accept(engine, one)

    for report in done.reports[PAYER] + done.reports[CONNECTED]:
        assert report.original_instruction_id == one.return_id
        assert report.end_to_end_id == one.end_to_end_id
        assert report.settled_at == NOW


def test_payer_that_refuses_a_return_is_told_and_the_money_stays() -> None:
    engine = make_engine()
    one = give_back(settled(engine))
    returned(engine, pacs004(one))

    done = accept(engine, one, "RJCT", "AC07")

    assert told(done) == told(done, CONNECTED) == [("RJCT", "AC07")]
    assert balances(engine) == (-1_050, 0, 1_050, 0)


def test_return_that_nobody_answers_ends_with_ab03_for_both() -> None:
    engine = make_engine()
    one = give_back(settled(engine))
    returned(engine, pacs004(one))

    early, late = Changes(), Changes()
    expire(engine, NOW + timedelta(milliseconds=39_999), early)
    expire(engine, NOW + timedelta(seconds=40), late)

    assert early.reports == {}
    assert told(late) == told(late, CONNECTED) == [("RJCT", "AB03")]
    assert balances(engine) == (-1_050, 0, 1_050, 0)


REFUSED: dict[str, tuple[str, dict[str, object]]] = {
    "zero amount": ("AM01", {"amount_cents": 0}),
    "more than the payment": ("AM09", {"amount_cents": 1_051}),
    "id too old": ("FF08", {"return_id": return_id(CONNECTED, NOW - timedelta(hours=13), 1)}),
    "id too new": ("FF08", {"return_id": return_id(CONNECTED, NOW + timedelta(hours=13), 1)}),
    "id of another participant": ("FF08", {"return_id": return_id(VIRTUAL, NOW, 1)}),
    "unknown payment": ("FF08", {"end_to_end_id": transfer(77).end_to_end_id}),
    "other payer": ("RC09", {"debtor_ispb": VIRTUAL}),
    "other receiver": (
        "RC10",
        {"creditor_ispb": VIRTUAL, "return_id": return_id(VIRTUAL, NOW, 1)},
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_return_that_breaks_a_rule_is_rejected_and_moves_no_money(case: str) -> None:
    reason, changed = REFUSED[case]
    engine = make_engine()
    original = settled(engine)

    changes = returned(engine, pacs004(give_back(original, **changed)))

    assert told(changes, CONNECTED) == [("RJCT", reason)]
    assert told(changes) == []
    assert balances(engine) == (-1_050, 0, 1_050, 0)


def test_only_the_receiver_of_a_payment_returns_it() -> None:
    engine = make_engine()
    original = settled(engine)
    foreign = pacs004(give_back(original), sender=PAYER)

    assert told(returned(engine, foreign)) == [("RJCT", "AGNT")]


def test_return_of_a_payment_that_is_under_way_or_was_rejected_is_refused() -> None:
    engine = make_engine()
    asked = transfer(1, creditor_ispb=CONNECTED)
    refused = transfer(2, creditor_ispb=CONNECTED, amount_cents=ENGINE_CENTS * 2)
    engine.pay(pacs008(asked, refused), {}, Moment(NOW), Changes())

    changes = returned(engine, pacs004(give_back(asked, 1), give_back(refused, 2)))

    assert told(changes, CONNECTED) == [("RJCT", "FF08")] * 2


@pytest.mark.parametrize("purpose", ["REFU", "IPRT"])
def test_payment_that_is_a_return_itself_cannot_be_returned(purpose: str) -> None:
    engine = make_engine()
    root = transfer(5).end_to_end_id if purpose == "IPRT" else None
    original = settled(engine, purpose=purpose, instruction_id=root)

    assert told(returned(engine, pacs004(give_back(original))), CONNECTED) == [("RJCT", "AG13")]


@pytest.mark.parametrize(("late", "told_"), [(0, []), (1, [("RJCT", "DT05")])])
def test_payment_is_returned_within_ninety_days(late: int, told_: list[tuple[str, str]]) -> None:
    engine = make_engine()
    original = settled(engine)
    at = NOW + timedelta(days=90, milliseconds=late)
    one = give_back(original, return_id=return_id(CONNECTED, at, 1))

    assert told(returned(engine, pacs004(one), at), CONNECTED) == told_


def test_return_larger_than_what_is_available_is_rejected() -> None:
    engine = make_engine()
    original = settled(engine, amount_cents=ENGINE_CENTS)
    account = engine.accounts.get(CONNECTED)
    assert account is not None
    engine.accounts.block(CONNECTED, account.available_cents - 5)

    changes = returned(engine, pacs004(give_back(original, amount_cents=6)))

    assert told(changes, CONNECTED) == [("RJCT", "AM04")]


def test_returns_of_one_payment_add_up_to_it_and_no_further() -> None:
    engine = make_engine()
    original = settled(engine)
    parts = [give_back(original, number, amount_cents=400) for number in range(1, 4)]
    small = give_back(original, 4, amount_cents=250)

    first = returned(engine, pacs004(*parts, small, number=1))

    # 400 and 400 are under way: a third 400 is too much, 250 is all that is left.
    assert told(first, CONNECTED) == [("RJCT", "AM09")]
    assert first.returns == {PAYER: [parts[0], parts[1], small]}
    accept(engine, parts[0])
    accept(engine, parts[1], "RJCT", "AC07")
    again = give_back(original, 5, amount_cents=401)
    fits = give_back(original, 6, amount_cents=400)
    second = returned(engine, pacs004(again, fits, number=2))
    assert told(second, CONNECTED) == [("RJCT", "AM09")]
    assert second.returns == {PAYER: [fits]}


def test_returns_that_only_the_store_knows_count() -> None:
    engine = make_engine()
    original = settled(engine)
    earlier = give_back(original, 1, amount_cents=1_000)
    done = Payment(
        earlier.return_id, original.end_to_end_id, "M", CONNECTED, PAYER, 1_000, "SETTLED"
    )
    rejected = Payment("D2", original.end_to_end_id, "M", CONNECTED, PAYER, 900, "REJECTED", "AC07")
    known = {each.instruction_id: each for each in (done, rejected)}
    over, fits = give_back(original, 3, amount_cents=51), give_back(original, 4, amount_cents=50)

    changes = returned(engine, pacs004(over, fits), NOW, known)

    assert told(changes, CONNECTED) == [("RJCT", "AM09")]
    assert changes.returns == {PAYER: [fits]}


def test_newer_outcome_of_a_return_counts_more_than_what_is_stored() -> None:
    engine = make_engine()
    original = settled(engine)
    one = give_back(original, 1)
    returned(engine, pacs004(one))
    stored = msgspec.structs.replace(engine.payments[one.return_id])
    accept(engine, one, "RJCT", "AC07")

    again = returned(
        engine, pacs004(give_back(original, 2), number=2), NOW, {one.return_id: stored}
    )

    assert told(again, CONNECTED) == []


def test_return_id_is_taken_once() -> None:
    engine = make_engine()
    original = settled(engine)
    one = give_back(original, amount_cents=1)

    first = returned(engine, pacs004(one, one))
    again = returned(engine, pacs004(one, number=2))

    assert told(first, CONNECTED) == told(again, CONNECTED) == [("RJCT", "FF08")]
    assert balances(engine) == (-1_050, 0, 1_050, 1)


@pytest.mark.parametrize("count", [11, 1])
def test_wrong_number_of_returns_rejects_all_of_them(count: int) -> None:
    engine = make_engine()
    original = settled(engine)
    some = [give_back(original, number, amount_cents=1) for number in range(count)]
    declared = None if count > 10 else 2

    changes = returned(engine, pacs004(*some, declared_count=declared))

    assert told(changes, CONNECTED) == [("RJCT", "AM18")] * count


def test_answer_that_names_another_payment_than_the_return_changes_nothing() -> None:
    engine = make_engine()
    one = give_back(settled(engine))
    returned(engine, pacs004(one))

    changes = accept(engine, msgspec.structs.replace(one, end_to_end_id=transfer(9).end_to_end_id))

    assert changes.reports == {}
    assert [each.ispb for each in changes.rejections] == [PAYER]


@pytest.mark.parametrize(
    ("additional", "expected"),
    [
        (None, [("ACSC", "")]),
        ("obrigado", [("ACSC", "")]),
        ("AC07 encerrada", [("RJCT", "AC07")]),
        ("SILENT", []),
    ],
)
def test_virtual_payer_answers_a_return_by_its_text(
    additional: str | None, expected: list[tuple[str, str]]
) -> None:
    engine = make_engine()
    one = transfer(
        1,
        end_to_end_id=transfer().end_to_end_id.replace(PAYER, VIRTUAL_PAYER),
        debtor_ispb=VIRTUAL_PAYER,
        creditor_ispb=CONNECTED,
    )
    engine.pay(pacs008(one, sender=VIRTUAL_PAYER), {}, Moment(NOW), Changes())
    engine.answer(answer(one.end_to_end_id, "ACSP"), Moment(NOW), Changes())

    changes = returned(engine, pacs004(give_back(one, additional=additional)))

    assert told(changes, CONNECTED) == expected


def test_participant_of_the_homologation_accepts_whatever_the_account_says() -> None:
    engine = make_engine()
    one = transfer(creditor_ispb="99999A04", creditor_account=AccountId("AC03001"))
    changes = Changes()

    engine.pay(pacs008(one), {}, Moment(NOW), changes)

    assert told(changes) == [("ACSC", "")]


def test_repeated_return_tells_its_outcome_again() -> None:
    engine = make_engine()
    one = give_back(settled(engine))
    (received,) = returned(engine, pacs004(one)).received.values()
    accept(engine, one)

    again = Changes()
    engine.repeat(received, CONNECTED, {}, again)

    assert told(again, CONNECTED) == [("ACSC", "")]
    assert again.reports[CONNECTED][0].original_instruction_id == one.return_id


def test_step_of_a_return_that_is_undone_leaves_no_trace() -> None:
    engine = make_engine()
    original = settled(engine)
    before = msgspec.structs.replace(engine.accounts.get(CONNECTED) or PiAccount("", 0))

    step = engine.begin()
    engine.give_back(pacs004(give_back(original)), {}, Moment(NOW), step)
    engine.undo(step)

    assert engine.accounts.get(CONNECTED) == before
    assert told(returned(engine, pacs004(give_back(original))), CONNECTED) == []


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "accept", "return", "take", "refuse", "expire", "supply", "undo"]),
        st.integers(0, 3),
        st.integers(0, 60_000),
    ),
    max_size=60,
)


@given(ACTIONS)
def test_no_sequence_of_payments_and_returns_makes_or_loses_money(
    actions: list[tuple[str, int, int]],
) -> None:
    engine = make_engine()
    total = engine.accounts.total_cents()
    for step, (kind, number, cents) in enumerate(actions):
        act(engine, kind, number, cents, step)

        assert engine.accounts.total_cents() == total + engine.accounts.supplied_cents
        waiting = [each for each in engine.payments.values() if each.status == "PENDING"]
        blocked = [each.blocked_cents for each in engine.accounts.all()]
        assert sum(blocked) == sum(each.amount_cents for each in waiting)
        assert min(each.available_cents for each in engine.accounts.all()) >= 0
        for one in list(engine.payments.values()):
            given = returns.returned_cents(one.end_to_end_id, engine.payments.values())
            assert one.is_return or given <= one.amount_cents


def act(engine: Engine, kind: str, number: int, cents: int, step: int) -> None:
    one, changes = transfer(number, creditor_ispb=CONNECTED, amount_cents=cents), engine.begin()
    waiting = [
        each for each in engine.payments.values() if each.is_return and each.status == "PENDING"
    ]
    if kind == "pay":
        engine.pay(pacs008(one, number=step), {}, Moment(NOW), changes)
    elif kind == "accept":
        engine.answer(answer(one.end_to_end_id, "ACSP"), Moment(NOW), changes)
    elif kind in {"return", "undo"}:
        part = give_back(one, step, amount_cents=cents)
        engine.give_back(pacs004(part, number=step), {}, Moment(NOW), changes)
        if kind == "undo":
            engine.undo(changes)
    elif kind == "expire":
        expire(engine, NOW + timedelta(minutes=1), changes)
    elif kind == "supply":
        number_of_str = f"STR20260928{step:09d}"
        move(engine, MoveLiquidity(CONNECTED, cents, number_of_str), Moment(NOW), changes)
    elif waiting:
        first = waiting[0]
        named = give_back(one, return_id=first.instruction_id, end_to_end_id=first.end_to_end_id)
        accept(engine, named, *(("ACSP",) if kind == "take" else ("RJCT", "AC07")))
