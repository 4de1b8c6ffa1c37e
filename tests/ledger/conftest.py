from collections.abc import AsyncIterator

import pytest

from actors import Node
from ledger import migrate
from tests.ledger.bank import Bank


@pytest.fixture
async def empty_bank(node: Node, postgres_dsn: str) -> Bank:
    """Tables, but no writer and no accounts."""
    await migrate(postgres_dsn)
    return Bank(node, postgres_dsn)


@pytest.fixture
async def bank(empty_bank: Bank) -> AsyncIterator[Bank]:
    """A running writer, and customers with `FUNDS_CENTS` each."""
    await empty_bank.start()
    await empty_bank.open()
    yield empty_bank
    if empty_bank.writer is not None and empty_bank.node.is_alive(empty_bank.writer):
        await empty_bank.node.stop(empty_bank.writer)
