"""Returns, questions about the account, and echoes: what exists can be written and read again."""

from datetime import UTC, date, datetime, time

import pytest

from bacen.wire import (
    InvalidMessage,
    LocalAuthority,
    Message,
    ReportPeriod,
    Signer,
    Verifier,
    decode,
    encode,
)
from bacen.wire.schema import judge
from tests.bacen.wire_messages import (
    AT,
    camt060,
    indented,
    pacs004,
    payment_return,
    pibr001,
    pibr002,
    sign_again,
)

MESSAGES: list[Message] = [
    pacs004(),
    pacs004(returns=(payment_return(additional="a & b", remittance="é"),), declared_count=3),
    camt060(),
    camt060(report="camt.054", entry_id="STR20260928abcDEF123", balance_type=None),
    camt060(
        report="camt.052",
        balance_type="TRD",
        period=ReportPeriod(AT.date(), date(2026, 9, 29), time(1, 2, 3, 4000, UTC), AT.timetz()),
    ),
    camt060(period=ReportPeriod(AT.date())),
    pibr001(data="<eco> & resposta"),
    pibr002(original_data=" "),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_message_is_valid_and_comes_back_the_same(
    message: Message, our_signer: Signer, verifier: Verifier
) -> None:
    data = encode(message, our_signer)

    assert judge(data) == []
    assert decode(data, verifier) == message


@pytest.mark.parametrize("message", MESSAGES)
def test_message_of_another_spelling_comes_back_the_same(
    message: Message, our_signer: Signer, verifier: Verifier, authority: LocalAuthority
) -> None:
    pair = authority.participant("12345678").signing
    data = sign_again(indented(encode(message, our_signer)), pair)

    assert decode(data, verifier) == message


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"return_id": f"E12345678202609281436{'0' * 11}"}, "return_id"),
        ({"end_to_end_id": "E1"}, "end_to_end_id"),
        ({"amount_cents": -1}, "amount_cents"),
        ({"reason": "FOCR"}, "reason"),
        ({"debtor_ispb": "1234567"}, "debtor_ispb"),
        ({"creditor_ispb": "abcdefgh"}, "creditor_ispb"),
        ({"priority": "high"}, "priority"),
        ({"additional": "x" * 106}, "additional"),
        ({"remittance": ""}, "remittance"),
    ],
)
def test_return_with_a_wrong_field_is_never_built(changes: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        payment_return(**changes)

    assert caught.value.path == path


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"report": "camt.055"}, "report"),
        ({"owner_ispb": ""}, "owner_ispb"),
        ({"entry_id": "STR"}, "entry_id"),
        ({"balance_type": "XXX"}, "balance_type"),
        ({"period": "2026-09-28"}, "period"),
        ({"sender": "1"}, "sender"),
        ({"message_id": "M1"}, "message_id"),
        ({"created_at": datetime(2026, 9, 28)}, "created_at"),  # noqa: DTZ001 - that is refused
    ],
)
def test_question_with_a_wrong_field_is_never_built(changes: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        camt060(**changes)

    assert caught.value.path == path


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ((AT,), "first"),
        ((AT.date(), "2026-09-28"), "last"),
        ((AT.date(), None, AT.timetz()), "end"),
        ((AT.date(), None, None, AT.timetz()), "start"),
        ((AT.date(), None, time(1, 2), AT.timetz()), "start"),
    ],
)
def test_period_with_a_wrong_field_is_never_built(values: tuple[object, ...], path: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        ReportPeriod(*values)

    assert caught.value.path == path


@pytest.mark.parametrize("data", ["", "x" * 36, "\x00", None])
def test_echo_without_a_text_of_the_right_length_is_never_built(data: object) -> None:
    with pytest.raises(InvalidMessage):
        pibr001(data=data)
    with pytest.raises(InvalidMessage):
        pibr002(original_data=data)


def test_message_without_returns_is_never_built() -> None:
    with pytest.raises(InvalidMessage):
        pacs004(count=0)
    with pytest.raises(InvalidMessage):
        pacs004(declared_count=10**15)
