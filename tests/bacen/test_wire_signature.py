"""What is decoded was signed by its sender: an independent verifier agrees, forgers fail."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier

from bacen.wire import (
    LocalAuthority,
    Message,
    SignatureInvalid,
    Signer,
    Verifier,
    WireError,
    decode,
    encode,
    sign_dict,
    verify_dict,
)
from bacen.wire.codec import decode_reference
from tests.bacen.wire_messages import (
    DS,
    OUR_ISPB,
    admi002,
    drawn_messages,
    few,
    indented,
    many,
    pacs002,
    pacs008,
    prefixed,
    sign_again,
)

EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"


class SpiProfile(XMLVerifier):
    """signxml with the SPI's idea of what a reference means; all else is the library's."""

    def _resolve_reference(
        self, doc_root: etree._Element, reference: etree._Element, uri_resolver: object = None
    ) -> object:
        if reference.get("URI") is None:
            return doc_root.find("{*}Document")
        if reference.get("URI") == "":
            return doc_root.find("{*}AppHdr")
        return super()._resolve_reference(doc_root, reference, uri_resolver)


def verify_independently(
    verifier: XMLVerifier, data: bytes, certificate: bytes, references: int
) -> list[bytes]:
    results = verifier.verify(
        data,
        x509_cert=x509.load_pem_x509_certificate(certificate),
        expect_config=SignatureConfiguration(
            expect_references=references, verification_time=datetime.now(UTC)
        ),
    )
    return [result.signed_data for result in results]


def test_independent_library_verifies_the_dict_profile(
    spi_signer: Signer, authority: LocalAuthority
) -> None:
    data = sign_dict(
        "<GetEntryResponse a='>'><Name>João</Name></GetEntryResponse>".encode(), spi_signer
    )
    certificate = authority.spi_signing().certificate.read_bytes()

    signed = verify_independently(XMLVerifier(), data, certificate, references=2)

    assert signed[1] == '<GetEntryResponse a=">"><Name>João</Name></GetEntryResponse>'.encode()


@pytest.mark.parametrize("message", [pacs008(), pacs002(sender=OUR_ISPB), admi002(sender=OUR_ISPB)])
@pytest.mark.parametrize("spelling", [indented, prefixed])
def test_foreign_spelling_is_verified_and_read_alike(
    message: Message,
    spelling: Callable[[bytes], bytes],
    our_signer: Signer,
    authority: LocalAuthority,
    verifier: Verifier,
) -> None:
    foreign = sign_again(
        spelling(encode(message, our_signer)), authority.participant(OUR_ISPB).signing
    )

    assert decode(foreign, verifier) == message


def outcome(read: Callable[[bytes, Verifier], Message], data: bytes, verifier: Verifier) -> object:
    try:
        return read(data, verifier)
    except WireError as error:
        return type(error)


def short_way_and_reference_agree(
    message: Message, draw: st.DataObject, our_signer: Signer, verifier: Verifier
) -> None:
    data = bytearray(encode(message, our_signer))
    for _ in range(draw.draw(st.integers(0, 2))):
        start = draw.draw(st.integers(0, len(data) - 1))
        length = draw.draw(st.integers(0, 4))
        data[start : start + length] = draw.draw(
            st.sampled_from([b"", b" ", b"&", b"&amp;", b"\r\n", b"<a/>", b"<!-- -->", b"1", b">"])
        )

    short, slow = (outcome(read, bytes(data), verifier) for read in (decode, decode_reference))

    assert short == slow


CHANGED = given(message=drawn_messages, draw=st.data())
test_short_way_and_reference_agree_on_any_changed_bytes = few(
    CHANGED(short_way_and_reference_agree)
)
test_short_way_and_reference_agree_in_many_cases = pytest.mark.slow(
    many(CHANGED(short_way_and_reference_agree))
)


def test_any_changed_byte_of_the_signed_parts_is_caught(
    our_signer: Signer, verifier: Verifier
) -> None:
    data = encode(pacs008(count=1), our_signer)
    accepted = []
    for position in range(data.index(b"<AppHdr>"), data.index(b"</Envelope>")):
        changed = bytearray(data)
        changed[position] = changed[position] ^ 1
        if not isinstance(outcome(decode, bytes(changed), verifier), type):
            accepted.append(bytes(changed[position - 20 : position + 20]))

    assert accepted == []


def test_certificate_outside_the_trust_set_is_refused(
    our_signer: Signer, authority: LocalAuthority
) -> None:
    spi_only = Verifier([authority.spi_signing().certificate.read_bytes()])

    with pytest.raises(SignatureInvalid, match="not trusted"):
        decode(encode(pacs008(), our_signer), spi_only)


def test_participant_cannot_send_in_the_name_of_another(
    our_signer: Signer, verifier: Verifier
) -> None:
    with pytest.raises(SignatureInvalid, match="another participant"):
        decode(encode(pacs002(), our_signer), verifier)


def test_key_info_of_another_certificate_is_refused(
    our_signer: Signer, spi_signer: Signer, verifier: Verifier
) -> None:
    data = encode(pacs008(), our_signer)
    ours, theirs = (b"Number>%d<" % key.serial_number for key in (our_signer, spi_signer))

    with pytest.raises(SignatureInvalid):
        decode(data.replace(ours, theirs), verifier)


def test_issuer_name_may_be_spelled_with_spaces(
    our_signer: Signer, authority: LocalAuthority, verifier: Verifier
) -> None:
    spelled = our_signer.issuer_name.replace(",", ", ").encode()
    data = encode(pacs008(), our_signer).replace(our_signer.issuer_name.encode(), spelled)

    signed = sign_again(data, authority.participant(OUR_ISPB).signing)

    assert decode(signed, verifier) == pacs008()


def part(data: bytes, name: str) -> bytes:
    found = re.search(rf"<{name}>.*</{name}>".encode(), data, re.DOTALL)
    assert found is not None
    return found[0]


def other_document(data: bytes) -> bytes:
    return part(data, "Document").replace(b">10.50<", b">99999.99<")


def signature_of(data: bytes) -> bytes:
    return data[data.index(b"<ds:Signature ") : data.index(b"</Sgntr>")]


WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "second document before": lambda d: d.replace(
        b"</AppHdr>", b"</AppHdr>" + other_document(d), 1
    ),
    "second document behind": lambda d: d.replace(
        b"</Envelope>", other_document(d) + b"</Envelope>"
    ),
    "document inside document": lambda d: d.replace(
        part(d, "Document"),
        other_document(d).replace(b"<Document>", b"<Document>" + part(d, "Document"), 1),
    ),
    "second header": lambda d: d.replace(b"<AppHdr>", part(d, "AppHdr") + b"<AppHdr>", 1),
    "envelope in envelope": lambda d: d.replace(
        b"<AppHdr>", d[d.index(b"<Envelope") :] + b"<AppHdr>", 1
    ),
    "second signature beside": lambda d: d.replace(b"</Sgntr>", signature_of(d) + b"</Sgntr>"),
    "second signature in document": lambda d: d.replace(
        b"</Document>", signature_of(d) + b"</Document>"
    ),
    "second place of signature": lambda d: d.replace(
        b"</AppHdr>", b"<Sgntr>" + signature_of(d) + b"</Sgntr></AppHdr>", 1
    ),
    "signed part kept in an Object": lambda d: d.replace(
        part(d, "Document"), other_document(d)
    ).replace(
        b"</ds:Signature>", b"<ds:Object>" + part(d, "Document") + b"</ds:Object></ds:Signature>"
    ),
    "second key info": lambda d: d.replace(
        b"</ds:Signature>",
        d[d.index(b"<ds:KeyInfo") : d.index(b"</ds:Signature>")] + b"</ds:Signature>",
    ),
    "processing instruction": lambda d: d.replace(b"</AppHdr>", b"</AppHdr><?x y?>", 1),
    "attribute of the envelope": lambda d: d.replace(b"><AppHdr>", b' Id="key-info-id"><AppHdr>'),
    "text beside the parts": lambda d: d.replace(b"</Envelope>", b"paid</Envelope>"),
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_wrapped_signature_is_refused(name: str, our_signer: Signer, verifier: Verifier) -> None:
    data = encode(pacs008(count=1), our_signer)

    wrapped = WRAPPINGS[name](data)

    assert wrapped != data
    with pytest.raises(WireError):
        decode(wrapped, verifier)


PROFILE_BREAKS: dict[str, tuple[bytes, bytes]] = {
    "weak digest": (b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1"),
    "weak signature": (b"2001/04/xmldsig-more#rsa-sha256", b"2000/09/xmldsig#rsa-sha1"),
    "inclusive c14n": (EXC_C14N.encode(), b"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
    "c14n with comments": (EXC_C14N.encode(), EXC_C14N.encode() + b"WithComments"),
    "reference by id": (b'<ds:Reference URI="">', b'<ds:Reference URI="#key-info-id">'),
    "two references only": (b"<ds:Reference><ds:Transforms>.*?</ds:Reference>", b""),
    "xpath transform": (
        b"</ds:Transforms><ds:DigestMethod",
        b'<ds:Transform Algorithm="urn:xpath"/></ds:Transforms><ds:DigestMethod',
    ),
}


@pytest.mark.parametrize("name", PROFILE_BREAKS)
def test_signature_outside_the_profile_is_refused_even_when_it_verifies(
    name: str, our_signer: Signer, authority: LocalAuthority, verifier: Verifier
) -> None:
    old, new = PROFILE_BREAKS[name]
    data = encode(pacs008(count=1), our_signer)
    changed = re.sub(old if b"?" in old else re.escape(old), new, data)
    assert changed != data
    if changed.count(b"<ds:DigestValue>") == 3:
        changed = sign_again(changed, authority.participant(OUR_ISPB).signing)

    with pytest.raises(SignatureInvalid):
        decode(changed, verifier)


def test_comment_cannot_cut_a_signed_value_short(our_signer: Signer, verifier: Verifier) -> None:
    """Exclusive C14N drops comments, so the digest still fits: the value must stay whole."""
    data = encode(pacs008(count=1), our_signer)

    commented = data.replace(b"<Id>500000</Id>", b"<Id>500<!-- -->000</Id>")

    assert decode(commented, verifier) == pacs008(count=1)


def test_dict_signature_elsewhere_than_first_is_refused(
    spi_signer: Signer, verifier: Verifier
) -> None:
    data = sign_dict(b"<R><a>1</a></R>", spi_signer)
    signature = data[data.index(b"<ds:Signature ") : data.index(b"<a>")]
    moved = data.replace(signature, b"").replace(b"</R>", signature + b"</R>")

    with pytest.raises(SignatureInvalid):
        verify_dict(moved, verifier)
    assert verify_dict(data, verifier).findtext("a") == "1"


def test_dict_answer_that_was_changed_is_refused(spi_signer: Signer, verifier: Verifier) -> None:
    data = sign_dict(b"<R><a>1</a></R>", spi_signer)

    with pytest.raises(SignatureInvalid, match="digest"):
        verify_dict(data.replace(b"<a>1", b"<a>2"), verifier)


def test_dict_answer_of_another_participant_is_refused(
    our_signer: Signer, verifier: Verifier
) -> None:
    data = sign_dict(b"<R><a>1</a></R>", our_signer)

    with pytest.raises(SignatureInvalid, match="another participant"):
        verify_dict(data, verifier, ispb="00038166")
    assert etree.tostring(verify_dict(data, verifier)) == b"<R><a>1</a></R>"
    assert DS.encode() in data
