"""What asyncio promises still holds in the simulated loop, under every schedule."""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from actors import CallTimeout, GenServer, IdleTimeout, NoReply
from actors.simulation import (
    Broken,
    Deadlock,
    Faults,
    Simulation,
    TooManySteps,
    explore,
    simulate,
)
from tests.simulation import planted

SEEDS = range(200)
LONG_MS = 3_600_000


def test_hours_pass_in_no_time_and_to_the_nanosecond() -> None:
    async def program(simulation: Simulation) -> None:
        clock, loop = simulation.clock, asyncio.get_running_loop()
        await clock.sleep_ms(LONG_MS)
        await asyncio.sleep(0.5)

        assert clock.monotonic_ns() == LONG_MS * 1_000_000 + 500_000_000
        assert loop.time() == 3600.5
        assert clock.now() == datetime(2026, 1, 1, 1, 0, 0, 500_000, UTC)

    assert simulate(program).error is None


def test_wall_clock_can_be_stepped_and_monotonic_time_does_not_notice() -> None:
    async def program(simulation: Simulation) -> None:
        before = simulation.clock.monotonic_ns()
        simulation.clock.step_wall(-60_000)

        assert simulation.clock.now() == datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
        assert simulation.clock.monotonic_ns() == before

    assert simulate(program).error is None


