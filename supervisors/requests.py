"""What one may ask a supervisor. These calls wait without limit: it starts children itself."""

from dataclasses import dataclass
from typing import cast

from actors import Node, Pid, Target
from supervisors.child_spec import ChildSpec
from supervisors.children import ChildCounts, ChildInfo


@dataclass(frozen=True, slots=True)
class StartChild:
    """Start and keep a child."""

    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class TerminateChild:
    """Stop a child, by id, or by pid where children have no ids."""

    child: str | Pid


@dataclass(frozen=True, slots=True)
class RestartChild:
    """Start a child that is down."""

    child: str


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """Forget a child that is down."""

    child: str


@dataclass(frozen=True, slots=True)
class WhichChildren:
    """List the children."""


@dataclass(frozen=True, slots=True)
class CountChildren:
    """Count the children."""


async def start_child(node: Node, supervisor: Target, spec: ChildSpec) -> Pid | None:
    """Add a child to a running supervisor; None when it does not want to run.

    Raises:
        ChildAlreadyStarted: A child of this id runs.
        ChildAlreadyPresent: A child of this id is known but down.
        InvalidChildSpec: The supervisor cannot obey it.
        TooManyChildren: A dynamic supervisor is full.
        StartFailed: It did not start; its spec is not kept.
        NoProcess: There is no such supervisor.
    """
    return cast(Pid | None, await node.call(supervisor, StartChild(spec), timeout_ms=None))


async def terminate_child(node: Node, supervisor: Target, child: str | Pid) -> None:
    """Stop a child; its spec is kept unless it is temporary. Stopping twice is fine.

    Never counts as a restart and never ends the supervisor. A dynamic supervisor knows its
    children by pid.

    Raises:
        ChildNotFound: There is none.
        NoProcess: There is no such supervisor.
    """
    await node.call(supervisor, TerminateChild(child), timeout_ms=None)


async def restart_child(node: Node, supervisor: Target, child: str) -> Pid | None:
    """Start a child that is down; None when it does not want to run.

    Raises:
        ChildNotFound: There is none.
        ChildRunning: It runs.
        ChildRestarting: It is being restarted.
        StartFailed: It did not start; its spec is kept.
        NoProcess: There is no such supervisor.
    """
    return cast(Pid | None, await node.call(supervisor, RestartChild(child), timeout_ms=None))


async def delete_child(node: Node, supervisor: Target, child: str) -> None:
    """Forget a child that is down.

    Raises:
        ChildNotFound: There is none.
        ChildRunning: It runs.
        ChildRestarting: It is being restarted.
        NoProcess: There is no such supervisor.
    """
    await node.call(supervisor, DeleteChild(child), timeout_ms=None)


async def which_children(node: Node, supervisor: Target) -> list[ChildInfo]:
    """The children, in start order.

    Raises:
        NoProcess: There is no such supervisor.
    """
    return cast(list[ChildInfo], await node.call(supervisor, WhichChildren(), timeout_ms=None))


async def count_children(node: Node, supervisor: Target) -> ChildCounts:
    """The children by number.

    Raises:
        NoProcess: There is no such supervisor.
    """
    return cast(ChildCounts, await node.call(supervisor, CountChildren(), timeout_ms=None))
