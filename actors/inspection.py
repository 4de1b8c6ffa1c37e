"""What can be seen of processes from outside; copies, never the records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from actors.clock import Clock, TimerHandle
from actors.identity import Pid
from actors.process import Process
from actors.reports import message_type, state_of, watchers_of
from actors.telemetry import Telemetry

OBSERVE_MS: Final = 10_000  # an observer that went away costs no longer than this
_NS_PER_MS: Final = 1_000_000


class ProcessState(Enum):
    """What a process is doing."""

    STARTING = "starting"
    """Its `init` has not returned."""
    RUNNING = "running"
    """It handles a message, or what it awaits while it does."""
    WAITING = "waiting"
    """It waits for a message."""


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One living process at one moment.

    Attributes:
        pid: Its identity.
        name: Registered name, if any.
        server: Type name of the server; "" for a bare process.
        is_supervisor: It answers `which_children`.
        state: What it is doing.
        parent: Who it was started by and linked to.
        ancestors: Names or pids of the parents, nearest last.
        mailbox_length: Messages that wait.
        mailbox_max: Messages that may wait.
        dropped: Messages that a full mailbox refused so far.
        calls: Callers that wait for an answer.
        links: Peers, oldest bond first.
        monitors: Processes that it watches.
        monitored_by: Number of watchers.
        last_message: Type name of the message it handles or handled last.
        handled: Messages handled so far.
        handler_ns: Nanoseconds spent in handlers while messages were timed, waits included; see
            `Node.observation`.
        watchers: Names or pids of the processes that watch it; of `Node.info` only.
        shown: What the server's `format_status` shows; of `Node.info` only.
    """

    pid: Pid
    name: str | None
    server: str
    is_supervisor: bool
    state: ProcessState
    parent: Pid | None
    ancestors: tuple[str, ...]
    mailbox_length: int
    mailbox_max: int
    dropped: int
    calls: int
    links: tuple[Pid, ...]
    monitors: tuple[Pid, ...]
    monitored_by: int
    last_message: str | None
    handled: int
    handler_ns: int
    watchers: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NodeStatistics:
    """Counters of a node since it was made.

    Attributes:
        processes: Processes alive now.
        started_total: Processes ever started.
        dropped_total: Casts and sends that a full mailbox refused.
        timers: Messages that `send_after` will still send.
    """

    processes: int
    started_total: int
    dropped_total: int
    timers: int


class Observation:
    """Has handlers timed while somebody looks. It ends by itself unless it is renewed.

    So an observer that died leaves no cost behind.
    """

    __slots__ = ("_clock", "_telemetry", "_timer", "_until_ns")

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._timer: TimerHandle | None = None
        self._until_ns = 0

    def renew(self, ms: int = OBSERVE_MS) -> None:
        """Go on for `ms` milliseconds at least."""
        until_ns = self._clock.monotonic_ns() + ms * _NS_PER_MS
        if self._timer is None:
            self._telemetry.observers += 1
        elif until_ns <= self._until_ns:
            return
        else:
            self._timer.cancel()
        self._until_ns = until_ns
        self._timer = self._clock.call_later(ms, self.end)

    def end(self) -> None:
        """Have enough; once more does not matter."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._telemetry.observers -= 1


def describe(process: Process, *, whole: bool = False) -> ProcessInfo:
    """Copy of what may be shown of a process.

    Args:
        process: Which.
        whole: Also what takes its time: the watchers, and what the server shows of its state.
    """
    server = process.server
    return ProcessInfo(
        pid=process.pid,
        name=process.name,
        server=type(server).__name__ if server else "",
        is_supervisor=server is not None and server.is_supervisor,
        state=_state(process),
        parent=process.parent,
        ancestors=process.ancestors,
        mailbox_length=len(process.mailbox),
        mailbox_max=process.mailbox_max,
        dropped=process.dropped,
        calls=len(process.owed()),
        links=tuple(peer.pid for peer in process.links or ()),
        monitors=tuple(target.pid for target in (process.monitors or {}).values()),
        monitored_by=len(process.watchers or ()),
        last_message=message_type(process.handling) or process.last_message,
        handled=process.handled,
        handler_ns=process.handler_ns,
        watchers=watchers_of(process) if whole else (),
        shown=state_of(process) if whole else {},
    )


def _state(process: Process) -> ProcessState:
    if process.starting is not None:
        return ProcessState.STARTING
    is_idle = process.server is not None and (process.waiter is not None or process.task is None)
    return ProcessState.WAITING if is_idle else ProcessState.RUNNING
