"""The record of one process: identity, mailbox, bonds. The node's table holds it while it lives.

Not asyncio.Queue: a process is the only reader of its mailbox, so one waiter slot is enough and a
put is a deque append. The callee knows the calls it owes, so that its end answers all of them at
once without a monitor for each call. Everything is made on first use: most processes have few
bonds, and one with nothing to do has neither mailbox nor task (it is parked). Dicts, not sets: what
has an order can be replayed.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from actors.identity import Pid, Ref, Target
from actors.messages import Down
from actors.reason import ExitReason

if TYPE_CHECKING:
    from actors.clock import TimerHandle
    from actors.gen_server import GenServer
    from actors.node import Node

CAST: Final = 0
INFO: Final = 1
NOTICE: Final = 2  # from the runtime, to `handle_info`; no policy drops it
EXIT: Final = 3  # an `Exit` that the server loop must look at before the server does
STOP: Final = 4  # an orderly stop asked for from outside; the message is the reason
CONTINUE: Final = 5

KINDS: Final = ("cast", "info", "info", "info", "stop", "continue")
MAILBOX_MAX: Final = 10_000

# The mailbox of whoever has none: always empty, and `room` is 0, so nothing is put into it.
NO_MAILBOX: Final[deque[Any]] = deque(maxlen=0)


class MailboxPolicy(Enum):
    """What a full mailbox does with one more message. Notices of the runtime always get in."""

    REFUSE = "refuse"
    """A call raises `Overloaded`; a cast or send is dropped and counted."""
    BLOCK = "block"
    """A call waits in line, within its deadline, as long as it takes; the line is as long as there
    are callers. A cast or send cannot wait: it is dropped and counted. To be held back, call."""
    DROP_OLDEST = "drop_oldest"
    """The oldest message makes room: it is counted, and a call raises `Overloaded` then."""


class Raised:
    """An answer that raises at the caller."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class From:
    """A caller that waits for an answer; given to `handle_call`, used with `Node.reply`.

    Attributes:
        caller: The calling process; None when the call came from outside every process.
    """

    __slots__ = ("caller", "expired", "future", "must_run", "process", "request", "sent_ns")

    def __init__(
        self, request: object, future: "asyncio.Future[Any]", process: "Process", sent_ns: int
    ) -> None:
        self.request = request
        self.future = future
        self.process = process
        self.sent_ns = sent_ns
        self.caller: Pid | None = None
        self.expired = False
        self.must_run = False


class Process:
    """One process. Only this room touches it; everybody else holds its pid.

    Attributes:
        room: Length of the mailbox below which a message is simply appended. 0 while there is no
            mailbox and while it is past its high-water mark: `mailbox.admit` decides then.
    """

    __slots__ = (
        "alive",
        "ancestors",
        "calls",
        "context",
        "dropped",
        "handled",
        "handler_ns",
        "handling",
        "handling_ns",
        "idle_timer",
        "is_high",
        "last_message",
        "lineage",
        "links",
        "mailbox",
        "mailbox_max",
        "monitors",
        "name",
        "node",
        "parent",
        "pid",
        "reason",
        "releases",
        "room",
        "server",
        "starting",
        "task",
        "waiter",
        "watchers",
        "zombie_timer",
    )

    def __init__(self, node: "Node", pid: Pid, name: str | None) -> None:
        self.node = node
        self.pid = pid
        self.name = name
        self.mailbox: deque[Any] = NO_MAILBOX
        self.mailbox_max = 0
        self.room = 0
        self.is_high = False
        self.alive = True
        self.reason: ExitReason | None = None
        self.server: GenServer | None = None
        self.context = contextvars.Context()  # nothing that surrounds the starter is inherited
        self.task: asyncio.Task[None] | None = None
        # Its result: False when there is a message, True when the process may park.
        self.waiter: asyncio.Future[bool] | None = None
        self.starting: asyncio.Future[Any] | None = None
        self.parent: Pid | None = None
        self.ancestors: tuple[str, ...] = ()
        self.lineage: tuple[str, ...] | None = None  # one tuple for all its children
        self.calls: dict[From, None] | None = None  # taken from the mailbox, to be answered later
        self.links: dict[Process, None] | None = None
        # Who watches me, and what I watch: the first is told, the second is told to forget.
        self.watchers: dict[Ref, tuple[Process | None, Callable[[ExitReason], None]]] | None = None
        self.monitors: dict[Ref, Process] | None = None
        self.releases: list[Callable[[], None]] | None = None
        self.handling: object = None
        self.handling_ns = -1  # when its handler began; negative: nobody asked
        self.last_message: str | None = None
        self.handled = 0
        self.handler_ns = 0
        self.dropped = 0
        self.idle_timer: TimerHandle | None = None
        self.zombie_timer: TimerHandle | None = None

    @property
    def label(self) -> Target:
        """Name for a person: the registered one, else the pid."""
        return self.name or self.pid

    @property
    def traps_exits(self) -> bool:
        """Exit signals arrive as messages."""
        return self.server is not None and self.server.trap_exit

    @property
    def high_water(self) -> int:
        """Length of the mailbox past which it is about to be full."""
        return self.mailbox_max * 4 // 5

    def open(self) -> deque[Any]:
        """The mailbox; made, with a task that reads it, when the process was parked."""
        if self.mailbox is NO_MAILBOX:
            self.mailbox = deque()
            self.room = self.high_water
            if self.task is None:
                self.node.resume(self)
        return self.mailbox

    def close(self) -> None:
        """Have no mailbox; what was in it is gone."""
        self.mailbox = NO_MAILBOX
        self.room = 0
        self.is_high = False

    def wake(self) -> None:
        """Let the loop of this process look at its mailbox."""
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            if not waiter.done():
                waiter.set_result(False)

    def deliver(self, kind: int, message: object) -> None:
        """Queue a message of the runtime itself; it passes the bound of the mailbox."""
        if self.alive and self.server is not None:
            self.open().append((kind, message))
            self.wake()

    def put_off(self, sender: From) -> None:
        """A call left the mailbox and will be answered later."""
        if self.calls is None:
            self.calls = {}
        self.calls[sender] = None

    def owed(self) -> list[From]:
        """Calls that wait for an answer: queued, in hand, or put off."""
        known = [*self.mailbox, *(self.calls or ())]
        if type(self.handling) is From and not (self.calls and self.handling in self.calls):
            known.append(self.handling)
        return [item for item in known if type(item) is From and not item.future.done()]

    def forget_down(self, ref: Ref) -> None:
        """Take a DOWN that is already queued out of the mailbox."""
        kept = [
            item
            for item in self.mailbox
            if not (type(item) is tuple and type(item[1]) is Down and item[1].ref == ref)
        ]
        if len(kept) < len(self.mailbox):
            self.mailbox.clear()
            self.mailbox.extend(kept)
