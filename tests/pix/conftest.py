"""A shard for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest

from actors import Node
from bacen.wire import LocalAuthority
from tests.pix.desk import Desk, make_authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    """Keys and certificates of both sides."""
    return make_authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def desk(node: Node, migrated_dsn: str, authority: LocalAuthority) -> AsyncIterator[Desk]:
    """A shard with one customer who has ten thousand reais."""
    made = Desk(node, migrated_dsn, authority)
    await made.start()
    yield made
    for name in ("receiver", "sender"):  # they wait for the bank and would not hear a request
        await made.kill(name)
    await node.shutdown()
    await made.stop()
