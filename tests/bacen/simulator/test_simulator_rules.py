"""One table of rules: whoever judges a message, the sender, a tool or the bank, says the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bacen import RuleBroken
from bacen.simulator.changes import Changes
from bacen.simulator.engine import Engine
from bacen.simulator.payments import SETTLED, Moment
from bacen.validation import broken_rules, check, message_rule, returns_rule, validate
from bacen.wire import (
    CashOut,
    CashPart,
    Message,
    Pacs002,
    Pacs008,
    PaymentReturn,
    Signer,
    StatusReport,
    Tax,
    TaxRecord,
    encode,
    make_end_to_end_id,
)
from tests.bacen.rule_messages import CASH, CASH_ONLY, CNPJ, TAX
from tests.bacen.simulator.test_simulator_engine import (
    CONNECTED,
    NOW,
    PAYER,
    make_engine,
    message_id,
    pacs008,
    transfer,
)
from tests.bacen.simulator.test_simulator_returns import give_back, pacs004, return_id
from tests.bacen.test_validation_rules import WRONG
from tests.bacen.wire_messages import AT, patient

BALANCE_CENTS = 10**12
OTHER_SUM = CashOut("AGTOT", PAYER, (CashPart("VLCP", 1), CashPart("VLDN", 1)))
SAME_TAXES = Tax("n", (TaxRecord("CBSSPLIT", 1), TaxRecord("CBSSPLIT", 1)))
LARGE_TAXES = Tax("n", (TaxRecord("CBSSPLIT", 10**9), TaxRecord("IBSSPLIT", 1)))
KEY = {"creditor_key": "a@b.br"}
COMPANIES = {"debtor_tax_id": CNPJ, "creditor_tax_id": CNPJ}
ROOT = make_end_to_end_id(PAYER, NOW, "r" * 11)
RIGHT: list[dict[str, object]] = [
    {},
    {"purpose": "REFU"},
    {"purpose": "IPRT", "instruction_id": ROOT},
    {"instruction_id": ROOT},
    {"tax": TAX, **COMPANIES},
    {"local_instrument": "DICT", **KEY},
    {"local_instrument": "QRES", "tax": TAX, **KEY, **COMPANIES},
    {
        "local_instrument": "QRES",
        "transaction_id": "t" * 25,
        "purpose": "GSCB",
        "cash": CASH,
        **KEY,
    },
    {"local_instrument": "APES", "purpose": "OTHR", "cash": CASH_ONLY, **KEY},
    {"local_instrument": "QRDN", "transaction_id": "t" * 26, **KEY},
    {"local_instrument": "APDN", "transaction_id": "t" * 35, **KEY},
    {"local_instrument": "INIC", "transaction_id": "t", "initiator_cnpj": CNPJ, **KEY},
    {"local_instrument": "AUTO", "initiator_cnpj": CNPJ},
]
CHANGES: dict[str, list[object]] = {
    "local_instrument": ["APDN", "APES", "AUTO", "DICT", "INIC", "MANU", "QRDN", "QRES"],
    "purpose": ["GSCB", "IPAY", "IPRT", "OTHR", "REFU"],
    "creditor_key": [None, "a@b.br"],
    "transaction_id": [None, "t", "t" * 25, "t" * 26, "t" * 35],
    "instruction_id": [None, ROOT],
    "initiator_cnpj": [None, CNPJ],
    "cash": [None, CASH, CASH_ONLY, OTHER_SUM],
    "tax": [None, TAX, SAME_TAXES, LARGE_TAXES],
    "debtor_tax_id": [CNPJ, "52998224725"],
    "creditor_tax_id": [CNPJ, "52998224725"],
    "amount_cents": [0, 1, 1050],
    "creditor_ispb": [PAYER, CONNECTED, "99999A04"],
}
HOURS = st.sampled_from([0] * 20 + [12, -12, 13, -13])
LEVELS = st.sampled_from(
    [("HIGH", "PAGPRI")] * 20 + [("NORM", "PAGFRD"), ("NORM", "PAGAGD"), ("NORM", "PAGPRI")]
)


def changed(fields: dict[str, list[object]]) -> st.SearchStrategy[dict[str, object]]:
    """Draw a few changes of fields, mostly one."""
    one = st.sampled_from(sorted(fields)).flatmap(
        lambda name: st.sampled_from(fields[name]).map(lambda value: {name: value})
    )
    few = st.lists(one, max_size=2)
    return few.map(lambda each: {name: value for part in each for name, value in part.items()})


def code_of(message: Message, signer: Signer) -> str | None:
    """Give what `check` and `validate` both say is answered to a message; None if it is right."""
    try:
        check(message)
    except RuleBroken as broken:
        first: tuple[str, str] | None = (broken.rule, broken.code)
    else:
        first = None
    found = validate(encode(message, signer)).violations

    assert [(each.name, each.code) for each in found[:1]] == ([first] if first else [])
    assert len(found) == len(list(broken_rules(message)))
    return first[1] if first else None


def told(changes: Changes, ispb: str) -> list[str | None]:
    """Give the reason of each payment or return that was refused, None for one that was not."""
    refused = {
        each.original_instruction_id: each.reasons[0]
        for each in changes.reports.get(ispb, [])
        if each.status == "RJCT"
    }
    return [refused.get(each) for each in changes.payments]


def one_by_one(
    message: Message, field: str, parts: Sequence[object], signer: Signer
) -> list[str | None]:
    """Give what is answered to each part when it is alone in its message."""
    return [code_of(msgspec.structs.replace(message, **{field: (each,)}), signer) for each in parts]


@given(
    chosen=st.lists(
        st.tuples(st.sampled_from(RIGHT), changed(CHANGES), HOURS), min_size=1, max_size=3
    ),
    level=LEVELS,
    count=st.sampled_from([None] * 9 + [4]),
)
@settings(patient, max_examples=200)
def test_payment_is_judged_alike_by_sender_tool_and_bank(
    chosen: list[tuple[dict[str, object], dict[str, object], int]],
    level: tuple[str, str],
    count: int | None,
    our_signer: Signer,
) -> None:
    made = [
        transfer(
            **{"cash": None, **right, **change},
            end_to_end_id=make_end_to_end_id(PAYER, NOW + timedelta(hours=hours), f"{number:011d}"),
        )
        for number, (right, change, hours) in enumerate(chosen)
    ]
    priority, service_level = level
    message = pacs008(*made, priority=priority, service_level=service_level, declared_count=count)
    changes = Changes()

    make_engine(BALANCE_CENTS).pay(message, {}, Moment(NOW), changes)

    code = code_of(message, our_signer)
    of_all = message_rule(message)
    if of_all is not None:
        expected: list[str | None] = [of_all.code] * len(made)
        assert code == of_all.code
    else:
        expected = one_by_one(message, "transfers", made, our_signer)
        assert code == next((each for each in expected if each), None)
    assert told(changes, PAYER) == expected
    event(code or "right")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param(message, code, id=name)
        for message, name, code in WRONG
        if isinstance(message, Pacs008)
    ],
)
def test_every_rule_of_a_payment_is_one_of_the_banks(message: Pacs008, code: str) -> None:
    changes = Changes()

    make_engine(BALANCE_CENTS).pay(message, {}, Moment(AT), changes)

    assert told(changes, PAYER) == [code] * len(message.transfers)


RETURN_CHANGES: dict[str, list[object]] = {
    "amount_cents": [0, 1, 2],
    "reason": ["BE08", "FR01", "MD06", "SL02"],
    "debtor_ispb": [CONNECTED],
    "return_id": [
        return_id(CONNECTED, NOW - timedelta(hours=13), 7),
        return_id(CONNECTED, NOW + timedelta(hours=12), 7),
        return_id(PAYER, NOW, 7),
    ],
}


def paid(at: datetime, engine: Engine) -> PaymentReturn:
    """Settle a payment at that moment, and give a return of one centavo of it."""
    original = transfer(
        end_to_end_id=make_end_to_end_id(PAYER, at, "1" * 11),
        creditor_ispb=CONNECTED,
        accepted_at=at,
    )
    engine.pay(pacs008(original, created_at=at), {}, Moment(at), Changes())
    payment = engine.payments[original.end_to_end_id]
    answer = pacs002(
        report_of(original.end_to_end_id), created_at=at, message_id=message_id(CONNECTED, "9" * 23)
    )
    engine.answer(answer, Moment(at), Changes())
    assert payment.status == SETTLED
    return give_back(original, amount_cents=1)


@given(
    change=changed(RETURN_CHANGES),
    days=st.sampled_from([0, 1, 90, 91, 400]),
    size=st.sampled_from([1] * 9 + [10, 11]),
    count=st.sampled_from([None] * 9 + [20]),
)
@settings(patient, max_examples=60)
def test_return_is_judged_alike_by_sender_tool_and_bank(
    change: dict[str, object], days: int, size: int, count: int | None, our_signer: Signer
) -> None:
    engine = make_engine(BALANCE_CENTS)
    one = paid(NOW - timedelta(days=days), engine)
    others = [
        msgspec.structs.replace(one, return_id=return_id(CONNECTED, NOW, 100 + number))
        for number in range(size - 1)
    ]
    made = (msgspec.structs.replace(one, **change), *others)
    message = pacs004(*made, declared_count=count)
    changes = Changes()

    engine.give_back(message, {}, Moment(NOW), changes)

    code = code_of(message, our_signer)
    of_all = returns_rule(message)
    if of_all is not None:
        assert code == of_all.code
        assert told(changes, CONNECTED) == [code] * size
    elif days != 91:  # the bank knows when it settled: 12 hours before what the id lets one know
        expected = one_by_one(message, "returns", made, our_signer)
        assert told(changes, CONNECTED) == expected
    event(code or "right")


def report_of(end_to_end_id: str, **changes: object) -> StatusReport:
    values = {"original_instruction_id": end_to_end_id, "status": "ACSP", **changes}
    return StatusReport(**{"end_to_end_id": end_to_end_id, **values})


def pacs002(*reports: StatusReport, **changes: object) -> Pacs002:
    values = {
        "sender": CONNECTED,
        "receiver": "00038166",
        "message_id": message_id(CONNECTED, "8" * 23),
        "created_at": NOW,
        "reports": reports,
    }
    return Pacs002(**{**values, **changes})


@given(
    change=changed(
        {
            "status": ["ACSP", "RJCT", "ACSC", "ACCC"],
            "reasons": [(), ("AC03",), ("AB03",), ("AC03", "AM04")],
            "settled_at": [None, NOW],
            "settlement_date": [None, NOW.date()],
        }
    )
)
@settings(patient, max_examples=60)
def test_answer_is_judged_alike_by_receiver_tool_and_bank(
    change: dict[str, object], our_signer: Signer
) -> None:
    engine, asked, changes = make_engine(), transfer(creditor_ispb=CONNECTED), Changes()
    engine.pay(pacs008(asked), {}, Moment(NOW), Changes())
    message = pacs002(report_of(asked.end_to_end_id, **change))

    engine.answer(message, Moment(NOW), changes)

    code = code_of(message, our_signer)
    names = [each.rule.name for each in broken_rules(message)]
    assert [each.description for each in changes.rejections] == [
        f"Status nao permitido: {name}" for name in names
    ]
    assert (code == "admi.002") == bool(changes.rejections)
    is_waiting = engine.payments[asked.end_to_end_id].status == "PENDING"
    assert is_waiting == bool(names)
    event(names[0] if names else "right")


def test_answer_that_breaks_a_rule_is_told_even_where_nothing_waits() -> None:
    engine, changes = make_engine(), Changes()
    message = pacs002(report_of(transfer().end_to_end_id, status="ACSC", settled_at=NOW))

    engine.answer(message, Moment(NOW), changes)

    (rejection,) = changes.rejections
    assert (rejection.ispb, rejection.reason) == (CONNECTED, "CH16")
    assert engine.late_answers == 0


@pytest.mark.parametrize("reason", ["BE08", "FR01"])
def test_return_of_a_fraud_case_has_no_limit_of_ninety_days(reason: str) -> None:
    engine, changes = make_engine(), Changes()
    one = msgspec.structs.replace(paid(NOW - timedelta(days=100), engine), reason=reason)

    engine.give_back(pacs004(one), {}, Moment(NOW), changes)

    assert told(changes, CONNECTED) == [None]
