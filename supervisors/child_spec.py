"""What a supervisor needs to know of a child. Wrong combinations cannot be built."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from actors import ExitReason, GenServer, Name, Node, Pid
from supervisors.errors import InvalidChildSpec


class Restart(Enum):
    """When a child that ended is started again."""

    PERMANENT = "permanent"
    """Always."""
    TRANSIENT = "transient"
    """After an abnormal end only; else it stays down and its spec is kept."""
    TEMPORARY = "temporary"
    """Never; its spec goes with it."""


class ChildType(Enum):
    """What a child is; decides its default shutdown and how it is counted."""

    WORKER = "worker"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Within:
    """Ask the child to stop, wait up to `ms` milliseconds, then kill it."""

    ms: int


@dataclass(frozen=True, slots=True)
class KillAtOnce:
    """Kill the child without asking."""


@dataclass(frozen=True, slots=True)
class Forever:
    """Ask the child to stop and wait as long as it takes: for supervisors."""


ShutdownPolicy: TypeAlias = Within | KillAtOnce | Forever

WORKER_SHUTDOWN = Within(5_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """One child.

    Attributes:
        id: Unique within the supervisor.
        start: Starts and links the child in the calling process; raises `StartIgnored` for a child
            that does not want to run, anything else for a failure.
        restart: When it is started again.
        shutdown: How it is stopped. Default: `Within(5000)`, `Forever()` for a supervisor.
        type: Worker or supervisor.
        significant: Its end can end the supervisor; see `AutoShutdown`.
        restart_delay_ms: Pause between failed attempts to start it again; each counts.

    Raises:
        InvalidChildSpec: From the constructor.
    """

    id: str
    start: Callable[[Node], Awaitable[Pid]]
    restart: Restart = Restart.PERMANENT
    shutdown: ShutdownPolicy = field(default=WORKER_SHUTDOWN)
    type: ChildType = ChildType.WORKER
    significant: bool = False
    restart_delay_ms: int = 0

    def __post_init__(self) -> None:
        for name, problem in self._problems():
            raise InvalidChildSpec(str(self.id), name, problem)
        if self.type is ChildType.SUPERVISOR and self.shutdown is WORKER_SHUTDOWN:
            object.__setattr__(self, "shutdown", Forever())

    def is_restarted_after(self, reason: ExitReason) -> bool:
        """Whether a child that ended by itself for this reason is started again."""
        if self.restart is Restart.PERMANENT:
            return True
        return self.restart is Restart.TRANSIENT and reason.is_abnormal

    def _problems(self) -> list[tuple[str, str]]:
        shutdown = self.shutdown
        checks = (
            ("id", bool(self.id), "must not be empty"),
            ("start", callable(self.start), "must be callable"),
            ("restart", isinstance(self.restart, Restart), "is no Restart"),
            ("shutdown", isinstance(shutdown, ShutdownPolicy), "is no shutdown policy"),
            ("shutdown", not isinstance(shutdown, Within) or shutdown.ms >= 0, "is negative"),
            ("type", isinstance(self.type, ChildType), "is no ChildType"),
            (
                "significant",
                not (self.significant and self.restart is Restart.PERMANENT),
                "a permanent child cannot be significant",
            ),
            ("restart_delay_ms", self.restart_delay_ms >= 0, "is negative"),
        )
        return [(name, problem) for name, holds, problem in checks if not holds]


def worker(  # noqa: PLR0913 (one place for the options of a child)
    id: str,  # noqa: A002 (the field's word)
    factory: Callable[[], GenServer],
    *,
    name: Name | None = None,
    mailbox_max: int | None = None,
    restart: Restart = Restart.PERMANENT,
    shutdown: ShutdownPolicy = WORKER_SHUTDOWN,
    start_timeout_ms: int | None = None,
    significant: bool = False,
    restart_delay_ms: int = 0,
) -> ChildSpec:
    """Specification of a server.

    Args:
        id: Unique within the supervisor.
        factory: Makes a new server for each start.
        name: Registered name, if any.
        mailbox_max: Bound of its mailbox; None: what its class says.
        restart: When it is started again.
        shutdown: How it is stopped.
        start_timeout_ms: Longest `init`; None: no limit.
        significant: See `AutoShutdown`.
        restart_delay_ms: Pause between failed attempts to start it again.

    Raises:
        InvalidChildSpec: The combination is wrong.
    """

    def start(node: Node) -> Awaitable[Pid]:
        return node.start(
            factory(), name=name, mailbox_max=mailbox_max, timeout_ms=start_timeout_ms
        )

    return ChildSpec(
        id=id,
        start=start,
        restart=restart,
        shutdown=shutdown,
        significant=significant,
        restart_delay_ms=restart_delay_ms,
    )
