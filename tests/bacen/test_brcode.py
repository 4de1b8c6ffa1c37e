"""BR Codes: what is in use is read, what is wrong is named, what is written is read back."""

import json
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bacen.brcode import (
    PAYLOAD_CHARACTERS_MAX,
    BrCode,
    InvalidBrCode,
    checksum,
    make,
    parse,
    read,
)
from tests.bacen.wire_messages import patient

KEY = "123e4567-e12b-12d1-a456-426655440000"
STATIC = BrCode(merchant_name="Fulano de Tal", merchant_city="BRASILIA", key=KEY)
DYNAMIC = BrCode(
    merchant_name="Fulano de Tal",
    merchant_city="BRASILIA",
    location="pix.example.com/qr/v2/8b3da2f39a41",
    is_single_use=True,
)
STATIC_TEXT = make(STATIC)
PIX = "0014br.gov.bcb.pix"
KINDS = {"none+recurrence": "recurrence"}  # how the vectors name a code without a payment


def sealed(body: str) -> str:
    """Put the checksum behind fields."""
    return body + "6304" + checksum(body + "6304")


def with_field(tag: str, value: str | None, code: BrCode = STATIC) -> str:
    """Write a code, then put another value under a tag, or none, and seal it."""
    fields = {**read(make(code)).fields, tag: value}
    written = []
    for each, content in fields.items():
        if each == "63" or content is None:
            continue
        text = content if isinstance(content, str) else joined(content)
        written.append(f"{each}{len(text):02d}{text}")
    return sealed("".join(written))


def joined(fields: Any) -> str:
    return "".join(f"{tag}{len(value):02d}{value}" for tag, value in fields.items())


def broken(payload: str) -> list[tuple[str, str]]:
    return [(rule.path, rule.rule) for rule in read(payload).violations]


def bent(payload: str) -> list[tuple[str, str]]:
    return [(rule.path, rule.rule) for rule in read(payload).deviations]


@pytest.fixture(scope="module")
def vectors(reference_folder: Path) -> Any:
    return json.loads((reference_folder / "brcode" / "vectors.json").read_text())


def test_checksum_is_that_of_the_reference() -> None:
    assert checksum("123456789") == "29B1"


def test_codes_in_use_are_read_field_by_field(vectors: Any) -> None:
    for vector in vectors["valid"]:
        reading = read(vector["payload"])

        assert reading.violations == ()
        assert reading.fields == vector["fields"]
        assert reading.code is not None
        assert reading.code.kind == KINDS.get(vector["kind"], vector["kind"])


def test_damaged_codes_are_refused_by_the_rule_that_they_break(vectors: Any) -> None:
    for vector in vectors["invalid_derived"]:
        rules = [rule for _, rule in broken(vector["payload"])]

        assert vector["error"] in rules
        with pytest.raises(InvalidBrCode):
            parse(vector["payload"])


def test_lenient_codes_are_read_and_the_deviation_is_named(vectors: Any) -> None:
    for vector in vectors["lenient"]:
        assert broken(vector["payload"]) == []
        assert bent(vector["payload"]) == [("63", "crc_lower_case")]


def test_codes_that_bend_no_rule_are_written_as_they_came(vectors: Any) -> None:
    ours = {"00", "01", "26", "52", "53", "54", "58", "59", "60", "61", "62", "63", "80"}
    same = []
    for vector in vectors["valid"]:
        reading = read(vector["payload"])
        plain = not reading.deviations and set(reading.fields) <= ours
        if plain and reading.code is not None and "BR.GOV" not in vector["payload"]:
            same.append(make(reading.code) == vector["payload"])

    assert len(same) >= 10
    assert all(same)


def test_static_code_is_written_as_the_manual_shows() -> None:
    assert STATIC_TEXT == (
        "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-426655440000"
        "5204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D"
    )
    assert parse(STATIC_TEXT) == STATIC


TEXT = st.text(min_size=1, max_size=25).filter(lambda text: text.isprintable() and text.strip())
PATHS = st.text(string.ascii_letters + string.digits + "/-._~", min_size=1, max_size=50)
LOCATIONS = st.builds("pix.example.com/{}".format, PATHS)
KEYS = st.sampled_from(
    ["52998224725", "11444777000161", "12ABC34501DE35", "+5511999887766", "a@exemplo.com.br", KEY]
)
ALPHANUMERIC = st.text(string.ascii_letters + string.digits, min_size=1, max_size=25)
PLACES = {
    "merchant_name": TEXT,
    "merchant_city": TEXT.map(lambda text: text[:15]).filter(str.strip),
    "recurrence": st.none() | LOCATIONS,
    "postal_code": st.none() | st.from_regex(r"[0-9]{8}", fullmatch=True).filter(str.isascii),
    "is_single_use": st.booleans(),
}
STATIC_CODES = st.builds(
    BrCode,
    key=KEYS,
    information=st.none() | TEXT,
    withdrawal_ispb=st.none() | st.just("99999A04"),
    amount_cents=st.none() | st.integers(1, 10**12 - 1),
    txid=st.none() | ALPHANUMERIC,
    **PLACES,
)
DYNAMIC_CODES = st.builds(BrCode, location=LOCATIONS, **PLACES)


