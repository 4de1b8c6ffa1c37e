"""What can be seen of processes from outside; copies, never the records."""

from dataclasses import dataclass

from actors.identity import Pid
from actors.process import Process
from actors.reports import message_type


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One living process at one moment.

    Attributes:
        pid: Its identity.
        name: Registered name, if any.
        server: Type name of the server; "" for a bare process.
        parent: Who it was started by and linked to.
        ancestors: Names or pids of the parents, nearest last.
        mailbox_length: Messages that wait.
        mailbox_max: Messages that may wait.
        dropped: Messages that a full mailbox refused so far.
        calls: Callers that wait for an answer.
        links: Peers, in no order.
        monitored_by: Number of watchers.
        last_message: Type name of the message it handles or handled last.
    """

    pid: Pid
    name: str | None
    server: str
    parent: Pid | None
    ancestors: tuple[str, ...]
    mailbox_length: int
    mailbox_max: int
    dropped: int
    calls: int
    links: tuple[Pid, ...]
    monitored_by: int
    last_message: str | None


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


def describe(process: Process) -> ProcessInfo:
    """Copy of what may be shown of a process."""
    return ProcessInfo(
        pid=process.pid,
        name=process.name,
        server=type(process.server).__name__ if process.server else "",
        parent=process.parent,
        ancestors=process.ancestors,
        mailbox_length=len(process.mailbox),
        mailbox_max=process.mailbox_max,
        dropped=process.dropped,
        calls=len(process.calls),
        links=tuple(peer.pid for peer in process.links or ()),
        monitored_by=len(process.watchers or ()),
        last_message=message_type(process.handling),
    )
