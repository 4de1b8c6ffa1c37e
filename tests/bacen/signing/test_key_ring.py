"""Which of several keys signs: the youngest that is valid, by the clock alone."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bacen import CertificateRefused, SigningUnavailable
from bacen.signing import KeyRing
from bacen.wire import SignatureInvalid, Verifier, decode, encode
from tests.bacen.signing.certified import DAY, NOON, certify
from tests.bacen.wire_messages import pacs008

SECOND = timedelta(seconds=1)


@pytest.fixture
def ring(old_key: rsa.RSAPrivateKey, new_key: rsa.RSAPrivateKey) -> KeyRing:
    """The old key until the third day, the new one from the second day on until the tenth."""
    old = certify(old_key, 1, NOON - DAY, NOON + 3 * DAY)
    new = certify(new_key, 2, NOON + 2 * DAY, NOON + 10 * DAY)
    return KeyRing([new.signer(), old.signer()])


@pytest.mark.parametrize(
    ("after", "serial"),
    [(timedelta(), 1), (2 * DAY - SECOND, 1), (2 * DAY, 2), (5 * DAY, 2), (10 * DAY, 2)],
)
def test_new_key_takes_over_in_the_second_its_validity_begins(
    ring: KeyRing, after: timedelta, serial: int
) -> None:
    assert ring.active(NOON + after).serial_number == serial


def test_old_key_signs_on_where_the_new_one_ends_first(
    old_key: rsa.RSAPrivateKey, new_key: rsa.RSAPrivateKey
) -> None:
    long = certify(old_key, 1, NOON, NOON + 9 * DAY).signer()
    short = certify(new_key, 2, NOON + DAY, NOON + 2 * DAY).signer()

    assert KeyRing([long, short]).active(NOON + 3 * DAY) is long


@pytest.mark.parametrize("after", [-2 * DAY, 10 * DAY + SECOND])
def test_without_a_valid_certificate_nothing_is_signed(ring: KeyRing, after: timedelta) -> None:
    with pytest.raises(SigningUnavailable, match="no certificate is valid"):
        ring.active(NOON + after)


def test_ring_without_keys_is_refused() -> None:
    with pytest.raises(CertificateRefused):
        KeyRing([])


def test_signatures_of_the_old_key_hold_while_its_certificate_is_trusted_and_valid(
    old_key: rsa.RSAPrivateKey, new_key: rsa.RSAPrivateKey
) -> None:
    old = certify(old_key, 1, NOON - DAY, NOON + 3 * DAY)
    new = certify(new_key, 2, NOON, NOON + 10 * DAY)
    now = [NOON]
    verifier = Verifier([old.pem + new.pem], now=lambda: now[0])
    signed = encode(pacs008(1), old.signer())

    assert decode(signed, verifier) == pacs008(1)
    assert decode(encode(pacs008(1), new.signer()), verifier) == pacs008(1)
    now[0] = NOON + 4 * DAY
    with pytest.raises(SignatureInvalid, match="has expired"):
        decode(signed, verifier)
    verifier.replace([new.pem])
    with pytest.raises(SignatureInvalid, match="not trusted"):
        decode(signed, verifier)


def test_certificate_does_not_count_before_its_day(new_key: rsa.RSAPrivateKey) -> None:
    new = certify(new_key, 2, NOON + DAY, NOON + 10 * DAY)
    verifier = Verifier([new.pem], now=lambda: NOON)

    with pytest.raises(SignatureInvalid, match="not valid yet"):
        decode(encode(pacs008(1), new.signer()), verifier)


def test_trust_set_that_cannot_be_read_changes_nothing(old_key: rsa.RSAPrivateKey) -> None:
    old = certify(old_key)
    verifier = Verifier([old.pem])

    with pytest.raises(CertificateRefused):
        verifier.replace([b"no certificate"])
    assert decode(encode(pacs008(1), old.signer()), verifier) == pacs008(1)
