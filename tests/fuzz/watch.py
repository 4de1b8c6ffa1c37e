"""What an input must not do: reach the network or a file, eat memory, take long."""

import ctypes
import os
import resource
import signal
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

CPU_SECONDS_MAX = 5  # for one input; they take milliseconds
TRACED_BYTES_MAX = 64 * 1024 * 1024  # for one input, and a hundred times its length
GROWTH_BYTES_MAX = 600 * 1024 * 1024  # of the process, over what it had when it was warm
CODE = (".py", ".pyc", ".so", ".csv", ".dat", ".zip")
IN_OPEN = 0x20


class Forbidden(Exception):
    """An input made the code do what it must not; the text says what."""


class Reach:
    """Sees files and connections that are opened by Python, and by libxml2 behind its back.

    An audit hook cannot be taken away again: there is one in a process, and it looks only while an
    input runs. What a library in C opens raises no audit event; so a bait that the inputs name is
    watched by the kernel (inotify, where there is one).
    """

    def __init__(self) -> None:
        self._watching: int | None = None
        self._seen: list[str] = []
        self._inotify = -1
        self._is_hooked = False

    def bait(self, path: Path) -> None:
        """Watch a file that nobody may open from now on."""
        if sys.platform != "linux":
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._inotify = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watched = libc.inotify_add_watch(self._inotify, bytes(path), IN_OPEN)
        if self._inotify < 0 or watched < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def close(self) -> None:
        if self._inotify >= 0:
            os.close(self._inotify)
            self._inotify = -1

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Refuse what is opened by this thread inside.

        Raises:
            Forbidden: Something was opened.
        """
        if not self._is_hooked:
            sys.addaudithook(self._hook)
            self._is_hooked = True
        self._seen.clear()
        self._watching = threading.get_ident()
        try:
            yield
        finally:
            self._watching = None
        if self._seen:
            raise Forbidden(f"opened {self._seen[0]}")
        self.check_bait()

    def check_bait(self) -> None:
        """Ask the kernel.

        Raises:
            Forbidden: Somebody opened the bait.
        """
        if self._inotify < 0:
            return
        try:
            os.read(self._inotify, 4096)
        except BlockingIOError:
            return
        raise Forbidden("opened the bait")

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._watching != threading.get_ident():
            return
        if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"}:
            self._seen.append(f"{event} {arguments[1:]}")
        elif event == "open" and not _is_code(arguments[0]):
            self._seen.append(f"file {arguments[0]!r}")


def _is_code(path: object) -> bool:
    """Modules are loaded when they are first needed; so are tables of libraries."""
    return isinstance(path, str | bytes) and os.fsdecode(path).endswith(CODE)


REACH = Reach()


@contextmanager
def bounded(seconds: float = CPU_SECONDS_MAX) -> Iterator[None]:
    """Interrupt what takes more processor time than that; main thread only.

    Raises:
        Forbidden: It took too long.
    """
    started = time.thread_time()
    before = signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    took = time.thread_time() - started
    if took > seconds:
        raise Forbidden(f"took {took:.1f} s")


def _too_long(number: int, frame: FrameType | None) -> None:
    raise Forbidden("was interrupted: it took too long")


def traced(run: Callable[[bytes], None], data: bytes) -> None:
    """Run one input once more and look at the most memory that it held.

    Raises:
        Forbidden: Too much.
    """
    tracemalloc.start()
    try:
        run(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > TRACED_BYTES_MAX + 100 * len(data):
        raise Forbidden(f"held {peak} bytes")


class Growth:
    """The memory of this process, from the time when it is warm."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._warm: int | None = None

    def warm(self) -> None:
        self._warm = self._process.memory_info().rss

    def check(self) -> None:
        """Compare with what there was.

        Raises:
            Forbidden: The process has grown too large.
        """
        if self._warm is None:
            self.warm()
            return
        grown = self._process.memory_info().rss - self._warm
        if grown > GROWTH_BYTES_MAX:
            raise Forbidden(f"the process has grown by {grown >> 20} MB")


def peak_megabytes() -> int:
    """Give the most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
