"""What happened in a run, line by line: equal schedules have equal traces, byte for byte.

Nothing in a line depends on addresses, on the hash of a string or on the real time.
"""

import functools
import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import structlog

from actors.node import Node
from actors.telemetry import MESSAGE_EVENTS, Event

_ADDRESS: Final = re.compile("0x[0-9a-f]+")  # what a plain repr ends with
_SHOWN_LOG_KEYS: Final = ("process", "child", "reason")


class Trace:
    """The lines of one run.

    Args:
        now_ns: Gives the virtual time.

    Attributes:
        lines: So far.
        is_open: More lines are taken.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self.lines: list[str] = []
        self.is_open = True

    def add(self, who: str, what: str) -> None:
        """Append a line with the virtual time in nanoseconds."""
        if self.is_open:
            said = _ADDRESS.sub("0x", what)
            self.lines.append(f"{self._now_ns():>12} {who:<16} {said}")

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def watch(self, node: Node) -> None:
        """Write down what the processes of a node do."""
        for event in sorted(MESSAGE_EVENTS):
            node.telemetry.attach(event, self._handled)
        for event in (("process", "start"), ("process", "exit"), ("mailbox", "overflow")):
            node.telemetry.attach(event, self._lived)

    def log(self, event: Mapping[str, Any], level: str) -> None:
        """Write down what the program logs; other values of a log line may differ each time."""
        seen = [str(event[key]) for key in _SHOWN_LOG_KEYS if key in event]
        self.add("log", " ".join([f"{level}:", str(event.get("event", "")), *seen]))

    def _handled(self, event: Event, _: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
        verb = "handled" if event[2] == "stop" else "failed in"
        self.add(label_of(seen), f"{verb} {event[1]} {seen['message']}")

    def _lived(self, event: Event, _: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
        detail = seen.get("reason") or seen.get("message") or ""
        self.add(label_of(seen), f"{event[1]} {detail}".rstrip())


def label_of(seen: Mapping[str, Any]) -> str:
    """Name of a process in telemetry: the registered one, else the pid."""
    return str(seen["name"] or seen["pid"])


@contextmanager
def logs_go_to(trace: Trace | None) -> Iterator[None]:
    """Keep what the program logs off the console: it goes into the trace, or nowhere."""
    before = structlog.get_config()["processors"]
    kept = list(before)
    simulating = threading.get_ident()

    def take(logger: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        if threading.get_ident() != simulating:
            return functools.reduce(lambda said, each: each(logger, level, said), kept, event)
        if trace is not None:
            trace.log(event, level)
        raise structlog.DropEvent

    before[:] = [take]  # the same list: loggers that were bound and cached before hold on to it
    try:
        yield
    finally:
        before[:] = kept


def describe(action: object) -> str:
    """Name of a callback, without its address."""
    if isinstance(action, functools.partial):
        return describe(action.func)
    name = str(getattr(action, "__qualname__", type(action).__qualname__))
    return name.partition(".<locals>")[0]
