"""Signatures of QR payloads: an independent library agrees, and forgers fail."""

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from bacen import CertificateRefused, SignatureInvalid
from bacen.jws import KEYS_MAX, JwsKeys, peek_jws, sign_jws, write_jwks
from bacen.wire import KeyPair, LocalAuthority, Signer, load_private_key

JKU = "https://pix.example.com/.well-known/jwks"
PAYLOAD = b'{"txid":"a1","valor":{"original":"10.50"}}'


@pytest.fixture(scope="module")
def pair(authority: LocalAuthority) -> KeyPair:
    return authority.participant("12345678").signing


@pytest.fixture(scope="module")
def key(pair: KeyPair) -> Any:
    return load_private_key(pair.key.read_bytes())._key


@pytest.fixture(scope="module")
def keys(our_signer: Signer) -> JwsKeys:
    return JwsKeys.from_jwks(write_jwks([our_signer]))


@pytest.fixture(scope="module")
def token(our_signer: Signer) -> str:
    return sign_jws(PAYLOAD, our_signer, jku=JKU)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(token: str, **changes: object) -> str:
    """Change the header; what becomes None goes away."""
    head, rest = token.split(".", 1)
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    header = {name: each for name, each in {**header, **changes}.items() if each is not None}
    return f"{encoded(json.dumps(header).encode())}.{rest}"


def jwks_of(public: Any, **more: object) -> bytes:
    read = json.loads(jwt.algorithms.get_default_algorithms()[str(more["alg"])].to_jwk(public))
    return json.dumps({"keys": [{**read, "use": "sig", "kid": "other", **more}]}).encode()


def test_what_is_verified_is_what_was_signed(token: str, keys: JwsKeys) -> None:
    found = keys.verify(token)

    assert found.payload == PAYLOAD
    assert (found.header.alg, found.header.jku) == ("RS256", JKU)
    assert found.header.kid == found.header.x5t_s256
    assert peek_jws(token) == found.header


def test_independent_library_verifies_what_we_sign_by_the_published_keys(
    token: str, our_signer: Signer
) -> None:
    published = jwt.PyJWKSet.from_json(write_jwks([our_signer]).decode())
    key = published[peek_jws(token).kid]

    read = jwt.PyJWS().decode_complete(token, key.key, algorithms=["RS256"])

    assert read["payload"] == PAYLOAD
    thumbprint = our_signer.certificate.fingerprint
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    assert read["header"]["x5t"] == encoded(thumbprint(SHA1()))  # noqa: S303 - a name
    assert read["header"]["x5t#S256"] == encoded(thumbprint(SHA256()))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_what_an_independent_library_signs_is_verified(
    algorithm: str, key: rsa.RSAPrivateKey
) -> None:
    keys = JwsKeys.from_jwks(jwks_of(key.public_key(), alg=algorithm))
    foreign = jwt.PyJWS().encode(PAYLOAD, key, algorithm, headers={"kid": "other", "jku": JKU})

    assert keys.verify(foreign).payload == PAYLOAD


def test_elliptic_key_verifies_es256_and_nothing_else(key: rsa.RSAPrivateKey) -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    keys = JwsKeys.from_jwks(jwks_of(own.public_key(), alg="ES256"))
    good = jwt.PyJWS().encode(PAYLOAD, own, "ES256", headers={"kid": "other"})
    other = jwt.PyJWS().encode(PAYLOAD, key, "RS256", headers={"kid": "other"})

    assert keys.verify(good).payload == PAYLOAD
    with pytest.raises(SignatureInvalid, match="not allowed for the key"):
        keys.verify(other)
    with pytest.raises(SignatureInvalid, match="does not verify"):
        keys.verify(good[:-12] + "AAAAAAAAAAAA")
    with pytest.raises(SignatureInvalid, match="does not verify"):
        keys.verify(good.rpartition(".")[0] + ".AAAA")


def test_key_may_be_used_with_the_algorithm_it_names_only(key: rsa.RSAPrivateKey) -> None:
    keys = JwsKeys.from_jwks(jwks_of(key.public_key(), alg="PS256"))
    weaker = jwt.PyJWS().encode(PAYLOAD, key, "RS256", headers={"kid": "other"})

    with pytest.raises(SignatureInvalid, match="not allowed for the key"):
        keys.verify(weaker)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "RS512", "", "rs256", 5])
def test_other_algorithms_are_refused(algorithm: object, token: str, keys: JwsKeys) -> None:
    with pytest.raises(SignatureInvalid):
        keys.verify(with_header(token, alg=algorithm))


def test_unsigned_payload_is_refused(token: str, keys: JwsKeys) -> None:
    head, payload, _ = with_header(token, alg="none").split(".")

    for forged in (f"{head}.{payload}.", f"{head}.{payload}"):
        with pytest.raises(SignatureInvalid):
            keys.verify(forged)


def test_public_key_used_as_a_secret_is_refused(token: str, keys: JwsKeys, key: Any) -> None:
    """The old trick: HMAC with the public key, which everybody knows."""
    import hmac

    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = with_header(token, alg="HS256").rpartition(".")[0]
    forged = f"{signed}.{encoded(hmac.digest(public, signed.encode(), 'sha256'))}"

    with pytest.raises(SignatureInvalid, match="algorithm"):
        keys.verify(forged)


