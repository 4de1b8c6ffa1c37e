"""Why a request is not even sent."""

import asyncio

from actors.errors import (
    CallingSelf,
    NodeLost,
    NoProcess,
    Overloaded,
    UnhandledMessage,
)
from actors.identity import Pid, Target, Via
from actors.process import Process
from actors.reason import NoConnection


def absence(node_name: str, target: Target) -> NoProcess | NoConnection:
    """Reason why a target that is not in the table cannot be watched."""
    if isinstance(target, Pid) and target.node != node_name:
        return NoConnection(target.node)
    return NoProcess(str(target) if isinstance(target, Via) else target)  # errors travel


def unreachable(node_name: str, target: Target, request: object) -> NoProcess | NodeLost:
    """Error of a call to a target that is not in the table."""
    kind = type(request).__name__
    absent = absence(node_name, target)
    return (
        NodeLost(absent.node, kind)
        if isinstance(absent, NoConnection)
        else NoProcess(absent.target, kind)
    )


def refusal(process: Process, request: object) -> Overloaded | UnhandledMessage:
    """Error of a call to a mailbox that takes no more."""
    if process.server is None:
        return UnhandledMessage("handle_call", type(request).__name__)
    return Overloaded(process.label, process.mailbox_max)


def check_alive(process: Process) -> None:
    """A killed process that still runs code is stopped at the next thing it tries."""
    if not process.alive:
        raise asyncio.CancelledError


def check_caller(caller: Process, callee: Process, request: object) -> None:
    """A living caller that does not ask itself."""
    check_alive(caller)
    # Tasks that a server started act in its name, and may well call it.
    if caller is callee and asyncio.current_task() is caller.task:
        raise CallingSelf(callee.label, type(request).__name__)
