"""Messages bent in every way: only typed errors come out, and what is read can be written again."""

import base64
import contextlib
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bacen.dict import InvalidKey, decode_problem, decode_response, parse_key
from bacen.dict.operations import GET_ENTRY
from bacen.icom import MultipartInvalid, Part, build_multipart, parse_multipart
from bacen.wire import (
    InvalidMessage,
    MalformedXml,
    Message,
    ReportPeriod,
    Signer,
    Verifier,
    WireError,
    codec,
    decode,
    encode,
    peek_message_id,
    read_unsigned,
    sign_dict,
    verify_dict,
)
from bacen.wire.codec import decode_reference
from bacen.wire.header import created_text
from tests.bacen.rule_messages import (
    asked,
    cancellation,
    cancellation_answer,
    cancelled,
    charge_answer,
    charged,
    entries,
    mandate_answer,
    modified,
    receipt,
    reported,
    status,
)
from tests.bacen.wire_messages import (
    AT,
    admi002,
    camt060,
    drawn_messages,
    few,
    many,
    pacs002,
    pacs004,
    pacs008,
    patient,
    payment_return,
    pibr001,
    pibr002,
    report,
    transfer,
)

seeded = settings(patient, derandomize=True, database=None, max_examples=120)
NASTY = [
    "", " ", "\t", "0", "-1", "+1", "1e3", "NaN", "0.001", "1" * 400, "٣", "０", "\x7f", "\u2028",
    "\ufffd", "😀", "é" * 200, "]]>", "&amp;", "&#xD;", "&lt;a&gt;", "9999-12-31T23:59:59.999Z",
    "0000-00-00T00:00:00.000Z", "0001-01-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z",
    "9999-12-31", "0001-01-01", "2026-09-28-99:99", "E" * 32, "M" * 32, "99999999999999999999.99",
    "<a></a>", "<!-- -->", "<![CDATA[x]]>", "<?x?>", "&x;", "&#0;", "&#xD800;", "<", "\x00",
]  # fmt: skip
TEXT = re.compile(r">([^<>]*)<")
MESSAGES: list[Message] = [
    pacs008(count=2),
    pacs008(transfers=(transfer(remittance=None, creditor_key=None),)),
    pacs002(count=2),
    pacs002(reports=(report(status="RJCT", reasons=("AB03", "AC03"), additional=("a", "b")),)),
    admi002(description="x", additional_data="y"),
    pacs004(returns=(payment_return(additional="a", remittance="b"),)),
    camt060(entry_id="STR20260928abcDEF123"),
    camt060(period=ReportPeriod(AT.date(), AT.date(), AT.timetz(), AT.timetz())),
    pibr001(),
    pibr002(),
    *(make() for make in (asked, cancelled, mandate_answer, charged, charge_answer)),
    *(make() for make in (cancellation, cancellation_answer, reported, receipt, modified, status)),
    entries(),
]
READERS: dict[str, Callable[[bytes, Verifier], object]] = {
    "decode": decode,
    "reference": decode_reference,
    "unsigned": lambda data, _: read_unsigned(data),
    "dict": verify_dict,
    "entry": lambda body, verifier: decode_response(GET_ENTRY, body, verifier),
    "problem": decode_problem,
}


def bent(data: st.DataObject, original: bytes) -> bytes:
    """Cut, double, exchange and overwrite pieces of bytes."""
    body = bytearray(original)
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(body)))
        end = min(len(body), start + data.draw(st.integers(0, 400)))
        other = data.draw(st.integers(0, len(body)))
        body[start:end] = data.draw(
            st.one_of(
                st.binary(max_size=12),
                st.sampled_from([each.encode("utf-8") for each in NASTY]),
                st.just(bytes(body[other : other + 200])),
            )
        )
    return bytes(body)


@pytest.fixture(scope="module")
def signed(our_signer: Signer) -> list[bytes]:
    made = [encode(each, our_signer) for each in MESSAGES]
    return [*made, sign_dict(b"<R><a>1</a></R>", our_signer)]


@pytest.mark.parametrize("name", READERS)
@given(st.data())
@seeded
def test_bent_bytes_give_a_typed_error(
    name: str, signed: list[bytes], verifier: Verifier, data: st.DataObject
) -> None:
    body = bent(data, data.draw(st.sampled_from(signed)))

    with contextlib.suppress(WireError):
        READERS[name](body, verifier)
    peek_message_id(body)


