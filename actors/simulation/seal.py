"""The walls of a simulation: what reaches for the real world is refused, by name.

Sockets, child processes and the real clock announce themselves to the interpreter's audit hooks.
Threads and `time.sleep` do not (Python 3.11), so those two are replaced while a simulation runs,
for its own thread only.
"""

import asyncio
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol, runtime_checkable

_FORBIDDEN: Final = frozenset(
    {
        "actors.clock.Clock",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.system",
        "socket.__new__",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "subprocess.Popen",
    }
)


@runtime_checkable
class Sealed(Protocol):
    """A loop that lets nothing out."""

    def refuse(self, operation: str) -> None:
        """Raise `NotSimulated`, and end the run with it."""


@contextmanager
def sealed(loop: Sealed) -> Iterator[None]:
    """Refuse real sockets, programs, threads and sleeps of this thread meanwhile."""
    _install_hook()
    simulating = threading.get_ident()

    def refusing(operation: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == simulating:
                loop.refuse(operation)
            return real(*args, **kwargs)

        return refuse

    start, sleep = threading.Thread.start, time.sleep
    threading.Thread.start = refusing("threading.Thread.start", start)  # type: ignore[method-assign] # put back below
    time.sleep = refusing("time.sleep", sleep)
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign] # as it was
        time.sleep = sleep


@functools.cache
def _install_hook() -> None:
    """Once for the program: a hook cannot be taken out again."""

    def watch(event: str, _: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            if isinstance(loop, Sealed):
                loop.refuse(event)

    sys.addaudithook(watch)
