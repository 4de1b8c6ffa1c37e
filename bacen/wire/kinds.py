"""Values of the schemas as Python's and back: what a field of a message may hold.

| In the struct | In the schema |
|---|---|
| `str` | text and codes, whole as they are |
| `int` | an amount in centavos where the schema has a currency, else a number of 15 digits |
| `bool` | `true` or `false`; `1` and `0` are read as well |
| `datetime` | UTC with three decimals |
| `date`, `time` | a day; a time of a day in UTC with three decimals |
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from bacen import InvalidMessage
from bacen.wire import fields
from bacen.wire.schema import SimpleType

CURRENCY: Final = "Ccy"
# Patterns that admit nothing that XML writes otherwise.
_ONLY_PLAIN: Final = re.compile(r"[][A-Za-z0-9|{},()-]*")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one sort of value is checked, written and read.

    Attributes:
        check: Raises `InvalidMessage` for a value that the schema refuses.
        write: Value to text of canonical XML.
        read: Text of canonical XML to a value, which is still to be checked.
    """

    check: Callable[[object, str], None]
    write: Callable[[Any], str]
    read: Callable[[str, str], Any]


def kind_of(
    python: type, simple: SimpleType, narrower: re.Pattern[str] | None, *, is_amount: bool
) -> Kind:
    """Choose the kind of a field.

    Args:
        python: Type of the field in the struct.
        simple: Type of the text in the schema.
        narrower: A pattern beyond the schema's.
        is_amount: The element has a currency.

    Raises:
        TypeError: No kind has this Python type.
    """
    if python is str:
        checked = _text(simple, narrower)
        return _code(simple, narrower, checked) or checked
    if python is int:
        return _CENTS if is_amount else _COUNT
    return _OTHER[python]


def _text(simple: SimpleType, narrower: re.Pattern[str] | None) -> Kind:
    def check(value: object, path: str) -> None:
        if not isinstance(value, str) or not fields.is_xml_text(value):
            raise InvalidMessage(path, "must be text that XML allows")
        broken = simple.broken(value)
        if broken is not None:
            raise InvalidMessage(path, broken[1])
        if narrower is not None:
            fields.require(narrower, value, path)
        if not simple.is_bare(value):
            raise InvalidMessage(path, "must not have space around it")

    return Kind(check, fields.escape, fields.unescape)


def _code(simple: SimpleType, narrower: re.Pattern[str] | None, slow: Kind) -> Kind | None:
    """Give a kind for codes and ids, which need no escape; None where the text is free.

    It says yes by one look; any doubt is left to the slow kind, which names the rule.
    """
    patterns = simple.patterns if narrower is None else (*simple.patterns, narrower)
    if not simple.values and not all(_ONLY_PLAIN.fullmatch(each.pattern) for each in patterns):
        return None
    if not simple.values and not patterns:
        return None
    tests: tuple[Callable[[str], object], ...] = (
        *(each.__contains__ for each in simple.values),
        *(each.fullmatch for each in patterns),
    )
    longest = min((each.most for each in simple.facets if each.most is not None), default=None)

    def check(value: object, path: str) -> None:
        if isinstance(value, str) and (longest is None or len(value) <= longest):
            for test in tests:
                if not test(value):
                    break
            else:
                return
        slow.check(value, path)

    return Kind(check, str, _as_it_stands)


def _as_it_stands(raw: str, path: str) -> str:
    del path  # the check refuses what is no code
    return raw


def _read_cents(text: str, path: str) -> int:
    try:
        return fields.text_to_cents(text)
    except InvalidMessage as error:
        raise InvalidMessage(path, error.problem) from None


def _require_bool(value: object, path: str) -> None:
    if not isinstance(value, bool):
        raise InvalidMessage(path, "must be true or false")


def _write_bool(value: object) -> str:
    return "true" if value else "false"


def _read_bool(text: str, path: str) -> bool:
    if text not in _BOOLEANS:
        raise InvalidMessage(path, "must be true or false")
    return _BOOLEANS[text]


_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}
_CENTS: Final = Kind(fields.require_cents, fields.cents_to_text, _read_cents)
_COUNT: Final = Kind(fields.require_count, str, fields.text_to_count)
_OTHER: Final = {
    bool: Kind(_require_bool, _write_bool, _read_bool),
    datetime: Kind(fields.require_instant, fields.instant_to_text, fields.text_to_instant),
    date: Kind(fields.require_day, date.isoformat, fields.text_to_day),
    time: Kind(fields.require_time, fields.time_to_text, fields.text_to_time),
}
