"""Forms of the single values of the DICT API 2.12.1: how each is judged, written and read.

A field of a struct names its form in its type, so that struct, writer, reader and check say the
same thing once. Case is normalised in reading, and only where the API ignores it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from bacen import InvalidMessage
from bacen.dict.keys import CHARACTERS_MAX, KeyType
from bacen.wire import cents_to_text, text_to_cents

COUNT_MAX = 10**15 - 1
CENTS_MAX = 10**18 - 1
TEXT_CHARACTERS_MAX = 2_000

_COUNT = re.compile(r"[0-9]{1,15}")
_SIGNED_COUNT = re.compile(r"-?[0-9]{1,15}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DURATION = re.compile(r"P(?:([0-9]{1,4})D)?(?:T(?=.)([0-9]{1,6}H)?([0-9]{1,6}M)?([0-9]{1,8}S)?)?")
CNPJ_CHARACTERS = 14
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_KEYS: dict[KeyType, re.Pattern[str]] = {
    "CPF": re.compile(r"[0-9]{11}"),
    "CNPJ": re.compile(r"[0-9A-Z]{14}"),
    "PHONE": re.compile(r"\+[1-9][0-9]{1,14}"),
    "EMAIL": re.compile(rf"[a-z0-9.!#$'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*"),
    "EVP": re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_CONTROLS = r"\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff"
_TEXT = re.compile("[^\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]*")


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of value.

    Attributes:
        rule: What it must be, for people; never holds a value.
        accepts: Says whether a Python value has this form.
        write: Its text on the wire.
        read: The value of a text; raises `ValueError` where there is none.
    """

    rule: str
    accepts: Callable[[object], bool]
    write: Callable[[Any], str] = str
    read: Callable[[str], Any] = str

    def require(self, value: object, path: str) -> None:
        """Refuse a value of another form.

        Raises:
            InvalidMessage: It has not this form.
        """
        if not self.accepts(value):
            raise InvalidMessage(path, f"must be {self.rule}")

    def value_of(self, text: str, path: str) -> Any:
        """Read a text.

        Raises:
            InvalidMessage: It has not this form.
        """
        try:
            return self.read(text)
        except (ValueError, OverflowError, InvalidMessage):
            raise InvalidMessage(path, f"must be {self.rule}") from None


def text_form(rule: str, pattern: str, read: Callable[[str], str] = str) -> Form:
    """Make the form of texts that match a pattern as a whole."""
    compiled = re.compile(pattern)
    return Form(rule, lambda v: isinstance(v, str) and compiled.fullmatch(v) is not None, read=read)


def choice_form(values: tuple[str, ...]) -> Form:
    """Make the form of a closed list of codes."""
    allowed = frozenset(values)
    return Form(
        f"one of {', '.join(values)}", lambda value: isinstance(value, str) and value in allowed
    )


def kind_of_key(key: str) -> KeyType | None:
    """Tell which pattern of the API a key in its written form fits; None for none.

    Looser than `parse_key`, which knows check digits and area codes: DICT has keys that are older
    than rules of today, and a list that holds one must still be read.
    """
    if len(key) > CHARACTERS_MAX:
        return None
    return next((kind for kind, form in _KEYS.items() if form.fullmatch(key)), None)


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else text  # some letters become ASCII: they were none


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else text


def _read_key(text: str) -> str:
    return _upper(text) if "@" not in text and len(text) == CNPJ_CHARACTERS else _lower(text)


def _number(least: int, most: int, pattern: re.Pattern[str]) -> Form:
    def read(text: str) -> int:
        if pattern.fullmatch(text) is None:
            raise ValueError
        return int(text)

    return Form(
        "a whole number of at most 15 digits",
        lambda value: type(value) is int and least <= value <= most,
        read=read,
    )


def _is_instant(value: object) -> bool:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return False
    try:
        value.astimezone(UTC)
    except OverflowError:
        return False
    return True


def _write_instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _read_instant(text: str) -> datetime:
    if _INSTANT.fullmatch(text) is None:
        raise ValueError
    return datetime.fromisoformat(text).astimezone(UTC)


