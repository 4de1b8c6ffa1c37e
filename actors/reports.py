"""What a person reads about processes: crash reports, zombies, lost messages.

State and message content are left out: they hold personal data and secrets. A report names
types, the process, its ancestors and the frames.
"""

import traceback
from typing import Any

import structlog

from actors.process import From, Process
from actors.reason import Crash, ExitReason

_log = structlog.get_logger("actors")


def message_type(item: object) -> str | None:
    """Type name of a message in a mailbox."""
    if item is None:
        return None
    if type(item) is From:
        return type(item.request).__name__
    if type(item) is tuple:
        return type(item[1]).__name__
    return type(item).__name__


def report_crash(process: Process, reason: ExitReason) -> None:
    """Say that a process ended abnormally by itself."""
    _log.error(
        "process crashed",
        process=str(process.label),
        pid=str(process.pid),
        server=type(process.server).__name__ if process.server else None,
        last_message=message_type(process.handling),
        ancestors=list(process.ancestors),
        reason=repr(reason),
        traceback=reason.traceback if isinstance(reason, Crash) else None,
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
