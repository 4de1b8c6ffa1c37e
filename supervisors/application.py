"""Parts of a program that start and stop as one: a root supervisor, its settings, what it needs.

Rules are those of OTP's applications (docs/applications.md), with three of our own. An application
names those it needs by value, so a circle cannot be written. Stopping one stops whoever needs it
first, the mirror of starting. And the root is given its environment when it is made: nobody looks
settings up by name.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar, cast

import structlog

from actors import (
    Answer,
    CallAnswer,
    Exit,
    ExitReason,
    From,
    GenServer,
    Node,
    NoReply,
    Normal,
    Pid,
    Reply,
    Shutdown,
    Stop,
)
from supervisors.child_spec import ChildSpec, ChildType, Restart
from supervisors.children import Child, describe, start_child
from supervisors.errors import (
    ApplicationFailed,
    ApplicationNotRunning,
    InvalidApplication,
    SupervisorError,
)
from supervisors.requests import WhichChildren
from supervisors.stopping import stop_child

APPLICATIONS: Final = "applications"
"""Name that the one `Applications` of a node is registered under."""

E = TypeVar("E")

_log = structlog.get_logger("supervisors")


class ApplicationType(Enum):
    """What the end of an application by itself means for the node."""

    PERMANENT = "permanent"
    """The node ends, whatever the reason was."""
    TRANSIENT = "transient"
    """The node ends, unless the reason was `Normal`. A supervisor that gives up ends with
    `Shutdown`: that is not normal here."""
    TEMPORARY = "temporary"
    """It is reported; everybody else goes on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Application(Generic[E]):
    """One part of a program. The same object is the same application.

    Attributes:
        name: Unique on the node.
        root: Makes the root supervisor from the environment, anew for each start.
        environment: Settings of this application, of a type of its own; for another one use
            `dataclasses.replace`.
        needs: Applications that run before this one starts and until it has ended.

    Raises:
        InvalidApplication: From the constructor.
    """

    name: str
    root: Callable[[E], GenServer]
    environment: E
    needs: tuple["Application[Any]", ...] = ()

    def __post_init__(self) -> None:
        if not self.name:
            raise InvalidApplication(self.name, "must have a name")
        if not all(isinstance(needed, Application) for needed in self.needs):
            raise InvalidApplication(self.name, "needs applications, not their names")


@dataclass(frozen=True, slots=True)
class ApplicationInfo:
    """A running application.

    Attributes:
        name: Its name.
        type: What its end means.
        root: Its root supervisor.
    """

    name: str
    type: ApplicationType
    root: Pid


@dataclass(frozen=True, slots=True)
class ApplicationEnded:
    """Detail of the `Shutdown` with which the applications of a node end because of one.

    Attributes:
        name: Which one.
        reason: Why its root ended.
    """

    name: str
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class StartApplication:
    """Start an application and what it needs."""

    application: Application[Any]
    type: ApplicationType


@dataclass(frozen=True, slots=True)
class StopApplication:
    """Stop an application and whoever needs it."""

    name: str


@dataclass(frozen=True, slots=True)
class WhichApplications:
    """List what runs."""


@dataclass(frozen=True, slots=True)
class _Running:
    application: Application[Any]
    type: ApplicationType
    spec: ChildSpec
    root: Pid


