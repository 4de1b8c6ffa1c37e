"""Stopping one child: ask, wait, kill. Watched by monitor, so an unlinked child cannot hang it."""

import structlog

from actors import (
    CallTimeout,
    ExitReason,
    Killed,
    Node,
    NoProcess,
    Normal,
    Pid,
    Shutdown,
    reason_text,
)
from supervisors.child_spec import ChildSpec, Forever, KillAtOnce, Restart, Within

_log = structlog.get_logger("supervisors")


async def stop_child(node: Node, pid: Pid, spec: ChildSpec) -> ExitReason:
    """Stop a child as its spec says; returns when it is dead."""
    if isinstance(spec.shutdown, KillAtOnce):
        node.exit(pid, Killed())
        reason = await node.join(pid)
    else:
        node.exit(pid, Shutdown())
        reason = await _wait(node, pid, spec.shutdown)
    if not _is_expected(reason, spec):
        why = reason_text(reason)
        _log.error("child did not stop cleanly", child=spec.id, pid=str(pid), reason=why)
    return reason


async def _wait(node: Node, pid: Pid, limit: Within | Forever) -> ExitReason:
    try:
        return await node.join(pid, timeout_ms=limit.ms if isinstance(limit, Within) else None)
    except CallTimeout:
        node.exit(pid, Killed())
        return await node.join(pid) if node.is_alive(pid) else Killed()


def _is_expected(reason: ExitReason, spec: ChildSpec) -> bool:
    if isinstance(reason, NoProcess) or reason == Shutdown():
        return True  # gone before we asked: its end was reported when it happened
    if isinstance(spec.shutdown, KillAtOnce) and isinstance(reason, Killed):
        return True
    return spec.restart is not Restart.PERMANENT and isinstance(reason, Normal | Shutdown)
