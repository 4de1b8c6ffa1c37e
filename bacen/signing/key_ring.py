"""Several keys of one owner, of which one signs: the rotation of keys."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from bacen import CertificateRefused, SigningUnavailable
from bacen.wire import RsaKey, Signer


class KeyRing:
    """Keys with their certificates. The one whose validity began last, and has not ended, signs.

    So a new pair may be put beside the old one long before its day: it takes over by itself, and
    the old one goes on where the new one ends first.

    Raises:
        CertificateRefused: There is no key at all.
    """

    def __init__(self, signers: Iterable[Signer]) -> None:
        found = {(one.issuer_name, one.serial_number): one for one in signers}
        if not found:
            raise CertificateRefused("there is no private key with its certificate")
        self._signers = tuple(sorted(found.values(), key=_began, reverse=True))

    @property
    def signers(self) -> tuple[Signer, ...]:
        """All of them, the youngest first."""
        return self._signers

    def active(self, at: datetime) -> Signer:
        """Give the one that signs at this time (aware).

        Raises:
            SigningUnavailable: No certificate is valid then.
        """
        for signer in self._signers:
            if signer.is_valid(at):
                return signer
        raise SigningUnavailable("no certificate is valid now")


class KeySource(Protocol):
    """Where keys are kept; asked again and again, so that new ones are found.

    Attributes:
        threads_max: Threads that may sign with its keys at once.
    """

    @property
    def threads_max(self) -> int:
        """Threads that may sign with its keys at once."""

    def load(self) -> KeyRing:
        """Read the keys; cheap where nothing has changed. May block.

        Raises:
            CertificateRefused: A key or certificate cannot be used.
            SigningUnavailable: The place does not answer.
        """


def pairs(keys: Iterable[RsaKey], certificates: Sequence[x509.Certificate]) -> Iterator[Signer]:
    """Join each key with the certificates that hold its public half.

    A certificate without a key counts for nothing (a chain, or a key that comes later), nor does a
    key without a certificate.

    Raises:
        CertificateRefused: A pair that cannot sign here.
    """
    for key in keys:
        for certificate in certificates:
            if _public_key(certificate) == key.public_key():
                yield Signer(key, certificate)


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None  # of a kind that no key of ours has


def _began(signer: Signer) -> tuple[datetime, datetime, int]:
    held = signer.certificate
    return held.not_valid_before_utc, held.not_valid_after_utc, held.serial_number
