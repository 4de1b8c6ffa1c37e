"""Everything we emit follows the official schemas, the W3C's schema of the signature included."""

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree

from bacen.wire import Message, SignatureInvalid, Signer, Verifier, decode, encode, read_unsigned
from tests.bacen.wire_messages import drawn_with_schema, few, many

SCHEMAS = {
    "pacs.008": "pacs.008.spi.1.16.xsd",
    "pacs.002": "pacs.002.spi.1.17.xsd",
    "admi.002": "admi.002.spi.1.5.reconstructed.xsd",
    "pacs.004": "pacs.004.spi.1.5.reconstructed.xsd",
    "camt.052": "camt.052.spi.1.3.reconstructed.xsd",
    "camt.053": "camt.053.spi.1.4.reconstructed.xsd",
    "camt.060": "camt.060.spi.1.9.reconstructed.xsd",
    "pibr.001": "pibr.001.spi.1.3.reconstructed.xsd",
    "pibr.002": "pibr.002.spi.1.3.reconstructed.xsd",
}
SAMPLES = (
    *("pacs.008_CONTA_1_msg", "pacs.008_END_1_msg"),
    *("pacs.002_PSP_1_msg", "pacs.002_SPI_1_msg", "pacs.002_ERRO_1_msg"),
    *("constructed_admi.002", "constructed_pacs.008_SPLIT_TAX", "constructed_pacs.008_QRDN"),
    *("constructed_pacs.008_QRES", "constructed_pacs.008_INIC", "constructed_pacs.008_MED_IPRT"),
    *("constructed_pacs.008_TROCO_GSCB", "constructed_pacs.008_SAQUE_OTHR"),
    *("constructed_pacs.008_AUTO_PAGAGD", "constructed_pacs.004_FR01", "constructed_pacs.004_MD06"),
    *("constructed_camt.060_EXTRATO", "constructed_camt.060_LANCAMENTO"),
    *("constructed_camt.060_SALDO", "constructed_pibr.001", "constructed_pibr.002"),
    *("constructed_camt.052", "constructed_camt.053"),
)


@pytest.fixture(scope="module")
def schemas(reference_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return {
        kind: schema_with_signature(reference_folder / "spi" / "xsd" / name, tmp_path_factory)
        for kind, name in SCHEMAS.items()
    }


def schema_with_signature(path: Path, folders: pytest.TempPathFactory) -> etree.XMLSchema:
    """Join a message's schema with the W3C's, which comes with signxml: Sgntr is checked."""
    namespace = etree.parse(path).getroot().get("targetNamespace")
    signature = files("signxml").joinpath("schemas/xmldsig-core-schema.xsd")
    joined = folders.mktemp("schema") / "joined.xsd"
    joined.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<xs:import namespace="{namespace}" schemaLocation="{path.as_uri()}"/>'
        '<xs:import namespace="http://www.w3.org/2000/09/xmldsig#"'
        f' schemaLocation="{Path(str(signature)).as_uri()}"/></xs:schema>'
    )
    return etree.XMLSchema(etree.parse(joined))


def follows_its_schema(
    message: Message, our_signer: Signer, schemas: dict[str, etree.XMLSchema]
) -> None:
    root = etree.fromstring(encode(message, our_signer))

    schemas[root[0][3].text[:8]].assertValid(root)


test_emitted_message_follows_its_schema = few(given(message=drawn_with_schema)(follows_its_schema))
test_many_emitted_messages_follow_their_schemas = pytest.mark.slow(
    many(given(message=drawn_with_schema)(follows_its_schema))
)


def test_schema_check_catches_a_broken_message(
    our_signer: Signer, schemas: dict[str, etree.XMLSchema]
) -> None:
    from tests.bacen.wire_messages import pacs008

    data = encode(pacs008(), our_signer).replace(b"<ChrgBr>SLEV", b"<ChrgBr>DEBT")
    unsigned = encode(pacs008(), our_signer).replace(b"ds:SignedInfo", b"ds:Signed")

    assert not schemas["pacs.008"].validate(etree.fromstring(data))
    assert not schemas["pacs.008"].validate(etree.fromstring(unsigned))


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_read_and_written_again_with_the_same_content(
    name: str, reference_folder: Path, our_signer: Signer
) -> None:
    sample = (reference_folder / "spi" / "samples" / f"{name}.xml").read_bytes()

    written = encode(read_unsigned(sample), our_signer)

    assert content(written) == content(sample)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_without_signature_is_refused(
    name: str, reference_folder: Path, verifier: Verifier
) -> None:
    sample = (reference_folder / "spi" / "samples" / f"{name}.xml").read_bytes()

    with pytest.raises(SignatureInvalid):
        decode(sample, verifier)


def content(data: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """List tag, text and attributes of every element outside the signature."""
    root = etree.fromstring(data, etree.XMLParser(remove_blank_text=True))
    for place in root.iter("{*}Sgntr"):
        place.clear()
    return [
        (str(element.tag), (element.text or "").strip(), dict(element.attrib))
        for element in root.iter()
    ]
