"""State machines keep the promises of OTP's gen_statem.

Most tests send a `Do`: a message that says what the machine answers to it in each state.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import (
    BadReturnValue,
    Call,
    CalleeDied,
    CallTimeout,
    Cast,
    Crash,
    Enter,
    ExitReason,
    Failed,
    GenStateMachine,
    Ignore,
    Internal,
    KeepState,
    Killed,
    NextEvent,
    NextState,
    Normal,
    Overloaded,
    Postpone,
    RepeatState,
    Shutdown,
    StartFailed,
    StartIgnored,
    StateEvent,
    StateTimeout,
    Stop,
    StopAndReply,
    StopInit,
    Transition,
    UnhandledEvent,
)
from tests.actors.machines import GO, Do, Entering, Machines, Recorder, crash_of, keep, to_a, to_b


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


# States and events


async def test_an_event_is_handled_by_the_state_it_meets(
    machines: Machines, machine: Recorder
) -> None:
    assert await machines.tell(machine, Do("x"), GO, Do("x"), GO, Do("x")) == [
        *("a x", "a go", "b x", "b go", "a x")
    ]
    assert machine.state == "a"


async def test_calls_casts_and_messages_are_told_apart(machines: Machines) -> None:
    heard: list[str] = []

    class Listener(GenStateMachine):
        async def begin(self) -> NextState:
            return NextState(self.only)

        async def only(self, event: StateEvent) -> Transition | None:
            heard.append(type(event).__name__)
            return KeepState(event.reply("yes")) if isinstance(event, Call) else KeepState()

    pid = await machines.start(Listener())
    machines.node.cast(pid, 1)
    machines.node.send(pid, 2)

    assert await machines.node.call(pid, 3) == "yes"
    assert heard == ["Cast", "Info", "Call"]


async def test_a_call_can_be_answered_in_a_later_state(
    machines: Machines, machine: Recorder
) -> None:
    calling = asyncio.ensure_future(machines.node.call(machine.pid, Do("ask")))
    await machines.advance(machine, 0)
    assert machine.call is not None
    assert not calling.done()

    await machines.tell(machine, Do("go", a=to_b(machine.call.reply(7))))

    assert await calling == 7


async def test_a_reply_goes_out_before_the_next_state_is_entered(machines: Machines) -> None:
    def enter(machine: Recorder) -> KeepState:
        assert machine.call is not None
        machine.log.append(f"replied {machine.call.sender.future.done()}")
        return KeepState()

    machine = Entering(entering=Do("enter", b=enter))
    await machines.start(machine)
    ask = Do("ask", a=lambda m: NextState(m.b, m.call.reply(1)))

    assert await machines.node.call(machine.pid, ask) == 1
    assert machine.log[-2:] == ["b enter from a", "replied True"]


async def test_an_unhandled_event_ends_the_machine_and_names_state_and_event(
    machines: Machines, machine: Recorder
) -> None:
    await machines.tell(machine, GO)

    error = await crash_of(machines, machine, 12)

    assert isinstance(error, UnhandledEvent)
    assert (error.state, error.event, error.content) == ("b", "Cast", "int")
    assert str(error) == "state=b, event=Cast, content=int"


async def test_a_stray_message_ends_the_machine_too(machines: Machines, machine: Recorder) -> None:
    joining = asyncio.ensure_future(machines.node.join(machine.pid))
    await asyncio.sleep(0)
    with capture_logs():
        machines.node.send(machine.pid, "stray")
        reason = await joining

    assert isinstance(reason, Crash)
    assert str(reason.error) == "state=a, event=Info, content=str"


async def test_a_crash_in_a_state_reaches_the_callers_that_wait(
    machines: Machines, machine: Recorder
) -> None:
    postponed = asyncio.ensure_future(
        machines.node.call(machine.pid, Do("wait", a=keep(Postpone())))
    )
    await machines.advance(machine, 0)

    await crash_of(machines, machine, Do("fail", a=lambda _: 1 // 0))

    with pytest.raises(CalleeDied) as caught:
        await postponed
    assert isinstance(caught.value.reason, Crash)
    assert isinstance(caught.value.reason.error, ZeroDivisionError)
    assert machine.log[-1] == "terminate Crash"


# Begin


async def test_begin_may_refuse_to_run(machines: Machines) -> None:
    class Refuses(GenStateMachine):
        answer: Any = Ignore()

        async def begin(self) -> Any:
            return self.answer

    with pytest.raises(StartIgnored):
        await machines.start(Refuses())
    failing = Refuses()
    failing.answer = StopInit(Failed("no"))
    with pytest.raises(StartFailed) as caught, capture_logs():
        await machines.start(failing)
    assert caught.value.reason == Failed("no")
    nonsense = Refuses()
    nonsense.answer = KeepState()
    with pytest.raises(StartFailed) as caught, capture_logs():
        await machines.start(nonsense)
    assert isinstance(caught.value.reason, Crash)
    assert isinstance(caught.value.reason.error, BadReturnValue)


async def test_actions_of_begin_come_before_the_first_message(machines: Machines) -> None:
    machine = Recorder(NextEvent(Internal(Do("first"))), StateTimeout(10, Do("tick")))
    pid = await machines.start(machine)
    machines.node.cast(pid, Do("message"))

    assert await machines.advance(machine, 10) == ["a first", "a message", "a tick"]


# Postponing


async def test_postponed_events_come_back_oldest_first_after_a_change_of_state(
    machines: Machines, machine: Recorder
) -> None:
    events = [Do(str(number), a=keep(Postpone())) for number in (1, 2, 3)]

    assert await machines.tell(machine, *events) == ["a 1", "a 2", "a 3"]
    assert await machines.tell(machine, GO, Do("4")) == ["a go", "b 1", "b 2", "b 3", "b 4"]


@pytest.mark.parametrize(
    "stay", [keep(), lambda machine: NextState(machine.a), lambda _: RepeatState()]
)
async def test_postponed_events_wait_while_the_state_stays(
    machines: Machines, machine: Recorder, stay: Callable[[Recorder], Transition]
) -> None:
    await machines.tell(machine, Do("later", a=keep(Postpone())))

    assert await machines.tell(machine, Do("stay", a=stay)) == ["a stay"]


async def test_an_event_postponed_while_changing_state_is_the_last_to_be_retried(
    machines: Machines, machine: Recorder
) -> None:
    await machines.tell(machine, Do("old", a=keep(Postpone())))

    assert await machines.tell(machine, Do("go", a=to_b(Postpone()))) == ["a go", "b old", "b go"]


async def test_events_can_be_postponed_again_and_keep_their_order(
    machines: Machines, machine: Recorder
) -> None:
    both = {"a": keep(Postpone()), "b": keep(Postpone())}
    await machines.tell(machine, Do("1", **both), Do("2", a=keep(Postpone())), Do("3", **both))

    assert await machines.tell(machine, GO) == ["a go", "b 1", "b 2", "b 3"]
    assert await machines.tell(machine, GO) == ["b go", "a 1", "a 3"]


async def test_a_postponed_event_that_changes_the_state_again_restarts_the_retry(
    machines: Machines, machine: Recorder
) -> None:
    # 1 is postponed in b again; 2 goes back to a, so 1 comes before 3.
    events = [
        Do("1", a=keep(Postpone()), b=keep(Postpone())),
        Do("2", a=keep(Postpone()), b=to_a()),
        Do("3", a=keep(Postpone())),
    ]
    await machines.tell(machine, *events)

    assert await machines.tell(machine, GO) == ["a go", "b 1", "b 2", "a 1", "a 3"]


async def test_a_postponed_call_is_answered_in_the_state_that_can(
    machines: Machines, machine: Recorder
) -> None:
    ask = Do("ask", a=keep(Postpone()))
    ask.answers["b"] = lambda m: KeepState(m.call.reply("now"))
    calling = asyncio.ensure_future(machines.node.call(machine.pid, ask))
    await machines.advance(machine, 0)

    await machines.tell(machine, GO)

    assert await calling == "now"


@pytest.mark.parametrize("must_run", [False, True])
async def test_a_call_that_expired_while_postponed_is_dropped_unless_it_must_run(
    machines: Machines, machine: Recorder, must_run: bool
) -> None:
    ask = Do("ask", a=keep(Postpone()))
    calling = asyncio.ensure_future(
        machines.node.call(machine.pid, ask, timeout_ms=100, must_run=must_run)
    )
    await machines.advance(machine, 200)
    with pytest.raises(CallTimeout):
        await calling

    assert await machines.tell(machine, GO) == (["a go", "b ask"] if must_run else ["a go"])


async def test_events_kept_back_are_bounded_and_the_caller_hears_of_it(machines: Machines) -> None:
    class Small(Recorder):
        postponed_max = 2

    machine = Small()
    await machines.start(machine)
    lost: list[Any] = []
    machines.node.telemetry.attach(
        ("state_machine", "overflow"), lambda *event: lost.append(event[2]["state"])
    )
    later = Do("later", a=keep(Postpone()))
    await machines.tell(machine, later, later)

    with pytest.raises(Overloaded):
        await machines.node.call(machine.pid, later)
    await machines.tell(machine, later)

    assert lost == ["a", "a"]
    assert await machines.tell(machine, GO) == ["a go", "b later", "b later"]


# Events of its own


async def test_own_events_come_before_queued_ones_in_the_order_given(
    machines: Machines, machine: Recorder
) -> None:
    own = [NextEvent(Internal(Do(name))) for name in ("i", "j")]

    assert await machines.tell(machine, Do("x", a=keep(*own)), Do("y")) == [
        "a x",
        "a i",
        "a j",
        "a y",
    ]


async def test_own_events_come_before_postponed_ones(machines: Machines, machine: Recorder) -> None:
    await machines.tell(machine, Do("old", a=keep(Postpone())))
    go = Do("go", a=to_b(NextEvent(Internal(Do("own")))))

    assert await machines.tell(machine, go, Do("new")) == ["a go", "b own", "b old", "b new"]


async def test_own_events_of_own_events_come_next(machines: Machines, machine: Recorder) -> None:
    inner = Do("inner", a=keep(NextEvent(Internal(Do("innermost")))))
    outer = Do("outer", a=keep(NextEvent(Internal(inner)), NextEvent(Cast(Do("second")))))

    assert await machines.tell(machine, outer) == ["a outer", "a inner", "a innermost", "a second"]


async def test_a_chain_of_own_events_leaves_room_for_others(machines: Machines) -> None:
    """A machine that talks to itself for ever does not stop the node."""
    endless = Do("again")
    endless.answers["a"] = keep(NextEvent(Internal(endless)))
    machine = Recorder(NextEvent(Internal(endless)))
    pid = await machines.start(machine)

    while len(machine.log) < 1_000:
        await asyncio.sleep(0)
    machines.node.exit(pid, Killed())

    assert not machines.node.is_alive(pid)


# Enter calls


async def test_a_state_is_told_that_it_begins(machines: Machines) -> None:
    machine = Entering()
    await machines.start(machine)

    assert await machines.tell(machine, GO, GO) == [
        *("a enter from a", "a go", "b enter from a", "b go", "a enter from b")
    ]


async def test_the_same_state_is_entered_again_only_when_it_repeats(machines: Machines) -> None:
    machine = Entering()
    await machines.start(machine)
    await machines.advance(machine, 0)
    same = Do("same", a=to_a())
    again = Do("again", a=lambda _: RepeatState())

    assert await machines.tell(machine, same) == ["a same"]
    assert await machines.tell(machine, again) == ["a again", "a enter from a"]


async def test_without_enter_calls_nobody_is_told(machines: Machines, machine: Recorder) -> None:
    assert await machines.tell(machine, GO, Do("x", b=lambda _: RepeatState())) == ["a go", "b x"]


async def test_an_enter_call_sets_the_timeout_of_its_state(machines: Machines) -> None:
    machine = Entering(entering=Do("enter", b=keep(StateTimeout(20, GO))))
    await machines.start(machine)
    await machines.tell(machine, GO)

    assert await machines.advance(machine, 20) == ["b go", "a enter from b"]
    assert await machines.advance(machine, 100) == []


async def test_a_state_is_entered_before_postponed_events_come_back(machines: Machines) -> None:
    machine = Entering()
    await machines.start(machine)
    await machines.tell(machine, Do("old", a=keep(Postpone())))

    assert await machines.tell(machine, GO) == ["a go", "b enter from a", "b old"]


@pytest.mark.parametrize(
    "answer",
    [to_a(), keep(Postpone()), keep(NextEvent(Internal())), lambda _: RepeatState(), lambda _: 1],
)
async def test_an_enter_call_may_not_move_postpone_or_queue(
    machines: Machines, answer: Callable[[Recorder], Any]
) -> None:
    machine = Entering(entering=Do("enter", b=answer))
    await machines.start(machine)

    assert isinstance(await crash_of(machines, machine, GO), BadReturnValue)


async def test_an_enter_call_can_end_the_machine(machines: Machines) -> None:
    machine = Entering(entering=Do("enter", b=lambda _: Stop(Shutdown("enough"))))
    await machines.start(machine)

    assert await machines.end_of(machine, GO) == Shutdown("enough")


# Stopping


async def test_stop_ends_the_machine_after_terminate(machines: Machines, machine: Recorder) -> None:
    assert await machines.end_of(machine, Do("stop", a=lambda _: Stop(Normal()))) == Normal()
    assert machine.log == ["a stop", "terminate Normal"]


async def test_stop_and_reply_answers_all_callers_before_terminate(
    machines: Machines, machine: Recorder
) -> None:
    order: list[str] = []

    class Closing(Recorder):
        async def terminate(self, _reason: ExitReason) -> None:
            order.append(f"terminate {[call.sender.future.done() for call in waiting]}")

    waiting: list[Call] = []
    closing = Closing()
    await machines.start(closing)
    ask = Do("ask")
    ask.answers["a"] = lambda m: waiting.append(m.call) or KeepState()
    calls = [asyncio.ensure_future(machines.node.call(closing.pid, ask)) for _ in range(2)]
    await machines.advance(closing, 0)
    stop = Do("stop")
    stop.answers["a"] = lambda _: StopAndReply(Normal(), *(call.reply("bye") for call in waiting))

    assert await machines.end_of(closing, stop) == Normal()
    assert await asyncio.gather(*calls) == ["bye", "bye"]
    assert order == ["terminate [True, True]"]


async def test_a_machine_can_be_stopped_from_outside(machines: Machines, machine: Recorder) -> None:
    await machines.node.stop(machine.pid)

    assert machine.log == ["terminate Normal"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda _: "nonsense", id="no answer of a state"),
        pytest.param(lambda _: Stop(Normal(), "reply"), id="stop with a reply"),
        pytest.param(lambda _: NextState(Recorder().a), id="state of another machine"),
        pytest.param(lambda _: NextState(len), id="no state"),
        pytest.param(keep("action"), id="no action"),
        pytest.param(keep(NextEvent(Enter("a"))), id="an enter call of its own"),
    ],
)
async def test_a_wrong_answer_ends_the_machine(
    machines: Machines, machine: Recorder, answer: Callable[[Recorder], Any]
) -> None:
    assert isinstance(await crash_of(machines, machine, Do("wrong", a=answer)), BadReturnValue)
