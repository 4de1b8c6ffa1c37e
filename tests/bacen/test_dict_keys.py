"""Pix keys: every kind is told apart, written in one form, and wrong ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen.dict import InvalidKey, PixKey, key_type, parse_key
from tests.bacen.wire_messages import patient

KEYS = [
    ("52998224725", "CPF", "52998224725"),
    ("529.982.247-25", "CPF", "52998224725"),
    (" 52998224725 ", "CPF", "52998224725"),
    ("11444777000161", "CNPJ", "11444777000161"),
    ("11.444.777/0001-61", "CNPJ", "11444777000161"),
    ("12ABC34501DE35", "CNPJ", "12ABC34501DE35"),
    ("12abc34501de35", "CNPJ", "12ABC34501DE35"),
    ("+5511999887766", "PHONE", "+5511999887766"),
    ("+55 (11) 99988-7766", "PHONE", "+5511999887766"),
    ("fulano@exemplo.com.br", "EMAIL", "fulano@exemplo.com.br"),
    ("Fulano@Exemplo.com.br", "EMAIL", "fulano@exemplo.com.br"),
    ("123e4567-e89b-12d3-a456-426655440000", "EVP", "123e4567-e89b-12d3-a456-426655440000"),
    ("123E4567-E89B-12D3-A456-426655440000", "EVP", "123e4567-e89b-12d3-a456-426655440000"),
]
WRONG = [
    *("", " ", "chave", "52998224724", "5299822472", "11444777000160", "12ABC34501DE34"),
    *("11999887766", "+5500999887766", "+551199988776", "+14155552671", "+55119998877661"),
    *("a%b@exemplo.com", "a&b@exemplo.com", "@exemplo.com", "a@", "a@b@c", "á@exemplo.com"),
    *(f"{'a' * 70}@exemplo.com", "a@-exemplo.com", "123e4567e89b12d3a456426655440000"),
    *("123e4567-e89b-12d3-a456-42665544000g", "\u0665" * 11, "a@b.com\n\x00"),
    "\u212aate@example.com",  # the sign of kelvin, whose small letter is k
]


@pytest.mark.parametrize(("text", "kind", "value"), KEYS)
def test_key_is_classified_and_written_in_its_one_form(text: str, kind: str, value: str) -> None:
    assert parse_key(text) == PixKey(kind, value)
    assert key_type(text) == kind
    assert parse_key(value).value == value


@pytest.mark.parametrize("text", WRONG)
def test_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidKey) as refused:
        parse_key(text)

    assert not text.strip() or text not in str(refused.value)


@given(st.text(max_size=90))
@patient
def test_any_text_is_a_key_or_refused(text: str) -> None:
    try:
        key = parse_key(text)
    except InvalidKey:
        return
    assert parse_key(key.value) == key
