"""Checks of single values against the types of the SPI schemas (BCB catalogue 5.13).

Every struct of the wire runs these when it is built, so a message that exists is a message
that the schema accepts. A refusal names the field and the rule, never the value.
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time

from bacen import InvalidMessage

CENTS_MAX = 10**18 - 1  # 18 digits, two of them decimals
COUNT_MAX = 10**15 - 1

ISPB = re.compile(r"[0-9A-Z]{8}")
MESSAGE_ID = re.compile(r"M[0-9A-Z]{8}[a-zA-Z0-9]{23}")
_ID_TAIL = r"[0-9A-Z]{8}[0-9]{4}[0-1][0-9][0-3][0-9][0-2][0-9][0-5][0-9][a-zA-Z0-9]{11}"
END_TO_END_ID = re.compile("E" + _ID_TAIL)
RETURN_ID = re.compile("D" + _ID_TAIL)
INSTRUCTION_ID = re.compile("[ED]" + _ID_TAIL)  # the schema's [E|D] also lets "|" in: we do not
ENTRY_END_TO_END_ID = re.compile("[EL]" + _ID_TAIL)  # L: a movement of liquidity
ENTRY_ID = re.compile(f"[ED]{_ID_TAIL}|[A-Z]{{3}}[0-9]{{4}}[0-1][0-9][0-3][0-9][a-zA-Z0-9]{{9}}")
_DAY_TAIL = r"[0-9A-Z]{8}[0-9]{4}[0-1][0-9][0-3][0-9][a-zA-Z0-9]{11}"
MANDATE_ID = re.compile("[RC][RN]" + _DAY_TAIL)  # as INSTRUCTION_ID, without the "|"
TRANSACTION_ID = re.compile(r"[a-zA-Z0-9]{1,35}")
ACCOUNT_NUMBER = re.compile(r"[0-9A-Z]{1,20}")
BRANCH = re.compile(r"[0-9]{1,4}")
CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
TAX_ID = re.compile(r"[0-9]{11}|[0-9A-Z]{12}[0-9]{2}")
FISCAL_DOCUMENT = re.compile(r"[a-zA-Z0-9]{1,50}")

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_AMOUNT = re.compile(r"([0-9]{1,16})(?:\.([0-9]{1,2}))?")
_TWO_DECIMALS = re.compile(r"[0-9]{1,16}\.[0-9]{2}")
_COUNT = re.compile(r"[0-9]{1,15}")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile("[&<>\r]")
_ESCAPE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_UNESCAPE = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&#xD;": "\r"}
_REFERENCE = re.compile(r"&[^;&]{0,8};?")


def require(pattern: re.Pattern[str], value: object, path: str) -> None:
    """Refuse a value that is no text of this pattern."""
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise InvalidMessage(path, f"must match {pattern.pattern}")


def all_of(*patterns: str) -> re.Pattern[str]:
    """Join patterns of codes for `are_all`; none of them may admit a line break."""
    return re.compile("\n".join(f"(?:{each})" for each in patterns))


def are_all(pattern: re.Pattern[str], values: tuple[str, ...]) -> bool:
    """Say whether each value fits its pattern of `all_of`.

    Reading a message spends much of its time on checking fields, and one match costs a third of
    seven. A line break parts the values, so no text can stand in two fields.
    """
    try:
        return pattern.fullmatch("\n".join(values)) is not None
    except TypeError:  # one of them is no text
        return False


def require_one_of(allowed: Collection[str], value: object, path: str) -> None:
    """Refuse a code that the schema does not list."""
    if not isinstance(value, str) or value not in allowed:
        raise InvalidMessage(path, f"must be one of {', '.join(sorted(allowed))}")


def require_text(value: object, characters_max: int, path: str) -> None:
    """Refuse free text that is empty, too long, or holds a character that XML 1.0 forbids."""
    if not isinstance(value, str) or not 0 < len(value) <= characters_max:
        raise InvalidMessage(path, f"must hold 1 to {characters_max} characters")
    if not is_xml_text(value):
        raise InvalidMessage(path, "holds a character that XML forbids")


def is_xml_text(text: str) -> bool:
    """Say whether XML 1.0 allows every character of the text."""
    return text.isprintable() or _NOT_XML.search(text) is None  # what is printable is allowed


def require_cents(value: object, path: str) -> None:
    """Refuse an amount that is no whole number of centavos of at most 18 digits."""
    if type(value) is not int or not 0 <= value <= CENTS_MAX:
        raise InvalidMessage(path, "must be whole centavos from 0, at most 18 digits")


def require_count(value: object, path: str) -> None:
    """Refuse what is no number of at most 15 digits."""
    if type(value) is not int or not 0 <= value <= COUNT_MAX:
        raise InvalidMessage(path, "must be a number of at most 15 digits")


def require_instant(value: object, path: str) -> None:
    """Refuse a time without offset, or outside the years that UTC can write."""
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidMessage(path, "must be a time with an offset")
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise InvalidMessage(path, "is no time in UTC") from None


def require_day(value: object, path: str) -> None:
    """Refuse what is no plain date."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InvalidMessage(path, "must be a date")


