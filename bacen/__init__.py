"""The wire to the Banco Central do Brasil, from the participant's side.

The faces are the packages: `bacen.wire` (SPI messages, signatures, certificates),
`bacen.icom` (transport), `bacen.dict` (key directory), `bacen.brcode` (QR codes),
`bacen.identifiers` (ids of Pix), `bacen.codes` (what its codes mean), `bacen.simulator` (the bank
in a box).
The errors of all of them are here; their tree is drawn in `bacen/errors.py`.
"""

from bacen.broken_rule import BrokenRule
from bacen.errors import (
    BacenError,
    CertificateRefused,
    DictError,
    DictRefused,
    DictUnavailable,
    EntryNotFound,
    ExchangeFailed,
    IcomError,
    IcomRefused,
    IcomUnknown,
    InvalidBrCode,
    InvalidKey,
    InvalidMessage,
    MalformedXml,
    MultipartInvalid,
    SignatureInvalid,
    UnknownMessage,
    WireError,
)

__all__ = [
    "BacenError",
    "BrokenRule",
    "CertificateRefused",
    "DictError",
    "DictRefused",
    "DictUnavailable",
    "EntryNotFound",
    "ExchangeFailed",
    "IcomError",
    "IcomRefused",
    "IcomUnknown",
    "InvalidBrCode",
    "InvalidKey",
    "InvalidMessage",
    "MalformedXml",
    "MultipartInvalid",
    "SignatureInvalid",
    "UnknownMessage",
    "WireError",
]
