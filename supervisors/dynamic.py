"""A supervisor of children that come and go, addressed by pid, each on its own.

Unlike `Supervisor` it stops all children at once, and no failed start can hurt it.
"""

import asyncio
from typing import Any

from actors import (
    Answer,
    CallAnswer,
    Exit,
    ExitReason,
    From,
    GenServer,
    NoReply,
    Pid,
    Reply,
    Shutdown,
    StartFailed,
    Stop,
)
from supervisors.child_spec import ChildSpec
from supervisors.children import Child, ChildCounts, ChildInfo, count, describe, start_child
from supervisors.errors import (
    ChildNotFound,
    InvalidSupervisor,
    SupervisorError,
    TooManyChildren,
)
from supervisors.intensity import Intensity
from supervisors.requests import CountChildren, StartChild, TerminateChild, WhichChildren
from supervisors.stopping import stop_child
from supervisors.supervisor import (
    MAX_RESTARTS,
    MAX_SECONDS,
    Strategy,
    TryAgain,
    check_limits,
    check_spec,
    count_restart,
    post_next_try,
)


class DynamicSupervisor(GenServer):
    """Starts children on request (`start_child`) and restarts each one alone.

    Ids need not be unique; `terminate_child` takes the pid.

    Args:
        max_children: Children at most, those that wait for a restart included; None: no limit.
        max_restarts: Restarts survived within `max_seconds`; one more ends the supervisor.
        max_seconds: Length of the sliding window.

    Raises:
        InvalidSupervisor: An option is wrong.
    """

    trap_exit = True
    is_supervisor = True
    mailbox_max = 1_000_000  # a supervisor must hear of every child
    stop_timeout_ms = None  # each child has a limit of its own

    def __init__(
        self,
        *,
        max_children: int | None = None,
        max_restarts: int = MAX_RESTARTS,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        check_limits(max_restarts, max_seconds)
        if max_children is not None and max_children < 0:
            raise InvalidSupervisor("max_children", "is negative")
        self._children_max = max_children
        self._intensity = Intensity(max_restarts, max_seconds)
        self._running: dict[Pid, Child] = {}
        self._restarting: dict[Child, None] = {}

    async def terminate(self, reason: ExitReason) -> None:
        """Stop all children at once and wait for the last."""
        del reason
        running, self._running = self._running, {}
        await asyncio.gather(
            *(stop_child(self.node, pid, child.spec) for pid, child in running.items())
        )

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Answer a request of `supervisors.requests`; an error is raised at the caller."""
        try:
            value = await self._obey(request)
        except (SupervisorError, StartFailed) as error:
            self.node.fail(sender, error)
            return NoReply()
        return Reply(value)

    async def handle_info(self, message: Any) -> Answer:
        """A child ended, or a restart is to be tried again."""
        if isinstance(message, Exit):
            child = self._running.pop(message.pid, None) if message.pid else None
            if child is None or not child.spec.is_restarted_after(message.reason):
                return None
            return await self._restart(child)
        if isinstance(message, TryAgain):
            child = message.child
            return await self._restart(child) if child in self._restarting else None
        return await super().handle_info(message)

    async def _obey(self, request: object) -> Pid | list[ChildInfo] | ChildCounts | None:
        match request:
            case StartChild(spec):
                return await self._start(spec)
            case TerminateChild(child):
                await self._terminate_child(child)
                return None
            case WhichChildren():
                return [describe(child) for child in self._children()]
            case CountChildren():
                return count(self.node, self._children())
        raise InvalidSupervisor("request", f"a {type(request).__name__} is none here")

    def _children(self) -> list[Child]:
        return [*self._running.values(), *self._restarting]

    async def _start(self, spec: ChildSpec) -> Pid | None:
        check_spec(spec)
        known = len(self._running) + len(self._restarting)
        if self._children_max is not None and known >= self._children_max:
            raise TooManyChildren(self._children_max)
        outcome = await start_child(self.node, spec)
        if isinstance(outcome, Pid):
            self._running[outcome] = Child(spec, outcome, starts=1)
        elif outcome is not None:
            raise StartFailed(outcome)
        return outcome

    async def _terminate_child(self, pid: object) -> None:
        child = self._running.pop(pid, None) if isinstance(pid, Pid) else None
        if child is None or child.pid is None:
            raise ChildNotFound(str(pid))
        await stop_child(self.node, child.pid, child.spec)

    async def _restart(self, child: Child) -> Answer:
        self._restarting.pop(child, None)
        child.pid, child.is_restarting = None, False
        if not count_restart(self, self._intensity, child.spec.id, Strategy.ONE_FOR_ONE):
            return Stop(Shutdown())
        outcome = await start_child(self.node, child.spec)
        if isinstance(outcome, Pid):
            child.runs_as(outcome)
            self._running[outcome] = child
        elif outcome is not None:
            self._restarting[child] = None
            post_next_try(self, child, outcome)
        return None
