"""Participants at the DICT of a running bank whose clock can be moved."""

from collections.abc import AsyncIterator, Callable
from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization

from actors import Node
from bacen.dict import DictClient
from bacen.simulator import RunningBank
from bacen.simulator.clock import BankClock
from bacen.wire import keys
from tests.bacen.simulator.conftest import OpenDesk
from tests.bacen.simulator.desk import CONNECTED, PAYER, DeskKeys
from tests.bacen.simulator.dict.member import open_client
from tests.bacen.simulator.dict.money import Money

OpenClient = Callable[..., DictClient]


load_pem_private_key = cache(serialization.load_pem_private_key)


@pytest.fixture(autouse=True)
def keys_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep loaded keys over the tests: checking them is nine tenths of a bank's start."""
    for module in (serialization, keys):
        monkeypatch.setattr(module, "load_pem_private_key", load_pem_private_key)


@pytest.fixture
def clock() -> BankClock:
    return BankClock()


@pytest.fixture
async def node(clock: BankClock) -> AsyncIterator[Node]:
    """Stand in for the node of the whole suite: the bank's, on the clock of the test."""
    made = Node("test", clock=clock)
    yield made
    await made.shutdown()


@pytest.fixture
async def clients(desk_keys: dict[str, DeskKeys]) -> AsyncIterator[OpenClient]:
    """Open clients of DICT; all are closed at the end."""
    opened: list[DictClient] = []

    def client(bank: RunningBank, ispb: str = PAYER) -> DictClient:
        opened.append(open_client(bank.url, desk_keys[ispb]))
        return opened[-1]

    yield client
    for each in opened:
        await each.close()


@pytest.fixture
async def first(bank: RunningBank, clients: OpenClient) -> DictClient:
    return clients(bank, PAYER)


@pytest.fixture
async def second(bank: RunningBank, clients: OpenClient) -> DictClient:
    return clients(bank, CONNECTED)


@pytest.fixture
async def money(bank: RunningBank, desks: OpenDesk) -> Money:
    return Money(desks(bank, PAYER), desks(bank, CONNECTED))
