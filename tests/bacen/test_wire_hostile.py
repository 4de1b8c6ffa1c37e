"""Bytes from strangers: a typed error, nothing fetched, nothing expanded, never a crash."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bacen.wire import (
    MESSAGE_BYTES_MAX,
    LocalAuthority,
    MalformedXml,
    Signer,
    UnknownMessage,
    Verifier,
    WireError,
    decode,
    encode,
    parse_xml,
    peek_message_id,
    read_unsigned,
    sign_dict,
    verify_dict,
)
from bacen.wire.schema import judge
from tests.bacen.wire_messages import (
    OUR_ISPB,
    admi002,
    pacs002,
    pacs008,
    patient,
    sign_again,
)

BOMB = (
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10)
        for name in range(ord("c"), ord("k"))
    )
    + b"]><a>&j;</a>"
)
FORBIDDEN = {
    "entity bomb": BOMB,
    "external entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "external subset": b'<!DOCTYPE a SYSTEM "http://localhost:9/a.dtd"><a/>',
    "bare doctype": b"<!DOCTYPE a><a/>",
    "other encoding": b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>',
    "UTF-16": '<?xml version="1.0"?><a/>'.encode("utf-16"),
    "invalid UTF-8": b"<a>\xff</a>",
    "undefined entity": b"<a>&nbsp;</a>",
    "control character": b"<a>&#1;</a>",
    "two roots": b"<a/><a/>",
    "empty": b"",
    "too large": b"<a>" + b" " * MESSAGE_BYTES_MAX + b"</a>",
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_xml_that_is_never_accepted_is_malformed(name: str, verifier: Verifier) -> None:
    with pytest.raises(MalformedXml):
        parse_xml(FORBIDDEN[name])
    with pytest.raises(MalformedXml):
        decode(FORBIDDEN[name], verifier)


@pytest.mark.parametrize("name", ["a", "xmlns:a"])
@pytest.mark.parametrize("place", ["<AppHdr>", "<Document>", "<ds:SignedInfo>"])
def test_tag_of_very_many_attributes_is_refused_before_it_costs_time(
    name: str, place: str, our_signer: Signer, verifier: Verifier
) -> None:
    many = " ".join(f"{name}{number}='urn:x{number}'" for number in range(60_000))
    data = encode(pacs008(count=1), our_signer).replace(
        place.encode(), f"{place[:-1]} {many}>".encode()
    )

    with pytest.raises(MalformedXml):
        decode(data, verifier)
    assert [each.rule for each in judge(data)] == ["well_formed"]


def test_text_full_of_signs_of_equality_is_no_crowd(spi_signer: Signer, verifier: Verifier) -> None:
    data = encode(admi002(additional_data="=" * 1000), spi_signer)

    assert judge(data) == []
    assert parse_xml(data).tag.endswith("Envelope")
    assert decode(data, verifier)


def test_deep_nesting_is_refused_without_recursion(verifier: Verifier) -> None:
    for depth in (200, 255, 5_000, 100_000):
        inner = b"<a>" * depth + b"</a>" * depth
        data = b'<Envelope xmlns="x"><AppHdr/><Document>' + inner + b"</Document></Envelope>"

        with pytest.raises(WireError):
            read_unsigned(data)
        with pytest.raises(WireError):
            decode(data, verifier)


@given(st.binary(max_size=300))
@settings(patient, max_examples=300)
def test_garbage_gives_a_typed_error(verifier: Verifier, data: bytes) -> None:
    for read in (decode, verify_dict):
        with pytest.raises(WireError):
            read(data, verifier)
    assert peek_message_id(data) is None


@given(st.data())
@settings(patient, max_examples=300)
def test_broken_message_is_read_right_or_gives_a_typed_error(
    spi_signer: Signer, verifier: Verifier, draw: st.DataObject
) -> None:
    data = bytearray(encode(pacs002(count=1), spi_signer))
    for _ in range(draw.draw(st.integers(1, 4))):
        start = draw.draw(st.integers(0, len(data) - 1))
        end = draw.draw(st.integers(start, min(len(data), start + 300)))
        data[start:end] = draw.draw(st.binary(max_size=8))

    with contextlib.suppress(WireError):
        assert decode(bytes(data), verifier) == pacs002(count=1)


@given(st.data())
@patient
def test_broken_dict_answer_is_read_right_or_gives_a_typed_error(
    spi_signer: Signer, verifier: Verifier, draw: st.DataObject
) -> None:
    data = bytearray(sign_dict(b"<R><a>1</a></R>", spi_signer))
    start = draw.draw(st.integers(0, len(data) - 1))
    data[start : start + draw.draw(st.integers(0, 9))] = draw.draw(st.binary(max_size=8))

    with contextlib.suppress(WireError):
        assert verify_dict(bytes(data), verifier).findtext("a") == "1"


def test_signed_message_of_an_unknown_version_is_named(
    our_signer: Signer, verifier: Verifier, authority: LocalAuthority
) -> None:
    pair = authority.participant(OUR_ISPB).signing
    data = encode(pacs008(), our_signer)
    namespace = sign_again(data.replace(b"pacs.008/1.16", b"pacs.008/1.99"), pair)
    definition = sign_again(data.replace(b"spi.1.16", b"spi.1.15"), pair)

    with pytest.raises(UnknownMessage, match=r"pacs\.008/1\.99"):
        decode(namespace, verifier)
    with pytest.raises(UnknownMessage, match=r"pacs\.008\.spi\.1\.15"):
        decode(definition, verifier)
