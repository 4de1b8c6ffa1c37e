"""Who signs: keys out of files or tokens, their rotation, and the threads that sign.

`sign` has a pool of `signer_pool` sign messages, documents of DICT, and payloads of QR codes.
How signatures are written and verified is `bacen.wire` for XML and here for JSON (RFC 7515).
"""

from bacen import SigningUnavailable
from bacen.jws import Jws, JwsHeader, JwsKeys, TrustedKey, peek_jws, sign_jws, write_jwks
from bacen.signing.key_files import KeyFiles
from bacen.signing.key_ring import KeyRing, KeySource
from bacen.signing.pool import (
    DictDocument,
    JwsPayload,
    Signable,
    Signed,
    sign,
    signer_pool,
)
from bacen.signing.token_keys import TokenKeys

__all__ = [
    "DictDocument",
    "Jws",
    "JwsHeader",
    "JwsKeys",
    "JwsPayload",
    "KeyFiles",
    "KeyRing",
    "KeySource",
    "Signable",
    "Signed",
    "SigningUnavailable",
    "TokenKeys",
    "TrustedKey",
    "peek_jws",
    "sign",
    "sign_jws",
    "signer_pool",
    "write_jwks",
]
