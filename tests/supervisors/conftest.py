"""Child programs run on both event loops: each has a subprocess transport of its own."""

from tests.conformance.event_loops import (
    pytest_asyncio_loop_factories,
    uvloop_has_its_signal_pipe,
)

__all__ = ["pytest_asyncio_loop_factories", "uvloop_has_its_signal_pipe"]
