"""Messages to the STR: they are what the bank's schemas say, and nothing else is taken."""

import contextlib
import io
import time
import zipfile
from datetime import date
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bacen import InvalidMessage
from bacen.str import (
    STR_ISPB,
    StrMessage,
    StrRefused,
    control_number,
    operation_number,
    read_message,
    write_message,
)
from bacen.str.tables import MESSAGES, REFUSABLE, fields_of, namespace_of
from bacen.wire import cents_to_text

US = "12345678"
DAY = date(2026, 3, 10)
DEPOSIT = StrMessage(
    code="LPI0001",
    sender=US,
    receiver=STR_ISPB,
    operation=operation_number(US, DAY, 1),
    fields={
        "NumCtrlIF": "deposit-1",
        "ISPBIF": US,
        "ISPBPSPI": US,
        "VlrLanc": "1234.50",
        "DtMovto": "2026-03-10",
    },
)

DIGITS = "0123456789"
WORDS = st.text("abcXYZ 019-ção", min_size=1, max_size=20).map(str.strip).filter(bool)
VALUES: dict[str, st.SearchStrategy[str]] = {
    "ISPB": st.text("0123456789AZ", min_size=8, max_size=8),
    "Num": WORDS,
    "NumCtrlSTR": st.integers(0, 10**9 - 1).map(lambda n: control_number(DAY, n)),
    "Vlr": st.integers(0, 10**15).map(cents_to_text),
    "Perc": st.sampled_from(["0", "25", "40.5", "98.75"]),
    "Dt": st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(date.isoformat),
    "DtHr": st.datetimes().map(lambda at: at.replace(microsecond=0).isoformat()),
    "Ag": st.text(DIGITS, min_size=1, max_size=4),
    "CtCredtd": st.text("123456789", min_size=1, max_size=13),
    "CtPgto": st.text("123456789", min_size=1, max_size=20),
    "CNPJ": st.just("12ABC34501DE35"),
    "Sit": st.sampled_from(["1", "5", "14"]),
    "Finldd": st.sampled_from(["1", "2"]),
    "TpCtBC": st.sampled_from(["RL", "ME"]),
    "ErroGEN": st.just("EGEN0043"),
    "NUOpOr": st.just(operation_number(US, DAY, 7)),
    "NumMQ": st.just("414D51"),
    "NumProt": st.just("12345678"),
    "Hist": WORDS,
}
EITHER = (("CtCredtd", "CtPgtoCredtd"), ("PercSldRB_CL", "VlrRB_CL"), ("PercSldCCME", "VlrCCME"))


def value_of(path: str) -> st.SearchStrategy[str]:
    """A value for a tag: the longest name that begins it says which."""
    tag = path.rpartition("/")[2]
    return VALUES[max((name for name in VALUES if tag.startswith(name)), key=len)]


@st.composite
def messages(draw: st.DrawFn) -> StrMessage:
    """A message of any kind that fits its schema."""
    code = draw(st.sampled_from(sorted(MESSAGES)))
    left_out = {draw(st.sampled_from(pair)) for pair in EITHER}
    fields = {
        path: draw(value_of(path))
        for path in fields_of(code)
        if path.rpartition("/")[2] not in left_out
    }
    sender = US if code in REFUSABLE else STR_ISPB
    number = operation_number(US, DAY, draw(st.integers(0, 9_999_999)))
    text = draw(st.none() | WORDS)
    return StrMessage(
        code=code, sender=sender, receiver=US, operation=number, fields=fields, user_text=text
    )


@st.composite
def refused_messages(draw: st.DrawFn) -> StrMessage:
    """A message that comes back with error codes."""
    message = draw(messages().filter(lambda each: each.code in REFUSABLE))
    groups = {path.rpartition("/")[0] for path in message.fields}
    marked = draw(st.sets(st.sampled_from(sorted({*message.fields, *groups}))))
    return message.refused(dict.fromkeys(marked, "ELPI0003"))


@cache
def schema(folder: Path, code: str) -> etree.XMLSchema:
    """The bank's own schema of a message."""
    event, group = code[:7], code[:3]
    name = f"spb_schemas/{group}/{event}{'E' if code.endswith('E') else ''}.XSD"
    with zipfile.ZipFile(folder / "spb" / "bcb-xsd-5.11.zip") as package:
        return etree.XMLSchema(etree.parse(io.BytesIO(package.read(name))))


@given(messages() | refused_messages())
def test_every_message_is_valid_by_the_banks_schema_and_reads_as_it_was_written(
    reference_folder: Path, message: StrMessage
) -> None:
    data = write_message(message)

    schema(reference_folder, message.code).assertValid(
        etree.fromstring(data.decode("utf-16-be").encode())
    )
    assert read_message(data) == message
    assert write_message(read_message(data)) == data


