"""A running bank, and a participant that does what the script asks."""

from collections.abc import AsyncIterator, Callable
from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization

from bacen.simulator import RunningBank
from bacen.wire import keys
from tests.bacen.simulator.cockpit.reference import Reference
from tests.bacen.simulator.controls import Controls
from tests.bacen.simulator.desk import PAYER, DeskKeys, Schemas

OpenReference = Callable[[RunningBank], Reference]

load_pem_private_key = cache(serialization.load_pem_private_key)


@pytest.fixture(autouse=True)
def keys_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep loaded keys over the tests: checking them is nine tenths of a bank's start."""
    for module in (serialization, keys):
        monkeypatch.setattr(module, "load_pem_private_key", load_pem_private_key)


@pytest.fixture
def controls(bank: RunningBank) -> Controls:
    return Controls(bank)


@pytest.fixture
def open_reference(desk_keys: dict[str, DeskKeys], schemas: Schemas) -> OpenReference:
    """Make the reference participant of a bank, to be entered."""
    return lambda bank: Reference(bank, desk_keys[PAYER], schemas)


@pytest.fixture
async def reference(bank: RunningBank, open_reference: OpenReference) -> AsyncIterator[Reference]:
    async with open_reference(bank) as made:
        yield made
