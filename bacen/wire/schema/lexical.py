"""Built-in types of XML Schema: which text is a value of them, exactly as libxml2 decides it.

Where libxml2 is more generous or stricter than the recommendation (stray characters in Base64,
white space around a plain date, ports of a URI), it is followed: banks validate with it.
"""

import re
from collections.abc import Callable
from typing import Final

from bacen.wire.schema.name_characters import FOLLOWS, STARTS

WHITE: Final = " \t\n\r"

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DATE = r"(-?(?:[1-9][0-9]{4,}|[0-9]{4}))-([0-9]{2})-([0-9]{2})"
_TIME = r"([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
_ZONE = r"(?:Z|[+-]([0-9]{2}):([0-9]{2}))?"
_DATE_ONLY = re.compile(_DATE + _ZONE)
_TIME_ONLY = re.compile(_TIME + _ZONE)
_DATE_TIME = re.compile(f"{_DATE}T{_TIME}{_ZONE}")
_YEAR_MAX = 2**63 - 1  # libxml2 keeps the year in 64 bits
_ZONE_MINUTES_MAX = 14 * 60
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]+")
# The last letter before a pad holds two or four bits that must be zero.
_BASE64 = re.compile(
    r"(?:[A-Za-z0-9+/]{4})*"
    r"(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?"
)

_PCT = "%[0-9A-Fa-f]{2}"
_UNRESERVED = r"A-Za-z0-9\-._~!$&'()*+,;="  # with the sub-delimiters
_SEGMENT = f"(?:[{_UNRESERVED}:@]|{_PCT})"
_PORT = "(?::(?P<{}>[0-9]+))?"
_AUTHORITY = (
    f"(?:(?:[{_UNRESERVED}:]|{_PCT})*@)?"
    rf"(?:\[[^\]]*\]|(?:[{_UNRESERVED}]|{_PCT})*)"
)
_PATH = f"(?:/{_SEGMENT}*)*"
_ABSOLUTE = f"/(?:{_SEGMENT}+{_PATH})?"
_TAIL = rf"(?:\?(?:{_SEGMENT}|[/?])*)?(?:\#(?:{_SEGMENT}|[/?\[\]])*)?"
_URI = re.compile(
    "(?:"
    f"[A-Za-z][A-Za-z0-9+.\\-]*:(?://{_AUTHORITY}{_PORT.format('port')}{_PATH}"
    f"|{_ABSOLUTE}|{_SEGMENT}+{_PATH}|)"
    f"|//{_AUTHORITY}{_PORT.format('other_port')}{_PATH}"
    f"|{_ABSOLUTE}|(?:[{_UNRESERVED}@]|{_PCT})+{_PATH}|)"
    f"{_TAIL}"
)
_URI_ESCAPED = re.compile(r"[^\x21-\x7e]|[<>\"{}|\\^`]")
_DIGITS_MAX = 20
_PORT_MAX = 2**31 - 1