def _read_flag(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[text]


def _read_uuid(text: str) -> UUID:
    if _UUID.fullmatch(text) is None:
        raise ValueError
    return UUID(text)


def _write_duration(value: timedelta) -> str:
    minutes, seconds = divmod(value // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    return "PT" + ("".join(f"{n}{unit}" for n, unit in parts if n) or "0S")


def _read_duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or text == "P":
        raise ValueError
    days, *clock = (int(part.rstrip("HMS")) if part else 0 for part in found.groups())
    return timedelta(days=days, hours=clock[0], minutes=clock[1], seconds=clock[2])


ISPB = text_form("an ISPB", r"[0-9A-Z]{8}", _upper)
TAX_ID = text_form("a CPF or CNPJ", r"[0-9]{11}|[0-9A-Z]{12}[0-9]{2}", _upper)
KEY = Form(
    "a Pix key in its written form",
    lambda value: isinstance(value, str) and kind_of_key(value) is not None,
    read=_read_key,
)
INSTANT = Form("a time with an offset", _is_instant, _write_instant, _read_instant)
CENTS = Form(
    "an amount from 0 of at most 18 digits, two of them decimals",
    lambda value: type(value) is int and 0 <= value <= CENTS_MAX,
    cents_to_text,
    text_to_cents,
)
FLAG = Form(
    "true or false",
    lambda value: isinstance(value, bool),
    lambda value: "true" if value else "false",
    _read_flag,
)
UUID_FORM = Form("a UUID", lambda value: isinstance(value, UUID), read=_read_uuid)
DURATION = Form(
    "a duration of whole seconds, at most 9999 days",
    lambda value: (
        isinstance(value, timedelta)
        and timedelta(0) <= value <= timedelta(days=9999)
        and not value % timedelta(seconds=1)
    ),
    _write_duration,
    _read_duration,
)

Ispb = Annotated[str, ISPB]
TaxId = Annotated[str, TAX_ID]
Key = Annotated[str, KEY]
KeyKind = Annotated[KeyType, choice_form(("CPF", "CNPJ", "PHONE", "EMAIL", "EVP"))]
Branch = Annotated[str, text_form("1 to 4 digits", r"[0-9]{1,4}")]
AccountNumber = Annotated[str, text_form("1 to 20 letters or digits", r"[0-9A-Z]{1,20}", _upper)]
AccountType = Literal["CACC", "TRAN", "SLRY", "SVGS", "OTHR"]
Name = Annotated[str, text_form("a name of 1 to 150 characters", rf"[^{_CONTROLS}]{{1,150}}")]
TradeName = Annotated[str, text_form("a name of 1 to 100 characters", rf"[^{_CONTROLS}]{{1,100}}")]
Text = Annotated[
    str,
    Form(
        f"text of 1 to {TEXT_CHARACTERS_MAX} characters",
        lambda value: (
            isinstance(value, str)
            and 0 < len(value) <= TEXT_CHARACTERS_MAX
            and _TEXT.fullmatch(value) is not None
        ),
    ),
]
Cid64 = Annotated[str, text_form("64 hexadecimal digits", r"[0-9a-f]{64}", _lower)]
CorrelationId = Annotated[str, text_form("32 hexadecimal digits", r"[0-9a-fA-F]{32}")]
TransactionId = Annotated[str, text_form("an id of 32 letters or digits", r"[0-9A-Za-z_]{32}")]
ReportedTransactionId = Annotated[
    str, text_form("an id of 8 to 32 letters or digits", r"[0-9A-Za-z_]{8,32}")
]
Email = Annotated[
    str,
    text_form(
        "an e-mail address in lower case",
        rf"(?=.{{1,320}}$)[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*",
    ),
]
Phone = Annotated[str, text_form("a phone number with +", r"\+[0-9]{2,15}")]
Word = Annotated[str, text_form("one word of at most 100 characters", r"[0-9A-Za-z_.-]{1,100}")]
Cursor = Annotated[
    str, text_form("a cursor of at most 1000 characters", rf"[^{_CONTROLS}]{{1,1000}}")
]
Url = Annotated[str, text_form("a URL of at most 500 characters", r"https?://[!-~]{1,490}")]
Cents = Annotated[int, CENTS]
Count = Annotated[int, _number(0, COUNT_MAX, _COUNT)]
Balance = Annotated[int, _number(-COUNT_MAX, COUNT_MAX, _SIGNED_COUNT)]
Instant = Annotated[datetime, INSTANT]
Flag = Annotated[bool, FLAG]
Uuid = Annotated[UUID, UUID_FORM]
Duration = Annotated[timedelta, DURATION]
PageSize = Annotated[int, _number(1, 200, _COUNT)]
