"""The children of one supervisor, in start order, and what is done to them in a row."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from actors import (
    BadReturnValue,
    Crash,
    ExitReason,
    Node,
    Pid,
    StartFailed,
    StartIgnored,
)
from supervisors.child_spec import ChildSpec, ChildType, Restart
from supervisors.errors import ChildNotFound
from supervisors.stopping import stop_child


@dataclass(frozen=True, slots=True)
class FailedToStartChild:
    """Detail of the `Shutdown` of a supervisor that could not start.

    Attributes:
        child: Id of the child.
        reason: Why the child did not start.
    """

    child: str
    reason: object


class ChildState(Enum):
    """Where a child stands."""

    RUNNING = "running"
    RESTARTING = "restarting"
    """Its last start failed; the next attempt is posted."""
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """One child at one moment.

    Attributes:
        id: Its id.
        pid: Its pid while it runs.
        state: Running, restarting or down.
        type: Worker or supervisor.
        restarts: Times that this supervisor has started it again, whoever's end was the cause.
    """

    id: str
    pid: Pid | None
    state: ChildState
    type: ChildType
    restarts: int


@dataclass(frozen=True, slots=True)
class ChildCounts:
    """Children by number.

    Attributes:
        specs: Known, running or not.
        active: Running now.
        supervisors: Known supervisors.
        workers: Known workers.
    """

    specs: int
    active: int
    supervisors: int
    workers: int


@dataclass(slots=True, eq=False)
class Child:
    """A specification and who carries it out at the moment."""

    spec: ChildSpec
    pid: Pid | None = None
    is_restarting: bool = False
    starts: int = 0

    def runs_as(self, pid: Pid) -> None:
        """It was started."""
        self.pid = pid
        self.starts += 1


async def start_child(node: Node, spec: ChildSpec) -> Pid | ExitReason | None:
    """Start one child, linked to the calling supervisor.

    Returns:
        Its pid, None when it does not want to run, or why it failed: never an exception.
    """
    try:
        pid = await spec.start(node)
        if not isinstance(pid, Pid):
            raise BadReturnValue("start", pid)  # noqa: TRY301 (it is one more failed start)
    except StartIgnored:
        return None
    except StartFailed as error:
        reason = error.reason
        return reason if isinstance(reason, ExitReason) else Crash.of(error)
    except BaseException as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise  # it is we who are ended
        return Crash.of(error)
    node.link(pid)
    return pid


class Children:
    """All children of one supervisor."""

    def __init__(self, node: Node, specs: Iterable[ChildSpec]) -> None:
        self._node = node
        self._children = [Child(spec) for spec in specs]

    def __iter__(self) -> Iterator[Child]:
        return iter(self._children)

    def find(self, child_id: str) -> Child | None:
        """By id."""
        return next((child for child in self._children if child.spec.id == child_id), None)

    def get(self, child_id: str) -> Child:
        """By id, or `ChildNotFound`."""
        child = self.find(child_id)
        if child is None:
            raise ChildNotFound(child_id)
        return child

    def find_pid(self, pid: Pid | None) -> Child | None:
        """By pid; None for a stranger and for one that was stopped meanwhile."""
        return next((child for child in self._children if child.pid == pid), None) if pid else None

    def since(self, child: Child) -> Sequence[Child]:
        """The child and those started after it."""
        return self._children[self._children.index(child) :]

    def add(self, child: Child) -> None:
        """Append one."""
        self._children.append(child)

    def remove(self, child: Child) -> None:
        """Forget one."""
        self._children.remove(child)

    async def start(self, child: Child) -> ExitReason | None:
        """Start one; gives the reason when it failed. A temporary one that ignores is dropped."""
        outcome = await start_child(self._node, child.spec)
        child.is_restarting = False
        child.pid = None
        if isinstance(outcome, Pid):
            child.runs_as(outcome)
        if outcome is None and child.spec.restart is Restart.TEMPORARY and child in self._children:
            self.remove(child)
        return None if isinstance(outcome, Pid) else outcome

    async def start_each(self, members: Sequence[Child]) -> tuple[Child, ExitReason] | None:
        """Start in order; stops at the first failure and names it."""
        for child in members:
            reason = await self.start(child)
            if reason is not None:
                return child, reason
        return None

    async def stop(self, child: Child) -> None:
        """Stop one; a temporary one is forgotten."""
        pid, child.pid, child.is_restarting = child.pid, None, False
        if pid is not None:
            await stop_child(self._node, pid, child.spec)
        if child.spec.restart is Restart.TEMPORARY:
            self.remove(child)

    async def stop_each(self, members: Sequence[Child]) -> None:
        """Stop one after another, in reverse."""
        for child in reversed(members):
            await self.stop(child)

    def which(self) -> list[ChildInfo]:
        """All of them as they are now."""
        return [describe(child) for child in self._children]

    def count(self) -> ChildCounts:
        """All of them by number."""
        return count(self._node, self._children)


def describe(child: Child) -> ChildInfo:
    """A child as it is now."""
    state = ChildState.DOWN if child.pid is None else ChildState.RUNNING
    if child.is_restarting:
        state = ChildState.RESTARTING
    restarts = max(0, child.starts - 1)
    return ChildInfo(child.spec.id, child.pid, state, child.spec.type, restarts)


def count(node: Node, children: Sequence[Child]) -> ChildCounts:
    """Children by number."""
    supervisors = sum(child.spec.type is ChildType.SUPERVISOR for child in children)
    return ChildCounts(
        specs=len(children),
        active=sum(child.pid is not None and node.is_alive(child.pid) for child in children),
        supervisors=supervisors,
        workers=len(children) - supervisors,
    )
