"""What goes wrong with children; none of it harms the supervisor that says so.

SupervisorError
├── InvalidChildSpec, InvalidSupervisor     the description is wrong; nothing was started
├── ChildAlreadyStarted, ChildAlreadyPresent
├── ChildRunning, ChildRestarting, ChildNotFound
├── TooManyChildren
├── InvalidApplication, ApplicationFailed, ApplicationNotRunning
└── OsProcessFailed                         a server program did not start, or ended
"""

from dataclasses import dataclass

from actors import ActorError, Pid


@dataclass(eq=False)
class SupervisorError(ActorError):
    """Root of the errors of this room."""


@dataclass(eq=False)
class InvalidChildSpec(SupervisorError):
    """A child specification that cannot be obeyed.

    Attributes:
        child: Its id, as far as it has one.
        field: The field that is wrong.
        problem: What is wrong with it.
    """

    child: str
    field: str
    problem: str


@dataclass(eq=False)
class InvalidSupervisor(SupervisorError):
    """A supervisor option that cannot be obeyed.

    Attributes:
        field: The option that is wrong.
        problem: What is wrong with it.
    """

    field: str
    problem: str


@dataclass(eq=False)
class ChildAlreadyStarted(SupervisorError):
    """A child of this id runs.

    Attributes:
        pid: Its pid; None while it is being restarted.
    """

    pid: Pid | None


@dataclass(eq=False)
class ChildAlreadyPresent(SupervisorError):
    """A child of this id is known but down: restart or delete it.

    Attributes:
        child: Its id.
    """

    child: str


@dataclass(eq=False)
class ChildRunning(SupervisorError):
    """Not possible while the child runs.

    Attributes:
        child: Its id.
    """

    child: str


@dataclass(eq=False)
class ChildRestarting(SupervisorError):
    """Not possible while the child waits for its next start.

    Attributes:
        child: Its id.
    """

    child: str


@dataclass(eq=False)
class ChildNotFound(SupervisorError):
    """The supervisor has no such child.

    Attributes:
        child: Its id, or its pid as text.
    """

    child: str


@dataclass(eq=False)
class TooManyChildren(SupervisorError):
    """A dynamic supervisor is full; nothing was started.

    Attributes:
        children_max: Children it may have, those that wait for a restart included.
    """

    children_max: int


@dataclass(eq=False)
class InvalidApplication(SupervisorError):
    """An application that cannot be started beside what runs.

    Attributes:
        application: Its name.
        problem: What is wrong with it.
    """

    application: str
    problem: str


@dataclass(eq=False)
class ApplicationFailed(SupervisorError):
    """The root of an application did not start.

    Attributes:
        application: Its name.
        reason: Why; None when it did not want to run.
    """

    application: str
    reason: object


@dataclass(eq=False)
class ApplicationNotRunning(SupervisorError):
    """There is no such application to stop.

    Attributes:
        application: Its name.
    """

    application: str


@dataclass(eq=False)
class OsProcessFailed(SupervisorError):
    """A server program did not become ready, or ended by itself.

    Attributes:
        name: Which one.
        problem: What happened, in one line.
        exit_code: Its exit status; negative for a signal; None while it runs.
    """

    name: str
    problem: str
    exit_code: int | None = None
