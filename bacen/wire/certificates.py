"""Certificates of a bank in a box: a local authority that issues what both ends need.

Never for production: there the keys live with the institution and the certificates come from
ICP-Brasil. Names follow the real ones: the subject of a participant holds OU `ISPB-xxxxxxxx`.
"""

import ipaddress
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bacen import CertificateRefused
from bacen.wire.fields import ISPB
from bacen.wire.identifiers import SPI_ISPB
from bacen.wire.keys import Signer, SoftwareKey, certificate_ispb, load_certificates

if sys.platform != "win32":
    import fcntl

RSA_BITS = 2048
AUTHORITY_LIFE = timedelta(days=3650)
CERTIFICATE_LIFE = timedelta(days=397)
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(hours=1)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Usage(Enum):
    """What a certificate is for."""

    SERVER = "server"
    CLIENT = "client"
    SIGNING = "signing"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key as PEM files."""

    certificate: Path
    key: Path

    def signer(self) -> Signer:
        """Load the pair for signing messages.

        Raises:
            CertificateRefused: Unreadable, or the files do not belong together.
        """
        return Signer.from_pem(self.key.read_bytes(), self.certificate.read_bytes())


@dataclass(frozen=True, slots=True)
class ParticipantKeys:
    """What one participant holds: TLS client and message signing."""

    client: KeyPair
    signing: KeyPair


class LocalAuthority:
    """A local certificate authority in `<home>/pki`; open it with `create`.

    Files: `ca.pem`, `ca.key`, `server.{pem,key}`, `spi-signing.{pem,key}`,
    `participants/<ispb>/{client,signing}.{pem,key}`; keys are readable by the owner only.
    Everything is made once and kept; what expires within 30 days is renewed with a new key.

    Attributes:
        directory: `<home>/pki`.
        certificate: `ca.pem`, to trust.
    """

    def __init__(self, directory: Path, now: datetime) -> None:
        self.directory = directory
        self.certificate = directory / "ca.pem"
        self._now = now
        self._pair = KeyPair(self.certificate, directory / "ca.key")
        with self._lock():
            self._authority = self._load_authority() or self._make_authority()

    @classmethod
    def create(cls, home: Path, *, now: datetime) -> "LocalAuthority":
        """Open the authority under `home`, making it where there is none.

        Args:
            home: Data folder; the files go to its `pki`.
            now: Time that decides about validity, aware.
        """
        directory = home / "pki"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(directory, now)

    def server(self, hosts: Sequence[str] = LOOPBACK) -> KeyPair:
        """TLS server certificate of the bank for these names and addresses."""
        return self.issue("server", SPI_ISPB, hosts[0], usage=Usage.SERVER, hosts=hosts)

    def spi_signing(self) -> KeyPair:
        """Signing certificate of the SPI (ISPB 00038166)."""
        return self.issue("spi-signing", SPI_ISPB, "SPI", usage=Usage.SIGNING)

    def participant(self, ispb: str) -> ParticipantKeys:
        """Client and signing certificate of one participant.

        Raises:
            CertificateRefused: `ispb` is no ISPB.
        """
        if ISPB.fullmatch(ispb) is None:
            raise CertificateRefused("the ISPB must be eight digits or capital letters")
        folder = f"participants/{ispb}"
        return ParticipantKeys(
            self.issue(f"{folder}/client", ispb, f"Cliente {ispb}", usage=Usage.CLIENT),
            self.issue(f"{folder}/signing", ispb, f"Assinatura {ispb}", usage=Usage.SIGNING),
        )

    def issue(
        self,
        name: str,
        ispb: str,
        common_name: str,
        *,
        usage: Usage,
        hosts: Sequence[str] = (),
    ) -> KeyPair:
        """Give the pair of files `<name>.pem` and `<name>.key`, issuing where needed.

        A pair is kept while it is valid, ours, and speaks for the same ISPB and hosts.
        """
        pair = KeyPair(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        with self._lock():
            if not self._is_good(pair, ispb, hosts):
                pair.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
                subject = _name(common_name, ispb)
                builder = self._builder(subject, key.public_key(), CERTIFICATE_LIFE)
                builder = _for_usage(builder, usage, hosts)
                _write(pair, key, builder.sign(self._authority[1], SHA256()))
        return pair

    def _is_good(self, pair: KeyPair, ispb: str, hosts: Sequence[str]) -> bool:
        loaded = _load(pair)
        if loaded is None:
            return False
        certificate, _ = loaded
        try:
            certificate.verify_directly_issued_by(self._authority[0])
        except (ValueError, TypeError, InvalidSignature):
            return False
        same = certificate_ispb(certificate) == ispb and _hosts(certificate) == set(hosts)
        return same and self._is_fresh(certificate)

    def _is_fresh(self, certificate: x509.Certificate) -> bool:
        renew = certificate.not_valid_after_utc - RENEW_BEFORE
        return certificate.not_valid_before_utc <= self._now < renew

    def _load_authority(self) -> tuple[x509.Certificate, rsa.RSAPrivateKey] | None:
        loaded = _load(self._pair)
        return loaded if loaded is not None and self._is_fresh(loaded[0]) else None

    def _make_authority(self) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        # A renewed authority has another name: certificates of the old one are not mistaken.
        name = _name(f"Corrente local authority {self._now:%Y%m%d%H%M%S}", None)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            _dated(self._now, AUTHORITY_LIFE)
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, SHA256())
        )
        _write(self._pair, key, certificate)
        return certificate, key

    def _builder(
        self, subject: x509.Name, key: rsa.RSAPublicKey, life: timedelta
    ) -> x509.CertificateBuilder:
        certificate, _ = self._authority
        authority_key = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return (
            _dated(self._now, life)
            .subject_name(subject)
            .issuer_name(certificate.subject)
            .public_key(key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_key.value),
                critical=False,
            )
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep other processes out: the bank and the platform may start at the same time."""
        with (self.directory / ".lock").open("w") as held:
            if sys.platform != "win32":
                fcntl.flock(held, fcntl.LOCK_EX)
            yield


def _name(common_name: str, ispb: str | None) -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "BR"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corrente"),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ]
    if ispb is not None:
        unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"ISPB-{ispb}")
        attributes.insert(2, unit)
    return x509.Name(attributes)


def _dated(now: datetime, life: timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=not signs_certificates,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _for_usage(
    builder: x509.CertificateBuilder, usage: Usage, hosts: Sequence[str]
) -> x509.CertificateBuilder:
    if hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    purposes = {
        Usage.SERVER: ExtendedKeyUsageOID.SERVER_AUTH,
        Usage.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH,
    }
    if usage in purposes:
        extended = x509.ExtendedKeyUsage([purposes[usage]])
        builder = builder.add_extension(extended, critical=False)
    return builder


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _hosts(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in names}


def _load(pair: KeyPair) -> tuple[x509.Certificate, rsa.RSAPrivateKey] | None:
    """Read a pair; None where there is none, or where the files do not belong together."""
    try:
        key = serialization.load_pem_private_key(pair.key.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            return None
        (certificate,) = load_certificates(pair.certificate.read_bytes())
        Signer(SoftwareKey(key), certificate)
    except (FileNotFoundError, CertificateRefused, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return certificate, key


def _write(pair: KeyPair, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _replace(pair.key, encoded, 0o600)
    _replace(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Write a file at once: a reader sees the old or the new one, never half."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    fresh.replace(path)
