"""What is wrong with a signature is told part by part, and agrees with what `decode` says."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen import BrokenRule, MalformedXml, SignatureInvalid, WireError
from bacen.wire import (
    KeyPair,
    LocalAuthority,
    Message,
    SignatureProfile,
    SignatureReport,
    Signer,
    Verifier,
    decode,
    encode,
    inspect_signature,
    sign_dict,
    verify_dict,
)
from tests.bacen.wire_messages import (
    AT,
    OUR_ISPB,
    drawn_messages,
    few,
    many,
    pacs008,
    patient,
    sign_again,
)

KEY_INFO = "/Envelope/AppHdr/Sgntr/Signature/KeyInfo"


@pytest.fixture(scope="module")
def pair(authority: LocalAuthority) -> KeyPair:
    return authority.participant(OUR_ISPB).signing


@pytest.fixture
def signed(our_signer: Signer) -> bytes:
    return encode(pacs008(1), our_signer)


def rules(found: SignatureReport) -> list[tuple[str, str]]:
    return [(each.path, each.rule) for each in found.violations]


def oks(found: SignatureReport) -> list[bool]:
    return [each.ok for each in found.references]


def test_good_message_is_told_part_by_part(
    signed: bytes, our_signer: Signer, verifier: Verifier
) -> None:
    found = inspect_signature(signed, verifier)

    assert (found.valid, found.signature, found.sender) == (True, True, OUR_ISPB)
    assert (found.message, found.profile) == ("pacs.008/1.16", SignatureProfile.SPI)
    assert [(each.uri, each.element, each.ok) for each in found.references] == [
        ("#key-info-id", "KeyInfo", True),
        ("", "AppHdr", True),
        (None, "Document", True),
    ]
    assert found.certificate is not None
    assert found.certificate.serial == str(our_signer.serial_number)
    assert (found.certificate.trusted, found.certificate.ispb) == (True, OUR_ISPB)


CHANGES: dict[str, tuple[Callable[[bytes], bytes], list[bool], list[tuple[str, str]]]] = {
    "document": (
        lambda d: d.replace(b">10.50<", b">99.50<"),
        [True, True, False],
        [("/Envelope/Document", "digest")],
    ),
    "header": (
        lambda d: d.replace(b"<CreDt>2026", b"<CreDt>2025"),
        [True, False, True],
        [("/Envelope/AppHdr", "digest")],
    ),
    "both": (
        lambda d: d.replace(b">10.50<", b">99.50<").replace(b"<CreDt>2026", b"<CreDt>2025"),
        [True, False, False],
        [("/Envelope/AppHdr", "digest"), ("/Envelope/Document", "digest")],
    ),
    "a digest itself": (
        lambda d: re.sub(rb"(.*<ds:DigestValue>)[^<]{43}=", rb"\1" + b"A" * 43 + b"=", d),
        [True, True, False],
        [
            ("/Envelope/Document", "digest"),
            ("/Envelope/AppHdr/Sgntr/Signature/SignatureValue", "signature_value"),
        ],
    ),
    "signature value": (
        lambda d: re.sub(rb"(<ds:SignatureValue>)....", rb"\1AAAA", d),
        [True, True, True],
        [("/Envelope/AppHdr/Sgntr/Signature/SignatureValue", "signature_value")],
    ),
    "serial number": (
        lambda d: re.sub(rb"(SerialNumber>)[0-9]+<", rb"\g<1>7<", d),
        [False, True, True],
        [(KEY_INFO, "digest"), (KEY_INFO, "certificate_unknown")],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_changed_part_is_named_and_no_other(
    name: str, signed: bytes, verifier: Verifier
) -> None:
    change, expected, broken = CHANGES[name]

    found = inspect_signature(change(signed), verifier)

    assert not found.valid
    assert (oks(found), rules(found)) == (expected, broken)


def test_sender_that_is_not_the_certificates_is_named(
    signed: bytes, verifier: Verifier, pair: KeyPair
) -> None:
    other = signed.replace(f"<Id>{OUR_ISPB}</Id>".encode(), b"<Id>99999A04</Id>", 1)

    found = inspect_signature(sign_again(other, pair), verifier)

    assert (found.sender, oks(found), found.signature) == ("99999A04", [True] * 3, True)
    assert rules(found) == [("/Envelope/AppHdr/Fr", "sender")]


@pytest.mark.parametrize(
    ("days", "rule"), [(-1000, "certificate_not_yet_valid"), (10_000, "certificate_expired")]
)
def test_certificate_is_judged_by_the_clock_and_all_else_too(
    days: int, rule: str, signed: bytes, pair: KeyPair
) -> None:
    verifier = Verifier([pair.certificate.read_bytes()], now=lambda: AT + timedelta(days))

    found = inspect_signature(signed, verifier)

    assert (rules(found), found.signature) == ([(KEY_INFO, rule)], True)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "well_formed"),
        (b"<a>", "well_formed"),
        (b"<!DOCTYPE a><a/>", "well_formed"),
        (b"<Envelope/>", "form"),
        (b"<Claim><a/></Claim>", "form"),
    ],
)
def test_what_has_no_signature_is_one_rule(data: bytes, rule: str, verifier: Verifier) -> None:
    found = inspect_signature(data, verifier)

    assert [each.rule for each in found.violations] == [rule]
    assert (found.references, found.signature) == ((), None)


def test_dict_documents_have_two_references(our_signer: Signer, verifier: Verifier) -> None:
    good = sign_dict(b"<Claim><Key>1</Key></Claim>", our_signer)

    found = inspect_signature(good, verifier)
    changed = inspect_signature(good.replace(b"<Key>1", b"<Key>2"), verifier)
    foreign = inspect_signature(good, verifier, ispb="00038166")

    assert (found.valid, found.profile, found.message) == (True, SignatureProfile.DICT, "Claim")
    assert [(each.uri, each.element) for each in found.references] == [
        ("#key-info-id", "KeyInfo"),
        ("", "Claim"),
    ]
    assert rules(changed) == [("/Claim", "digest")]
    assert rules(foreign) == [("/*/Signature", "sender")]


def test_profile_that_is_asked_for_is_the_one_that_counts(
    signed: bytes, our_signer: Signer, verifier: Verifier
) -> None:
    as_dict = inspect_signature(signed, verifier, profile=SignatureProfile.DICT)
    as_spi = inspect_signature(
        sign_dict(b"<Claim/>", our_signer), verifier, profile=SignatureProfile.SPI
    )

    assert [each.rule for each in (*as_dict.violations, *as_spi.violations)] == ["form", "form"]


def test_sender_that_is_no_ispb_cannot_be_read(
    signed: bytes, verifier: Verifier, pair: KeyPair
) -> None:
    other = signed.replace(f"<Id>{OUR_ISPB}</Id>".encode(), "<Id>\x9b31m</Id>".encode(), 1)

    found = inspect_signature(sign_again(other, pair), verifier)

    assert (found.sender, rules(found)) == (None, [("/Envelope/AppHdr/Fr", "sender")])


def test_name_that_a_stranger_chose_is_short_and_plain(
    signed: bytes, our_signer: Signer, verifier: Verifier, pair: KeyPair
) -> None:
    strange = signed.replace(b"https://www.bcb.gov.br/pi/pacs.008/1.16", b"urn:" + b"a" * 1_000)
    long = sign_dict(b"<" + b"a" * 10_000 + b"/>", our_signer)

    assert inspect_signature(sign_again(strange, pair), verifier).message is None
    assert inspect_signature(long, verifier).message == "a" * 100


@pytest.mark.parametrize("namespace", ["urn:\x9b31m", "urn:a b", "urn:[a"])
def test_namespace_that_is_no_uri_is_no_xml_and_is_not_told(
    namespace: str, signed: bytes, verifier: Verifier
) -> None:
    official = b"https://www.bcb.gov.br/pi/pacs.008/1.16"

    found = inspect_signature(signed.replace(official, namespace.encode()), verifier)

    assert (found.message, found.valid) == (None, False)
    assert namespace not in repr(found)


def test_no_value_of_the_message_is_told(signed: bytes, verifier: Verifier) -> None:
    found = inspect_signature(signed.replace(b"52998224725", b"11144477735"), verifier)

    assert found.violations == (
        BrokenRule("/Envelope/Document", "digest", "differs from what was signed"),
    )


def inspection_and_decode_agree(
    message: Message, draw: st.DataObject, our_signer: Signer, verifier: Verifier
) -> None:
    data = bytearray(encode(message, our_signer))
    for _ in range(draw.draw(st.integers(0, 2))):
        start = draw.draw(st.integers(0, len(data) - 1))
        length = draw.draw(st.integers(0, 4))
        data[start : start + length] = draw.draw(
            st.sampled_from([b"", b" ", b"&amp;", b"\r\n", b"<a/>", b"<!-- -->", b"1", b">"])
        )

    is_valid = inspect_signature(bytes(data), verifier).valid

    try:
        decode(bytes(data), verifier)
    except (SignatureInvalid, MalformedXml):
        assert not is_valid
    except WireError:
        pass  # signed or not, it is no message of the catalogue
    else:
        assert is_valid


CHANGED = given(message=drawn_messages, draw=st.data())
test_inspection_and_decode_agree_on_any_changed_bytes = few(CHANGED(inspection_and_decode_agree))
test_inspection_and_decode_agree_in_many_cases = pytest.mark.slow(
    many(CHANGED(inspection_and_decode_agree))
)


@given(changed=st.binary(max_size=4), position=st.integers(0, 5_000))
@patient
def test_inspection_and_verification_agree_on_dict_documents(
    changed: bytes, position: int, our_signer: Signer, verifier: Verifier
) -> None:
    data = sign_dict(b"<Claim a='1'><Key>1</Key></Claim>", our_signer)
    position %= len(data)
    data = data[:position] + changed + data[position + len(changed) :]

    try:
        verify_dict(data, verifier)
    except (SignatureInvalid, MalformedXml):
        assert not inspect_signature(data, verifier).valid
    else:
        assert inspect_signature(data, verifier).valid