_NCNAME = re.compile(f"[A-Z_a-z{STARTS}][A-Z_a-z0-9.\\-{STARTS}{FOLLOWS}]*")
_NAME = re.compile(f"[:A-Z_a-z{STARTS}][:A-Z_a-z0-9.\\-{STARTS}{FOLLOWS}]*")
_NMTOKEN = re.compile(f"[:A-Z_a-z0-9.\\-{STARTS}{FOLLOWS}]+")
_LANGUAGE = re.compile("[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_RUNS = re.compile(f"[{WHITE}]+")


def collapse(text: str) -> str:
    """Take white space off both ends and make one space of every run of it."""
    return _RUNS.sub(" ", text.strip(WHITE))


def is_string(text: str) -> bool:
    """Any text that XML can hold."""
    del text
    return True


def is_decimal(text: str) -> bool:
    """Sign, digits and one point, white space around it."""
    return _DECIMAL.fullmatch(text.strip(WHITE)) is not None


def is_integer(text: str) -> bool:
    """Sign and digits, white space around them."""
    return _INTEGER.fullmatch(text.strip(WHITE)) is not None


def is_boolean(text: str) -> bool:
    """`true`, `false`, `1` or `0`."""
    return text.strip(WHITE) in {"true", "false", "1", "0"}


def is_date(text: str) -> bool:
    """Day of the calendar, with or without a time zone."""
    found = _DATE_ONLY.fullmatch(text)
    return found is not None and _is_day(*found.group(1, 2, 3)) and _is_zone(*found.group(4, 5))


def is_time(text: str) -> bool:
    """Time of a day, 24:00:00 included, no leap second."""
    found = _TIME_ONLY.fullmatch(text)
    if found is None:
        return False
    return _is_time_of_day(*found.group(1, 2, 3, 4)) and _is_zone(*found.group(5, 6))


def is_date_time(text: str) -> bool:
    """Day of the calendar and time of it."""
    found = _DATE_TIME.fullmatch(text)
    return (
        found is not None
        and _is_day(*found.group(1, 2, 3))
        and _is_time_of_day(*found.group(4, 5, 6, 7))
        and _is_zone(*found.group(8, 9))
    )


def is_base64(text: str) -> bool:
    """Base64 of whole octets; what is no letter of it does not count."""
    return _BASE64.fullmatch(_NOT_BASE64.sub("", text)) is not None


def is_uri(text: str) -> bool:
    """Reference of RFC 3986; a character that must be escaped counts as if it were."""
    found = _URI.fullmatch(_URI_ESCAPED.sub("_", collapse(text)))
    if found is None:
        return False
    port = (found["port"] or found["other_port"] or "").lstrip("0")
    return len(port) <= _DIGITS_MAX and int(port or "0") <= _PORT_MAX


def is_ncname(text: str) -> bool:
    """Name without a colon, white space around it."""
    return _NCNAME.fullmatch(text.strip(WHITE)) is not None


def is_name(text: str) -> bool:
    """Name, colons included, white space around it."""
    return _NAME.fullmatch(text.strip(WHITE)) is not None


def is_nmtoken(text: str) -> bool:
    """Letters of a name in any order, white space around them."""
    return _NMTOKEN.fullmatch(text.strip(WHITE)) is not None


def is_language(text: str) -> bool:
    """Tag of a language, white space around it."""
    return _LANGUAGE.fullmatch(text.strip(WHITE)) is not None


def is_entity(text: str) -> bool:
    """Name of an entity: never, without a DOCTYPE there are none."""
    del text
    return False


def within(least: int | None, most: int | None) -> Callable[[str], bool]:
    """Make the check of whole numbers between two bounds."""

    def is_within(text: str) -> bool:
        if not is_integer(text):
            return False
        plain = text.strip(WHITE)
        digits = plain.lstrip("+-").lstrip("0")
        if len(digits) > _DIGITS_MAX:  # longer than any bound: only the sign counts
            return least is None if plain.startswith("-") else most is None
        number = int(digits or "0") * (-1 if plain.startswith("-") else 1)
        return (least is None or number >= least) and (most is None or number <= most)

    return is_within


def digits_of(text: str) -> tuple[int, int, bool]:
    """Digits of a decimal that count: all, those of the fraction, and whether it is below zero."""
    plain = text.strip(WHITE)
    whole, _, fraction = plain.lstrip("+-").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    digits = whole + fraction if whole else fraction.lstrip("0")
    return len(digits) if whole else len(fraction), len(fraction), bool(digits) and plain[0] == "-"


def _is_day(year: str, month: str, day: str) -> bool:
    number = int(year) if len(year) <= 20 else _YEAR_MAX + 1
    if number == 0 or abs(number) > _YEAR_MAX or not 1 <= int(month) <= 12:
        return False
    is_leap = number % 4 == 0 and (number % 100 != 0 or number % 400 == 0)
    days = 29 if month == "02" and is_leap else _MONTH_DAYS[int(month) - 1]
    return 1 <= int(day) <= days


def _is_time_of_day(hour: str, minute: str, second: str, fraction: str | None) -> bool:
    if hour == "24":
        return minute == second == "00" and not (fraction or "").strip(".0")
    return hour < "24" and minute < "60" and second < "60"


def _is_zone(hours: str | None, minutes: str | None) -> bool:
    if hours is None or minutes is None:
        return True
    return minutes < "60" and int(hours) * 60 + int(minutes) <= _ZONE_MINUTES_MAX


# Name -> the type it comes from, and the check of its text. What is missing (float, duration,
# lists, ...) no schema of ours can reach but by xsi:type on a foreign element of a signature.
BUILT_IN: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {
    "anySimpleType": ("anyType", is_string),
    "string": ("anySimpleType", is_string),
    "normalizedString": ("string", is_string),
    "token": ("normalizedString", is_string),
    "language": ("token", is_language),
    "NMTOKEN": ("token", is_nmtoken),
    "Name": ("token", is_name),
    "NCName": ("Name", is_ncname),
    "ID": ("NCName", is_ncname),
    "IDREF": ("NCName", is_ncname),
    "ENTITY": ("NCName", is_entity),
    "decimal": ("anySimpleType", is_decimal),
    "integer": ("decimal", is_integer),
    "nonPositiveInteger": ("integer", within(None, 0)),
    "negativeInteger": ("nonPositiveInteger", within(None, -1)),
    "long": ("integer", within(-(2**63), 2**63 - 1)),
    "int": ("long", within(-(2**31), 2**31 - 1)),
    "short": ("int", within(-(2**15), 2**15 - 1)),
    "byte": ("short", within(-(2**7), 2**7 - 1)),
    "nonNegativeInteger": ("integer", within(0, None)),
    "unsignedLong": ("nonNegativeInteger", within(0, 2**64 - 1)),
    "unsignedInt": ("unsignedLong", within(0, 2**32 - 1)),
    "unsignedShort": ("unsignedInt", within(0, 2**16 - 1)),
    "unsignedByte": ("unsignedShort", within(0, 2**8 - 1)),
    "positiveInteger": ("nonNegativeInteger", within(1, None)),
    "boolean": ("anySimpleType", is_boolean),
    "date": ("anySimpleType", is_date),
    "time": ("anySimpleType", is_time),
    "dateTime": ("anySimpleType", is_date_time),
    "base64Binary": ("anySimpleType", is_base64),
    "anyURI": ("anySimpleType", is_uri),
}