@given(st.data(), st.sampled_from(MESSAGES))
@settings(seeded, max_examples=250)
def test_signed_message_with_a_nasty_text_is_read_or_refused_and_what_is_read_can_be_written(
    our_signer: Signer, verifier: Verifier, data: st.DataObject, message: Message
) -> None:
    """Bend the texts and sign them: what stands behind the signature is reached this way."""
    text = encode(message, our_signer).decode()
    start = text.index("<Document>")
    for _ in range(data.draw(st.integers(1, 3))):
        places = [each.span(1) for each in TEXT.finditer(text, start)]
        first, last = data.draw(st.sampled_from(places))
        text = text[:first] + data.draw(st.sampled_from(NASTY)) + text[last:]
    body = signed_over(text, our_signer)

    for read in (decode, decode_reference):
        try:
            found = read(body, verifier)
        except WireError:
            continue
        assert decode(encode(found, our_signer), verifier) == found


def signed_over(text: str, signer: Signer) -> bytes:
    """Sign a message whose Document was changed, by the rule of its canonical form."""
    from bacen.wire.profile import SPI_SIGNED_INFO, signature_text

    namespace = re.search(r'<Envelope xmlns="([^"]*)">', text)
    assert namespace is not None
    start = text.index("<Document>")
    document = text[start : text.index("</Envelope>")].replace(
        "<Document>", f'<Document xmlns="{namespace[1]}">', 1
    )
    head, signature = text[:start].split("<Sgntr>")
    old = re.findall("<ds:DigestValue>([^<]*)</ds:DigestValue>", signature)
    made = base64.b64encode(hashlib.sha256(document.encode()).digest()).decode()
    info = SPI_SIGNED_INFO
    signed_info = f"{info[0]}{old[0]}{info[1]}{old[1]}{info[2]}{made}{info[3]}"
    fresh = signature_text(signed_info, signer.sign(signed_info), signer.key_info)
    return f"{head}<Sgntr>{fresh}</Sgntr></AppHdr>{text[start:]}".encode()


def test_message_signed_by_this_file_is_believed(our_signer: Signer, verifier: Verifier) -> None:
    message = pacs008(count=1)
    body = signed_over(encode(message, our_signer).decode(), our_signer)

    assert decode(body, verifier) == message


def wrong_field_is_refused(message: Message, data: st.DataObject) -> None:
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    plain = [name for name, value in fields.items() if not isinstance(value, tuple)]
    fields[data.draw(st.sampled_from(plain))] = data.draw(
        st.sampled_from([*NASTY, b"", -1, 10**30, 1.5, (), datetime(2026, 1, 1, tzinfo=UTC)])
    )

    with contextlib.suppress(InvalidMessage):
        encode_text(type(message)(**fields))


test_field_of_a_wrong_type_or_form_is_refused_when_the_message_is_built = few(
    given(drawn_messages, st.data())(wrong_field_is_refused)
)
test_many_fields_of_a_wrong_type_or_form_are_refused = pytest.mark.slow(
    many(given(drawn_messages, st.data())(wrong_field_is_refused))
)


def encode_text(message: Message) -> None:
    """Write all of a message but its signature."""
    _, _, write = codec._WRITERS[type(message)]
    write(message, created_text(message)).encode()


@given(st.data())
@settings(seeded, max_examples=200)
def test_bent_multipart_gives_a_typed_error(data: st.DataObject) -> None:
    content_type, body = build_multipart([Part(b"<a/>"), Part(b"<b/>" * 30)])
    kind = content_type + data.draw(st.just("") | st.text(max_size=90))

    try:
        parts = parse_multipart(kind, bent(data, body))
    except MultipartInvalid:
        return
    assert 0 < len(parts) <= 10


@given(st.one_of(st.text(max_size=90), st.text("+5@.-0123456789abcdefAZß١\x00 ", max_size=40)))
@settings(seeded, max_examples=400)
def test_any_text_is_a_key_or_a_typed_error(text: str) -> None:
    try:
        key = parse_key(text)
    except InvalidKey:
        return
    assert parse_key(key.value) == key


@pytest.mark.parametrize("depth", [1, 64, 255, 256, 257, 5_000])
def test_depth_of_a_signed_document_is_no_crash(
    depth: int, our_signer: Signer, verifier: Verifier
) -> None:
    text = encode(pacs008(count=1), our_signer).decode()
    deep = "<a>" * depth + "</a>" * depth
    body = signed_over(text.replace("</Document>", f"{deep}</Document>"), our_signer)

    with pytest.raises((InvalidMessage, MalformedXml)):
        decode(body, verifier)
