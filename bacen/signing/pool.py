"""The signer pool: messages are written and signed in threads, and the event loop goes on.

A signature takes longer than all else of a message, and lets go of the interpreter's lock: threads
sign beside the loop and beside each other about as fast as processes (`bench/wire.py`), to which
messages and keys would have to travel. A worker reads its keys again every `RELOAD_AFTER`: a new
key needs no restart, and one that cannot be read leaves the old ones at work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from actors import (
    BlockingActor,
    BlockingServer,
    Node,
    NoProcess,
    Pool,
    Refused,
    Target,
    Unknown,
    transaction,
)
from bacen import CertificateRefused, SigningUnavailable, WireError
from bacen.jws import sign_jws
from bacen.signing.key_ring import KeyRing, KeySource
from bacen.wire import Message, Signer, encode, sign_dict

RELOAD_AFTER = timedelta(seconds=10)
SIGN_TIMEOUT_MS = 30_000  # of a batch; a token in the network takes milliseconds a signature

_log = structlog.get_logger("bacen.signing")


@dataclass(frozen=True, slots=True)
class DictDocument:
    """XML to be signed in the DICT profile: a root element without signature."""

    xml: bytes


@dataclass(frozen=True, slots=True)
class JwsPayload:
    """A payload to be signed as compact JWS; `jku` is where our key set is served."""

    payload: bytes
    jku: str


Signable = Message | DictDocument | JwsPayload
Signed = bytes | WireError


@dataclass(frozen=True, slots=True)
class Sign:
    """Order to a worker: sign these with the key that is active at this time."""

    at: datetime
    documents: tuple[Signable, ...]


class SigningWorker(BlockingActor):
    """A thread that signs. Asked with `Sign`, it answers `Signed` in order, or why it cannot."""

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._ring: KeyRing | None = None
        self._read_at: datetime | None = None

    def on_start(self) -> None:
        """Read the keys: without them the pool does not start."""
        self._ring = self._source.load()

    def handle_call(self, request: Sign) -> tuple[Signed, ...] | SigningUnavailable:
        """Sign; a token that failed is asked once more, with a new session."""
        try:
            return self._signed(request)
        except SigningUnavailable:
            self._ring = None
        try:
            return self._signed(request)
        except SigningUnavailable as error:
            return error

    def _signed(self, request: Sign) -> tuple[Signed, ...]:
        signer = self._keys(request.at).active(request.at)
        return tuple(_signed(each, signer) for each in request.documents)

    def _keys(self, at: datetime) -> KeyRing:
        """The keys, read again when it is time; those that are there stay if that fails."""
        if self._ring is not None:
            self._read_at = self._read_at or at  # `on_start` has no clock
            if timedelta() <= at - self._read_at < RELOAD_AFTER:  # a clock may be set back
                return self._ring
        self._read_at = at
        try:
            self._ring = self._source.load()
        except (CertificateRefused, SigningUnavailable) as error:
            _log.warning("keys_not_read", problem=str(error), has_keys=self._ring is not None)
            if self._ring is None:
                raise SigningUnavailable(str(error)) from None
        return self._ring


def signer_pool(source: KeySource, *, size: int = 2) -> Pool:
    """Make a pool of signing threads; it does not start without keys.

    Args:
        source: Where the keys are.
        size: Threads, where the source allows so many.
    """
    threads = min(size, source.threads_max)
    return Pool(lambda: BlockingServer(lambda: SigningWorker(source)), size=threads, max_overflow=0)


async def sign(node: Node, pool: Target, documents: Sequence[Signable]) -> tuple[Signed, ...]:
    """Have a pool sign documents, each once, with the key that is active by the node's clock.

    Returns:
        The signed bytes of each in order, or why it cannot be written.

    Raises:
        SigningUnavailable: No key can sign now, nobody is free, or the signer was late or died.
            Signing has no effect outside: try again later.
    """
    order = Sign(node.clock.now(), tuple(documents))
    try:
        async with transaction(node, pool) as worker:
            answer = await node.call(worker, order, timeout_ms=SIGN_TIMEOUT_MS)
    except (NoProcess, Refused, Unknown) as error:
        raise SigningUnavailable(f"{type(error).__name__}: {error}") from error
    if isinstance(answer, SigningUnavailable):
        raise answer
    signed: tuple[Signed, ...] = answer
    return signed


def _signed(document: Signable, signer: Signer) -> Signed:
    try:
        match document:
            case DictDocument(xml):
                return sign_dict(xml, signer)
            case JwsPayload(payload, jku):
                return sign_jws(payload, signer, jku=jku).encode()
            case _:
                return encode(document, signer)
    except WireError as error:
        return error
