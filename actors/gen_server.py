"""A process that keeps state and answers messages: the callbacks and what they may answer.

Rules are those of `gen_server` (docs/actors.md). Two differ. State is the attributes of the
instance, so `terminate` after a crash sees what the failed callback left, not the state before
it. And a request whose deadline passed while it was queued is dropped, unless it must run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import structlog

from actors.errors import UnhandledMessage
from actors.identity import Pid
from actors.process import MAILBOX_MAX, From, MailboxPolicy
from actors.reason import ExitReason
from actors.redaction import shapes

if TYPE_CHECKING:
    from actors.node import Node

_log = structlog.get_logger("actors")


# The answers are not frozen: a frozen dataclass takes three times as long to make, and one is
# made for each message.
@dataclass(slots=True)
class Continue:
    """Run `handle_continue(argument)` next, before anything that is queued."""

    argument: object = None


@dataclass(slots=True)
class IdleTimeout:
    """Run `handle_info(TIMEOUT)` if nothing arrives for `ms`; any message cancels it.

    `IdleTimeout(0)` means "when the mailbox is empty": queue work for each message, do all of it
    then. It must be asked for again each time.
    """

    ms: int


Then: TypeAlias = Continue | IdleTimeout


class Absent:
    """Type of the reply that is not there; None is a reply."""


ABSENT: Final = Absent()


@dataclass(slots=True)
class Reply:
    """Answer the call with `value` and go on."""

    value: Any
    then: Then | None = None


@dataclass(slots=True)
class NoReply:
    """Go on; a call is answered later with `Node.reply`."""

    then: Then | None = None


@dataclass(slots=True)
class Stop:
    """Run `terminate(reason)`, then answer the call with `reply` if given, then end."""

    reason: ExitReason
    reply: Any = ABSENT


@dataclass(slots=True)
class Ignore:
    """From `init`: do not run after all; the starter gets `StartIgnored`."""


@dataclass(slots=True)
class StopInit:
    """From `init`: the start failed; the starter gets `StartFailed(reason)`."""

    reason: ExitReason


InitAnswer: TypeAlias = Then | Ignore | StopInit | None
CallAnswer: TypeAlias = Reply | NoReply | Stop
Answer: TypeAlias = NoReply | Stop | None


class GenServer:
    """A server: subclass, keep state in attributes, answer in the callbacks.

    A new instance for each start. Raising in a callback ends the process with `Crash`; to refuse
    a request, reply with a value or use `Node.fail`.

    Callbacks run one at a time, in the same context but not always in the same task: a server with
    nothing to do has none. What belongs to a task (a task group, a timeout) ends in its callback.

    Attributes:
        node: The node that runs it; set before `init`.
        pid: Its identity; set before `init`.
        trap_exit: Exit signals arrive as `Exit` messages, and `terminate` runs when the parent
            asks for the end. False: such signals end the process at once, without `terminate`.
        is_supervisor: It answers `supervisors.which_children`; observers ask those that say so.
        mailbox_max: Messages the mailbox holds when `Node.start` says nothing else.
        mailbox_policy: What a full mailbox does with one more message.
        stop_timeout_ms: How long `Node.shutdown` waits for it; None when it sees to that itself.
    """

    node: "Node"
    pid: Pid
    trap_exit: bool = False
    is_supervisor: ClassVar[bool] = False
    mailbox_max: ClassVar[int] = MAILBOX_MAX
    mailbox_policy: ClassVar[MailboxPolicy] = MailboxPolicy.REFUSE
    stop_timeout_ms: ClassVar[int | None] = 5_000

    async def init(self) -> InitAnswer:
        """Prepare the state. The starter waits for it: slow work belongs in a `Continue`."""
        return None

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Answer one call; `sender` allows to answer later."""
        del sender
        raise UnhandledMessage("handle_call", type(request).__name__)

    async def handle_cast(self, message: Any) -> Answer:
        """Take one cast."""
        raise UnhandledMessage("handle_cast", type(message).__name__)

    async def handle_info(self, message: Any) -> Answer:
        """Take anything else: `Node.send`, timers, `Down`, `Exit`, `TIMEOUT`.

        The default logs the type of the message and drops it.
        """
        _log.warning("unexpected message", process=str(self.pid), message=type(message).__name__)
        return None

    async def handle_continue(self, argument: Any) -> Answer:
        """Do what an answer put off with `Continue(argument)`."""
        raise UnhandledMessage("handle_continue", type(argument).__name__)

    async def terminate(self, reason: ExitReason) -> None:
        """Tidy up. Not run after a kill: nothing may rely on it for correctness."""

    def format_status(self) -> Mapping[str, str]:
        """What observers and crash reports may show of the state; quick, and it changes nothing.

        The default names the attributes, each with its type and size and never with its value:
        whoever overrides it decides what is neither secret nor personal.
        """
        state = {name: value for name, value in vars(self).items() if name not in {"node", "pid"}}
        return shapes(state)
