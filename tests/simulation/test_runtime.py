"""Promises of the runtime hold under every schedule, with delays, kills and late timers."""

import asyncio
from collections import Counter
from typing import Any

from actors import (
    CalleeDied,
    CallTimeout,
    Down,
    From,
    GenServer,
    GroupJoined,
    GroupLeft,
    Groups,
    NoProcess,
    Pid,
    ProcessInfo,
    Ref,
    Registry,
    Reply,
    StartFailed,
)
from actors.simulation import Faults, Simulation, explore
from supervisors import (
    DynamicSupervisor,
    Supervisor,
    count_children,
    start_child,
    worker,
)

SEEDS = range(300)
MEMBERS = 4


def is_member(info: ProcessInfo) -> bool:
    return (info.name or "").startswith("member")


FAULTS = Faults(crashes=3, may_crash=is_member, delay_ms=5, jitter_ms=5)


class Member(GenServer):
    """One of several that are supervised and killed."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def handle_call(self, request: Any, _sender: From) -> Reply:
        return Reply(request)


async def start_members(simulation: Simulation, make: Any) -> None:
    simulation.may_kill = False
    names = [f"member{number}" for number in range(MEMBERS)]
    specs = [worker(name, lambda name=name: make(name), name=name) for name in names]
    await simulation.node.start(Supervisor(specs, max_restarts=100), name="supervisor")
    simulation.may_kill = True


def test_each_monitor_hears_of_the_end_exactly_once() -> None:
    async def program(simulation: Simulation) -> None:
        node = simulation.node
        downs: Counter[Ref] = Counter()
        watched: dict[Ref, Pid] = {}

        class Watcher(GenServer):
            async def handle_cast(self, pid: Pid) -> None:
                watched[self.node.monitor(pid)] = pid

            async def handle_info(self, message: Any) -> None:
                assert isinstance(message, Down)
                assert not self.node.is_alive(watched[message.ref])
                downs[message.ref] += 1

        await start_members(simulation, Member)
        for name in ("one", "two"):
            await node.start(Watcher(), name=name)
        for _ in range(20):
            for name in ("one", "two"):
                pid = node.whereis(f"member{node.rng.randrange(MEMBERS)}")
                if pid is not None:
                    node.cast(name, pid)
            await node.clock.sleep_ms(1)
        simulation.may_kill = False
        await node.clock.sleep_ms(50)
        ended = {ref for ref, pid in watched.items() if not node.is_alive(pid)}
        assert downs == Counter(ended)

    report = explore(program, seeds=SEEDS, faults=FAULTS)
    assert report is None, str(report)


def test_registry_never_names_the_dead_and_forgets_nobody_alive() -> None:
    async def program(simulation: Simulation) -> None:
        node = simulation.node
        unique, many = Registry(node), Registry(node, unique=False)

        class Registered(Member):
            async def init(self) -> None:
                unique.register(self.name)
                many.register("all", self.name)

        def check() -> bool:
            entries = [*many.lookup("all")]
            for number in range(MEMBERS):
                entries += unique.lookup(f"member{number}")
            return all(node.is_alive(pid) for pid, _ in entries)

        simulation.always(check)
        await start_members(simulation, Registered)
        for _ in range(20):
            await node.clock.sleep_ms(1)
        simulation.may_kill = False
        await node.clock.sleep_ms(20)
        names = [f"member{number}" for number in range(MEMBERS)]
        assert sorted(value for _, value in many.lookup("all")) == names
        assert [unique.whereis(name) for name in names] == [node.whereis(name) for name in names]

    report = explore(program, seeds=SEEDS, faults=FAULTS)
    assert report is None, str(report)


def test_monitor_of_a_group_sees_every_change_in_order() -> None:
    async def program(simulation: Simulation) -> None:
        node = simulation.node
        groups = Groups(node)
        seen: list[Pid] = []

        class Joining(Member):
            async def init(self) -> None:
                groups.join("all", self.pid)

        class Watcher(GenServer):
            async def init(self) -> None:
                _, members = groups.monitor("all")
                seen.extend(members)

            async def handle_info(self, message: Any) -> None:
                if isinstance(message, GroupJoined):
                    seen.append(message.pid)
                else:
                    assert isinstance(message, GroupLeft)
                    seen.remove(message.pid)

        simulation.always(lambda: all(node.is_alive(pid) for pid in groups.members("all")))
        await start_members(simulation, Joining)
        await node.start(Watcher(), name="watcher")
        for _ in range(20):
            await node.clock.sleep_ms(1)
        simulation.may_kill = False
        await node.clock.sleep_ms(20)
        assert sorted(seen) == sorted(groups.members("all"))
        assert len(seen) == MEMBERS

    report = explore(program, seeds=SEEDS, faults=FAULTS)
    assert report is None, str(report)


def test_call_ends_once_and_its_error_says_what_may_have_happened() -> None:
    outcomes: Counter[str] = Counter()

    async def program(simulation: Simulation) -> None:
        node = simulation.node
        handled: set[int] = set()

        class Counting(Member):
            async def handle_call(self, request: Any, _sender: From) -> Reply:
                handled.add(request)
                await self.node.clock.sleep_ms(self.node.rng.randrange(3))
                return Reply(request)

        await start_members(simulation, Counting)

        async def ask(first: int) -> None:
            for number in range(first, first + 10):
                name = f"member{node.rng.randrange(MEMBERS)}"
                try:
                    assert await node.call(name, number, timeout_ms=8) == number
                    outcome = "answered"
                except NoProcess:
                    assert number not in handled, "nobody is there, so nothing was done"
                    outcome = "nobody"
                except (CallTimeout, CalleeDied) as error:
                    outcome = type(error).__name__
                assert outcome != "answered" or number in handled
                outcomes[outcome] += 1
                await node.clock.sleep_ms(1)

        await asyncio.gather(ask(0), ask(100))

    faults = Faults(crashes=5, may_crash=is_member, delay_ms=5, jitter_ms=1)
    report = explore(program, seeds=SEEDS, faults=faults)

    assert report is None, str(report)
    assert outcomes.keys() == {"answered", "nobody", "CallTimeout", "CalleeDied"}


def test_dynamic_supervisor_keeps_its_number_of_children() -> None:
    async def program(simulation: Simulation) -> None:
        node = simulation.node
        supervisor = await node.start(DynamicSupervisor(max_restarts=100), name="dynamic")
        started = 0
        for number in range(MEMBERS):
            name = f"member{number}"
            spec = worker(name, lambda name=name: Member(name), name=name)
            try:
                await start_child(node, supervisor, spec)
                started += 1
            except StartFailed:
                continue
            await node.clock.sleep_ms(1)
        for _ in range(20):
            await node.clock.sleep_ms(1)
        simulation.may_kill = False
        await node.clock.sleep_ms(20)
        counts = await count_children(node, supervisor)
        assert (counts.specs, counts.active) == (started, started)

    report = explore(program, seeds=SEEDS, faults=FAULTS)
    assert report is None, str(report)
