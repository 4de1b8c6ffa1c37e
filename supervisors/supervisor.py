"""A process that starts children, watches them, and starts them again by a strategy.

The rules are those of OTP's supervisor (docs/actors.md). Children start in order and stop in
reverse; a supervisor that restarts too often stops everything and ends with `Shutdown()`, so its
own supervisor decides what comes next.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import structlog

from actors import (
    Answer,
    CallAnswer,
    Exit,
    ExitReason,
    From,
    GenServer,
    Name,
    Node,
    NoReply,
    Pid,
    Reply,
    Shutdown,
    StartFailed,
    Stop,
    StopInit,
    reason_text,
)
from supervisors.child_spec import ChildSpec, ChildType, Restart
from supervisors.children import Child, Children, FailedToStartChild
from supervisors.errors import (
    ChildAlreadyPresent,
    ChildAlreadyStarted,
    ChildRestarting,
    ChildRunning,
    InvalidChildSpec,
    InvalidSupervisor,
    SupervisorError,
)
from supervisors.intensity import Intensity
from supervisors.requests import (
    CountChildren,
    DeleteChild,
    RestartChild,
    StartChild,
    TerminateChild,
    WhichChildren,
)

MAX_RESTARTS: Final = 3
MAX_SECONDS: Final = 5

RESTART: Final = ("supervisor", "restart")
LIMIT_REACHED: Final = ("supervisor", "limit_reached")

_log = structlog.get_logger("supervisors")


class Strategy(Enum):
    """Who restarts together with a child that failed."""

    ONE_FOR_ONE = "one_for_one"
    """Nobody else."""
    ONE_FOR_ALL = "one_for_all"
    """All siblings."""
    REST_FOR_ONE = "rest_for_one"
    """The siblings that were started after it."""


class AutoShutdown(Enum):
    """Whether a significant child that ends by itself ends the supervisor."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    """The first one does."""
    ALL_SIGNIFICANT = "all_significant"
    """The last one that still ran does."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """A restart that failed, posted to ourselves so that calls are answered in between."""

    child: Child


class Supervisor(GenServer):
    """Starts its children in order and keeps them running.

    Args:
        children: Started left to right, stopped right to left.
        strategy: Who restarts together.
        max_restarts: Restarts survived within `max_seconds`; one more ends the supervisor.
        max_seconds: Length of the sliding window.
        auto_shutdown: What the end of a significant child means.

    Raises:
        InvalidSupervisor: An option is wrong.
        InvalidChildSpec: Two children share an id, or one is significant for nobody.
    """

    trap_exit = True
    is_supervisor = True
    mailbox_max = 1_000_000  # a supervisor must hear of every child
    stop_timeout_ms = None  # each child has a limit of its own

    def __init__(
        self,
        children: Sequence[ChildSpec],
        *,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        max_restarts: int = MAX_RESTARTS,
        max_seconds: float = MAX_SECONDS,
        auto_shutdown: AutoShutdown = AutoShutdown.NEVER,
    ) -> None:
        check_limits(max_restarts, max_seconds)
        if not isinstance(strategy, Strategy):
            raise InvalidSupervisor("strategy", "is no Strategy")
        if not isinstance(auto_shutdown, AutoShutdown):
            raise InvalidSupervisor("auto_shutdown", "is no AutoShutdown")
        self._auto_shutdown = auto_shutdown
        self._strategy = strategy
        self._intensity = Intensity(max_restarts, max_seconds)
        self._specs = tuple(children)
        seen: set[str] = set()
        for spec in self._specs:
            self._check_spec(spec)
            if spec.id in seen:
                raise InvalidChildSpec(spec.id, "id", "is a sibling's too")
            seen.add(spec.id)

    async def init(self) -> StopInit | None:
        """Start all children, or none."""
        self._children = Children(self.node, self._specs)
        failed = await self._children.start_each(tuple(self._children))
        if failed is None:
            return None
        child, reason = failed
        await self._children.stop_each(tuple(self._children))
        return StopInit(Shutdown(FailedToStartChild(child.spec.id, reason)))

    async def terminate(self, reason: ExitReason) -> None:
        """Stop all children, last first."""
        del reason
        await self._children.stop_each(tuple(self._children))

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
            child = self._children.find_pid(message.pid)
            # Nobody's: a child we stopped ourselves, whose notice was still under way.
            return None if child is None else await self._ended(child, message.reason)
        if isinstance(message, TryAgain):
            waiting = message.child
            is_due = waiting.is_restarting and waiting in self._children
            return await self._restart(waiting) if is_due else None
        return await super().handle_info(message)

    async def _ended(self, child: Child, reason: ExitReason) -> Answer:
        child.pid = None
        if child.spec.is_restarted_after(reason):
            _log.warning("child ended", child=child.spec.id, reason=reason_text(reason))
            return await self._restart(child)
        if child.spec.restart is Restart.TEMPORARY:
            self._children.remove(child)
        return Stop(Shutdown()) if self._is_last_significant(child) else None

    def _is_last_significant(self, child: Child) -> bool:
        if not child.spec.significant:
            return False
        if self._auto_shutdown is AutoShutdown.ANY_SIGNIFICANT:
            return True
        return not any(
            other.spec.significant and (other.pid is not None or other.is_restarting)
            for other in self._children
        )

    async def _restart(self, child: Child) -> Answer:
        if not count_restart(self, self._intensity, child.spec.id, self._strategy):
            return Stop(Shutdown())
        child.is_restarting = False
        group = self._group(child)
        await self._children.stop_each([member for member in group if member is not child])
        # Read again: temporary members went when they were stopped.
        failed = await self._children.start_each(self._group(child))
        if failed is not None:
            post_next_try(self, *failed)
        return None

    def _group(self, child: Child) -> Sequence[Child]:
        if self._strategy is Strategy.ONE_FOR_ONE:
            return (child,)
        if self._strategy is Strategy.ONE_FOR_ALL:
            return tuple(self._children)
        return self._children.since(child)

    async def _obey(self, request: object) -> object:
        match request:
            case StartChild(spec):
                return await self._start_child(spec)
            case TerminateChild(child_id):
                await self._children.stop(self._children.get(str(child_id)))
                return None
            case RestartChild(child_id):
                return await self._start_known(self._get_down(child_id))
            case DeleteChild(child_id):
                self._children.remove(self._get_down(child_id))
                return None
            case WhichChildren():
                return self._children.which()
            case CountChildren():
                return self._children.count()
        raise InvalidSupervisor("request", f"a {type(request).__name__} is none")

    async def _start_child(self, spec: ChildSpec) -> Pid | None:
        self._check_spec(spec)
        known = self._children.find(spec.id)
        if known is not None:
            if known.pid is None and not known.is_restarting:
                raise ChildAlreadyPresent(spec.id)
            raise ChildAlreadyStarted(known.pid)
        child = Child(spec)
        self._children.add(child)
        try:
            return await self._start_known(child)
        except StartFailed:
            self._children.remove(child)
            raise

    async def _start_known(self, child: Child) -> Pid | None:
        reason = await self._children.start(child)
        if reason is not None:
            raise StartFailed(reason)
        return child.pid

    def _get_down(self, child_id: str) -> Child:
        child = self._children.get(child_id)
        if child.is_restarting:
            raise ChildRestarting(child_id)
        if child.pid is not None:
            raise ChildRunning(child_id)
        return child

    def _check_spec(self, spec: ChildSpec) -> None:
        check_spec(spec)
        if spec.significant and self._auto_shutdown is AutoShutdown.NEVER:
            problem = "means nothing while auto_shutdown is never"
            raise InvalidChildSpec(spec.id, "significant", problem)


def check_spec(spec: object) -> None:
    """A specification is one, whatever the types of the caller say."""
    if not isinstance(spec, ChildSpec):
        raise InvalidChildSpec("", "spec", f"a {type(spec).__name__} is no ChildSpec")


def check_limits(max_restarts: int, max_seconds: float) -> None:
    """Limits of a supervisor that can be kept."""
    if max_restarts < 0:
        raise InvalidSupervisor("max_restarts", "is negative")
    if max_seconds <= 0:
        raise InvalidSupervisor("max_seconds", "must be more than 0")


def count_restart(server: GenServer, intensity: Intensity, child: str, strategy: Strategy) -> bool:
    """Count a restart and say so; False, with a report, when it is one too many."""
    node = server.node
    is_within = intensity.add(node.clock.monotonic_ns())
    seen = {"supervisor": server.pid, "child": child, "strategy": strategy.value}
    counted = {"restarts": intensity.count, "restarts_max": intensity.restarts_max}
    node.telemetry.execute(RESTART if is_within else LIMIT_REACHED, counted, seen)
    if not is_within:
        _log.error("supervisor gives up", supervisor=str(server.pid), child=child, **counted)
    return is_within


def post_next_try(server: GenServer, child: Child, reason: ExitReason) -> None:
    """Post the next attempt to our own mailbox."""
    _log.warning("restart failed", child=child.spec.id, reason=reason_text(reason))
    child.is_restarting = True
    message = TryAgain(child)
    if child.spec.restart_delay_ms:
        server.node.send_after(child.spec.restart_delay_ms, server.pid, message)
    else:
        server.node.send(server.pid, message)


def supervisor(  # noqa: PLR0913 (one place for the options of a supervisor)
    id: str,  # noqa: A002 (the field's word)
    children: Sequence[ChildSpec],
    *,
    strategy: Strategy = Strategy.ONE_FOR_ONE,
    max_restarts: int = MAX_RESTARTS,
    max_seconds: float = MAX_SECONDS,
    name: Name | None = None,
    restart: Restart = Restart.PERMANENT,
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER,
) -> ChildSpec:
    """Specification of a supervisor below a supervisor.

    Args:
        id: Unique within the supervisor above.
        children: Its own children.
        strategy: Who restarts together.
        max_restarts: Restarts survived within `max_seconds`.
        max_seconds: Length of the sliding window.
        name: Registered name, if any.
        restart: Permanent, unless there is a reason beside it: one that gives up ends with
            `Shutdown()`, which a transient one does not survive.
        auto_shutdown: What the end of a significant child means.

    Raises:
        InvalidSupervisor: An option is wrong.
        InvalidChildSpec: Two children share an id, or one is significant for nobody.
    """

    def make() -> Supervisor:
        return Supervisor(
            children,
            strategy=strategy,
            max_restarts=max_restarts,
            max_seconds=max_seconds,
            auto_shutdown=auto_shutdown,
        )

    def start(node: Node) -> Awaitable[Pid]:
        return node.start(make(), name=name)

    make()  # a mistake shows where it is written, not at the first start
    return ChildSpec(id=id, start=start, restart=restart, type=ChildType.SUPERVISOR)
