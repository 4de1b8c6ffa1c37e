"""Who signs, and whom we trust: RSA keys named by issuer and serial number of a certificate."""

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

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


class Signer:
    """A private key and its certificate, ready to sign messages of the SPI and DICT profiles.

    Attributes:
        issuer_name: Issuer of the certificate, RFC 4514.
        serial_number: Serial number of the certificate.
        ispb: ISPB that the certificate names, if it does.

    Raises:
        CertificateRefused: Unreadable, not RSA of 2048 bits or more, or not a pair.
    """

    def __init__(self, private_key_pem: bytes, certificate_pem: bytes) -> None:
        certificate = _load_certificate(certificate_pem)
        try:
            key = load_pem_private_key(private_key_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise CertificateRefused("the private key is unreadable") from None
        if not isinstance(key, RSAPrivateKey):
            raise CertificateRefused("the private key is not RSA")
        if key.public_key() != _public_key(certificate):
            raise CertificateRefused("the private key is not the certificate's")
        self._key = key
        self.issuer_name = certificate.issuer.rfc4514_string()
        if not is_xml_text(self.issuer_name):
            raise CertificateRefused("the issuer's name holds a character that XML forbids")
        self.serial_number = certificate.serial_number
        self.ispb = certificate_ispb(certificate)
        self.key_info = key_info_text(escape(self.issuer_name), self.serial_number)
        self.key_info_digest = key_info_digest(self.key_info)

    def sign(self, signed_info: str) -> str:
        """SignatureValue over the content of SignedInfo, Base64."""
        raw = self._key.sign(signed_info_bytes(signed_info), _PADDING, _HASH)
        return binascii.b2a_base64(raw, newline=False).decode("ascii")


@dataclass(frozen=True, slots=True)
class Trusted:
    """A certificate of the trust set: its key, whom it speaks for, its name."""

    key: RSAPublicKey
    ispb: str | None
    issuer: x509.Name

    def verify(self, signed_info: bytes, value: str) -> bool:
        """Say whether this key made SignatureValue over these canonical bytes."""
        try:
            self.key.verify(binascii.a2b_base64(value), signed_info, _PADDING, _HASH)
        except (InvalidSignature, ValueError):
            return False
        return True


class Verifier:
    """The certificates whose signatures count, found by issuer and serial number.

    Validity dates are the owner's to watch: whoever leaves the set is no longer trusted.

    Raises:
        CertificateRefused: A certificate is unreadable or its key is not RSA of 2048 bits or more.
    """

    def __init__(self, certificates: Iterable[bytes] = ()) -> None:
        self._trusted: dict[tuple[str, int], Trusted] = {}
        self._aliases: dict[tuple[str, int], Trusted] = {}
        for pem in certificates:
            self.add(pem)

    def add(self, certificate_pem: bytes) -> None:
        """Trust one more certificate (PEM).

        Raises:
            CertificateRefused: Unreadable, or its key is not RSA of 2048 bits or more.
        """
        certificate = _load_certificate(certificate_pem)
        name = (certificate.issuer.rfc4514_string(), certificate.serial_number)
        self._trusted[name] = Trusted(
            _public_key(certificate), certificate_ispb(certificate), certificate.issuer
        )

    def find(self, issuer_name: str, serial: str) -> Trusted:
        """Find the certificate that KeyInfo names; spaces after commas do not count.

        Raises:
            SignatureInvalid: It is not in the trust set.
        """
        if not serial.isascii() or not serial.isdigit() or len(serial) > 60:
            raise SignatureInvalid("the serial number is no number")
        name = (issuer_name, int(serial))
        trusted = self._trusted.get(name) or self._aliases.get(name)
        return trusted if trusted is not None else self._find_alias(name)

    def _find_alias(self, name: tuple[str, int]) -> Trusted:
        issuer, serial = name
        candidates = [held for (_, known), held in self._trusted.items() if known == serial]
        read = _read_name(issuer) if candidates else None
        for candidate in candidates:
            if read is not None and candidate.issuer == read:
                if len(self._aliases) < ALIASES_MAX:
                    self._aliases[name] = candidate
                return candidate
        raise SignatureInvalid("the certificate is not trusted")


def _read_name(text: str) -> x509.Name | None:
    try:
        return x509.Name.from_rfc4514_string(re.sub(r",\s+", ",", text.strip()))
    except ValueError:
        return None


def _load_certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise CertificateRefused("the certificate is unreadable") from None


def _public_key(certificate: x509.Certificate) -> RSAPublicKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateRefused("the certificate's key is unreadable") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < RSA_BITS_MIN:
        raise CertificateRefused(f"the key must be RSA of {RSA_BITS_MIN} bits or more")
    return key
