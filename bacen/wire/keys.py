"""Who signs, and whom we trust: RSA keys named by issuer and serial number of a certificate."""

import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from bacen import CertificateRefused, SignatureInvalid
from bacen.wire.fields import escape, is_xml_text
from bacen.wire.profile import key_info_digest, key_info_text, signed_info_bytes

RSA_BITS_MIN = 2048
ALIASES_MAX = 1024  # other spellings of an issuer's name that were seen and hold

_PADDING = PKCS1v15()
_HASH = SHA256()
_ISPB_UNIT = re.compile(r"ISPB-([0-9A-Z]{8})")


def certificate_ispb(certificate: x509.Certificate) -> str | None:
    """ISPB that the subject names in an organizational unit `ISPB-xxxxxxxx`; None without one.

    Raises:
        CertificateRefused: It names two.
    """
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    named = {
        found[1]
        for unit in units
        if isinstance(unit.value, str) and (found := _ISPB_UNIT.fullmatch(unit.value))
    }
    if len(named) > 1:
        raise CertificateRefused("the subject names two ISPBs")
    return named.pop() if named else None


class RsaKey(Protocol):
    """A private RSA key, wherever it lies: in a file, or in a token that never gives it away."""

    def public_key(self) -> RSAPublicKey:
        """Its public half."""

    def sign(self, data: bytes) -> bytes:
        """Sign by RSASSA-PKCS1-v1_5 with SHA-256.

        Raises:
            SigningUnavailable: The key cannot be used now.
        """


class SoftwareKey:
    """A private key in the memory of this process."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self._key = key

    def public_key(self) -> RSAPublicKey:
        """Its public half."""
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        """Sign; the interpreter's lock is free meanwhile."""
        return self._key.sign(data, _PADDING, _HASH)


class Signer:
    """A private key and its certificate, ready to sign messages of the SPI and DICT profiles.

    Attributes:
        certificate: The certificate.
        issuer_name: Its issuer, RFC 4514.
        serial_number: Its serial number: with the issuer, the name of the key in a signature.
        ispb: ISPB that it names, if it does.

    Raises:
        CertificateRefused: Not RSA of 2048 bits or more, or not a pair.
    """

    def __init__(self, key: RsaKey, certificate: x509.Certificate) -> None:
        if key.public_key() != _public_key(certificate):
            raise CertificateRefused("the private key is not the certificate's")
        self._key = key
        self.certificate = certificate
        self.issuer_name = certificate.issuer.rfc4514_string()
        if not is_xml_text(self.issuer_name):
            raise CertificateRefused("the issuer's name holds a character that XML forbids")
        self.serial_number = certificate.serial_number
        self.ispb = certificate_ispb(certificate)
        self.key_info = key_info_text(escape(self.issuer_name), self.serial_number)
        self.key_info_digest = key_info_digest(self.key_info)
        self._validity = Validity.of(certificate)

    @classmethod
    def from_pem(
        cls, private_key_pem: bytes, certificate_pem: bytes, password: bytes | None = None
    ) -> "Signer":
        """Make it of a key and a certificate, the first of each text.

        Raises:
            CertificateRefused: Unreadable, not RSA of 2048 bits or more, or not a pair.
        """
        certificate = load_certificates(certificate_pem)[0]
        return cls(load_private_key(private_key_pem, password), certificate)

    def is_valid(self, at: datetime) -> bool:
        """Whether the certificate may sign at this time (aware)."""
        return self._validity.problem(at) is None

    def sign(self, signed_info: str) -> str:
        """SignatureValue over the content of SignedInfo, Base64.

        Raises:
            SigningUnavailable: The key cannot be used now.
        """
        raw = self._key.sign(signed_info_bytes(signed_info))
        return binascii.b2a_base64(raw, newline=False).decode("ascii")

    def sign_bytes(self, data: bytes) -> bytes:
        """Sign any bytes by RSASSA-PKCS1-v1_5 with SHA-256.

        Raises:
            SigningUnavailable: The key cannot be used now.
        """
        return self._key.sign(data)


@dataclass(frozen=True, slots=True)
class Validity:
    """The time in which a certificate counts, both ends included."""

    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "Validity":
        """Read it from a certificate."""
        return cls(certificate.not_valid_before_utc, certificate.not_valid_after_utc)

    def problem(self, at: datetime) -> str | None:
        """Say why a certificate does not count at this time; None where it does."""
        if at < self.begins:
            return "the certificate is not valid yet"
        return "the certificate has expired" if at > self.ends else None


