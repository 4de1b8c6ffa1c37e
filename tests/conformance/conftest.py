"""Every conformance case runs on both event loops."""

import pytest

from actors import Node
from tests.conformance.event_loops import (
    pytest_asyncio_loop_factories,
    uvloop_has_its_signal_pipe,
)
from tests.conformance.probes import Bench

__all__ = ["pytest_asyncio_loop_factories", "uvloop_has_its_signal_pipe"]


@pytest.fixture
def bench(node: Node) -> Bench:
    return Bench(node)
