"""Bytes to messages and back: `encode` and `decode`.

A message of ours is written in canonical form, so a digest is a hash over a slice of its bytes
with the namespace spliced into the start tag. A message that was written the same way is read
by one pattern and the same slices; every other spelling (indented, prefixed, standalone tags)
goes through `bacen.wire.reference`, which canonicalises with lxml. The short way only ever says
yes; on any doubt it leaves the answer to the reference.
"""

import hmac
import re
from collections.abc import Callable
from typing import Any

from bacen import InvalidMessage, MalformedXml, SignatureInvalid, UnknownMessage
from bacen.wire import (
    automatic,
    book_transfers,
    notices,
    pacs002,
    pacs008,
    participants,
    requests,
    statements,
)
from bacen.wire.fields import unescape
from bacen.wire.header import HEADER, Header, created_text, header_of, read_header, write_header
from bacen.wire.keys import Signer, Verifier
from bacen.wire.layout import Layout
from bacen.wire.messages import Pacs002, Pacs008
from bacen.wire.part import Message
from bacen.wire.profile import (
    SPI_SIGNED_INFO,
    digest,
    key_info_digest,
    signature_pattern,
    signature_text,
    signed_info_bytes,
)
from bacen.wire.reference import MESSAGE_BYTES_MAX, Parts, read_parts, verify_parts

_PROLOG = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
_HEAD_END = b"</AppHdr><Document>"
_TAIL = b"</Document></Envelope>"
_HEAD = re.compile(
    r'(?:<\?xml version="1\.0" encoding="UTF-8"(?: standalone="(?:no|yes)")?\?>\n?)?'
    r'<Envelope xmlns="(https://www\.bcb\.gov\.br/pi/[a-z0-9./]{1,64})">'
    f"<AppHdr>({HEADER})<Sgntr>{signature_pattern(SPI_SIGNED_INFO)}</Sgntr></AppHdr>"
)
_QUOTED_ID = re.compile(rb"BizMsgIdr>\s{0,9}(M[0-9A-Z]{8}[a-zA-Z0-9]{23})\s{0,9}<")

LAYOUTS: tuple[Layout, ...] = (
    *requests.LAYOUTS,
    *statements.LAYOUTS,
    *notices.LAYOUTS,
    *participants.LAYOUTS,
    *book_transfers.LAYOUTS,
    *automatic.LAYOUTS,
)
# Namespace, MsgDefIdr, and the writer of the Document of each kind.
_WRITERS: dict[type[Message], tuple[str, str, Callable[[Any, str], str]]] = {
    Pacs008: (pacs008.NAMESPACE, pacs008.DEFINITION, pacs008.write),
    Pacs002: (pacs002.NAMESPACE, pacs002.DEFINITION, pacs002.write),
    **{each.message: (each.namespace, each.definition, each.write) for each in LAYOUTS},
}
_READERS: dict[str, tuple[str, Callable[[Header, str], Message]]] = {
    pacs008.NAMESPACE: (pacs008.DEFINITION, pacs008.read),
    pacs002.NAMESPACE: (pacs002.DEFINITION, pacs002.read),
    **{each.namespace: (each.definition, each.read) for each in LAYOUTS},
}


def encode(message: Message, signer: Signer) -> bytes:
    """Write and sign a message; the result follows its schema (BCB catalogue 5.13).

    Deterministic: the same message and signer give the same bytes. Signing costs about 0.3 ms.

    Args:
        message: What to say; its fields were checked when it was built.
        signer: Key of the sender's own certificate.

    Returns:
        UTF-8 in canonical form, to be sent and stored unchanged.
    """
    created = created_text(message)
    namespace, definition, write = _WRITERS[type(message)]
    document = write(message, created)
    header = write_header(message, definition, created)
    header_digest, document_digest = _digests(namespace, header, document.encode())
    info = SPI_SIGNED_INFO
    signed_info = (
        f"{info[0]}{signer.key_info_digest}{info[1]}{header_digest}"
        f"{info[2]}{document_digest}{info[3]}"
    )
    signature = signature_text(signed_info, signer.sign(signed_info), signer.key_info)
    return (
        f'{_PROLOG}<Envelope xmlns="{namespace}"><AppHdr>{header}'
        f"<Sgntr>{signature}</Sgntr></AppHdr>{document}</Envelope>"
    ).encode()