def test_timers_deadlines_and_idle_timeouts_of_a_node_follow_the_virtual_time() -> None:
    heard: list[tuple[int, object]] = []

    class Server(GenServer):
        async def init(self) -> IdleTimeout:
            return IdleTimeout(70)

        async def handle_info(self, message: object) -> None:
            heard.append((self.node.clock.monotonic_ns() // 1_000_000, message))

        async def handle_call(self, _request: object, _sender: object) -> NoReply:
            return NoReply()

    async def program(simulation: Simulation) -> None:
        node = simulation.node
        pid = await node.start(Server())
        await node.clock.sleep_ms(100)
        node.send_after(30, pid, "tick")
        cancelled = node.send_after(40, pid, "never")
        node.cancel_timer(cancelled)
        with pytest.raises(CallTimeout):
            await node.call(pid, "question", timeout_ms=250)
        heard.append((node.clock.monotonic_ns() // 1_000_000, "late"))

    done = simulate(program, choices="")

    assert done.error is None
    assert [(at, str(what)) for at, what in heard] == [
        (70, "Timeout.IDLE"),
        (130, "tick"),
        (350, "late"),
    ]


def test_callbacks_run_in_the_order_they_were_registered() -> None:
    async def program(simulation: Simulation) -> list[int]:
        loop, ran = asyncio.get_running_loop(), list[int]()

        async def register(first: int) -> None:
            for number in range(first, first + 3):
                loop.call_soon(ran.append, number)
                loop.call_later(0, ran.append, 100 + number)
                await simulation.clock.sleep_ms(0)

        async with asyncio.TaskGroup() as group:
            for first in (0, 10, 20):
                group.create_task(register(first))
        await simulation.clock.sleep_ms(1)
        return ran

    def each_in_order(ran: list[int]) -> bool:
        parts = [[n for n in ran if n % 100 // 10 == which and n < 100] for which in range(3)]
        return len(ran) == 18 and all(part == sorted(part) for part in parts)

    assert explore(program, each_in_order, seeds=SEEDS) is None


def test_no_task_overtakes_a_callback_it_registered_itself() -> None:
    async def program(simulation: Simulation) -> None:
        loop = asyncio.get_running_loop()
        others = [loop.create_task(simulation.clock.sleep_ms(0)) for _ in range(3)]
        for number in range(5):
            ran: list[int] = []
            loop.call_soon(ran.append, number)
            await simulation.clock.sleep_ms(0)
            assert ran == [number]
        await asyncio.gather(*others)

    assert explore(program, seeds=SEEDS) is None


def test_tasks_that_are_ready_run_in_every_order() -> None:
    orders = set()

    async def program(simulation: Simulation) -> None:
        ran: list[int] = []

        async def body(number: int) -> None:
            ran.append(number)

        await asyncio.gather(*(body(number) for number in range(4)))
        orders.add(tuple(ran))

    for seed in range(1000):
        simulate(program, seed=seed)

    assert len(orders) == 24


def test_tools_of_asyncio_work() -> None:
    variable = contextvars.ContextVar("variable", default=0)

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(10):
                await asyncio.sleep(0.001)
                yield number
        finally:
            await asyncio.sleep(0)

    async def program(simulation: Simulation) -> list[object]:
        del simulation
        seen: list[object] = [number async for number in numbers()]
        async for number in numbers():  # left behind half way: its end must run
            seen.append(number)
            break
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        lock, event = asyncio.Lock(), asyncio.Event()

        async def fill() -> None:
            variable.set(1)
            for number in range(3):
                async with lock:
                    await queue.put(number)
            event.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(fill())
            seen += [await queue.get() for _ in range(3)]
        await event.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 1)
        return [*seen, variable.get()]

    expected = [*range(10), 0, 0, 1, 2, 0]
    assert explore(program, lambda seen: seen == expected, seeds=SEEDS) is None


def test_jitter_makes_timers_late_within_its_bound_and_never_early() -> None:
    late: set[int] = set()

    async def program(simulation: Simulation) -> None:
        before = simulation.clock.monotonic_ns()
        await simulation.clock.sleep_ms(10)
        late.add((simulation.clock.monotonic_ns() - before) // 1_000_000 - 10)

    for seed in range(100):
        simulate(program, seed=seed, faults=Faults(jitter_ms=3))

    assert late == {0, 1, 2, 3}


def test_circle_without_time_passing_is_stopped_and_named() -> None:
    done = simulate(planted.spinning, faults=Faults(steps_max=500))

    assert isinstance(done.error, TooManySteps)
    assert (done.error.steps_max, done.error.last, done.steps) == (500, "main", 501)


def test_invariant_is_checked_after_every_step() -> None:
    async def program(simulation: Simulation) -> None:
        balance = {"left": 1, "right": 0}
        simulation.always(lambda: sum(balance.values()) == 1)
        balance["left"] -= 1
        await simulation.clock.sleep_ms(0)
        balance["right"] += 1

    assert isinstance(simulate(program).error, Broken)


def test_callback_that_raises_fails_the_run() -> None:
    async def program(simulation: Simulation) -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await simulation.clock.sleep_ms(1)

    assert isinstance(simulate(program).error, ValueError)


def test_task_that_raises_and_nobody_waits_for_fails_the_run() -> None:
    async def fail() -> None:
        raise ValueError

    async def program(simulation: Simulation) -> None:
        kept = asyncio.get_running_loop().create_task(fail())
        waited_for = asyncio.get_running_loop().create_task(fail())
        await asyncio.gather(waited_for, return_exceptions=True)
        await simulation.clock.sleep_ms(1)
        assert kept.done()

    error = simulate(program).error

    assert isinstance(error, ValueError)


def test_waiting_for_nothing_is_a_deadlock_at_once() -> None:
    async def program(simulation: Simulation) -> None:
        await simulation.node.start(GenServer(), name="idler")
        await asyncio.get_running_loop().create_future()

    error = simulate(program).error

    assert isinstance(error, Deadlock)
    assert error.idle == ("idler",)
    assert [line.partition(",")[0] for line in error.waiting] == ["main: waits in program"]


@pytest.mark.parametrize("end", [SystemExit(3), KeyError("x"), asyncio.CancelledError()])
def test_whatever_the_program_raises_is_the_finding(end: BaseException) -> None:
    async def program(simulation: Simulation) -> None:
        await simulation.clock.sleep_ms(1)
        raise end

    error = simulate(program).error

    assert type(error) is type(end)


def test_ctrl_c_goes_through() -> None:
    async def program(simulation: Simulation) -> None:
        await simulation.node.start(GenServer())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(program)


async def test_simulation_inside_a_running_loop_is_refused() -> None:
    with pytest.raises(RuntimeError, match="inside a running event loop"):
        simulate(planted.right)


def test_what_the_program_leaves_behind_is_ended_without_a_trace() -> None:
    ended: list[str] = []

    class Server(GenServer):
        async def terminate(self, _reason: object) -> None:
            ended.append("terminate")

    async def program(simulation: Simulation) -> None:
        node = simulation.node
        await node.start(Server())

        async def body() -> None:
            try:
                await node.clock.sleep_ms(LONG_MS)
            finally:
                ended.append("finally")

        node.spawn(body)
        await node.clock.sleep_ms(1)

    done = simulate(program)

    assert done.error is None
    assert ended == ["finally"]
    assert done.trace[-1].endswith("as promised")
