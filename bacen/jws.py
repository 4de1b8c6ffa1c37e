"""JSON Web Signatures (RFC 7515, compact) of the payloads behind dynamic QR codes.

The header holds `alg`, `kid`, `jku` and the thumbprints of the certificate. Who verifies chooses
the key by `kid` among those it trusts, and the key says which algorithms it may be used with: a
header never brings its own key, and there is no `none`. Fetching `jku` is not done here: whether an
address may be asked is for the caller to decide, before anything in the header is believed.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bacen import CertificateRefused, SignatureInvalid
from bacen.wire import Signer

ALGORITHM = "RS256"  # what we sign with
JWS_BYTES_MAX = 1 << 18
JWKS_BYTES_MAX = 1 << 18
KEYS_MAX = 100
RSA_BITS_MIN = 2048
RSA_BITS_MAX = 8192  # a stranger's key must not cost seconds

_BASE64URL = re.compile(rb"[A-Za-z0-9_-]+")
_FORBIDDEN = ("crit", "b64")  # extensions that must be understood; we understand none
_RSA_ALGORITHMS = frozenset({"RS256", "PS256"})
_EC_ALGORITHMS = frozenset({"ES256"})

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class JwsHeader:
    """What the header of a signature says of its key.

    Attributes:
        alg: Algorithm.
        kid: Name of the key.
        jku: Address of the key set.
        x5t: SHA-1 thumbprint of the certificate, as `x5t_s256` of SHA-256; base64url.
    """

    alg: str
    kid: str
    jku: str | None = None
    x5t: str | None = None
    x5t_s256: str | None = None


@dataclass(frozen=True, slots=True)
class Jws:
    """A signature that was verified, and what it covers."""

    header: JwsHeader
    payload: bytes


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key of a key set.

    Attributes:
        key: RSA of 2048 bits or more, or EC on P-256.
        algorithms: What it may be used with.
        x5t: Thumbprint of its certificate, where the set names one; as `x5t_s256`.
    """

    key: PublicKey
    algorithms: frozenset[str]
    x5t: str | None = None
    x5t_s256: str | None = None


def sign_jws(payload: bytes, signer: Signer, *, jku: str) -> str:
    """Sign a payload; `kid` is the SHA-256 thumbprint of the signer's certificate.

    Args:
        payload: What is signed, as it is served.
        signer: Whose key signs (RS256).
        jku: Address at which `write_jwks` of the signer is served.

    Raises:
        SigningUnavailable: The key cannot be used now.
    """
    x5t, x5t_s256 = _thumbprints(signer.certificate)
    header = {
        "alg": ALGORITHM, "kid": x5t_s256, "jku": jku, "x5t": x5t, "x5t#S256": x5t_s256
    }  # fmt: skip
    signed = f"{_encode(_compact(header))}.{_encode(payload)}"
    return f"{signed}.{_encode(signer.sign_bytes(signed.encode()))}"


def write_jwks(signers: Iterable[Signer]) -> bytes:
    """Write the key set that `jku` leads to: the public keys of all who sign, or did lately."""
    return _compact({"keys": [_jwk(signer) for signer in signers]})


def peek_jws(token: str) -> JwsHeader:
    """Read the header of a signature and believe nothing: to learn where its keys are.

    Raises:
        SignatureInvalid: No JWS of a form that is read here.
    """
    return _read_header(_parts(token)[0])


class JwsKeys:
    """A set of trusted keys, by `kid`.

    Args:
        keys: The keys, each under its name.
    """

    def __init__(self, keys: Mapping[str, TrustedKey]) -> None:
        self._keys = dict(keys)

    @classmethod
    def from_jwks(cls, data: bytes) -> "JwsKeys":
        """Read a key set (RFC 7517). Keys of other kinds, uses or sizes are left out.

        Raises:
            CertificateRefused: No key set, more than `KEYS_MAX` keys, or two keys of one name.
        """
        listed = _read_jwks(data)
        keys: dict[str, TrustedKey] = {}
        for jwk in listed:
            kid, key = jwk.get("kid"), _trusted(jwk)
            if key is None or not isinstance(kid, str):
                continue
            if kid in keys:
                raise CertificateRefused("two keys of the key set have the same name")
            keys[kid] = key
        return cls(keys)

    @classmethod
    def from_signers(cls, signers: Iterable[Signer]) -> "JwsKeys":
        """Trust keys of our own, as `write_jwks` names them."""
        return cls.from_jwks(write_jwks(signers))

    def __len__(self) -> int:
        return len(self._keys)

    def verify(self, token: str) -> Jws:
        """Verify a signature and give what it covers.

        Raises:
            SignatureInvalid: Not in form, an algorithm or key that is not allowed, or not signed
                by the key.
        """
        head, payload, signature = _parts(token)
        header = _read_header(head)
        trusted = self._keys.get(header.kid)
        if trusted is None:
            raise SignatureInvalid("the key is not trusted")
        if header.alg not in trusted.algorithms:
            raise SignatureInvalid("the algorithm is not allowed for the key")
        for said, known in ((header.x5t, trusted.x5t), (header.x5t_s256, trusted.x5t_s256)):
            if said is not None and known is not None and not _same(said, known):
                raise SignatureInvalid("the thumbprint is of another certificate")
        if not _holds(trusted.key, header.alg, f"{head}.{payload}".encode(), _decode(signature)):
            raise SignatureInvalid("the signature does not verify")
        return Jws(header, _decode(payload))


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def _parts(token: str) -> tuple[str, str, str]:
    if len(token) > JWS_BYTES_MAX:
        raise SignatureInvalid(f"more than {JWS_BYTES_MAX} bytes")
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        raise SignatureInvalid("a JWS has three parts of base64url")
    return parts[0], parts[1], parts[2]


