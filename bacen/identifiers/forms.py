"""Forms of identifiers (BCB catalogue 5.13, Pix API 2.9.0)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bacen import BrokenRule, InvalidMessage

TOLERANCE_HOURS = 12  # beyond this the SPI answers FF08

_ISPB = re.compile(r"[0-9A-Z]{8}")
_ALPHANUMERIC = re.compile(r"[a-zA-Z0-9]*")
_DIGITS = re.compile(r"[0-9]+")
_ISPB_CHARACTERS = 8


class IdentifierKind(StrEnum):
    """Kinds by the letters that they start with; the txid of a charge starts with anything."""

    END_TO_END = "E"
    RETURN = "D"
    MESSAGE = "M"
    RECURRENCE_WITH_RETRIES = "RR"
    RECURRENCE = "RN"
    RECURRENCE_REQUEST = "SC"
    CHARGE = "TXID"


@dataclass(frozen=True, slots=True)
class Form:
    """What an identifier is made of, from left to right.

    Attributes:
        name: As the central bank calls it.
        prefix: Letters that it starts with.
        owner: Whose ISPB follows; empty for none.
        time_format: Form of the date or minute that follows, UTC; empty for none.
        time_characters: Length of that.
        suffix_min: Fewest letters and digits of the maker's choice.
        suffix_max: Most of them.
    """

    name: str
    prefix: str
    owner: str
    time_format: str
    time_characters: int
    suffix_min: int
    suffix_max: int

    @property
    def head_characters(self) -> int:
        """Characters in front of the maker's choice."""
        owner = _ISPB_CHARACTERS if self.owner else 0
        return len(self.prefix) + owner + self.time_characters


def _fixed(name: str, prefix: str, owner: str, time: tuple[str, int], suffix: int) -> Form:
    return Form(name, prefix, owner, *time, suffix, suffix)


_MINUTE = ("%Y%m%d%H%M", 12)
_DAY = ("%Y%m%d", 8)
_NO_TIME = ("", 0)

FORMS = {
    IdentifierKind.END_TO_END: _fixed("EndToEndId", "E", "payer's PSP", _MINUTE, 11),
    IdentifierKind.RETURN: _fixed("RtrId", "D", "PSP that returns", _MINUTE, 11),
    IdentifierKind.MESSAGE: _fixed("MsgId", "M", "sender", _NO_TIME, 23),
    IdentifierKind.RECURRENCE_WITH_RETRIES: _fixed("idRec", "RR", "PSP", _DAY, 11),
    IdentifierKind.RECURRENCE: _fixed("idRec", "RN", "PSP", _DAY, 11),
    IdentifierKind.RECURRENCE_REQUEST: _fixed("idSolicRec", "SC", "sender", _DAY, 11),
    IdentifierKind.CHARGE: Form("txid", "", "", "", 0, 26, 35),
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier, read.

    Attributes:
        kind: What it identifies.
        ispb: Whose it is; None where it does not say. An ISPB may hold letters.
        at: When it was made, UTC, to the minute or the day; None where it does not say.
        violations: Rules that it breaks; empty where it is right.
    """

    kind: IdentifierKind
    ispb: str | None
    at: datetime | None
    violations: tuple[BrokenRule, ...]


def check(kind: IdentifierKind, text: str, *, received_at: datetime | None = None) -> Identifier:
    """Read an identifier and name each part that is wrong.

    Args:
        kind: What it should be.
        text: The identifier, with nothing around it.
        received_at: When it came, aware. Given, the minute of an EndToEndId or RtrId must lie
            within 12 hours of it.
    """
    form = FORMS[kind]
    violations = list(_whole(form, text))
    ispb_end = len(form.prefix) + (_ISPB_CHARACTERS if form.owner else 0)
    ispb = at = None
    if form.owner and len(text) >= ispb_end:
        ispb = _ispb(form, text[len(form.prefix) : ispb_end], violations)
    if form.time_format and len(text) >= form.head_characters:
        at = _time(form, text[ispb_end : form.head_characters], violations)
    if at is not None and received_at is not None and form.time_format == _MINUTE[0]:
        _near(at, received_at, violations)
    if _ALPHANUMERIC.fullmatch(text[form.head_characters :]) is None:
        told = f"from character {form.head_characters + 1}: must be letters and digits"
        violations.append(BrokenRule("suffix", "suffix", told))
    return Identifier(kind, ispb, at, tuple(violations))


def make(kind: IdentifierKind, ispb: str, at: datetime, suffix: str) -> str:
    """Build an identifier.

    Args:
        kind: What it identifies.
        ispb: Whose it is; left aside by a kind that has none.
        at: When it is made, aware; left aside by a kind that does not say.
        suffix: Letters and digits; longer than the form has room for, the rest is left aside.

    Raises:
        InvalidMessage: A part has the wrong form.
    """
    form = FORMS[kind]
    if at.utcoffset() is None:
        raise InvalidMessage("at", "must be a time with an offset")
    owner = ispb if form.owner else ""
    # strftime writes the year 999 with three digits
    time = at.astimezone(UTC).strftime(form.time_format).rjust(form.time_characters, "0")
    built = f"{form.prefix}{owner}{time}{suffix[: form.suffix_max]}"
    for rule in check(kind, built).violations:
        raise InvalidMessage(rule.path, rule.text)
    return built


def _whole(form: Form, text: str) -> Iterator[BrokenRule]:
    shortest = form.head_characters + form.suffix_min
    longest = form.head_characters + form.suffix_max
    if not shortest <= len(text) <= longest:
        span = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        yield BrokenRule("length", "length", f"must hold {span} characters, holds {len(text)}")
    if not text.startswith(form.prefix):
        yield BrokenRule("prefix", "prefix", f"must start with {form.prefix}")


def _ispb(form: Form, text: str, violations: list[BrokenRule]) -> str | None:
    if _ISPB.fullmatch(text) is None:
        told = f"ISPB of the {form.owner}: must be digits or upper-case letters"
        violations.append(BrokenRule("ispb", "ispb", told))
        return None
    return text


def _time(form: Form, text: str, violations: list[BrokenRule]) -> datetime | None:
    written = "yyyyMMddHHmm" if form.time_format == _MINUTE[0] else "yyyyMMdd"
    if _DIGITS.fullmatch(text) is None:
        violations.append(BrokenRule("time", "time_form", f"must be {written}, UTC"))
        return None
    try:
        return datetime.strptime(text, form.time_format).replace(tzinfo=UTC)
    except ValueError:
        told = f"{written}: must be a time of the calendar, UTC"
        violations.append(BrokenRule("time", "time_calendar", told))
        return None


def _near(at: datetime, received_at: datetime, violations: list[BrokenRule]) -> None:
    if abs(received_at - at) > timedelta(hours=TOLERANCE_HOURS):
        told = f"must lie within {TOLERANCE_HOURS} hours of its arrival: the SPI answers FF08"
        violations.append(BrokenRule("time", "time_tolerance", told))