@given(STATIC_CODES | DYNAMIC_CODES)
@patient
def test_what_is_written_is_read_back(code: BrCode) -> None:
    payload = make(code)
    reading = read(payload)

    assert (reading.code, reading.violations, reading.deviations) == (code, (), ())
    assert parse(payload) == code


@given(st.text(max_size=PAYLOAD_CHARACTERS_MAX + 1))
@patient
def test_any_text_is_judged(text: str) -> None:
    reading = read(text)

    assert (reading.code is None) == bool(reading.violations)


@given(
    st.integers(0, len(STATIC_TEXT) - 1),
    st.characters(codec="ascii") | st.characters(codec="utf-8"),
)
@patient
def test_one_wrong_character_is_noticed(at: int, character: str) -> None:
    assume(STATIC_TEXT[at] != character.upper() and STATIC_TEXT[at] != character)

    assert broken(STATIC_TEXT[:at] + character + STATIC_TEXT[at + 1 :])


@given(st.integers(0, len(STATIC_TEXT) - 1))
@patient
def test_code_that_is_cut_off_is_noticed(length: int) -> None:
    assert broken(STATIC_TEXT[:length])


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("", ("payload", "payload_length")),
        ("0" * 513, ("payload", "payload_length")),
        ("000201\ud800", ("payload", "characters")),
        (sealed("000201 "), ("payload", "tlv_head")),
        (sealed("00020152"), ("52", "tlv_length_overrun")),
        (sealed("0002015200"), ("52", "tlv_empty")),
        (sealed("000201530398653039865802BR"), ("53", "tlv_tag_twice")),
        (sealed("0002\u0660\u0661"), ("00", "payload_format_indicator_not_01")),
        (sealed("00020126040010"), ("26/00", "tlv_length_overrun")),
        (sealed("00020126020x"), ("26", "tlv_head")),
        (STATIC_TEXT + " ", ("63", "truncated_or_missing_crc")),
        (sealed("5902ab"), ("00", "payload_format_indicator_not_01")),
        (sealed(STATIC_TEXT), ("63", "tlv_tag_twice")),
        (with_field("00", None), ("00", "payload_format_indicator_not_01")),
        (with_field("01", "13"), ("01", "initiation_method")),
        (with_field("52", None), ("52", "merchant_category")),
        (with_field("52", "000"), ("52", "merchant_category")),
        (with_field("53", None), ("53", "currency_not_986")),
        (with_field("58", "br"), ("58", "country_not_BR")),
        (with_field("59", None), ("59", "missing")),
        (with_field("59", "x" * 26), ("59", "too_long")),
        (with_field("59", " "), ("59", "characters")),
        (with_field("59", "a\nb"), ("59", "characters")),
        (with_field("59", "a\u202eb"), ("59", "characters")),
        (with_field("60", None), ("60", "missing")),
        (with_field("60", "x" * 16), ("60", "too_long")),
        (with_field("61", "1" * 11), ("61", "postal_code")),
        (with_field("62", "0526" + "a" * 26), ("62/05", "too_long")),
        (with_field("62", "0504a b!"), ("62/05", "txid")),
        (with_field("62", "0502\u00e9a"), ("62/05", "txid")),
        (with_field("62", "0503**"), ("62/05", "tlv_length_overrun")),
    ],
)
def test_broken_rule_is_named_with_its_field(payload: str, expected: tuple[str, str]) -> None:
    assert expected in broken(payload)


@pytest.mark.parametrize(
    "amount",
    ["0.00", "0", "-1.00", "+1.00", "1,00", "1.000", ".50", "1.", "1e3", "1 ", "\u0661.00"],
)
def test_amount_that_is_none_is_refused(amount: str) -> None:
    assert {path for path, _ in broken(with_field("54", amount))} == {"54"}


def test_amount_has_at_most_ten_digits_before_the_point() -> None:
    most = with_field("54", "9999999999.99")

    assert parse(most).amount_cents == 10**12 - 1
    assert broken(with_field("54", "10000000000.0")) == [("54", "amount")]


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (PIX, ("26", "no_key_or_location")),
        (PIX + "0103abc", ("26/01", "key")),
        (PIX + "011152998224724", ("26/01", "key")),
        (PIX + f"0136{KEY}2505a.b/c", ("26", "static_and_dynamic")),
        (PIX + "2505a.b/c0202hi", ("26/02", "information_without_key")),
        (PIX + "2505a.b/c030899999A04", ("26/03", "withdrawal_ispb_without_key")),
        (PIX + f"0136{KEY}03089999a004", ("26/03", "ispb")),
        (PIX + f"0136{KEY}0202\t\t", ("26/02", "characters")),
        (f"0136{KEY}" + PIX, ("26/00", "template_order")),
        ("0014br.gov.bcb.pax", ("26", "no_pix_merchant_account")),
    ],
)
def test_account_that_cannot_be_paid_is_refused(account: str, expected: tuple[str, str]) -> None:
    assert expected in broken(with_field("26", account))