@dataclass(frozen=True, slots=True)
class Trusted:
    """A certificate of the trust set: its key, whom it speaks for, its name."""

    key: RSAPublicKey
    ispb: str | None
    issuer: x509.Name
    validity: Validity

    def verify(self, signed_info: bytes, value: str) -> bool:
        """Say whether this key made SignatureValue over these canonical bytes."""
        try:
            self.key.verify(binascii.a2b_base64(value), signed_info, _PADDING, _HASH)
        except (InvalidSignature, ValueError):
            return False
        return True


class Verifier:
    """The certificates whose signatures count, found by issuer and serial number.

    Args:
        certificates: PEM texts of one certificate or several each.
        now: The clock that certificates are judged by: one that is not valid yet, or no more,
            does not count. Without a clock, whoever is in the set is trusted.

    Raises:
        CertificateRefused: A certificate is unreadable or its key is not RSA of 2048 bits or more.
    """

    def __init__(
        self, certificates: Iterable[bytes] = (), *, now: Callable[[], datetime] | None = None
    ) -> None:
        self._now = now
        self.replace(certificates)

    def replace(self, certificates: Iterable[bytes]) -> None:
        """Trust these certificates (PEM) and no others.

        Raises:
            CertificateRefused: One of them cannot be trusted; then nothing changes.
        """
        trusted = dict(each for pem in certificates for each in _named(pem))
        self._trusted: dict[tuple[str, int], Trusted] = trusted
        self._aliases: dict[tuple[str, int], Trusted] = {}

    def add(self, certificate_pem: bytes) -> None:
        """Trust one more certificate, or all in the text.

        Raises:
            CertificateRefused: Unreadable, or its key is not RSA of 2048 bits or more.
        """
        self._trusted.update(_named(certificate_pem))

    def find(self, issuer_name: str, serial: str) -> Trusted:
        """Find the certificate that KeyInfo names; spaces after commas do not count.

        Raises:
            SignatureInvalid: It is not in the trust set, or not valid now.
        """
        trusted = self.look_up(issuer_name, serial)
        if trusted is None:
            raise SignatureInvalid("the certificate is not trusted")
        problem = self.validity_problem(trusted)
        if problem is not None:
            raise SignatureInvalid(problem)
        return trusted

    def validity_problem(self, trusted: Trusted) -> str | None:
        """Say why a certificate does not count now; None where it does."""
        return None if self._now is None else trusted.validity.problem(self._now())

    def look_up(self, issuer_name: str, serial: str) -> Trusted | None:
        """Find the certificate that KeyInfo names, valid or not; None without one.

        Raises:
            SignatureInvalid: The serial number is no number.
        """
        if not serial.isascii() or not serial.isdigit() or len(serial) > 60:
            raise SignatureInvalid("the serial number is no number")
        name = (issuer_name, int(serial))
        trusted = self._trusted.get(name) or self._aliases.get(name)
        return trusted if trusted is not None else self._find_alias(name)

    def _find_alias(self, name: tuple[str, int]) -> Trusted | None:
        issuer, serial = name
        candidates = [held for (_, known), held in self._trusted.items() if known == serial]
        read = _read_name(issuer) if candidates else None
        for candidate in candidates:
            if read is not None and candidate.issuer == read:
                if len(self._aliases) < ALIASES_MAX:
                    self._aliases[name] = candidate
                return candidate
        return None


def load_private_key(pem: bytes, password: bytes | None = None) -> SoftwareKey:
    """Read one private key; the password is for one that is encrypted.

    Raises:
        CertificateRefused: Unreadable, wrong password, or not RSA.
    """
    is_encrypted = b"ENCRYPTED" in pem
    try:
        key = load_pem_private_key(pem, password if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateRefused(
            "the private key is unreadable, or encrypted with another password"
            if is_encrypted
            else "the private key is unreadable"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise CertificateRefused("the private key is not RSA")
    return SoftwareKey(key)


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """Read all certificates of a text.

    Raises:
        CertificateRefused: One is unreadable, or there is none.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise CertificateRefused("the certificate is unreadable") from None


def _named(pem: bytes) -> Iterator[tuple[tuple[str, int], Trusted]]:
    for certificate in load_certificates(pem):
        trusted = Trusted(
            _public_key(certificate),
            certificate_ispb(certificate),
            certificate.issuer,
            Validity.of(certificate),
        )
        yield (certificate.issuer.rfc4514_string(), certificate.serial_number), trusted


def _read_name(text: str) -> x509.Name | None:
    try:
        return x509.Name.from_rfc4514_string(re.sub(r",\s+", ",", text.strip()))
    except ValueError:
        return None


def _public_key(certificate: x509.Certificate) -> RSAPublicKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateRefused("the certificate's key is unreadable") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < RSA_BITS_MIN:
        raise CertificateRefused(f"the key must be RSA of {RSA_BITS_MIN} bits or more")
    return key
