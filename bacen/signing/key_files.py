"""Keys in files: PEM, any number of keys and certificates in each, or PKCS#12.

A rotation is a text editor's work: append the new key and its certificate, or put a file beside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from bacen import CertificateRefused, SigningUnavailable
from bacen.signing.key_ring import KeyRing, pairs
from bacen.wire import SoftwareKey, load_certificates, load_private_key

THREADS_MAX = 4  # of the machine's cores, for signatures; a core makes thousands in a second

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)
_PEM_MARK = b"-----BEGIN "


@dataclass(slots=True)
class _Found:
    keys: list[SoftwareKey] = field(default_factory=list)
    certificates: list[x509.Certificate] = field(default_factory=list)


class KeyFiles:
    """Keys in files; each key goes with the certificates that hold its public half.

    Args:
        files: PEM or PKCS#12, known by their content.
        password: Of PKCS#12 files and encrypted PEM keys.
    """

    threads_max = THREADS_MAX

    def __init__(self, files: Sequence[Path], password: bytes | None = None) -> None:
        self._files = tuple(files)
        self._password = password
        self._loaded: tuple[object, KeyRing] | None = None

    def load(self) -> KeyRing:
        """Read the files, if one of them has changed since they were read last.

        Raises:
            CertificateRefused: A key or certificate cannot be used, or no two belong together.
            SigningUnavailable: A file cannot be read.
        """
        try:
            stamp = tuple(map(_stamp, self._files))
            loaded = self._loaded
            if loaded is not None and loaded[0] == stamp:
                return loaded[1]
            found = _Found()
            for path in self._files:
                self._read(path, found)
        except OSError as error:
            raise SigningUnavailable(f"{error.filename}: {error.strerror}") from None
        ring = KeyRing(pairs(found.keys, found.certificates))
        self._loaded = stamp, ring
        return ring

    def _read(self, path: Path, found: _Found) -> None:
        try:
            _read(path.read_bytes(), self._password, found)
        except CertificateRefused as error:
            raise CertificateRefused(f"{path}: {error.problem}") from None


def _stamp(path: Path) -> tuple[int, ...]:
    state = path.stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _read(data: bytes, password: bytes | None, found: _Found) -> None:
    if _PEM_MARK not in data:
        _read_pkcs12(data, password, found)
        return
    for block in _BLOCK.finditer(data):
        if block[1] == b"CERTIFICATE":
            found.certificates += load_certificates(block[0])
        elif block[1].endswith(b"PRIVATE KEY"):
            found.keys.append(load_private_key(block[0], password))


def _read_pkcs12(data: bytes, password: bytes | None, found: _Found) -> None:
    try:
        held = load_pkcs12(data, password)
    except ValueError:
        raise CertificateRefused("neither PEM nor PKCS#12 of this password") from None
    if held.key is not None:
        if not isinstance(held.key, RSAPrivateKey):
            raise CertificateRefused("the private key is not RSA")
        found.keys.append(SoftwareKey(held.key))
    own = [] if held.cert is None else [held.cert]
    found.certificates += [each.certificate for each in (*own, *held.additional_certs)]
