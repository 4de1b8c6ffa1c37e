"""A state machine is a process like any other: links, monitors, supervisors, telemetry."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from actors import (
    Down,
    GenStateMachine,
    Info,
    Internal,
    KeepState,
    Killed,
    NamedTimeout,
    NextEvent,
    NextState,
    Postpone,
    StateEvent,
    StateTimeout,
    Transition,
)
from supervisors import Supervisor, worker
from tests.actors.machines import GO, Do, Machines, Recorder, keep


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


async def test_a_machine_is_a_process_with_links_and_monitors(machines: Machines) -> None:
    heard: list[str] = []

    class Watcher(GenStateMachine):
        trap_exit = True

        async def begin(self) -> NextState:
            child = await self.node.start(Recorder())
            self.node.monitor(child)
            self.node.exit(child, Killed())
            return NextState(self.watching)

        async def watching(self, event: StateEvent) -> Transition | None:
            match event:
                case Info(message):
                    heard.append(type(message).__name__)
                    return KeepState()
            return None

    await machines.start(Watcher())
    await machines.clock.advance(0)

    assert sorted(heard) == [Down.__name__, "Exit"]


async def test_observers_see_the_state_by_its_name(machines: Machines, machine: Recorder) -> None:
    await machines.tell(machine, Do("later", a=keep(Postpone(), StateTimeout(1_000))))

    shown = machine.format_status()

    assert (shown["state"], shown["postponed"], shown["timeouts"]) == ("a", "1", "1")
    assert "log" in shown
    assert "_engine" not in shown


async def test_a_supervisor_starts_a_machine_again_in_its_first_state(machines: Machines) -> None:
    node = machines.node
    await node.start(Supervisor([worker("m", Recorder, name="m")]))
    node.cast("m", GO)
    before = node.whereis("m")
    with capture_logs():
        node.cast("m", Do("fail", b=lambda _: 1 // 0))
        await machines.clock.advance(0)

    pid = node.whereis("m")
    assert pid not in {None, before}
    where = Do("where?", a=lambda m: KeepState(m.call.reply("a")))
    assert await node.call("m", where) == "a"


async def test_each_event_is_measured_also_those_of_its_own(
    machines: Machines, machine: Recorder
) -> None:
    kinds: list[str] = []
    await machines.advance(machine, 0)
    for kind in ("cast", "info", "continue"):
        machines.node.telemetry.attach(
            ("genserver", kind, "stop"), lambda event, *_: kinds.append(event[1])
        )
    own = NextEvent(Internal(Do("own")))

    await machines.tell(machine, Do("x", a=keep(own, NamedTimeout("n", 5, Do("named")))))
    await machines.advance(machine, 5)

    assert kinds == ["cast", "continue", "info"]
