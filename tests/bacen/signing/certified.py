"""Keys with certificates of any dates, issued by themselves; a key takes long to make."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from bacen.wire import Signer, SoftwareKey

ISPB = "12345678"
NOON = datetime(2026, 9, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Certified:
    """A key and one certificate of it."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        return self.encrypted(None)

    def encrypted(self, password: bytes | None) -> bytes:
        how: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            how = serialization.BestAvailableEncryption(password)
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def signer(self) -> Signer:
        return Signer(SoftwareKey(self.key), self.certificate)


def certify(
    key: RSAPrivateKey,
    serial: int = 1,
    begins: datetime = NOON - DAY,
    ends: datetime = NOON + 30 * DAY,
) -> Certified:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"ISPB-{ISPB}"),
            x509.NameAttribute(NameOID.COMMON_NAME, "AC de teste"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, SHA256())
    )
    return Certified(key, certificate)
