"""The pool signs in threads: the loop goes on, keys change, and failures are answers."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from actors import Crash, Killed, Node, StartFailed, VirtualClock, pool_status
from bacen import MalformedXml, SigningUnavailable
from bacen.signing import (
    DictDocument,
    JwsKeys,
    JwsPayload,
    KeyFiles,
    KeyRing,
    KeySource,
    sign,
    signer_pool,
)
from bacen.signing.pool import RELOAD_AFTER
from bacen.wire import Signer, SoftwareKey, Verifier, decode, encode, verify_dict
from tests.bacen.signing.certified import DAY, NOON, Certified, certify
from tests.bacen.wire_messages import pacs002, pacs008

MILLISECOND = timedelta(milliseconds=1)
LONG_SECONDS = 60  # the end of waits that should not be needed
POOL = "signers"


@pytest.fixture
def old(old_key: rsa.RSAPrivateKey) -> Certified:
    return certify(old_key, serial=1)


@pytest.fixture
def new(new_key: rsa.RSAPrivateKey) -> Certified:
    return certify(new_key, serial=2, begins=NOON - DAY / 2)


@pytest.fixture
def key_file(tmp_path: Path, old: Certified) -> Path:
    path = tmp_path / "keys.pem"
    path.write_bytes(old.key_pem + old.pem)
    return path


class Held:
    """A source whose keys wait at a gate, fail when told, and count."""

    threads_max = 2

    def __init__(self, certified: Certified) -> None:
        self.certified = certified
        self.gate = threading.Event()
        self.gate.set()
        self.inside = threading.Semaphore(0)
        self.failures = 0
        self.loads = 0
        self.signed = 0

    def load(self) -> KeyRing:
        self.loads += 1
        return KeyRing([Signer(self, self.certified.certificate)])

    def public_key(self) -> rsa.RSAPublicKey:
        return self.certified.key.public_key()

    def sign(self, data: bytes) -> bytes:
        self.inside.release()
        self.gate.wait(LONG_SECONDS)
        self.signed += 1
        if self.failures:
            self.failures -= 1
            raise SigningUnavailable("the token was pulled out")
        return SoftwareKey(self.certified.key).sign(data)

    async def until_inside(self) -> None:
        while not self.inside.acquire(blocking=False):
            await asyncio.sleep(0.001)


async def start(node: Node, source: KeySource) -> None:
    await node.start(signer_pool(source), name=POOL, link=False)


async def test_messages_documents_and_payloads_are_signed_in_order_each_once(
    timed: Node, old: Certified
) -> None:
    source, verifier = Held(old), Verifier([old.pem])
    await start(timed, source)
    documents = [
        pacs008(2),
        DictDocument(b"<Claim/>"),
        DictDocument(b"no XML"),
        JwsPayload(b"{}", "https://pix.example.com/jwks"),
        pacs002(1, sender="12345678"),
    ]

    first, claim, refused, payload, last = await sign(timed, POOL, documents)

    assert isinstance(refused, MalformedXml)
    assert (first, last) == tuple(
        encode(each, old.signer()) for each in (documents[0], documents[4])
    )
    assert verify_dict(claim, verifier).tag == "Claim"
    assert JwsKeys.from_signers([old.signer()]).verify(payload.decode()).payload == b"{}"
    assert source.signed == 4


async def test_loop_goes_on_while_all_signers_are_busy(timed: Node, old: Certified) -> None:
    source = Held(old)
    await start(timed, source)
    source.gate.clear()

    batches = [asyncio.ensure_future(sign(timed, POOL, [pacs008(1)])) for _ in range(3)]
    await source.until_inside()
    await source.until_inside()  # two threads sign at the same time, the third batch waits
    status = await pool_status(timed, POOL)
    source.gate.set()

    assert (status.lent, status.waiting) == (2, 1)
    assert await asyncio.gather(*batches) == [(encode(pacs008(1), old.signer()),)] * 3


async def test_new_key_signs_without_a_restart_and_the_old_signature_holds(
    timed: Node, clock: VirtualClock, key_file: Path, old: Certified, new: Certified
) -> None:
    await start(timed, KeyFiles((key_file,)))
    verifier = Verifier([old.pem, new.pem], now=clock.now)
    (before,) = await sign(timed, POOL, [pacs008(1)])

    key_file.write_bytes(key_file.read_bytes() + new.key_pem + new.pem)
    await clock.advance(RELOAD_AFTER // MILLISECOND)
    (after,) = await sign(timed, POOL, [pacs008(1)])

    assert (before, after) == tuple(encode(pacs008(1), each.signer()) for each in (old, new))
    assert decode(before, verifier) == decode(after, verifier) == pacs008(1)


async def test_new_key_is_found_although_the_clock_was_set_back(
    timed: Node, clock: VirtualClock, key_file: Path, old_key: rsa.RSAPrivateKey
) -> None:
    await start(timed, KeyFiles((key_file,)))
    await sign(timed, POOL, [pacs008(1)])
    clock.set_wall(NOON - DAY / 2)
    longer = certify(old_key, 7, NOON - DAY * 3 / 4)

    key_file.write_bytes(key_file.read_bytes() + longer.pem)

    assert await sign(timed, POOL, [pacs008(1)]) == (encode(pacs008(1), longer.signer()),)


async def test_key_that_cannot_be_read_leaves_the_old_one_at_work(
    timed: Node, clock: VirtualClock, key_file: Path, old: Certified
) -> None:
    await start(timed, KeyFiles((key_file,)))
    await sign(timed, POOL, [pacs008(1)])

    key_file.write_bytes(b"-----BEGIN CERTIFICATE-----\nhalf\n-----END CERTIFICATE-----\n")
    await clock.advance(RELOAD_AFTER // MILLISECOND)

    assert await sign(timed, POOL, [pacs008(1)]) == (encode(pacs008(1), old.signer()),)


async def test_after_the_last_day_nothing_is_signed_until_a_new_key_is_there(
    timed: Node, clock: VirtualClock, key_file: Path, new_key: rsa.RSAPrivateKey
) -> None:
    await start(timed, KeyFiles((key_file,)))
    clock.set_wall(NOON + 31 * DAY)
    late = certify(new_key, 3, NOON + 30 * DAY, NOON + 60 * DAY)

    with pytest.raises(SigningUnavailable, match="no certificate is valid now"):
        await sign(timed, POOL, [pacs008(1)])
    key_file.write_bytes(late.key_pem + late.pem)

    assert await sign(timed, POOL, [pacs008(1)]) == (encode(pacs008(1), late.signer()),)


async def test_token_that_fails_once_is_asked_again_with_its_keys_read_anew(
    timed: Node, old: Certified
) -> None:
    source = Held(old)
    await start(timed, source)
    loads, source.failures = source.loads, 1

    assert await sign(timed, POOL, [pacs008(1)]) == (encode(pacs008(1), old.signer()),)
    assert source.loads == loads + 1


async def test_token_that_stays_away_is_an_answer_and_the_pool_lives(
    timed: Node, old: Certified
) -> None:
    source = Held(old)
    await start(timed, source)
    source.failures = 2

    with pytest.raises(SigningUnavailable, match="pulled out"):
        await sign(timed, POOL, [pacs008(1)])
    assert len(await sign(timed, POOL, [pacs008(1)])) == 1


async def test_signer_that_dies_is_an_answer_and_another_takes_over(
    timed: Node, old: Certified
) -> None:
    source = Held(old)
    await start(timed, source)
    source.gate.clear()
    batch = asyncio.ensure_future(sign(timed, POOL, [pacs008(1)]))
    await source.until_inside()

    for each in timed.processes():
        if each.pid != timed.whereis(POOL):
            timed.exit(each.pid, Killed())
    source.gate.set()

    with pytest.raises(SigningUnavailable, match="CalleeDied"):
        await batch
    assert len(await sign(timed, POOL, [pacs008(1)])) == 1


async def test_pool_that_is_not_there_is_an_answer(timed: Node) -> None:
    with pytest.raises(SigningUnavailable, match="NoProcess"):
        await sign(timed, POOL, [pacs008(1)])


async def test_pool_without_keys_does_not_start_and_says_why(timed: Node, tmp_path: Path) -> None:
    with pytest.raises(StartFailed) as caught:
        await start(timed, KeyFiles((tmp_path / "nowhere.pem",)))

    reason = caught.value.reason
    assert isinstance(reason, Crash)
    assert "nowhere.pem" in str(reason.error)
