"""How a state machine obeys what its states answer: the queue, what is kept back, the timeouts.

Apart from the machine, which then has no private name that a subclass could take by accident. Every
event that does not come from the mailbox is handed on with `Continue`: so the loop of the process
counts it, measures it, and gives other processes their turn.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from actors.clock import TimerHandle
from actors.errors import BadReturnValue, Overloaded, UnhandledEvent
from actors.gen_server import ABSENT, Continue, NoReply, Stop
from actors.transitions import (
    Call,
    Cast,
    Enter,
    EventTimeout,
    Info,
    Internal,
    KeepState,
    NamedTimeout,
    NextEvent,
    NextState,
    Postpone,
    RepeatState,
    ReplyTo,
    StateAction,
    StateEvent,
    StateFunction,
    StateTimeout,
    StopAndReply,
    TimeoutAction,
)

if TYPE_CHECKING:
    from actors.state_machine import GenStateMachine

OVERFLOW: Final = ("state_machine", "overflow")

_EVENT_TIMEOUT: Final = (EventTimeout, None)
_STATE_TIMEOUT: Final = (StateTimeout, None)
_TIMEOUTS: Final = (StateTimeout, EventTimeout, NamedTimeout)
_WAIT: Final = NoReply()


class _Timer:
    """A timeout that is set; also the message that says it is over."""

    __slots__ = ("handle", "timeout")

    def __init__(self, timeout: TimeoutAction) -> None:
        self.timeout = timeout
        self.handle: TimerHandle | None = None


class _Plan:
    """What the actions of one transition ask for."""

    __slots__ = ("is_postponed", "next_events", "timeouts")

    def __init__(self) -> None:
        self.is_postponed = False
        self.next_events: list[StateEvent] = []
        self.timeouts: list[TimeoutAction] = []


class StateEngine:
    """The engine of one machine.

    Attributes:
        state: What handles events.
    """

    __slots__ = ("_due", "_machine", "_postponed", "_queue", "_timers", "state")

    def __init__(self, machine: "GenStateMachine", first: NextState) -> None:
        self._machine = machine
        self._queue: deque[StateEvent] = deque()
        self._postponed: list[StateEvent] = []
        self._timers: dict[Hashable, _Timer] = {}
        self._due: deque[_Timer] = deque()  # timeouts of zero: no timer, but after the queue
        self.state = self._check_state("begin", first)
        machine.node.on_exit(self._forget_timers, pid=machine.pid)

    def waiting(self) -> dict[str, str]:
        """What an observer may see."""
        return {
            "state": name_of(self.state),
            "postponed": str(len(self._postponed)),
            "timeouts": str(len(self._timers)),
        }

    async def begin(self, first: NextState) -> NoReply | Stop:
        """Enter the first state."""
        return await self._move(None, self.state, first.actions, is_entered=True)

    async def hear(self, message: object) -> NoReply | Stop:
        """Handle a message, or a timeout that is still wanted."""
        if type(message) is not _Timer:
            return await self.handle(Info(message))
        timeout = self._take(message)
        return _WAIT if timeout is None else await self.handle(timeout)

    async def handle(self, event: StateEvent) -> NoReply | Stop:
        """Have the state handle an event, and obey."""
        if self._timers:
            self._cancel(_EVENT_TIMEOUT)
        state = self.state
        answer = await state(event)
        if type(answer) is KeepState:
            if not answer.actions:  # most events
                return self._next()
            return await self._move(event, state, answer.actions)
        if type(answer) is NextState:
            following = self._check_state(name_of(state), answer)
            return await self._move(event, following, answer.actions, is_entered=following != state)
        if type(answer) is RepeatState:
            return await self._move(event, state, answer.actions, is_entered=True)
        return self._end(event, answer)

    async def _move(
        self,
        event: StateEvent | None,
        state: StateFunction,
        actions: Sequence[StateAction],
        *,
        is_entered: bool = False,
    ) -> NoReply | Stop:
        """Obey the answer to an event, in the order that OTP does; None: the machine begins."""
        previous, self.state = self.state, state
        plan = _Plan()
        self._read(actions, plan)
        if is_entered and self._machine.enter_calls:
            ending = await self._enter(state, previous, plan)
            if ending is not None:
                return ending
        if plan.is_postponed:
            if event is None:
                raise BadReturnValue("begin", Postpone())
            self._postpone(event)
        if state != previous:
            self._cancel(_STATE_TIMEOUT)
            self._queue.extendleft(reversed(self._postponed))
            self._postponed.clear()
        self._queue.extendleft(reversed(plan.next_events))
        for timeout in plan.timeouts:
            self._set(timeout)
        return self._next()

    async def _enter(
        self, state: StateFunction, previous: StateFunction, plan: _Plan
    ) -> Stop | None:
        event = Enter(name_of(previous))
        answer = await state(event)
        if answer is None:
            return None
        if type(answer) is not KeepState:
            return self._end(event, answer)
        if any(type(action) in {Postpone, NextEvent} for action in answer.actions):
            raise BadReturnValue(name_of(state), answer)
        self._read(answer.actions, plan)
        return None

    def _end(self, event: StateEvent, answer: object) -> Stop:
        """The answer ends the machine, one way or another."""
        if type(answer) is Stop and answer.reply is ABSENT:
            return answer
        if type(answer) is StopAndReply:
            for reply in answer.replies:
                self._machine.node.reply(reply.sender, reply.value)
            return Stop(answer.reason)
        if answer is None:
            raise UnhandledEvent(name_of(self.state), type(event).__name__, _content_type(event))
        raise BadReturnValue(name_of(self.state), answer)

    def _read(self, actions: Sequence[StateAction], plan: _Plan) -> None:
        for action in actions:
            if type(action) is ReplyTo:
                self._machine.node.reply(action.sender, action.value)
            elif type(action) is NextEvent and type(action.event) is not Enter:
                plan.next_events.append(action.event)
            elif isinstance(action, _TIMEOUTS):
                plan.timeouts.append(action)
            elif type(action) is Postpone:
                plan.is_postponed = True
            else:
                raise BadReturnValue(name_of(self.state), action)

    def _postpone(self, event: StateEvent) -> None:
        if len(self._postponed) < self._machine.postponed_max or not isinstance(
            event, Call | Cast | Info
        ):
            self._postponed.append(event)
            return
        if type(event) is Call:
            self._machine.node.fail(
                event.sender, Overloaded(self._machine.pid, self._machine.postponed_max)
            )
        self._machine.node.telemetry.execute(
            OVERFLOW,
            {"postponed_max": self._machine.postponed_max},
            {
                "pid": self._machine.pid,
                "state": name_of(self.state),
                "message": _content_type(event),
            },
        )

    def _next(self) -> NoReply:
        """The next event that the machine has itself; with none, wait for the mailbox."""
        while self._queue:
            event = self._queue.popleft()
            if type(event) is Call and event.sender.expired and not event.sender.must_run:
                continue
            return NoReply(Continue(event))
        while self._due:
            timeout = self._take(self._due.popleft())
            if timeout is not None:
                return NoReply(Continue(timeout))
        return _WAIT

    # Timeouts

    def _set(self, timeout: TimeoutAction) -> None:
        key = _key(timeout)
        self._cancel(key)
        if timeout.ms is None:
            return
        timer = self._timers[key] = _Timer(timeout)
        if timeout.ms <= 0:
            self._due.append(timer)
        else:  # a notice passes the bound of the mailbox; `send_after` would not
            fire = partial(self._machine.node.notify, self._machine.pid, timer)
            timer.handle = self._machine.node.clock.call_later(timeout.ms, fire)

    def _take(self, timer: _Timer) -> TimeoutAction | None:
        """The timeout of a timer that is over; None when it was cancelled or set again since."""
        key = _key(timer.timeout)
        if self._timers.get(key) is not timer:
            return None
        del self._timers[key]
        return timer.timeout

    def _cancel(self, key: Hashable) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None and timer.handle is not None:
            timer.handle.cancel()

    def _forget_timers(self) -> None:
        for key in tuple(self._timers):
            self._cancel(key)

    def _check_state(self, where: str, answer: NextState) -> StateFunction:
        if getattr(answer.state, "__self__", None) is not self._machine:
            raise BadReturnValue(where, answer.state)
        return answer.state


def name_of(state: StateFunction) -> str:
    """Name of a state."""
    return getattr(state, "__name__", type(state).__name__)


def _key(timeout: TimeoutAction) -> Hashable:
    """What a newer timeout of the same key replaces."""
    return (type(timeout), timeout.name if type(timeout) is NamedTimeout else None)


def _content_type(event: StateEvent) -> str:
    """Type name of what an event brings, never the content."""
    match event:
        case Call(request):
            return type(request).__name__
        case Cast(message) | Info(message):
            return type(message).__name__
        case Internal(content):
            return type(content).__name__
        case NamedTimeout(name):
            return str(name)
        case Enter(previous):
            return previous
    return type(event.content).__name__