class Applications(GenServer):
    """Starts and stops the applications of a node; ends when one ends that must not.

    Start it under the name `APPLICATIONS`. It does not end the node itself: `run_applications`
    does, from outside every process.
    """

    trap_exit = True
    is_supervisor = True
    mailbox_max = 1_000_000  # it must hear of every root
    stop_timeout_ms = None  # each application takes its time

    async def init(self) -> None:
        """Nothing runs yet."""
        self._running: dict[str, _Running] = {}  # in start order

    async def terminate(self, reason: ExitReason) -> None:
        """Stop all, last first."""
        del reason
        await self._stop_each(list(self._running.values()))

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Answer `start_application` and its siblings; an error is raised at the caller."""
        try:
            match request:
                case StartApplication(application, kind):
                    return Reply(await self._start_with_needs(application, kind))
                case StopApplication(name):
                    await self._stop_with_needing(name)
                    return Reply(None)
                case WhichApplications():
                    return Reply([_info(running) for running in self._running.values()])
                case WhichChildren():
                    children = [Child(each.spec, each.root) for each in self._running.values()]
                    return Reply([describe(child) for child in children])
        except SupervisorError as error:
            self.node.fail(sender, error)
            return NoReply()
        return await super().handle_call(request, sender)

    async def handle_info(self, message: Any) -> Answer:
        """A root ended."""
        if not isinstance(message, Exit):
            return await super().handle_info(message)
        ended = next((each for each in self._running.values() if each.root == message.pid), None)
        if ended is None:  # one that we stopped, whose notice was still under way
            return None
        del self._running[ended.application.name]
        name, reason = ended.application.name, message.reason
        is_fatal = ended.type is ApplicationType.PERMANENT or (
            ended.type is ApplicationType.TRANSIENT and not isinstance(reason, Normal)
        )
        report = _log.error if is_fatal else _log.warning
        report("application ended", application=name, type=ended.type.value, ends_node=is_fatal)
        return Stop(Shutdown(ApplicationEnded(name, reason))) if is_fatal else None

    async def _start_with_needs(self, application: Application[Any], kind: ApplicationType) -> Pid:
        missing = [each for each in _in_start_order(application) if not self._runs(each)]
        started: list[_Running] = []
        for each in missing:
            try:
                started.append(await self._start(each, kind))
            except ApplicationFailed:
                await self._stop_each(started)
                raise
        return self._running[application.name].root

    async def _start(self, application: Application[Any], kind: ApplicationType) -> _Running:
        def start(node: Node) -> Awaitable[Pid]:
            return node.start(application.root(application.environment))

        spec = ChildSpec(
            id=application.name,
            start=start,
            restart=Restart.TEMPORARY,
            type=ChildType.SUPERVISOR,
        )
        outcome = await start_child(self.node, spec)
        if not isinstance(outcome, Pid):
            raise ApplicationFailed(application.name, outcome)
        running = _Running(application, kind, spec, outcome)
        self._running[application.name] = running
        return running

    def _runs(self, application: Application[Any]) -> bool:
        running = self._running.get(application.name)
        if running is not None and running.application is not application:
            raise InvalidApplication(application.name, "another one of this name runs")
        return running is not None

    async def _stop_with_needing(self, name: str) -> None:
        if name not in self._running:
            raise ApplicationNotRunning(name)
        stopped = self._running[name].application
        await self._stop_each(
            [
                running
                for running in self._running.values()
                if stopped in _in_start_order(running.application)
            ]
        )

    async def _stop_each(self, started: list[_Running]) -> None:
        """Stop some, last started first."""
        for running in reversed(started):
            self._running.pop(running.application.name, None)
            await stop_child(self.node, running.root, running.spec)


async def start_application(
    node: Node,
    application: Application[Any],
    *,
    type: ApplicationType = ApplicationType.TEMPORARY,  # noqa: A002 (the field's word)
) -> Pid:
    """Start an application, after what it needs; gives its root supervisor.

    What runs already is left alone, with the type it has. If one does not start, those that this
    request started are stopped again.

    Raises:
        ApplicationFailed: It, or one that it needs, did not start.
        InvalidApplication: Another one of its name, or of one that it needs, runs.
        NoProcess: The node has no `Applications`.
    """
    return cast("Pid", await _ask(node, StartApplication(application, type)))


async def stop_application(node: Node, name: str) -> None:
    """Stop an application, after whoever needs it, last started first; ends nothing else.

    Raises:
        ApplicationNotRunning: It does not run.
    """
    await _ask(node, StopApplication(name))


async def which_applications(node: Node) -> list[ApplicationInfo]:
    """What runs, in the order it was started."""
    return cast("list[ApplicationInfo]", await _ask(node, WhichApplications()))


async def run_applications(
    node: Node,
    *applications: Application[Any],
    type: ApplicationType = ApplicationType.PERMANENT,  # noqa: A002 (the field's word)
) -> ExitReason:
    """Be the life of a node: start applications, wait until one's end ends them, end the node.

    For the main function of a program, outside every process. Cancel it to stop in order.

    Returns:
        `Shutdown(ApplicationEnded(...))`, or why somebody stopped the applications.

    Raises:
        ApplicationFailed: One did not start; everything is stopped again.
    """
    try:
        await node.start(Applications(), name=APPLICATIONS)
        for application in applications:
            await start_application(node, application, type=type)
        return await node.join(APPLICATIONS)
    finally:
        await node.shutdown()


async def _ask(node: Node, request: object) -> object:
    answer: object = await node.call(APPLICATIONS, request, timeout_ms=None)
    return answer


def _in_start_order(application: Application[Any]) -> list[Application[Any]]:
    """An application after everything it needs, each once."""
    ordered: list[Application[Any]] = []
    for needed in application.needs:
        ordered += [each for each in _in_start_order(needed) if each not in ordered]
    return [*ordered, application]


def _info(running: _Running) -> ApplicationInfo:
    return ApplicationInfo(running.application.name, running.type, running.root)
