"""Signatures on XML as it stands, whatever it says.

DICT: the signature is the first child of the root and covers all of it. SPI: `sign_spi` signs
messages of any kind, for tools; the platform's own are written and signed at once by `encode`.
"""

import re

from lxml import etree

from bacen import InvalidMessage, SignatureInvalid
from bacen.wire.keys import Signer, Verifier
from bacen.wire.profile import DICT_SIGNED_INFO, SPI_SIGNED_INFO, digest, signature_text
from bacen.wire.reference import canonical, parse_xml, unsigned_parts, verify_root

# Start tag in canonical form; an attribute value may hold ">" there.
_START_TAG = re.compile(rb'<[^\s<>/="]+(?: [^\s<>/="]+="[^"<]*")*>')

_PLACE = "\ue000signature\ue000"  # stands in Sgntr while the message is written: nobody's text


def sign_dict(xml: bytes, signer: Signer) -> bytes:
    """Sign XML in the DICT profile (DICT API 2.12.1): Signature becomes the root's first child.

    Args:
        xml: A root element that is not signed yet, in UTF-8.
        signer: Whose key signs.

    Returns:
        Canonical UTF-8, to be sent unchanged.

    Raises:
        MalformedXml: Not XML that we read.
    """
    octets = canonical(parse_xml(xml))
    start = _START_TAG.match(octets)
    assert start is not None  # canonical form begins with the root's start tag
    info = DICT_SIGNED_INFO
    signed_info = f"{info[0]}{signer.key_info_digest}{info[1]}{digest(octets)}{info[2]}"
    signature = signature_text(signed_info, signer.sign(signed_info), signer.key_info)
    return octets[: start.end()] + signature.encode() + octets[start.end() :]


def sign_spi(xml: bytes, signer: Signer) -> bytes:
    """Sign an SPI message of any kind or version in the SPI profile (BCB, three references).

    Args:
        xml: `Envelope(AppHdr, Document)` in UTF-8 with an empty `AppHdr/Sgntr`; its schema is not
            looked at.
        signer: Whose key signs.

    Returns:
        Canonical UTF-8, to be sent unchanged.

    Raises:
        MalformedXml: Not XML that we read.
        InvalidMessage: Not of that form, or signed already.
        SigningUnavailable: The key cannot be used now.
    """
    header, document, place = unsigned_parts(xml)
    info = SPI_SIGNED_INFO
    signed_info = (
        f"{info[0]}{signer.key_info_digest}{info[1]}{digest(canonical(header))}"
        f"{info[2]}{digest(canonical(document))}{info[3]}"
    )
    signature = signature_text(signed_info, signer.sign(signed_info), signer.key_info).encode()
    place.text = _PLACE
    octets = canonical(header.getroottree().getroot())
    if octets.count(_PLACE.encode()) != 1:
        raise InvalidMessage("AppHdr/Sgntr", "its place cannot be told from the text")
    return octets.replace(_PLACE.encode(), signature)


def verify_dict(data: bytes, verifier: Verifier, *, ispb: str | None = None) -> etree._Element:
    """Verify XML of the DICT profile and return what was signed, parsed, without the signature.

    Args:
        data: The bytes as they came.
        verifier: Whose signatures count.
        ispb: Whose certificate it must be, where the certificate names an ISPB.

    Raises:
        MalformedXml: Not XML that we read, or too large.
        SignatureInvalid: Not signed by somebody trusted, or not in the profile's form.
    """
    root = verify_root(data, verifier, ispb)
    if not isinstance(root.tag, str):
        raise SignatureInvalid("the root must be an element")
    return root
