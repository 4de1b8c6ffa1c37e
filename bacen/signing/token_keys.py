"""Keys in a PKCS#11 token: a hardware module, or SoftHSM. They never leave it.

python-pkcs11 starts a module without asking it to lock (`C_Initialize(NULL)`), so one thread at a
time may be inside: two threads in SoftHSM get CKR_GENERAL_ERROR. Hence one lock and one session.
The package is an extra (`corrente[pkcs11]`): most machines have no token.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from bacen import CertificateRefused, SigningUnavailable
from bacen.signing.key_ring import KeyRing, pairs
from bacen.wire import load_certificates

if TYPE_CHECKING:
    import pkcs11

LOCK_SECONDS_MAX = 10  # a call that hangs in the module must not hang those behind it for ever


class TokenKeys:
    """The RSA keys of one token, with their certificates out of the token or out of files.

    The session is opened at the first use, and again after a failure, so that a token that was
    away is found. A PIN that was refused is never tried again: tokens lock after a few.

    Args:
        module: The manufacturer's library (`.so`).
        label: Label of the token.
        pin: Of its user.
        certificates: PEM files, for tokens that hold keys only.
    """

    threads_max = 1

    def __init__(
        self, module: Path, label: str, pin: str, certificates: Iterable[Path] = ()
    ) -> None:
        self._module = module
        self._label = label
        self._pin = pin
        self._files = tuple(certificates)
        self._lock = threading.Lock()
        self._session: pkcs11.Session | None = None
        self._refused: str | None = None

    def load(self) -> KeyRing:
        """List the keys that have a certificate.

        Raises:
            CertificateRefused: A certificate cannot be used, or no key has one.
            SigningUnavailable: No package, module or token; a wrong PIN; it does not answer.
        """
        with self._inside() as names:
            if self._session is None:
                self._session = self._opened(names)
            certificates = [*self._in_files(), *_in_token(names, self._session)]
            keys = [TokenKey(self, *each) for each in _keys(names, self._session)]
        return KeyRing(pairs(keys, certificates))

    def sign(self, key: Any, data: bytes) -> bytes:
        """Sign inside the token, by RSASSA-PKCS1-v1_5 with SHA-256.

        Raises:
            SigningUnavailable: The token failed; its session is given up.
        """
        with self._inside() as names:
            return bytes(key.sign(data, mechanism=names.Mechanism.SHA256_RSA_PKCS))

    def close(self) -> None:
        """Log out; whoever loads or signs next logs in again."""
        with self._inside():
            self._give_up()

    @contextmanager
    def _inside(self) -> Iterator[Any]:
        """Be alone in the module; gives the package. Says in our words what went wrong."""
        try:
            import pkcs11  # noqa: PLC0415 (an extra)
        except ImportError:
            problem = "a token needs the package python-pkcs11 (requirements/pkcs11.lock)"
            raise SigningUnavailable(problem) from None
        if not self._lock.acquire(timeout=LOCK_SECONDS_MAX):
            raise SigningUnavailable("the token hangs in another call")
        try:
            yield pkcs11
        except pkcs11.PKCS11Error as error:
            self._give_up()
            if isinstance(error, pkcs11.PinIncorrect | pkcs11.PinLocked | pkcs11.PinInvalid):
                self._refused = type(error).__name__
            problem = f"{self._module} {self._label}: {type(error).__name__} {error}"
            raise SigningUnavailable(problem.rstrip()) from None
        finally:
            self._lock.release()

    def _opened(self, names: Any) -> "pkcs11.Session":
        if self._refused is not None:
            raise SigningUnavailable(f"{self._label}: {self._refused}; the PIN is not tried again")
        token = names.lib(str(self._module)).get_token(token_label=self._label)
        try:
            session: pkcs11.Session = token.open(user_pin=self._pin)
        except names.UserAlreadyLoggedIn:  # this process is, by another session
            session = token.open()
        return session

    def _give_up(self) -> None:
        if self._session is not None:
            with suppress(Exception):  # it is broken: that is why
                self._session.close()
        self._session = None

    def _in_files(self) -> Iterator[x509.Certificate]:
        for path in self._files:
            try:
                yield from load_certificates(path.read_bytes())
            except OSError as error:
                raise SigningUnavailable(f"{error.filename}: {error.strerror}") from None


class TokenKey:
    """One key of a token."""

    def __init__(self, token: TokenKeys, key: Any, public: RSAPublicKey) -> None:
        self._token = token
        self._key = key
        self._public = public

    def public_key(self) -> RSAPublicKey:
        """Its public half."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Sign inside the token.

        Raises:
            SigningUnavailable: The token failed.
        """
        return self._token.sign(self._key, data)


def _in_token(names: Any, session: "pkcs11.Session") -> Iterator[x509.Certificate]:
    wanted = {names.Attribute.CLASS: names.ObjectClass.CERTIFICATE}
    for held in session.get_objects(wanted):
        try:
            yield x509.load_der_x509_certificate(held[names.Attribute.VALUE])
        except ValueError:
            raise CertificateRefused("a certificate of the token is unreadable") from None


def _keys(names: Any, session: "pkcs11.Session") -> Iterator[tuple[Any, RSAPublicKey]]:
    for key in session.get_objects(_rsa(names, names.ObjectClass.PRIVATE_KEY)):
        public = _public(names, key)
        if public is None:  # some tokens keep the exponent with the public key only
            same = {names.Attribute.ID: key[names.Attribute.ID]}
            half = _rsa(names, names.ObjectClass.PUBLIC_KEY) | same
            found = [_public(names, each) for each in session.get_objects(half)]
            public = found[0] if found else None
        if public is not None:
            yield key, public


def _rsa(names: Any, kind: object) -> dict[Any, Any]:
    return {names.Attribute.CLASS: kind, names.Attribute.KEY_TYPE: names.KeyType.RSA}


def _public(names: Any, key: Any) -> RSAPublicKey | None:
    try:
        modulus = key[names.Attribute.MODULUS]
        exponent = key[names.Attribute.PUBLIC_EXPONENT]
    except (names.AttributeTypeInvalid, names.AttributeSensitive):
        return None
    if not modulus or not exponent:
        return None
    numbers = RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus))
    return numbers.public_key()