def decode(data: bytes, verifier: Verifier) -> Message:
    """Verify and read a message; what is returned is what was signed.

    All three references, the RSA signature, the certificate (by issuer and serial number, from
    the trust set) and the sender (the ISPB that the certificate names, where it names one) are
    checked before anything is believed. Costs about 0.1 ms; no network, no entities, no DTD.

    Args:
        data: The bytes as they came, at most `MESSAGE_BYTES_MAX`.
        verifier: Whose signatures count.

    Raises:
        MalformedXml: Not XML that we read, or too large.
        SignatureInvalid: Not signed by the named sender, or not in the profile's form.
        UnknownMessage: Signed, but a kind or version that is not spoken here.
        InvalidMessage: Signed, but it breaks its schema.
    """
    if len(data) > MESSAGE_BYTES_MAX:
        raise MalformedXml(f"more than {MESSAGE_BYTES_MAX} bytes")
    message = _decode_canonical(data, verifier)
    return message if message is not None else decode_reference(data, verifier)


def decode_reference(data: bytes, verifier: Verifier) -> Message:
    """Do as `decode`, always by lxml's canonicalisation: slower, for any spelling."""
    return _read(verify_parts(data, verifier))


def check_signature(data: bytes, verifier: Verifier) -> None:
    """Verify an SPI message of any kind, spoken here or not, and believe nothing of it.

    Raises:
        MalformedXml: Not XML that we read, or too large.
        SignatureInvalid: Not signed by the named sender, or not in the profile's form.
        InvalidMessage: Signed, but not in a form that we read.
    """
    verify_parts(data, verifier)


def read_unsigned(data: bytes) -> Message:
    """Read a message and verify nothing: for samples and tools, never for traffic.

    Raises:
        MalformedXml: Not XML that we read.
        UnknownMessage: Not spoken here.
        InvalidMessage: It breaks its schema.
    """
    return _read(read_parts(data))


def definition_of(message: type[Message]) -> str:
    """MsgDefIdr that messages of a kind are written with, such as `pacs.008.spi.1.16`."""
    return _WRITERS[message][1]


def peek_message_id(data: bytes) -> str | None:
    """Find what looks like BizMsgIdr in bytes that need not be XML, to quote it in admi.002.

    Nothing is verified: never decide by it.
    """
    found = _QUOTED_ID.search(data[:MESSAGE_BYTES_MAX])
    return None if found is None else found[1].decode("ascii")


def _digests(namespace: str, header: str, document: bytes) -> tuple[str, str]:
    """Digests of AppHdr (its signature taken out) and Document, given without namespace."""
    head = f'<AppHdr xmlns="{namespace}">{header}<Sgntr></Sgntr></AppHdr>'
    start = f'<Document xmlns="{namespace}">'.encode()
    return digest(head.encode()), digest(start + document[len(b"<Document>") :])


def _decode_canonical(data: bytes, verifier: Verifier) -> Message | None:
    """Read a message written as `encode` does; None where the reference has to decide."""
    split = data.find(_HEAD_END)
    if split < 0 or not data.endswith(_TAIL):
        return None
    split += len(b"</AppHdr>")
    document = data[split : -len(b"</Envelope>")]
    try:
        head = _HEAD.fullmatch(data[:split].decode())
        if head is None:
            return None
        return _verify_canonical(head, document, verifier)
    except (UnicodeDecodeError, InvalidMessage, SignatureInvalid):
        return None


def _verify_canonical(head: re.Match[str], document: bytes, verifier: Verifier) -> Message | None:
    (
        namespace, header, sender, receiver, message_id, definition, created,
        signed_info, key_signed, header_signed, document_signed, value,
        key_info, issuer, serial,
    ) = head.groups()  # fmt: skip
    codec = _READERS.get(namespace)
    if codec is None or codec[0] != definition:
        return None
    made = key_info_digest(key_info), *_digests(namespace, header, document)
    if not hmac.compare_digest("".join(made), key_signed + header_signed + document_signed):
        return None
    trusted = verifier.find(unescape(issuer, "X509IssuerName"), serial)
    if trusted.ispb not in (None, sender):
        return None
    if not trusted.verify(signed_info_bytes(signed_info), value):
        return None
    fields = header_of(sender, receiver, message_id, definition, created)
    return codec[1](fields, document.decode())


def _read(parts: Parts) -> Message:
    """Read the typed message out of the canonical text of its two parts."""
    codec = _READERS.get(parts.namespace)
    if codec is None:
        raise UnknownMessage(parts.namespace[:100])
    header = read_header(parts.header)
    if header.definition != codec[0]:
        raise UnknownMessage(header.definition)
    return codec[1](header, parts.document)