def test_samples_of_the_catalogue_are_read(reference_folder: Path) -> None:
    samples = sorted((reference_folder / "spb" / "samples").glob("LPI*.xml"))

    found = [read_message(each.read_text().encode("utf-16-be")) for each in samples]

    assert [each.code for each in found] == ["LPI0001", "LPI0001E", "LPI0001R1"]
    assert found[0].amount_cents == 12_300
    assert found[1].errors == {"": "EGEN0050"}


def test_byte_order_mark_and_padding_do_not_count() -> None:
    assert read_message(b"\xfe\xff" + write_message(DEPOSIT) + b"\0\0\0\0") == DEPOSIT


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("EGEN0034", write_message(DEPOSIT).decode("utf-16-be").encode()),
        ("EGEN0034", write_message(DEPOSIT)[1:]),
        ("EGEN0034", b""),
        ("EGEN0001", "<DOC".encode("utf-16-be")),
        ("EGEN0001", '<!DOCTYPE a [<!ENTITY b "c">]><DOC/>'.encode("utf-16-be")),
        ("EGEN0035", "<DOC/>".encode("utf-16-be")),
        ("EGEN0061", write_message(DEPOSIT).replace(b"\0d\0e\0p", b"\x20\x14\0e\0p")),
        ("EGEN0081", b"\0 " * 1_200_000),
    ],
)
def test_what_is_no_message_is_refused_with_its_code(code: str, data: bytes) -> None:
    with pytest.raises(StrRefused) as refused:
        read_message(data)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("EGEN0017", "<ISPBPSPI>12345678</ISPBPSPI>", ""),
        ("EGEN0018", "</DtMovto>", "</DtMovto><Hist>a</Hist>"),
        ("EGEN0043", "1234.50", "1234.505"),
        ("EGEN0043", "2026-03-10", "2026-02-30"),
        ("EGEN0012", "<NUOp>12345678", "<NUOp>87654321"),
        ("EGEN0013", "<NUOp>1234567820260310", "<NUOp>1234567820261310"),
    ],
)
def test_message_that_breaks_a_rule_is_refused_with_its_code(
    code: str, before: str, after: str
) -> None:
    text = write_message(DEPOSIT).decode("utf-16-be")
    assert before in text

    with pytest.raises(StrRefused) as refused:
        read_message(text.replace(before, after).encode("utf-16-be"))

    assert refused.value.code == code


def test_comment_does_not_cut_a_value_in_two() -> None:
    text = write_message(DEPOSIT).decode("utf-16-be").replace("1234.50", "12<!-- -->34.50")
    assert read_message(text.encode("utf-16-be")).amount_cents == 123_450


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "LPI0009"},
        {"code": "LPI0006E"},
        {"fields": {**DEPOSIT.fields, "VlrLanc": "1,00"}},
        {"fields": {**DEPOSIT.fields, "NumCtrlIF": "a\0"}},
        {"fields": {**DEPOSIT.fields, "NumCtrlIF": "€"}},
        {"user_text": "\x07"},
    ],
)
def test_invalid_message_is_not_written(changes: dict[str, object]) -> None:
    invalid = msgspec.structs.replace(DEPOSIT, **changes)
    with pytest.raises(InvalidMessage):
        write_message(invalid)


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: t.encode("utf-16-be")))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(StrRefused):
        read_message(data)


def test_very_much_white_space_is_refused_in_no_time() -> None:
    started = time.thread_time()

    with pytest.raises(StrRefused):
        read_message(("<a>" + " " * 1_000_000 + "</a>").encode("utf-16-be"))

    assert time.thread_time() - started < 20  # hours, where it grows with the square


def test_declaration_is_taken_at_the_beginning_only() -> None:
    text = write_message(DEPOSIT).decode("utf-16-be")

    assert read_message(("\n " + text).encode("utf-16-be")) == DEPOSIT
    with pytest.raises(StrRefused, match="EGEN0001"):
        read_message((text + '<?xml version="1.0"?>').encode("utf-16-be"))


def test_namespaces_are_those_of_the_catalogue() -> None:
    assert namespace_of("LPI0001R1") == "http://www.bcb.gov.br/SPB/LPI0001.xsd"
    assert namespace_of("LPI0001E") == "http://www.bcb.gov.br/SPB/LPI0001E.xsd"
    assert namespace_of("GEN0004") == "http://www.bcb.gov.br/GEN/GEN0004.xsd"