CHANGES: dict[str, Callable[[str], str]] = {
    "payload": lambda t: t.replace(t.split(".")[1], encoded(b'{"valor":"99.50"}')),
    "signature": lambda t: t[:-10] + ("A" if t[-10] != "A" else "B") + t[-9:],
    "no signature": lambda t: t.rpartition(".")[0] + ".",
    "a part more": lambda t: t + ".AAAA",
    "padding": lambda t: t + "==",
    "space": lambda t: t.replace(".", " .", 1),
    "unknown key": lambda t: with_header(t, kid="another"),
    "no key": lambda t: with_header(t, kid=None),
    "other thumbprint": lambda t: with_header(t, x5t="AAAA"),
    "other thumbprint of SHA-256": lambda t: with_header(t, **{"x5t#S256": "AAAA"}),
    "number for jku": lambda t: with_header(t, jku=7),
    "critical extension": lambda t: with_header(t, crit=["b64"], b64=False),
    "payload as it is": lambda t: with_header(t, b64=False),
    "header is no object": lambda t: f"{encoded(b'[]')}.{t.split('.', 1)[1]}",
    "header is no JSON": lambda t: f"{encoded(b'{')}.{t.split('.', 1)[1]}",
    "header is deep": lambda t: f"{encoded(b'[' * 90_000)}.{t.split('.', 1)[1]}",
    "empty": lambda _: "",
    "half a character": lambda t: t + "\ud800",
    "too long": lambda t: t + "A" * (1 << 18),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_token_is_refused(name: str, token: str, keys: JwsKeys) -> None:
    changed = CHANGES[name](token)

    assert changed != token
    with pytest.raises(SignatureInvalid):
        keys.verify(changed)


def test_header_that_says_a_thing_twice_is_refused(token: str, keys: JwsKeys) -> None:
    head, rest = token.split(".", 1)
    twice = base64.urlsafe_b64decode(head + "==").replace(b"{", b'{"alg":"none",', 1)

    with pytest.raises(SignatureInvalid, match="JSON"):
        keys.verify(f"{encoded(twice)}.{rest}")


def test_last_character_has_one_spelling(token: str, keys: JwsKeys) -> None:
    """256 bytes end in four spare bits: fifteen other characters would decode to the same."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [token[:-1] + letter for letter in alphabet if letter != token[-1]]

    for other in others:
        with pytest.raises(SignatureInvalid):
            keys.verify(other)


@given(position=st.integers(0, 10_000), byte=st.integers(0, 127))
@settings(deadline=None, max_examples=200)
def test_any_changed_character_is_caught(
    position: int, byte: int, token: str, keys: JwsKeys
) -> None:
    position %= len(token)
    changed = token[:position] + chr(byte) + token[position + 1 :]

    if changed != token:
        with pytest.raises(SignatureInvalid):
            keys.verify(changed)


def test_old_key_of_the_set_still_verifies_after_a_rotation(
    our_signer: Signer, spi_signer: Signer, token: str
) -> None:
    keys = JwsKeys.from_jwks(write_jwks([spi_signer, our_signer]))

    assert len(keys) == 2
    assert keys.verify(token).payload == PAYLOAD
    assert keys.verify(sign_jws(b"new", spi_signer, jku=JKU)).payload == b"new"


def test_weak_foreign_and_encryption_keys_are_left_out(
    our_signer: Signer, spi_signer: Signer
) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the point
    curve = ec.generate_private_key(ec.SECP384R1())
    (good,) = json.loads(write_jwks([our_signer]))["keys"]
    listed = [
        json.loads(jwks_of(weak.public_key(), alg="RS256"))["keys"][0],
        json.loads(jwks_of(curve.public_key(), alg="ES384"))["keys"][0],
        {**good, "kid": "e", "use": "enc"},
        {**good, "kid": "f", "alg": "RS1"},
        {**good, "kid": "g", "n": "*"},
        {**good, "kid": None},
        {**json.loads(write_jwks([spi_signer]))["keys"][0], "kid": "j", "x5c": good["x5c"]},
        {**good, "kid": "k", "x5c": ["AAAA"]},
        {"kty": "oct", "kid": "h", "k": "AAAA"},
        {"kid": "i"},
        "no key",
        good,
    ]

    assert len(JwsKeys.from_jwks(json.dumps({"keys": listed}).encode())) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"keys": 1}', b"\xff", b'{"keys": [], "keys": []}', b"x" * (1 << 19)],
)
def test_what_is_no_key_set_is_refused(data: bytes) -> None:
    with pytest.raises(CertificateRefused):
        JwsKeys.from_jwks(data)


def test_two_keys_of_one_name_or_too_many_are_refused(our_signer: Signer) -> None:
    with pytest.raises(CertificateRefused, match="same name"):
        JwsKeys.from_jwks(write_jwks([our_signer, our_signer]))
    with pytest.raises(CertificateRefused, match="at most"):
        JwsKeys.from_jwks(json.dumps({"keys": [{}] * (KEYS_MAX + 1)}).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["AQAB"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(changes=st.dictionaries(st.sampled_from(["kty", "n", "e", "x5c", "x5t", "alg"]), JSON))
@settings(deadline=None)
def test_key_of_any_content_is_read_or_left_out(
    changes: dict[str, Any], our_signer: Signer
) -> None:
    (good,) = json.loads(write_jwks([our_signer]))["keys"]

    found = JwsKeys.from_jwks(json.dumps({"keys": [{**good, **changes}]}).encode())

    assert len(found) in {0, 1}


def test_key_of_a_million_bits_is_left_out(our_signer: Signer) -> None:
    (good,) = json.loads(write_jwks([our_signer]))["keys"]
    huge = {**good, "n": encoded(b"\x01" * 125_000), "x5c": None}

    assert len(JwsKeys.from_jwks(json.dumps({"keys": [huge]}).encode())) == 0


@given(token=st.text(max_size=30) | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
@settings(deadline=None)
def test_any_text_is_refused_by_name(token: str, keys: JwsKeys) -> None:
    for read in (keys.verify, peek_jws):
        with pytest.raises(SignatureInvalid):
            read(token)
