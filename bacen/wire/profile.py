"""The XMLDSig profile of the BCB as canonical text: one way to write it, so one way to read it.

SPI: `AppHdr/Sgntr/ds:Signature` with three references: KeyInfo by its id, the AppHdr element
(URI="", enveloped-signature), the Document element (no URI). DICT: first child of the root with
two references: KeyInfo and the root. Exclusive C14N without comments, RSA-SHA256, SHA-256.
"""

import binascii
import hashlib
import re

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
KEY_INFO_ID = "key-info-id"

BASE64 = "([A-Za-z0-9+/]+={0,2})"
DIGEST = "([A-Za-z0-9+/]{43}=)"

_METHODS = (
    f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"></ds:CanonicalizationMethod>'
    f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"></ds:SignatureMethod>'
)
_C14N_TRANSFORM = f'<ds:Transform Algorithm="{EXCLUSIVE_C14N}"></ds:Transform>'
_ENVELOPED_TRANSFORM = f'<ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'


def _reference(uri: str, transforms: str) -> tuple[str, str]:
    start = (
        f"<ds:Reference{uri}><ds:Transforms>{transforms}</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>'
    )
    return start, "</ds:DigestValue></ds:Reference>"


_KEY_INFO_REFERENCE = _reference(f' URI="#{KEY_INFO_ID}"', _C14N_TRANSFORM)
_ENVELOPED_REFERENCE = _reference(' URI=""', _ENVELOPED_TRANSFORM + _C14N_TRANSFORM)
_DOCUMENT_REFERENCE = _reference("", _C14N_TRANSFORM)

# Content of SignedInfo, split where the digests stand.
SPI_SIGNED_INFO = (
    _METHODS + _KEY_INFO_REFERENCE[0],
    _KEY_INFO_REFERENCE[1] + _ENVELOPED_REFERENCE[0],
    _ENVELOPED_REFERENCE[1] + _DOCUMENT_REFERENCE[0],
    _DOCUMENT_REFERENCE[1],
)
DICT_SIGNED_INFO = (
    _METHODS + _KEY_INFO_REFERENCE[0],
    _KEY_INFO_REFERENCE[1] + _ENVELOPED_REFERENCE[0],
    _ENVELOPED_REFERENCE[1],
)

_DS_START = f' xmlns:ds="{DS}"'
SIGNED_INFO_START = f"<ds:SignedInfo{_DS_START}>"  # as canonicalised alone
KEY_INFO_START = f'<ds:KeyInfo{_DS_START} Id="{KEY_INFO_ID}">'

# Where the pieces stand inside a message; the namespace is declared on Signature only.
_SIGNATURE_START = f"<ds:Signature{_DS_START}><ds:SignedInfo>"
_SIGNATURE_VALUE = "</ds:SignedInfo><ds:SignatureValue>"
_KEY_INFO = f'</ds:SignatureValue><ds:KeyInfo Id="{KEY_INFO_ID}">'
_SIGNATURE_END = "</ds:KeyInfo></ds:Signature>"


def signature_text(signed_info: str, value: str, key_info: str) -> str:
    """Write the Signature element out of the contents of its three parts."""
    return (
        f"{_SIGNATURE_START}{signed_info}{_SIGNATURE_VALUE}{value}"
        f"{_KEY_INFO}{key_info}{_SIGNATURE_END}"
    )


def signature_pattern(signed_info: tuple[str, ...]) -> str:
    """Pattern of a Signature element written as `signature_text` does.

    Groups: content of SignedInfo, each digest, SignatureValue, content of KeyInfo,
    issuer name, serial number.
    """
    info = DIGEST.join(map(re.escape, signed_info))
    issuer = f"{re.escape(_ISSUER[0])}([^<>\r]{{1,1000}}){re.escape(_ISSUER[1])}([0-9]{{1,60}})"
    return (
        f"{re.escape(_SIGNATURE_START)}({info}){re.escape(_SIGNATURE_VALUE)}{BASE64}"
        f"{re.escape(_KEY_INFO)}({issuer}{re.escape(_ISSUER[2])}){re.escape(_SIGNATURE_END)}"
    )


_ISSUER = (
    "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>",
    "</ds:X509IssuerName><ds:X509SerialNumber>",
    "</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>",
)


def key_info_text(issuer: str, serial: int) -> str:
    """Write the content of KeyInfo; the issuer's name is escaped already."""
    return f"{_ISSUER[0]}{issuer}{_ISSUER[1]}{serial}{_ISSUER[2]}"


def key_info_digest(key_info: str) -> str:
    """Digest of KeyInfo as canonicalised alone."""
    return digest(f"{KEY_INFO_START}{key_info}</ds:KeyInfo>".encode())


def signed_info_bytes(signed_info: str) -> bytes:
    """SignedInfo as canonicalised alone: the bytes that RSA signs."""
    return f"{SIGNED_INFO_START}{signed_info}</ds:SignedInfo>".encode()


def digest(data: bytes) -> str:
    """SHA-256 in Base64, as DigestValue holds it."""
    return binascii.b2a_base64(hashlib.sha256(data).digest(), newline=False).decode("ascii")
