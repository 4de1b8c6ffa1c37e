"""What a state machine is told and what it may answer (docs/state-machines.md).

Neither events nor answers are frozen: a frozen dataclass takes three times as long to make, and
one of each is made for every event.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeAlias

from actors.gen_server import Stop
from actors.process import From
from actors.reason import ExitReason


@dataclass(slots=True)
class ReplyTo:
    """Answer a call, of this event or of an earlier one, before anything else happens.

    Attributes:
        sender: Who waits.
        value: The answer.
    """

    sender: From
    value: Any


@dataclass(slots=True)
class Call:
    """Event: somebody waits for an answer.

    Attributes:
        request: What is asked.
        sender: Whom to answer, now or in a later state.
    """

    request: Any
    sender: From

    def reply(self, value: Any) -> ReplyTo:
        """Action that answers this call."""
        return ReplyTo(self.sender, value)


@dataclass(slots=True)
class Cast:
    """Event: a message of `Node.cast`.

    Attributes:
        message: What.
    """

    message: Any


@dataclass(slots=True)
class Info:
    """Event: anything else that is sent: `Node.send`, `Down`, `Exit`.

    Attributes:
        message: What.
    """

    message: Any


@dataclass(slots=True)
class Internal:
    """Event: the machine told itself, with `NextEvent`.

    Attributes:
        content: What.
    """

    content: Any = None


@dataclass(slots=True)
class Enter:
    """Event: the state begins; only for machines with `enter_calls`.

    Attributes:
        previous: Name of the state before; the state's own at the start and when it is repeated.
    """

    previous: str


@dataclass(slots=True)
class StateTimeout:
    """Action: come back as an event after `ms`, unless the state changes first.

    Attributes:
        ms: Milliseconds; 0: before anything that waits in the mailbox; None: cancel it.
        content: For the event.
    """

    ms: int | None
    content: Any = None


@dataclass(slots=True)
class EventTimeout:
    """Action: come back as an event after `ms`, unless any other event comes first.

    Attributes:
        ms: As for `StateTimeout`.
        content: For the event.
    """

    ms: int | None
    content: Any = None


@dataclass(slots=True)
class NamedTimeout:
    """Action: come back as an event after `ms`, in whatever state that is.

    Attributes:
        name: Which; setting a name again starts it anew.
        ms: As for `StateTimeout`.
        content: For the event.
    """

    name: Hashable
    ms: int | None
    content: Any = None


@dataclass(slots=True)
class Postpone:
    """Action: keep this event back, and handle it again when the state has changed."""


TimeoutAction: TypeAlias = StateTimeout | EventTimeout | NamedTimeout

StateEvent: TypeAlias = Call | Cast | Info | Internal | Enter | TimeoutAction
"""What a state function is told. A timeout comes back as the very action that set it."""


@dataclass(slots=True)
class NextEvent:
    """Action: handle this event next, before any that is postponed or waits.

    Attributes:
        event: Usually an `Internal`; never an `Enter`.
    """

    event: StateEvent


StateAction: TypeAlias = ReplyTo | Postpone | NextEvent | TimeoutAction
"""What an answer may ask for, in this order of effect: replies, next events, timeouts."""


class NextState:
    """Go to a state. Going to the same one changes nothing: its timeout stays, nothing is retried.

    Args:
        state: Method of the machine that handles events from now on.
        actions: What else to do.
    """

    __slots__ = ("actions", "state")

    def __init__(self, state: "StateFunction", *actions: StateAction) -> None:
        self.state = state
        self.actions = actions


class KeepState:
    """Stay.

    Args:
        actions: What else to do.
    """

    __slots__ = ("actions",)

    def __init__(self, *actions: StateAction) -> None:
        self.actions = actions


class RepeatState:
    """Stay, but make the enter call again; for the rest as `KeepState`.

    Args:
        actions: What else to do.
    """

    __slots__ = ("actions",)

    def __init__(self, *actions: StateAction) -> None:
        self.actions = actions


class StopAndReply:
    """Answer some calls, then run `terminate(reason)` and end.

    `Stop(reason)` ends without answers; with a `reply` it is no answer of a state.


    Args:
        reason: Why.
        replies: Sent before `terminate` runs.
    """

    __slots__ = ("reason", "replies")

    def __init__(self, reason: ExitReason, *replies: ReplyTo) -> None:
        self.reason = reason
        self.replies = replies


Transition: TypeAlias = NextState | KeepState | RepeatState | Stop | StopAndReply
"""What a state function may answer. None is no answer: the event is unhandled."""

StateFunction: TypeAlias = Callable[[Any], Awaitable[Transition | None]]
"""A state: the method that handles its events; its name is the name of the state."""
