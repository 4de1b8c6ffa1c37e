"""SPI messages as bytes: typed structs, canonical XML, signatures, certificates.

`encode` and `decode` are the whole of it for a message; what `decode` returns was signed by
its sender. Rules: BCB catalogue 5.13 and the XMLDSig profile of SPI and DICT.
"""

from bacen import (
    CertificateRefused,
    InvalidMessage,
    MalformedXml,
    SignatureInvalid,
    UnknownMessage,
    WireError,
)
from bacen.wire.certificates import KeyPair, LocalAuthority, ParticipantKeys, Usage
from bacen.wire.codec import check_signature, decode, encode, peek_message_id, read_unsigned
from bacen.wire.enveloped import sign_dict, verify_dict
from bacen.wire.fields import cents_to_text, text_to_cents
from bacen.wire.identifiers import SPI_ISPB, is_end_to_end_id, make_end_to_end_id, message_id
from bacen.wire.keys import Signer, Verifier
from bacen.wire.messages import (
    STATUS_REASONS,
    AccountId,
    Admi002,
    CashOut,
    CashPart,
    CreditTransfer,
    Message,
    Pacs002,
    Pacs008,
    StatusReport,
    Tax,
    TaxRecord,
)
from bacen.wire.reference import MESSAGE_BYTES_MAX, parse_xml
from bacen.wire.requests import (
    RETURN_REASONS,
    Camt060,
    Pacs004,
    PaymentReturn,
    Pibr001,
    Pibr002,
    ReportPeriod,
)
from bacen.wire.tls import client_context, peer_ispb, server_context

__all__ = [
    "MESSAGE_BYTES_MAX",
    "RETURN_REASONS",
    "SPI_ISPB",
    "STATUS_REASONS",
    "AccountId",
    "Admi002",
    "Camt060",
    "CashOut",
    "CashPart",
    "CertificateRefused",
    "CreditTransfer",
    "InvalidMessage",
    "KeyPair",
    "LocalAuthority",
    "MalformedXml",
    "Message",
    "Pacs002",
    "Pacs004",
    "Pacs008",
    "ParticipantKeys",
    "PaymentReturn",
    "Pibr001",
    "Pibr002",
    "ReportPeriod",
    "SignatureInvalid",
    "Signer",
    "StatusReport",
    "Tax",
    "TaxRecord",
    "UnknownMessage",
    "Usage",
    "Verifier",
    "WireError",
    "cents_to_text",
    "check_signature",
    "client_context",
    "decode",
    "encode",
    "is_end_to_end_id",
    "make_end_to_end_id",
    "message_id",
    "parse_xml",
    "peek_message_id",
    "peer_ispb",
    "read_unsigned",
    "server_context",
    "sign_dict",
    "text_to_cents",
    "verify_dict",
]
