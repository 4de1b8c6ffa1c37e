"""Identifiers of Pix: made right, and each wrong part named."""

import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen import InvalidMessage
from bacen.identifiers import FORMS, IdentifierKind, check, make
from bacen.wire import is_end_to_end_id, make_end_to_end_id, message_id
from tests.bacen.wire_messages import patient

AT = datetime(2026, 1, 31, 12, 34, tzinfo=UTC)
SUFFIX = "abcDEF01234" * 4
E2E = "E12345678202601311234abcDEF01234"
KINDS = list(IdentifierKind)


def broken(kind: IdentifierKind, text: str) -> list[tuple[str, str]]:
    return [(rule.path, rule.rule) for rule in check(kind, text).violations]


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (IdentifierKind.END_TO_END, E2E),
        (IdentifierKind.RETURN, "D12345678202601311234abcDEF01234"),
        (IdentifierKind.MESSAGE, "M12345678abcDEF01234abcDEF01234a"),
        (IdentifierKind.RECURRENCE_WITH_RETRIES, "RR1234567820260131abcDEF01234"),
        (IdentifierKind.RECURRENCE, "RN1234567820260131abcDEF01234"),
        (IdentifierKind.RECURRENCE_REQUEST, "SC1234567820260131abcDEF01234"),
        (IdentifierKind.CHARGE, "abcDEF01234abcDEF01234abcDEF01234ab"),
    ],
)
def test_identifier_is_made_of_its_parts(kind: IdentifierKind, made: str) -> None:
    assert make(kind, "12345678", AT, SUFFIX) == made
    assert check(kind, made).violations == ()


def test_identifiers_are_those_of_the_wire() -> None:
    assert make_end_to_end_id("12345678", AT, SUFFIX[:11]) == E2E
    assert is_end_to_end_id(E2E)
    assert message_id("12345678", SUFFIX[:23]) == make(
        IdentifierKind.MESSAGE, "12345678", AT, SUFFIX
    )


def test_parts_are_read_back() -> None:
    found = check(IdentifierKind.END_TO_END, E2E)

    assert (found.ispb, found.at) == ("12345678", AT)


def test_time_is_written_in_utc() -> None:
    brasilia = AT.astimezone(timezone(timedelta(hours=-3)))

    assert make(IdentifierKind.END_TO_END, "12345678", brasilia, SUFFIX) == E2E


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("length", "length"), ("prefix", "prefix")]),
        (E2E[:-1], [("length", "length")]),
        (E2E + "0", [("length", "length")]),
        ("E1234567890", [("length", "length")]),
        ("E1234567-", [("length", "length"), ("ispb", "ispb")]),
        (
            "E12345678202613311234-",
            [("length", "length"), ("time", "time_calendar"), ("suffix", "suffix")],
        ),
        (E2E.lower(), [("prefix", "prefix")]),
        ("D" + E2E[1:], [("prefix", "prefix")]),
        ("E1234567a202601311234abcDEF01234", [("ispb", "ispb")]),
        ("E12345678202613311234abcDEF01234", [("time", "time_calendar")]),
        ("E12345678202602301234abcDEF01234", [("time", "time_calendar")]),
        ("E12345678202601312434abcDEF01234", [("time", "time_calendar")]),
        ("E12345678202601311260abcDEF01234", [("time", "time_calendar")]),
        ("E12345678000001311234abcDEF01234", [("time", "time_calendar")]),
        ("E123456782026013112\u0663\u0664abcDEF01234", [("time", "time_form")]),
        ("E12345678202601311234abcDEF0123-", [("suffix", "suffix")]),
        ("E12345678202601311234abcDEF0123\n", [("suffix", "suffix")]),
        (
            "E1234567_2026-1311234abcDEF012\u00e94",
            [("ispb", "ispb"), ("time", "time_form"), ("suffix", "suffix")],
        ),
    ],
)
def test_every_wrong_part_is_named(text: str, expected: list[tuple[str, str]]) -> None:
    assert broken(IdentifierKind.END_TO_END, text) == expected


def test_txid_of_a_charge_has_26_to_35_letters_and_digits() -> None:
    lengths = [n for n in range(1, 50) if not broken(IdentifierKind.CHARGE, "a" * n)]

    assert lengths == list(range(26, 36))
    assert broken(IdentifierKind.CHARGE, "a" * 25 + "_") == [("suffix", "suffix")]


@pytest.mark.parametrize("hours", [-12, 0, 12])
def test_identifier_within_twelve_hours_of_its_arrival_is_taken(hours: int) -> None:
    at = AT + timedelta(hours=hours)

    assert check(IdentifierKind.END_TO_END, E2E, received_at=at).violations == ()


@pytest.mark.parametrize("minutes", [-721, 721])
def test_identifier_further_off_is_refused_as_the_spi_would(minutes: int) -> None:
    at = AT + timedelta(minutes=minutes)
    (rule,) = check(IdentifierKind.END_TO_END, E2E, received_at=at).violations

    assert (rule.path, rule.rule) == ("time", "time_tolerance")
    assert "FF08" in rule.text


def test_tolerance_is_of_payments_and_returns_only() -> None:
    made = make(IdentifierKind.RECURRENCE, "12345678", AT, SUFFIX)
    later = AT + timedelta(days=900)

    assert check(IdentifierKind.RECURRENCE, made, received_at=later).violations == ()


@pytest.mark.parametrize(
    ("ispb", "at", "suffix", "path"),
    [
        ("1234567", AT, SUFFIX, "length"),
        ("1234567a", AT, SUFFIX, "ispb"),
        ("12345678", AT, "abc", "length"),
        ("12345678", AT, "abcDEF0123-", "suffix"),
        ("12345678", AT.replace(tzinfo=None), SUFFIX, "at"),
    ],
)
def test_identifier_with_a_wrong_part_is_not_made(
    ispb: str, at: datetime, suffix: str, path: str
) -> None:
    with pytest.raises(InvalidMessage) as refused:
        make(IdentifierKind.END_TO_END, ispb, at, suffix)

    assert refused.value.path == path


@given(
    st.sampled_from(KINDS),
    st.from_regex(r"[0-9A-Z]{8}", fullmatch=True).filter(str.isascii),
    st.datetimes(timezones=st.just(UTC)),
    st.text(string.ascii_letters + string.digits, min_size=35, max_size=35),
)
@patient
def test_what_is_made_is_read_back(
    kind: IdentifierKind, ispb: str, at: datetime, suffix: str
) -> None:
    found = check(kind, make(kind, ispb, at, suffix))

    assert found.violations == ()
    assert found.ispb == (ispb if FORMS[kind].owner else None)
    if found.at is not None:
        assert timedelta() <= at - found.at < timedelta(days=1)


@given(st.sampled_from(KINDS), st.text(max_size=40))
@patient
def test_any_text_is_judged(kind: IdentifierKind, text: str) -> None:
    found = check(kind, text)

    assert found.violations or FORMS[kind].name == "txid"
