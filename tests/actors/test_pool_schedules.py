"""Pools under random schedules: whatever happens when, no worker is lost or lent twice."""

import asyncio
import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from actors import (
    ActorError,
    GenServer,
    Killed,
    Loan,
    Node,
    Pid,
    Pool,
    PoolState,
    PoolStatus,
    PoolStrategy,
    VirtualClock,
    checkin,
    checkout,
    pool_status,
    transaction,
)

SETTLE_TURNS = 60
IDLE_KILLS_MAX = 3  # what a pool of one worker stands; it gives up on more, as it should


class Worker(GenServer):
    """Says when it has started: a replacement that is killed before ends the pool."""

    def __init__(self, started: set[Pid]) -> None:
        self.started = started

    async def init(self) -> None:
        self.started.add(self.pid)


class Borrower:
    """One that wants a worker: a process, or a task outside every process."""

    def __init__(self, node: Node, pool: Pid, *, is_process: bool, number: int) -> None:
        self.node = node
        self.pool = pool
        self.timeout_ms = number * 5
        self.is_careful = number % 2 == 0 or not is_process
        self.worker: Pid | None = None
        self.has_held = False
        self.leave = asyncio.Event()
        self.loan: Loan | None = None
        self.pid = node.spawn(self.run) if is_process else None
        self.task = None if is_process else asyncio.get_running_loop().create_task(self.run())

    async def run(self) -> None:
        try:
            if self.is_careful:
                async with transaction(self.node, self.pool, timeout_ms=self.timeout_ms) as worker:
                    await self.hold(worker)
            else:
                self.loan = await checkout(self.node, self.pool, timeout_ms=self.timeout_ms)
                await self.hold(self.loan.worker)
                # Never gives back: the pool sees to it when the process ends.
        except ActorError:
            pass
        finally:
            self.worker = None

    @property
    def is_over(self) -> bool:
        """It may have been ended before it ran at all."""
        if self.task is not None:
            return self.task.done()
        return self.pid is None or not self.node.is_alive(self.pid)

    @property
    def holds(self) -> Pid | None:
        """The worker it has, if that lives."""
        is_alive = self.worker is not None and self.node.is_alive(self.worker)
        return self.worker if is_alive and not self.is_over else None

    async def hold(self, worker: Pid) -> None:
        self.worker, self.has_held = worker, True
        await self.leave.wait()
        self.worker = None

    def end(self) -> None:
        """Kill or cancel it, wherever it stands."""
        if self.pid is not None:
            self.node.exit(self.pid, Killed())
        elif self.task is not None:
            self.task.cancel()

    async def finish(self) -> None:
        if self.task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self.task


class World:
    """A pool, its borrowers, and what may happen to them."""

    def __init__(self, node: Node, clock: VirtualClock, size: int, overflow: int) -> None:
        self.node = node
        self.clock = clock
        self.pool: Pid
        self.size = size
        self.workers_max = size + overflow
        self.started: set[Pid] = set()
        self.borrowers: list[Borrower] = []
        self.idle_kills = 0

    async def act(self, action: str, number: int) -> None:
        match action:
            case "borrow" | "borrow outside":
                is_process = action == "borrow"
                self.borrowers.append(
                    Borrower(self.node, self.pool, is_process=is_process, number=number)
                )
            case "wait":
                await self.clock.advance(number)
            case "turns":
                for _ in range(number % 6):
                    await asyncio.sleep(0)
            case "settle":
                await self.settle()
            case "kill idle worker":
                self.kill_idle_worker(number)
            case _:
                living = [each for each in self.borrowers if not each.is_over]
                if living:
                    self.act_on(living[number % len(living)], action)

    def act_on(self, borrower: Borrower, action: str) -> None:
        match action:
            case "give back":
                borrower.leave.set()
            case "give back twice" if borrower.loan is not None:
                checkin(self.node, borrower.loan)
                checkin(self.node, borrower.loan)
                borrower.worker = None
            case "end borrower":
                borrower.end()
            case "kill lent worker" if borrower.holds is not None:
                self.node.exit(borrower.holds, Killed())

    def kill_idle_worker(self, number: int) -> None:
        lent = {each.holds for each in self.borrowers}
        idle = [pid for pid in self.workers() if pid not in lent]
        if idle and self.idle_kills < IDLE_KILLS_MAX:
            self.idle_kills += 1
            self.node.exit(idle[number % len(idle)], Killed())

    def workers(self) -> list[Pid]:
        return [each.pid for each in self.node.processes() if each.pid in self.started]

    async def settle(self) -> PoolStatus:
        """Let everything run that can, and see that the pool counts what is there."""
        for _ in range(SETTLE_TURNS):
            await asyncio.sleep(0)
        status = await pool_status(self.node, self.pool)
        held = [each.holds for each in self.borrowers if each.holds is not None]
        assert len(held) == len(set(held)), "a worker is lent twice"
        assert status.lent == len(held)
        assert status.idle + status.lent == self.size + status.overflow == len(self.workers())
        assert status.idle + status.lent <= self.workers_max
        assert status.waiting == sum(self.is_waiting(each) for each in self.borrowers)
        if status.waiting:
            assert status.state is PoolState.FULL, "a waiter is forgotten"
        return status

    @staticmethod
    def is_waiting(borrower: Borrower) -> bool:
        is_done = borrower.is_over or borrower.worker is not None
        return not is_done and not borrower.has_held

    async def end(self) -> None:
        for borrower in self.borrowers:
            borrower.leave.set()
        for _ in range(len(self.borrowers) + 1):
            await self.clock.advance(10)
        for borrower in self.borrowers:
            await borrower.finish()
        status = await pool_status(self.node, self.pool)
        assert status == PoolStatus(PoolState.READY, self.size, 0, 0, 0)


ACTIONS = (
    *("borrow", "borrow", "borrow", "borrow outside", "borrow outside"),
    *("give back", "give back", "give back twice", "end borrower", "end borrower"),
    *("kill lent worker", "kill idle worker", "wait", "turns", "turns", "turns", "settle"),
)
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(1, 100)), min_size=15, max_size=60)


async def play(
    steps: list[tuple[str, int]], size: int, overflow: int, strategy: PoolStrategy, idle_ms: int
) -> None:
    clock = VirtualClock()
    node = Node("schedule", clock=clock)
    world = World(node, clock, size, overflow)
    world.pool = await node.start(
        Pool(
            lambda: Worker(world.started),
            size=size,
            max_overflow=overflow,
            strategy=strategy,
            overflow_idle_ms=idle_ms,
        )
    )
    for step in steps:
        await world.act(*step)
    await world.settle()
    await world.end()
    await node.shutdown()
    assert node.processes() == []


@settings(max_examples=200, deadline=None)
@given(
    steps=STEPS,
    size=st.integers(1, 3),
    overflow=st.integers(0, 2),
    strategy=st.sampled_from(PoolStrategy),
    idle_ms=st.sampled_from([0, 40]),
)
def test_no_schedule_loses_a_worker_or_lends_one_twice(
    steps: list[tuple[str, int]], size: int, overflow: int, strategy: PoolStrategy, idle_ms: int
) -> None:
    asyncio.run(play(steps, size, overflow, strategy, idle_ms))
