"""What goes wrong with processes, split by what may have happened.

ActorError
├── CallerError      your code is wrong; retrying cannot help
│   ├── NoProcess, CallingSelf, NotAProcess
│   ├── AlreadyStarted, StartFailed, StartIgnored
│   ├── AlreadyRegistered, AmbiguousName, NotJoined
│   ├── TableGone, NotOwner, WrongTableKind, InvalidTable
│   ├── InvalidPool
│   └── BadReturnValue, UnhandledMessage, UnhandledEvent
├── Refused          nothing was done; try again later
│   └── Overloaded, Draining, PoolFull, CheckoutTimeout
└── Unknown          it may have happened; ask before you retry
    └── CallTimeout, CalleeDied, NodeLost
"""

from dataclasses import dataclass, fields

from actors.identity import Pid, Target


@dataclass(eq=False)
class ActorError(Exception):
    """Root of the errors of this room. Pickles whole: `args` holds every field."""

    def __post_init__(self) -> None:
        self.args = tuple(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        return ", ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))


@dataclass(eq=False)
class CallerError(ActorError):
    """The asking code is wrong; retrying cannot help."""


@dataclass(eq=False)
class Refused(ActorError):
    """Nothing was done; try again later."""


@dataclass(eq=False)
class Unknown(ActorError):
    """It may have happened; ask before you retry."""


@dataclass(eq=False)
class NoProcess(CallerError):
    """Nobody is there. Raised by calls, and the exit reason of links and monitors to nobody.

    The one reason that is also raised; as a reason it compares by type.

    Attributes:
        target: Name or pid that was asked for, where known.
        request: Type name of the request of a call, never its content.
    """

    target: Target | None = None
    request: str = ""

    @property
    def is_abnormal(self) -> bool:
        """Always: a watcher must hear of it."""
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoProcess)

    def __hash__(self) -> int:
        return hash(NoProcess)


@dataclass(eq=False)
class CallingSelf(CallerError):
    """A process called itself; the answer could never come.

    Attributes:
        target: The process.
        request: Type name of the request.
    """

    target: Target
    request: str


@dataclass(eq=False)
class NotAProcess(CallerError):
    """The operation needs a calling process (monitor, link), and there is none.

    Attributes:
        operation: What was asked.
    """

    operation: str


@dataclass(eq=False)
class AlreadyStarted(CallerError):
    """The name is taken.

    Attributes:
        pid: Who holds it.
    """

    pid: Pid


@dataclass(eq=False)
class StartFailed(CallerError):
    """A process did not start. It is dead and its name is free.

    Attributes:
        reason: Exit reason of the attempt; `Failed("timeout")` when `init` took too long.
    """

    reason: object


@dataclass(eq=False)
class StartIgnored(CallerError):
    """`init` answered `Ignore()`: there is no process, and that is no failure."""


@dataclass(eq=False)
class AlreadyRegistered(CallerError):
    """The key of a registry is taken.

    Attributes:
        pid: Who holds it.
    """

    pid: Pid


@dataclass(eq=False)
class AmbiguousName(CallerError):
    """The key of a registry that many processes may have is nobody's name.

    Attributes:
        key: Type name of the key.
    """

    key: str


@dataclass(eq=False)
class NotJoined(CallerError):
    """The process is not a member of the group.

    Attributes:
        group: Name of the group.
        pid: The process.
    """

    group: str
    pid: Pid


@dataclass(eq=False)
class TableGone(CallerError):
    """The owner of the table has ended, and the table with it."""


@dataclass(eq=False)
class NotOwner(CallerError):
    """Only the owner of the table or entry may do this.

    Attributes:
        owner: Who it is.
        operation: What was tried.
    """

    owner: Pid | None
    operation: str


@dataclass(eq=False)
class WrongTableKind(CallerError):
    """Tables of this kind cannot do that.

    Attributes:
        kind: Name of the kind.
        operation: What was tried.
    """

    kind: str
    operation: str


@dataclass(eq=False)
class InvalidTable(CallerError):
    """An option of a table that cannot be obeyed.

    Attributes:
        field: The option that is wrong.
        problem: What is wrong with it.
    """

    field: str
    problem: str


@dataclass(eq=False)
class BadReturnValue(CallerError):
    """A callback answered something it may not.

    Attributes:
        callback: Name of the callback.
        value: What it answered; shown by type only.
    """

    callback: str
    value: object

    def __str__(self) -> str:
        return f"{self.callback} answered a {type(self.value).__name__}"


@dataclass(eq=False)
class UnhandledMessage(CallerError):
    """A call or cast reached a server that has no callback for it.

    Attributes:
        callback: Name of the missing callback.
        message: Type name of the message.
    """

    callback: str
    message: str


@dataclass(eq=False)
class UnhandledEvent(CallerError):
    """An event reached a state of a state machine that does not handle it.

    Attributes:
        state: Name of the state.
        event: Type name of the event: `Call`, `StateTimeout`, …
        content: Type name of what it brought; the name of a named timeout.
    """

    state: str
    event: str
    content: str


@dataclass(eq=False)
class InvalidPool(CallerError):
    """A pool that cannot be.

    Attributes:
        option: Which argument.
        problem: What is wrong with it.
    """

    option: str
    problem: str


@dataclass(eq=False)
class Overloaded(Refused):
    """The mailbox is full; the request was not queued.

    Attributes:
        target: Who is overloaded.
        mailbox_max: Messages it holds at most.
    """

    target: Target
    mailbox_max: int


@dataclass(eq=False)
class Draining(Refused):
    """The node is shutting down and starts nothing any more.

    Attributes:
        node: Name of the node.
    """

    node: str


@dataclass(eq=False)
class PoolFull(Refused):
    """Every worker is lent, and the borrower did not or could not wait; nothing was borrowed.

    Attributes:
        pool: Which one.
        workers_max: Workers it may have, overflow included.
        waiting: Borrowers that wait already.
    """

    pool: Target
    workers_max: int
    waiting: int


@dataclass(eq=False)
class CheckoutTimeout(Refused):
    """No worker came back in time; nothing was borrowed.

    Attributes:
        pool: Name or pid that was asked.
        timeout_ms: How long the borrower waited.
    """

    pool: Target
    timeout_ms: int


@dataclass(eq=False)
class CallTimeout(Unknown):
    """No reply came in time; the request may still be carried out.

    Attributes:
        target: Name or pid that was called.
        request: Type name of the request, never its content.
        timeout_ms: Deadline that passed.
    """

    target: Target
    request: str
    timeout_ms: int


@dataclass(eq=False)
class CalleeDied(Unknown):
    """The called process ended before it replied.

    Attributes:
        reason: Its exit reason.
        target: Name or pid that was called.
        request: Type name of the request, never its content.
    """

    reason: object
    target: Target | None = None
    request: str = ""


@dataclass(eq=False)
class NodeLost(Unknown):
    """The node of the called process cannot be reached.

    Attributes:
        node: Its name.
        request: Type name of the request.
    """

    node: str
    request: str