@pytest.mark.parametrize(
    "location",
    [
        *("example.com", "/x", "http://a.b/c", "a.b/c d", "a.b/c?d", "a.b/c#d", "u@a.b/c"),
        *("a.b\\c/d", "a..b/\u00e9", "https://", "-a.b/c", "a.b:x/c", "a.b/"),
    ],
)
def test_location_that_is_no_plain_address_is_refused(location: str) -> None:
    account = f"{PIX}25{len(location):02d}{location}"
    recurrence = with_field("80", account)

    assert broken(with_field("26", account))[0][0] == "26/25"
    assert broken(recurrence)[0][0] == "80/25"


def test_two_accounts_of_pix_are_refused() -> None:
    payload = with_field("27", f"{PIX}0136{KEY}")

    assert broken(payload) == [("27", "two_pix_templates")]


def test_recurrence_needs_its_address() -> None:
    assert broken(with_field("80", PIX)) == [("80/25", "missing")]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (with_field("52", "5999"), ("52", "merchant_category_not_0000")),
        (with_field("54", "10"), ("54", "amount_form")),
        (with_field("54", "010.5"), ("54", "amount_form")),
        (with_field("54", "10.00", DYNAMIC), ("54", "amount_of_dynamic")),
        (with_field("61", "70074-900"), ("61", "postal_code_form")),
        (with_field("62", None), ("62/05", "txid_missing")),
        (with_field("62", "0505abc_1"), ("62/05", "txid_characters")),
        (with_field("62", "0505abc12", DYNAMIC), ("62/05", "txid_of_dynamic")),
        (with_field("26", PIX + "0113A@EXEMPLO.COM"), ("26/01", "key_form")),
        (with_field("26", PIX + "2513https://a.b/c"), ("26/25", "location_scheme")),
        (with_field("26", PIX + f"0136{KEY}0701x"), ("26/07", "unknown_field")),
    ],
)
def test_rule_that_codes_in_use_bend_is_named_and_let_pass(
    payload: str, expected: tuple[str, str]
) -> None:
    assert broken(payload) == []
    assert expected in bent(payload)


def test_account_of_pix_is_found_under_another_tag() -> None:
    payload = STATIC_TEXT[:6] + STATIC_TEXT[6:].replace("2658", "3058", 1)
    payload = sealed(payload[:-8])

    assert parse(payload) == STATIC
    assert bent(payload) == [("30", "template_tag")]


def test_recurrence_may_come_without_an_account() -> None:
    payload = with_field("26", None, replace(STATIC, key=None, recurrence="a.b/c"))

    assert parse(payload).kind == "recurrence"
    assert bent(payload) == [("26", "no_pix_merchant_account")]


def test_fields_of_others_are_kept_as_they_are() -> None:
    other = "0012BR.COM.OUTRO01010"
    reading = read(with_field("27", other))

    assert reading.violations == ()
    assert reading.fields["27"] == {"00": "BR.COM.OUTRO", "01": "0"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"merchant_name": ""}, "59"),
        ({"merchant_name": "x" * 26}, "59"),
        ({"merchant_name": "x" * 100}, "59"),
        ({"merchant_name": "\ud800"}, "payload"),
        ({"merchant_city": "x" * 16}, "60"),
        ({"key": "nobody"}, "26/01"),
        ({"key": "529.982.247-25"}, "26/01"),
        ({"key": None}, "26"),
        ({"location": "a.b/c"}, "26"),
        ({"information": "x" * 60}, "26"),
        ({"amount_cents": 0}, "54"),
        ({"amount_cents": -1}, "54"),
        ({"amount_cents": 10**12}, "54"),
        ({"amount_cents": True}, "54"),
        ({"amount_cents": "10.00"}, "54"),
        ({"txid": "a_b"}, "62/05"),
        ({"txid": "a" * 26}, "62/05"),
        ({"txid": "***"}, "payload"),
        ({"txid": ""}, "payload"),
        ({"postal_code": "70074-900"}, "61"),
        ({"recurrence": "https://a.b/c"}, "80/25"),
        ({"recurrence": ""}, "80/25"),
    ],
)
def test_code_that_bends_a_rule_is_not_written(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidBrCode) as refused:
        make(replace(STATIC, **change))

    assert refused.value.path == path


def test_dynamic_code_has_no_txid_and_no_amount() -> None:
    with pytest.raises(InvalidBrCode):
        make(replace(DYNAMIC, txid="abc"))
    with pytest.raises(InvalidBrCode):
        make(replace(DYNAMIC, amount_cents=1))


def test_lengths_count_characters_and_the_checksum_bytes() -> None:
    code = replace(STATIC, merchant_city="São Paulo")
    payload = make(code)

    assert "6009São Paulo" in payload
    assert parse(payload) == code


def test_neither_texts_nor_errors_show_the_key() -> None:
    code = replace(STATIC, key="52998224725")
    reading = read(make(code).replace("52998224725", "52998224724"))

    assert "5299822472" not in repr(code) + repr(reading) + repr(reading.violations)
