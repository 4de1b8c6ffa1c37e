"""What a payment order may look like."""

import json
from typing import Any

import pytest

from gateway.bodies import decode_payment, mask_name, mask_tax_id
from gateway.errors import InvalidRequest

ORDER: dict[str, Any] = {
    "amount": "10.50",
    "pix_key": "+5511999887766",
    "debtor": {"account_number": "1000001", "branch": "0001", "tax_id": "52998224725"},
    "idempotency_key": "k1",
}


def order(**changes: Any) -> bytes:
    body = {**ORDER, **changes}
    return json.dumps({name: value for name, value in body.items() if value is not ...}).encode()


def raw_amount(text: str) -> bytes:
    return order(amount="@").replace(b'"@"', text.encode())


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ('"10.50"', 1050),
        ('"10.5"', 1050),
        ('"10"', 1000),
        ("10.50", 1050),
        ("10", 1000),
        ("0.01", 1),
        ("0.29", 29),  # 0.29 * 100 is 28.999999999999996 as a float
        ('"999999999.99"', 99_999_999_999),
    ],
)
def test_an_amount_is_read_from_its_digits(text: str, cents: int) -> None:
    assert decode_payment(raw_amount(text))[1] == cents


@pytest.mark.parametrize(
    "text",
    [
        '"10.505"',
        "10.505",
        '"0"',
        "0",
        '"0.00"',
        '"-1.00"',
        "-1",
        '"1000000000.00"',
        '"1e3"',
        "1e3",
        '" 10.50"',
        '"10,50"',
        '"١٠"',
        '"NaN"',
        "null",
        "true",
        '""',
        '"10.50',
        "[1]",
    ],
)
def test_an_amount_that_is_no_positive_decimal_of_two_places_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        decode_payment(raw_amount(text))


def test_three_decimals_are_named_as_the_problem() -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_payment(raw_amount('"10.505"'))

    violation = refused.value.violations[0]
    assert (violation.member, violation.reason) == ("amount", "has more than two decimals")


@pytest.mark.parametrize("tax_id", ["52998224726", "11111111111", "123", "5299822472a"])
def test_a_tax_id_with_wrong_check_digits_is_refused(tax_id: str) -> None:
    debtor = {**ORDER["debtor"], "tax_id": tax_id}

    with pytest.raises(InvalidRequest) as refused:
        decode_payment(order(debtor=debtor))

    assert refused.value.violations[0].member == "debtor.tax_id"


def test_an_alphanumeric_cnpj_is_a_tax_id() -> None:
    decode_payment(order(debtor={**ORDER["debtor"], "tax_id": "12ABC34501DE35"}))


def test_key_and_account_at_once_or_neither_are_refused() -> None:
    account = {"ispb": "00000000", "account_number": "1", "tax_id": "52998224725"}

    for body in (order(creditor_account=account), order(pix_key=...)):
        with pytest.raises(InvalidRequest):
            decode_payment(body)

    decode_payment(order(pix_key=..., creditor_account=account))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null", b'{"amount": }'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        decode_payment(body)


def test_a_member_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_payment(order(amout="10.50"))

    assert "amout" in refused.value.violations[0].reason


def test_deeply_nested_json_is_refused_and_breaks_nothing() -> None:
    with pytest.raises(InvalidRequest):
        decode_payment(b'{"amount":' + b"[" * 30_000 + b"]" * 30_000 + b"}")


def test_names_and_tax_ids_are_masked() -> None:
    assert mask_tax_id("12345678901") == "***456***01"
    assert mask_name("João Silva") == "Jo** Si***"
    assert mask_name(None) is None
