"""Both event loops that the platform supports; what they do differently shows in tests."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session", autouse=True)
def uvloop_has_its_signal_pipe() -> None:
    """Open the pipe that libuv keeps for the whole process before a test can be blamed for it."""
    uvloop.new_event_loop().close()
