"""Two independent libraries and we agree: what one signs the other verifies, both ways.

xmlsec is libxmlsec1, the C library. It takes the DICT profile as it is. It cannot take that of the
SPI, nor can any library: `URI=""` there is AppHdr and not the root, and the third reference has no
URI. signxml lets a subclass say what a reference means, and does all else itself.
"""

import re
from functools import cache
from typing import Any

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.signer import SignatureReference, XMLSigner

from bacen.dict import Problem, decode_problem, encode_problem
from bacen.wire import (
    InvalidMessage,
    KeyPair,
    LocalAuthority,
    Message,
    Pacs002,
    Pacs008,
    SignatureInvalid,
    Signer,
    Verifier,
    decode,
    encode,
    inspect_signature,
    sign_dict,
    sign_spi,
    verify_dict,
)
from bacen.wire.codec import LAYOUTS
from tests.bacen.drawn import drawn
from tests.bacen.test_wire_signature import SpiProfile, verify_independently
from tests.bacen.wire_messages import (
    DS,
    OUR_ISPB,
    drawn_pacs002,
    drawn_pacs008,
    indented,
    pacs002,
    pacs008,
    patient,
    prefixed,
)

EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
DOCUMENT = "document"  # stands for "no URI" until the reference is written


@pytest.fixture(scope="module")
def pair(authority: LocalAuthority) -> KeyPair:
    return authority.participant(OUR_ISPB).signing


def verified_by_xmlsec(data: bytes, certificate: bytes) -> bool:
    root = etree.fromstring(data)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(root[0])
    except xmlsec.Error:
        return False
    return True


def signed_by_xmlsec(xml: bytes, pair: KeyPair, signer: Signer) -> bytes:
    """Have libxmlsec1 fill in a template of the DICT profile."""
    transform = xmlsec.constants
    root = etree.fromstring(xml)
    template = xmlsec.template.create(
        root, transform.TransformExclC14N, transform.TransformRsaSha256, ns="ds"
    )
    root.insert(0, template)
    for uri, enveloped in (("#key-info-id", False), ("", True)):
        reference = xmlsec.template.add_reference(template, transform.TransformSha256, uri=uri)
        if enveloped:
            xmlsec.template.add_transform(reference, transform.TransformEnveloped)
        xmlsec.template.add_transform(reference, transform.TransformExclC14N)
    template.append(key_info(signer))
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec_key(pair)
    context.sign(template)
    return etree.tostring(root)


@cache
def xmlsec_key(pair: KeyPair) -> xmlsec.Key:
    return xmlsec.Key.from_memory(pair.key.read_bytes(), xmlsec.constants.KeyDataFormatPem)