def require_time(value: object, path: str) -> None:
    """Refuse what is no time of a day in UTC."""
    if not isinstance(value, time) or value.tzinfo is not UTC:
        raise InvalidMessage(path, "must be a time of a day in UTC")


def require_header(sender: object, receiver: object, message_id: object, created: object) -> None:
    """Refuse a header that the schema refuses."""
    require(ISPB, sender, "sender")
    require(ISPB, receiver, "receiver")
    require(MESSAGE_ID, message_id, "message_id")
    require_instant(created, "created_at")


def escape(text: str) -> str:
    """Write text as canonical XML does: exactly four characters are replaced."""
    return text.translate(_ESCAPE) if _SPECIAL.search(text) is not None else text


def unescape(raw: str, path: str) -> str:
    """Read text of canonical XML; any other reference or raw control is refused."""
    if "&" not in raw:
        return raw

    def character(found: re.Match[str]) -> str:
        read = _UNESCAPE.get(found[0])
        if read is None:
            raise InvalidMessage(path, "is not canonical text")
        return read

    return _REFERENCE.sub(character, raw)


def instant_to_text(at: datetime) -> str:
    """Write a time as UTC with exactly three decimals and `Z`; microseconds are cut off."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def text_to_instant(text: str, path: str) -> datetime:
    """Read a time of the form that `instant_to_text` writes."""
    if _INSTANT.fullmatch(text) is None:
        raise InvalidMessage(path, "must be UTC with three decimals and Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidMessage(path, "is no time of the calendar") from None


def time_to_text(at: time) -> str:
    """Write a time of a day in UTC with exactly three decimals and `Z`."""
    return at.isoformat(timespec="milliseconds")[:12] + "Z"


def text_to_time(text: str, path: str) -> time:
    """Read a time of the form that `time_to_text` writes."""
    if _TIME.fullmatch(text) is None:
        raise InvalidMessage(path, "must be UTC with three decimals and Z")
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise InvalidMessage(path, "is no time of a day") from None


def text_to_day(text: str, path: str) -> date:
    """Read an xs:date; a time zone, which the schema allows, says nothing here."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise InvalidMessage(path, "must be a date")
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        raise InvalidMessage(path, "is no day of the calendar") from None


def cents_to_text(cents: int) -> str:
    """Write centavos as the decimal text of the wire: 1050 is `10.50`.

    Raises:
        InvalidMessage: Not a whole number from 0 to 18 digits.
    """
    require_cents(cents, "amount_cents")
    return f"{cents // 100}.{cents % 100:02d}"


def text_to_cents(text: str) -> int:
    """Read decimal text with at most two decimals as centavos: `10.5` is 1050.

    Raises:
        InvalidMessage: Sign, exponent, third decimal, more than 18 digits, or no number.
    """
    if _TWO_DECIMALS.fullmatch(text) is not None:  # as everybody writes it
        return int(text[:-3] + text[-2:])
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise InvalidMessage("amount", "must be a decimal number with at most two decimals")
    whole, part = found.groups()
    return int(whole) * 100 + (int(part.ljust(2, "0")) if part else 0)


def text_to_count(text: str, path: str) -> int:
    """Read a number of at most 15 digits."""
    if _COUNT.fullmatch(text) is None:
        raise InvalidMessage(path, "must be a number of 1 to 15 digits")
    return int(text)
