"""Threads that a native library made, and that called into Python once.

Python keeps a name for each of them for ever; the watch over what tests leave behind would take it
for a thread that still runs. So here the threads themselves are counted.
"""

import threading
import time
from collections.abc import Iterator

import psutil
import pytest

GRACE_SECONDS = 30


def running() -> set[int]:
    return {thread.id for thread in psutil.Process().threads()}


@pytest.fixture
def native_threads() -> Iterator[None]:
    """Wait for the end of every thread that the test has made, then forget the names."""
    before = running()
    yield
    deadline = time.monotonic() + GRACE_SECONDS
    while running() - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running() <= before, "a native thread is left behind"
    for thread in threading.enumerate():
        if isinstance(thread, threading._DummyThread) and thread.native_id not in running():
            del threading._active[thread.ident]  # type: ignore[attr-defined] # nobody else can
