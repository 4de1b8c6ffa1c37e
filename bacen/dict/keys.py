"""Pix keys: which kind a text is, and its one written form (DICT API 2.12.1)."""

import re
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from stdnum.br import cnpj, cpf
from stdnum.exceptions import ValidationError

from bacen import InvalidKey

KeyType = Literal["CPF", "CNPJ", "PHONE", "EMAIL", "EVP"]

CHARACTERS_MAX = 77

_EVP = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9.!#$'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
_CPF = re.compile(r"[0-9]{11}")
_CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
_PHONE = re.compile(r"\+55[0-9]{10,11}")
_PUNCTUATION = str.maketrans("", "", ".-/ ")
_PHONE_PUNCTUATION = str.maketrans("", "", " ()-")


@dataclass(frozen=True, slots=True)
class PixKey:
    """A key in its one written form, and its kind."""

    type: KeyType
    value: str


def parse_key(text: str) -> PixKey:
    """Tell the kind of a key and write it as DICT and SPI do.

    E-mail and EVP become lower case, CNPJ upper case; punctuation of CPF, CNPJ and phone goes.
    Eleven digits are a CPF: a phone starts with `+55`.

    Raises:
        InvalidKey: No kind fits, a check digit is wrong, or no such phone number can exist.
    """
    key = text.strip()
    if not 0 < len(key) <= CHARACTERS_MAX:
        raise InvalidKey(f"must hold 1 to {CHARACTERS_MAX} characters")
    if not key.isascii():  # some letters become ASCII in another case
        raise InvalidKey("must hold no letter beyond ASCII")
    if "@" in key:
        return PixKey("EMAIL", _email(key.lower()))
    if _EVP.fullmatch(key.lower()) is not None:
        return PixKey("EVP", key.lower())
    if key.startswith("+"):
        return PixKey("PHONE", _phone(key.translate(_PHONE_PUNCTUATION)))
    compact = key.translate(_PUNCTUATION).upper()
    if _CPF.fullmatch(compact) is not None:
        return PixKey("CPF", _cpf(compact))
    if _CNPJ.fullmatch(compact) is not None:
        return PixKey("CNPJ", _cnpj(compact))
    raise InvalidKey("is no CPF, CNPJ, phone, e-mail or EVP")


def key_type(key: str) -> KeyType:
    """Tell the kind of a key, however it is written.

    Raises:
        InvalidKey: As `parse_key`.
    """
    return parse_key(key).type


def _email(text: str) -> str:
    if _EMAIL.fullmatch(text) is None:
        raise InvalidKey("is no e-mail address that DICT takes")
    return text


def _phone(text: str) -> str:
    if _PHONE.fullmatch(text) is None:
        raise InvalidKey("must be +55, area code and number")
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        raise InvalidKey("is no phone number") from None
    if not phonenumbers.is_valid_number_for_region(number, "BR"):
        raise InvalidKey("is no phone number of Brazil")
    return text


def _cpf(text: str) -> str:
    try:
        return str(cpf.validate(text))
    except ValidationError:
        raise InvalidKey("the check digits of the CPF are wrong") from None


def _cnpj(text: str) -> str:
    """Numeric or alphanumeric (from July 2026, IN RFB 2229): stdnum knows both."""
    try:
        return str(cnpj.validate(text))
    except ValidationError:
        raise InvalidKey("the check digits of the CNPJ are wrong") from None
