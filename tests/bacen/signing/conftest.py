"""Two keys for all tests of signing, made once, and a node whose clock stands still."""

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from actors import Node, VirtualClock
from tests.bacen.signing.certified import NOON


@pytest.fixture(scope="session")
def old_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
async def timed(clock: VirtualClock) -> AsyncIterator[Node]:
    node = Node("signing", clock=clock)
    yield node
    await node.shutdown()
