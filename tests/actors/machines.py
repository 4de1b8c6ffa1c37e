"""Machines that record what they are told, on a clock that a test moves."""

import asyncio
from collections.abc import Callable
from typing import Any

from structlog.testing import capture_logs

from actors import (
    Call,
    Cast,
    Crash,
    Enter,
    ExitReason,
    GenStateMachine,
    Info,
    Internal,
    KeepState,
    NextState,
    Node,
    Pid,
    StateEvent,
    Transition,
    VirtualClock,
)


class Do:
    """An event that says by itself what it does in which state; nothing where it does not say."""

    def __init__(self, name: str, **answers: "Callable[[Any], Any]") -> None:
        self.name = name
        self.answers = answers


class Recorder(GenStateMachine):
    """Two states, and a record of what each was told."""

    def __init__(self, *actions: Any, entering: Do | None = None) -> None:
        self.actions = actions
        self.entering = entering
        self.log: list[str] = []
        self.call: Call | None = None

    async def begin(self) -> NextState:
        return NextState(self.a, *self.actions)

    async def a(self, event: StateEvent) -> Transition | None:
        return self._answer("a", event)

    async def b(self, event: StateEvent) -> Transition | None:
        return self._answer("b", event)

    async def terminate(self, reason: ExitReason) -> None:
        self.log.append(f"terminate {type(reason).__name__}")

    def _answer(self, state: str, event: StateEvent) -> Transition | None:
        if isinstance(event, Enter):
            self.log.append(f"{state} enter from {event.previous}")
            return self.entering.answers.get(state, keep())(self) if self.entering else None
        if isinstance(event, Call):
            self.call = event
        do = content_of(event)
        if not isinstance(do, Do):
            return None
        self.log.append(f"{state} {do.name}")
        answer: Transition | None = do.answers.get(state, lambda _: KeepState())(self)
        return answer


class Entering(Recorder):
    """A recorder with enter calls."""

    enter_calls = True


def content_of(event: StateEvent) -> object:
    match event:
        case Call(content) | Cast(content) | Info(content) | Internal(content):
            return content
        case Enter():
            return None
    return event.content


class Machines:
    """Machines on a node of their own, whose clock a test moves."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.node = Node("test", clock=self.clock)

    async def start(self, machine: GenStateMachine) -> Pid:
        return await self.node.start(machine)

    async def tell(self, machine: Recorder, *messages: object) -> list[str]:
        """Cast, let everything run, and give what was recorded since the last time."""
        for message in messages:
            self.node.cast(machine.pid, message)
        return await self.advance(machine, 0)

    async def advance(self, machine: Recorder, ms: int) -> list[str]:
        await self.clock.advance(ms)
        log, machine.log = machine.log, []
        return log

    async def end_of(self, machine: GenStateMachine, message: object) -> ExitReason:
        """Why the machine ended after a message."""
        joining = asyncio.ensure_future(self.node.join(machine.pid))
        await asyncio.sleep(0)
        self.node.cast(machine.pid, message)
        with capture_logs():
            return await joining


def keep(*actions: Any) -> Callable[[Recorder], KeepState]:
    return lambda _: KeepState(*actions)


def to_a(*actions: Any) -> Callable[[Recorder], NextState]:
    return lambda machine: NextState(machine.a, *actions)


def to_b(*actions: Any) -> Callable[[Recorder], NextState]:
    return lambda machine: NextState(machine.b, *actions)


GO = Do("go", a=to_b(), b=to_a())


async def crash_of(machines: Machines, machine: Recorder, message: object) -> BaseException:
    reason = await machines.end_of(machine, message)
    assert isinstance(reason, Crash)
    return reason.error
