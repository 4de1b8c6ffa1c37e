"""Timeouts of state machines: who cancels them, what survives, and in which order they come."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from actors import (
    Cast,
    EventTimeout,
    GenStateMachine,
    Internal,
    KeepState,
    Killed,
    NamedTimeout,
    NextEvent,
    NextState,
    RepeatState,
    StateEvent,
    StateTimeout,
    Transition,
)
from tests.actors.machines import GO, Do, Machines, Recorder, keep, to_b


@pytest.fixture
async def machines() -> AsyncIterator[Machines]:
    machines = Machines()
    yield machines
    await machines.node.shutdown()


@pytest.fixture
async def machine(machines: Machines) -> Recorder:
    machine = Recorder()
    await machines.start(machine)
    return machine


# State timeouts


async def test_a_state_timeout_fires_in_the_state_that_set_it(
    machines: Machines, machine: Recorder
) -> None:
    await machines.tell(machine, Do("go", a=to_b(StateTimeout(50, Do("over")))))

    assert await machines.advance(machine, 49) == []
    assert await machines.advance(machine, 1) == ["b over"]
    assert await machines.advance(machine, 500) == []


async def test_a_change_of_state_cancels_the_state_timeout(
    machines: Machines, machine: Recorder
) -> None:
    await machines.tell(machine, Do("set", a=keep(StateTimeout(50, Do("over")))), GO)

    assert await machines.advance(machine, 100) == []


@pytest.mark.parametrize(
    "stay", [keep(), lambda machine: NextState(machine.a), lambda _: RepeatState()]
)
async def test_a_state_timeout_goes_on_while_the_state_stays(
    machines: Machines, machine: Recorder, stay: Callable[[Recorder], Transition]
) -> None:
    await machines.tell(machine, Do("set", a=keep(StateTimeout(50, Do("over")))))
    await machines.advance(machine, 30)
    await machines.tell(machine, Do("stay", a=stay))

    assert await machines.advance(machine, 20) == ["a over"]


async def test_a_state_timeout_set_again_starts_anew(machines: Machines, machine: Recorder) -> None:
    await machines.tell(machine, Do("set", a=keep(StateTimeout(50, Do("first")))))
    await machines.advance(machine, 30)
    await machines.tell(machine, Do("set", a=keep(StateTimeout(50, Do("second")))))

    assert await machines.advance(machine, 49) == []
    assert await machines.advance(machine, 1) == ["a second"]


async def test_a_state_timeout_can_be_cancelled(machines: Machines, machine: Recorder) -> None:
    await machines.tell(machine, Do("set", a=keep(StateTimeout(50, Do("over")))))
    await machines.tell(machine, Do("cancel", a=keep(StateTimeout(None))))

    assert await machines.advance(machine, 100) == []


async def test_a_timeout_that_waits_in_the_mailbox_does_not_fire_in_the_wrong_state(
    machines: Machines, machine: Recorder
) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    class Slow(Recorder):
        async def a(self, event: StateEvent) -> Transition | None:
            if isinstance(event, Cast) and event.message == "block":
                entered.set()
                await leave.wait()
                return NextState(self.b, NextEvent(Internal(Do("in b"))))
            return await super().a(event)

    slow = Slow(StateTimeout(10, Do("stale")))
    await machines.start(slow)
    machines.node.cast(slow.pid, "block")
    await entered.wait()
    await machines.clock.advance(10)  # the timeout is in the mailbox now
    leave.set()

    assert await machines.advance(slow, 100) == ["b in b"]


async def test_a_timeout_that_waits_in_the_mailbox_is_not_taken_for_its_successor(
    machines: Machines,
) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    class Slow(Recorder):
        async def a(self, event: StateEvent) -> Transition | None:
            if isinstance(event, Cast) and event.message == "block":
                entered.set()
                await leave.wait()
                return KeepState(NamedTimeout("n", 50, Do("second")))
            return await super().a(event)

    slow = Slow(NamedTimeout("n", 10, Do("first")))
    await machines.start(slow)
    machines.node.cast(slow.pid, "block")
    await entered.wait()
    await machines.clock.advance(10)
    leave.set()

    assert await machines.advance(slow, 49) == []
    assert await machines.advance(slow, 1) == ["a second"]


async def test_a_timeout_of_zero_comes_before_the_mailbox_and_after_own_events(
    machines: Machines, machine: Recorder
) -> None:
    set_zero = Do(
        "set",
        a=to_b(StateTimeout(0, Do("zero")), NextEvent(Internal(Do("own")))),
    )

    assert await machines.tell(machine, set_zero, Do("message")) == [
        *("a set", "b own", "b zero", "b message")
    ]


async def test_timeouts_of_zero_come_in_the_order_given(
    machines: Machines, machine: Recorder
) -> None:
    zeros = [NamedTimeout("x", 0, Do("x")), StateTimeout(0, Do("s")), NamedTimeout("y", 0, Do("y"))]

    assert await machines.tell(machine, Do("set", a=keep(*zeros))) == ["a set", "a x", "a s", "a y"]


async def test_a_timeout_of_zero_is_cancelled_by_a_change_of_state_before_it(
    machines: Machines, machine: Recorder
) -> None:
    both = Do("set", a=keep(StateTimeout(0, Do("zero")), NextEvent(Internal(GO))))

    assert await machines.tell(machine, both) == ["a set", "a go"]


async def test_a_timeout_passes_the_bound_of_the_mailbox(machines: Machines) -> None:
    class Deaf(Recorder):
        mailbox_max = 1

    machine = Deaf(StateTimeout(10, Do("over")))
    pid = await machines.start(machine)
    await machines.advance(machine, 0)
    for _ in range(3):
        machines.node.cast(pid, Do("flood"))
    machines.clock._timers[0].action()  # type: ignore[misc] # it fires while the mailbox is full

    assert await machines.advance(machine, 0) == ["a flood", "a over"]


# Event timeouts and named timeouts


async def test_an_event_timeout_fires_when_nothing_comes(
    machines: Machines, machine: Recorder
) -> None:
    await machines.tell(machine, Do("set", a=keep(EventTimeout(50, Do("idle")))))

    assert await machines.advance(machine, 50) == ["a idle"]


async def test_any_event_cancels_the_event_timeout(machines: Machines, machine: Recorder) -> None:
    await machines.tell(machine, Do("set", a=keep(EventTimeout(50, Do("idle")))), Do("any"))
    assert await machines.advance(machine, 100) == []

    own = NextEvent(Internal(Do("own")))
    await machines.tell(machine, Do("set", a=keep(EventTimeout(50, Do("idle")), own)))
    assert await machines.advance(machine, 100) == []

    named = NamedTimeout("n", 20, Do("named"))
    await machines.tell(machine, Do("set", a=keep(EventTimeout(50, Do("idle")), named)))
    assert await machines.advance(machine, 100) == ["a named"]


async def test_a_stale_timer_is_no_event(machines: Machines) -> None:
    """A cancelled timeout in the mailbox does not count as an event that ends the quiet."""
    entered, leave = asyncio.Event(), asyncio.Event()

    class Slow(Recorder):
        async def a(self, event: StateEvent) -> Transition | None:
            if isinstance(event, Cast) and event.message == "block":
                entered.set()
                await leave.wait()
                return KeepState(StateTimeout(None), EventTimeout(5, Do("idle")))
            return await super().a(event)

    slow = Slow(StateTimeout(10, Do("stale")))
    await machines.start(slow)
    machines.node.cast(slow.pid, "block")
    await entered.wait()
    await machines.clock.advance(10)
    leave.set()
    await machines.advance(slow, 0)

    assert await machines.advance(slow, 5) == ["a idle"]


async def test_named_timeouts_survive_a_change_of_state_and_do_not_know_each_other(
    machines: Machines, machine: Recorder
) -> None:
    names = [NamedTimeout(name, ms, Do(str(name))) for name, ms in (("x", 30), ("y", 20), (1, 10))]
    await machines.tell(machine, Do("set", a=keep(*names)), GO)
    await machines.tell(machine, Do("cancel", b=keep(NamedTimeout("y", None))))

    assert await machines.advance(machine, 100) == ["b 1", "b x"]


async def test_a_named_timeout_set_again_starts_anew(machines: Machines, machine: Recorder) -> None:
    await machines.tell(machine, Do("set", a=keep(NamedTimeout("x", 50, Do("first")))))
    await machines.advance(machine, 40)
    await machines.tell(machine, Do("set", a=keep(NamedTimeout("x", 50, Do("second")))))

    assert await machines.advance(machine, 49) == []
    assert await machines.advance(machine, 1) == ["a second"]


async def test_a_timeout_comes_back_as_the_action_that_set_it(machines: Machines) -> None:
    heard: list[StateEvent] = []
    actions = (StateTimeout(3, "s"), EventTimeout(1, "e"), NamedTimeout("n", 2, "c"))

    class Listener(GenStateMachine):
        async def begin(self) -> NextState:
            return NextState(self.only, *actions)

        async def only(self, event: StateEvent) -> Transition | None:
            heard.append(event)
            return KeepState()

    await machines.start(Listener())
    await machines.clock.advance(10)

    assert heard == [actions[1], actions[2], actions[0]]


async def test_a_machine_that_ends_leaves_no_timer(machines: Machines) -> None:
    machine = Recorder(StateTimeout(1_000), NamedTimeout("x", 1_000))
    pid = await machines.start(machine)
    await machines.advance(machine, 0)

    machines.node.exit(pid, Killed())
    await machines.advance(machine, 0)

    assert [timer for timer in machines.clock._timers if timer.action is not None] == []
