"""What a person reads about processes: crash reports, zombies.

State and message content are left out: they hold personal data and secrets. A report names types,
the process, its bonds and the frames (`actors.redaction` says what may be shown).
"""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from actors.identity import Pid
from actors.process import From, Process
from actors.reason import Crash, ExitReason
from actors.redaction import error_text, reason_text

CRASHES_MAX: Final = 100  # reports that a node keeps
CRASH: Final = ("process", "crash")

_log = structlog.get_logger("actors")


@dataclass(frozen=True, slots=True)
class CrashReport:
    """How one process ended abnormally by itself; safe to show to whoever may see the node.

    Attributes:
        at: Wall time of the end, UTC.
        pid: Its identity.
        name: Registered name, if any.
        server: Type name of the server; "" for a bare process.
        reason: Why, in one line; without the text of errors that are not the runtime's own.
        traceback: The frames and types of errors; None when it stopped on purpose.
        last_message: Type name of the message it handled last.
        handled: Messages it had handled.
        mailbox_length: Messages that waited and are lost.
        state: What the server's `format_status` shows.
        ancestors: Names or pids of the parents, nearest last.
        links: Peers, which were sent an exit signal.
        monitored_by: Names or pids of the processes that watched it.
    """

    at: datetime
    pid: Pid
    name: str | None
    server: str
    reason: str
    traceback: str | None
    last_message: str | None
    handled: int
    mailbox_length: int
    state: Mapping[str, str]
    ancestors: tuple[str, ...]
    links: tuple[Pid, ...]
    monitored_by: tuple[str, ...]

    def is_about(self, name: str | None, server: str, ancestors: tuple[str, ...]) -> bool:
        """True for an earlier life of a process: same name, or a nameless one of the same place."""
        if self.name is not None or name is not None:
            return self.name == name
        return (self.server, self.ancestors) == (server, ancestors)


def message_type(item: object) -> str | None:
    """Type name of a message in a mailbox."""
    if item is None:
        return None
    if type(item) is From:
        return type(item.request).__name__
    if type(item) is tuple:
        return type(item[1]).__name__
    return type(item).__name__


def watchers_of(process: Process) -> tuple[str, ...]:
    """Names or pids of the processes that watch this one."""
    watchers = (process.watchers or {}).values()
    return tuple(str(watcher.label) for watcher, _ in watchers if watcher is not None)


def state_of(process: Process) -> dict[str, str]:
    """What a server shows of its state; never raises."""
    if process.server is None:
        return {}
    try:
        return {str(name): str(shown) for name, shown in process.server.format_status().items()}
    except BaseException as error:  # noqa: BLE001 (a look must not hurt who is looked at)
        return {"format_status": f"raised {error_text(error)}"}


def report_crash(process: Process, reason: ExitReason) -> None:
    """Say that a process ended abnormally by itself: log, telemetry, the node's latest crashes."""
    node = process.node
    report = CrashReport(
        at=node.clock.now(),
        pid=process.pid,
        name=process.name,
        server=type(process.server).__name__ if process.server else "",
        reason=reason_text(reason),
        traceback=reason.traceback if isinstance(reason, Crash) else None,
        last_message=message_type(process.handling) or process.last_message,
        handled=process.handled,
        mailbox_length=len(process.mailbox),
        state=state_of(process),
        ancestors=process.ancestors,
        links=tuple(peer.pid for peer in process.links or ()),
        monitored_by=watchers_of(process),
    )
    node.crashes.append(report)
    _log.error(
        "process crashed",
        process=str(process.label),
        pid=str(report.pid),
        server=report.server or None,
        reason=report.reason,
        last_message=report.last_message,
        handled=report.handled,
        mailbox_length=report.mailbox_length,
        state=report.state,
        ancestors=list(report.ancestors),
        links=[str(pid) for pid in report.links],
        monitored_by=list(report.monitored_by),
        traceback=report.traceback,
    )
    counted = {"mailbox_length": report.mailbox_length, "handled": report.handled}
    node.telemetry.execute(CRASH, counted, {"report": report})


def report_failure(process: Process, event: tuple[str, ...], error: BaseException) -> None:
    """Say that what hangs on the end of a process failed; its end goes on."""
    about = {"process": str(process.label), "pid": str(process.pid)}
    _log.error(" ".join(event), **about, reason=reason_text(Crash.of(error)))
    process.node.telemetry.execute(
        event, {}, {"pid": process.pid, "name": process.name, "error": error}
    )


def report_zombie(process: Process) -> None:
    """Say that a killed process still runs code; its effects are dropped."""
    _log.error(
        "zombie: a killed process does not end",
        process=str(process.label),
        pid=str(process.pid),
        stack=_stack(process.task.get_coro()) if process.task is not None else "",
    )


def _stack(awaited: Any) -> str:
    """Every frame down to what it waits for; a task itself shows only the outermost."""
    frames = []
    while getattr(awaited, "cr_frame", None) is not None:
        frames.append((awaited.cr_frame, awaited.cr_frame.f_lineno))
        awaited = awaited.cr_await
    return "".join(traceback.StackSummary.extract(iter(frames)).format())