@cache
def private_key(pair: KeyPair) -> RSAPrivateKey:
    key = load_pem_private_key(pair.key.read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def key_info(signer: Signer) -> etree._Element:
    return etree.fromstring(
        f'<ds:KeyInfo xmlns:ds="{DS}" Id="key-info-id"><ds:X509Data><ds:X509IssuerSerial>'
        f"<ds:X509IssuerName>{signer.issuer_name}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{signer.serial_number}</ds:X509SerialNumber>"
        "</ds:X509IssuerSerial></ds:X509Data></ds:KeyInfo>"
    )


class SpiSigner(XMLSigner):
    """signxml with the SPI's idea of what a reference means; all else is the library's."""

    def __init__(self, info: etree._Element) -> None:
        super().__init__(SignatureConstructionMethod.detached, c14n_algorithm=EXCLUSIVE)
        self.info = info

    def _unpack(self, data: Any, references: Any) -> Any:
        del references
        place = data.find("{*}AppHdr/{*}Sgntr")
        named = [SignatureReference(URI=uri) for uri in ("#key-info-id", "", DOCUMENT)]
        covered = [self.info, data.find("{*}AppHdr"), data.find("{*}Document")]
        self.place = place
        return etree.Element(f"{{{DS}}}Signature", nsmap={"ds": DS}), data, covered, named

    def _build_transforms_for_reference(self, **values: Any) -> None:
        if not values["reference"].URI:
            node, name = values["transforms_node"], f"{{{DS}}}Transform"
            etree.SubElement(node, name, Algorithm=SignatureConstructionMethod.enveloped.value)
        super()._build_transforms_for_reference(**values)

    def _build_sig(self, *arguments: Any, **values: Any) -> Any:
        info, value = super()._build_sig(*arguments, **values)
        for reference in info.findall(f"{{{DS}}}Reference[@URI='{DOCUMENT}']"):
            del reference.attrib["URI"]
        return info, value


def signed_by_signxml(data: bytes, pair: KeyPair, signer: Signer) -> bytes:
    """Have signxml sign a message anew; the signature that it brings is taken out first."""
    root = etree.fromstring(data)
    place = root.find("{*}AppHdr/{*}Sgntr")
    assert place is not None
    for child in place:
        place.remove(child)
    place.text = None
    info = key_info(signer)
    library = SpiSigner(info)
    place.append(library.sign(root, key=private_key(pair), key_info=info))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


KINDS: dict[type, st.SearchStrategy[Message]] = {
    Pacs008: drawn_pacs008,
    Pacs002: drawn_pacs002,
    **{layout.message: drawn(layout.message) for layout in LAYOUTS},
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(draw=st.data())
@settings(patient, max_examples=4)
def test_signxml_and_we_agree_on_every_kind_of_message(
    kind: type, draw: st.DataObject, our_signer: Signer, verifier: Verifier, pair: KeyPair
) -> None:
    message = draw.draw(KINDS[kind])
    ours = encode(message, our_signer)
    theirs = signed_by_signxml(ours, pair, our_signer)

    signed = verify_independently(SpiProfile(), ours, pair.certificate.read_bytes(), references=3)

    assert [part[1:8] for part in signed] == [b"ds:KeyI", b"AppHdr ", b"Documen"]
    assert decode(theirs, verifier) == message
    assert inspect_signature(theirs, verifier).valid


def test_forged_library_signature_is_refused(
    our_signer: Signer, verifier: Verifier, pair: KeyPair
) -> None:
    foreign = signed_by_signxml(encode(pacs008(1), our_signer), pair, our_signer)

    with pytest.raises(SignatureInvalid):
        decode(foreign.replace(b">10.50<", b">99.50<"), verifier)


@pytest.mark.parametrize("spelling", [bytes, indented, prefixed])
def test_independent_library_verifies_what_the_tool_signs_of_any_spelling(
    spelling: Any, our_signer: Signer, verifier: Verifier, pair: KeyPair
) -> None:
    root = etree.fromstring(spelling(encode(pacs008(2), our_signer)))
    place = root.find("{*}AppHdr/{*}Sgntr")
    assert place is not None
    place[:] = []

    signed = sign_spi(etree.tostring(root), our_signer)

    certificate = pair.certificate.read_bytes()
    assert len(verify_independently(SpiProfile(), signed, certificate, references=3)) == 3
    assert decode(signed, verifier) == pacs008(2)


def test_tool_and_platform_sign_the_same_bytes(our_signer: Signer) -> None:
    ours = encode(pacs008(2), our_signer)
    start, end = ours.index(b"<Sgntr>") + len(b"<Sgntr>"), ours.index(b"</Sgntr>")

    signed = sign_spi(ours[:start] + ours[end:], our_signer)

    assert signed == ours[ours.index(b"<Envelope") :]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("<Sgntr></Sgntr>", ""),
        lambda text: text.replace("<Sgntr></Sgntr>", "<Sgntr></Sgntr>" * 2),
        lambda text: text.replace("<Sgntr></Sgntr>", "<Sgntr>signed</Sgntr>"),
        lambda text: text.replace("<Sgntr></Sgntr>", "<Sgntr><a/></Sgntr>"),
        lambda text: text.replace("Envelope", "Letter"),
        lambda text: text.replace("aluguel", "\ue000signature\ue000"),
    ],
)
def test_tool_signs_nothing_but_an_envelope_with_an_empty_place(
    change: Any, our_signer: Signer
) -> None:
    text = re.sub("<Sgntr>.*</Sgntr>", "<Sgntr></Sgntr>", encode(pacs008(1), our_signer).decode())

    with pytest.raises(InvalidMessage):
        sign_spi(change(text).encode(), our_signer)


ELEMENT = st.builds(
    "<{0} xmlns='urn:x' {1}='{2}'><b>{3}</b><c/>\n</{0}>".format,
    st.sampled_from(["GetEntryResponse", "Claim"]),
    st.sampled_from(["a", "z"]),
    st.sampled_from(["&gt;", "1", " ", "&quot;&lt;"]),
    st.sampled_from(["João", "&amp;", "&#13;", "]]&gt;", "<!-- x -->", ""]),
)


@given(xml=ELEMENT)
@patient
def test_xmlsec_and_we_agree_on_the_dict_profile(
    xml: str, our_signer: Signer, verifier: Verifier, pair: KeyPair
) -> None:
    ours = sign_dict(xml.encode(), our_signer)
    theirs = signed_by_xmlsec(xml.encode(), pair, our_signer)

    assert verified_by_xmlsec(ours, pair.certificate.read_bytes())
    assert verify_dict(theirs, verifier).tag == verify_dict(ours, verifier).tag
    assert inspect_signature(theirs, verifier).valid


def test_xmlsec_refuses_what_we_refuse(
    our_signer: Signer, verifier: Verifier, pair: KeyPair
) -> None:
    changed = sign_dict(b"<R><a>1</a></R>", our_signer).replace(b"<a>1", b"<a>2")

    assert not verified_by_xmlsec(changed, pair.certificate.read_bytes())
    with pytest.raises(SignatureInvalid):
        verify_dict(changed, verifier)


def test_xmlsec_verifies_problem_answers_of_dict(
    spi_signer: Signer, verifier: Verifier, authority: LocalAuthority
) -> None:
    problem = Problem(type="NotFound", title="Não encontrado", status=404)
    data = encode_problem(problem, spi_signer)

    assert verified_by_xmlsec(data, authority.spi_signing().certificate.read_bytes())
    assert decode_problem(data, verifier, ispb="00038166") == problem
    with pytest.raises(SignatureInvalid):
        decode_problem(data.replace(b"404", b"410"), verifier, ispb="00038166")
    with pytest.raises(SignatureInvalid, match="another participant"):
        decode_problem(data, verifier, ispb=OUR_ISPB)


def test_message_of_the_spi_itself_is_verified_by_signxml(
    spi_signer: Signer, authority: LocalAuthority
) -> None:
    certificate = authority.spi_signing().certificate.read_bytes()

    signed = verify_independently(
        SpiProfile(), encode(pacs002(10), spi_signer), certificate, references=3
    )

    assert len(signed) == 3
