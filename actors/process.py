"""The record of one process: identity, mailbox, bonds. The node's table holds it while it lives.

Not asyncio.Queue: a process is the only reader of its mailbox, so one waiter slot is enough and a
put is a deque append. Calls are kept by the callee too, so that its end answers all of them at
once without a monitor for each call. Bonds are made on first use: most processes have one.
"""

import asyncio
from collections import deque
from collections.abc import Callable
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
EXIT: Final = 2  # an `Exit` that the server loop must look at before the server does
STOP: Final = 3  # an orderly stop asked for from outside; the message is the reason
CONTINUE: Final = 4

KINDS: Final = ("cast", "info", "info", "stop", "continue")
MAILBOX_MAX: Final = 10_000


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
    """One process. Only this room touches it; everybody else holds its pid."""

    __slots__ = (
        "alive",
        "ancestors",
        "calls",
        "dropped",
        "handling",
        "handling_ns",
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
        "server",
        "starting",
        "task",
        "waiter",
        "watchers",
        "zombie_timer",
    )

    def __init__(self, node: "Node", pid: Pid, name: str | None, mailbox_max: int) -> None:
        self.node = node
        self.pid = pid
        self.name = name
        self.mailbox: deque[Any] = deque()
        self.mailbox_max = mailbox_max
        self.alive = True
        self.reason: ExitReason | None = None
        self.server: GenServer | None = None
        self.task: asyncio.Task[None] | None = None
        self.waiter: asyncio.Future[None] | None = None
        self.starting: asyncio.Future[Any] | None = None
        self.parent: Pid | None = None
        self.ancestors: tuple[str, ...] = ()
        self.calls: set[From] = set()
        self.links: set[Process] | None = None
        # Who watches me, and what I watch: the first is told, the second is told to forget.
        self.watchers: dict[Ref, tuple[Process | None, Callable[[ExitReason], None]]] | None = None
        self.monitors: dict[Ref, Process] | None = None
        self.releases: list[Callable[[], None]] | None = None
        self.handling: object = None
        self.handling_ns = 0
        self.dropped = 0
        self.zombie_timer: TimerHandle | None = None

    @property
    def label(self) -> Target:
        """Name for a person: the registered one, else the pid."""
        return self.name or self.pid

    @property
    def traps_exits(self) -> bool:
        """Exit signals arrive as messages."""
        return self.server is not None and self.server.trap_exit

    def wake(self) -> None:
        """Let the loop of this process look at its mailbox."""
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def deliver(self, kind: int, message: object) -> None:
        """Queue a message of the runtime itself; it passes the bound of the mailbox."""
        if self.alive and self.server is not None:
            self.mailbox.append((kind, message))
            self.wake()

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
