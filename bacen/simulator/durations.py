"""Lengths of time as people write them: `P7D`, `PT1H30M` (ISO 8601), or short: `7d`, `500ms`."""

import re

from bacen.simulator.errors import InvalidControl

_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_DAYS = r"(?:(?P<d>\d{1,6})d)?"
_TIME = r"(?:(?P<h>\d{1,9})h)?(?:(?P<m>\d{1,9})m)?(?:(?P<s>\d{1,9})s)?"
_ISO = re.compile(f"p{_DAYS}(?:t{_TIME})?", re.IGNORECASE)
_SHORT = re.compile(f"{_DAYS}{_TIME}" + r"(?:(?P<ms>\d{1,9})ms)?")


def duration_ms(text: str) -> int:
    """Read a length of time, in milliseconds.

    Raises:
        InvalidControl: It has another form.
    """
    found = _ISO.fullmatch(text) or _SHORT.fullmatch(text)
    given = {} if found is None else {unit: n for unit, n in found.groupdict().items() if n}
    if not given:
        raise InvalidControl("duration", f"{text!r} is no length of time such as 7d, 90s or PT1H")
    return sum(int(number) * _UNITS[unit] for unit, number in given.items())


def duration_text(ms: int) -> str:
    """Write a length of time in the short form; `duration_ms` reads it again."""
    parts = []
    for unit, size in _UNITS.items():
        number, ms = divmod(ms, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