def _read_header(text: str) -> JwsHeader:
    try:
        read = json.loads(_decode(text).decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise SignatureInvalid("the header is no JSON object") from None
    if not isinstance(read, dict) or any(name in read for name in _FORBIDDEN):
        raise SignatureInvalid("the header asks for what is not understood")
    names = ("alg", "kid", "jku", "x5t", "x5t#S256")
    alg, kid, *optional = (read.get(name) for name in names)
    if not isinstance(alg, str) or not isinstance(kid, str):
        raise SignatureInvalid("the header must name algorithm and key")
    if alg not in _RSA_ALGORITHMS | _EC_ALGORITHMS:
        raise SignatureInvalid("the algorithm is not allowed")
    if not all(each is None or isinstance(each, str) for each in optional):
        raise SignatureInvalid("jku and thumbprints must be text")
    return JwsHeader(alg, kid, *optional)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _holds(key: PublicKey, alg: str, signed: bytes, signature: bytes) -> bool:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_der(signature), signed, ec.ECDSA(SHA256()))
        elif alg == "PS256":
            salted = padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size)
            key.verify(signature, signed, salted, SHA256())
        else:
            key.verify(signature, signed, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _der(signature: bytes) -> bytes:
    """Turn the two numbers side by side into the form that the library takes."""
    if len(signature) != 64:
        raise ValueError("ES256 signatures have 64 bytes")
    return encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))


def _read_jwks(data: bytes) -> list[dict[str, Any]]:
    if len(data) > JWKS_BYTES_MAX:
        raise CertificateRefused(f"the key set has more than {JWKS_BYTES_MAX} bytes")
    try:
        read = json.loads(data.decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise CertificateRefused("the key set is no JSON") from None
    listed = read.get("keys") if isinstance(read, dict) else None
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        raise CertificateRefused(f"a key set has a list of at most {KEYS_MAX} keys")
    return [jwk for jwk in listed if isinstance(jwk, dict)]


def _trusted(jwk: Mapping[str, Any]) -> TrustedKey | None:
    """Read one key; None where we would never verify with it."""
    if jwk.get("use", "sig") != "sig":
        return None
    try:
        key = _public_key(jwk)
        x5t, x5t_s256 = _named_thumbprints(jwk, key)
    except (KeyError, TypeError, ValueError, UnsupportedAlgorithm, SignatureInvalid):
        return None
    if key is None:
        return None
    usable = _RSA_ALGORITHMS if isinstance(key, rsa.RSAPublicKey) else _EC_ALGORITHMS
    alg = jwk.get("alg")
    algorithms = usable if alg is None else usable & {str(alg)}
    return TrustedKey(key, algorithms, x5t, x5t_s256) if algorithms else None


def _public_key(jwk: Mapping[str, Any]) -> PublicKey | None:
    if jwk["kty"] == "RSA":
        exponent, modulus = _number(jwk["e"]), _number(jwk["n"])
        if not RSA_BITS_MIN <= modulus.bit_length() <= RSA_BITS_MAX:
            return None
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    if jwk["kty"] == "EC" and jwk["crv"] == "P-256":
        x, y = _number(jwk["x"]), _number(jwk["y"])
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    return None


def _named_thumbprints(
    jwk: Mapping[str, Any], key: PublicKey | None
) -> tuple[str | None, str | None]:
    """Thumbprints of the key's certificate: of the certificate itself where the set brings it."""
    chain = jwk.get("x5c")
    if chain:
        certificate = x509.load_der_x509_certificate(base64.b64decode(chain[0]))
        if certificate.public_key() != key:
            raise ValueError("the certificate is of another key")
        return _thumbprints(certificate)
    x5t, x5t_s256 = jwk.get("x5t"), jwk.get("x5t#S256")
    return (None if x5t is None else str(x5t), None if x5t_s256 is None else str(x5t_s256))


def _jwk(signer: Signer) -> dict[str, object]:
    numbers = signer.certificate.public_key()
    assert isinstance(numbers, rsa.RSAPublicKey)  # the signer took it
    public = numbers.public_numbers()
    der = signer.certificate.public_bytes(Encoding.DER)
    x5t, x5t_s256 = _thumbprints(signer.certificate)
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": ALGORITHM,
        "kid": x5t_s256,
        "n": _encode(public.n.to_bytes((public.n.bit_length() + 7) // 8)),
        "e": _encode(public.e.to_bytes((public.e.bit_length() + 7) // 8)),
        "x5c": [base64.b64encode(der).decode()],
        "x5t": x5t,
        "x5t#S256": x5t_s256,
    }


def _thumbprints(certificate: x509.Certificate) -> tuple[str, str]:
    der = certificate.public_bytes(Encoding.DER)
    short = hashlib.sha1(der, usedforsecurity=False).digest()  # a name, not a proof
    return _encode(short), _encode(hashlib.sha256(der).digest())


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _number(text: object) -> int:
    if not isinstance(text, str):
        raise TypeError("numbers are base64url")
    return int.from_bytes(_decode(text))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Read base64url without padding, in the one spelling that encoding gives."""
    data = text.encode()
    if data and _BASE64URL.fullmatch(data) is None:
        raise SignatureInvalid("not base64url")
    try:
        read = base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        raise SignatureInvalid("not base64url") from None
    if _encode(read) != text:
        raise SignatureInvalid("not base64url")
    return read
