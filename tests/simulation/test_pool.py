"""A pool under every schedule: one borrower for each worker, and all workers come back."""

import contextlib
from typing import Any

import pytest

from actors import (
    CalleeDied,
    CallTimeout,
    CheckoutTimeout,
    From,
    GenServer,
    NoProcess,
    Pid,
    Pool,
    PoolFull,
    PoolStrategy,
    ProcessInfo,
    Reply,
    StartFailed,
    pool_status,
    transaction,
)
from actors.simulation import Faults, Simulation, explore

SEEDS = range(300)
BORROWERS = 5
LOANS = 4
MAY_HAPPEN = (CallTimeout, CalleeDied, CheckoutTimeout, NoProcess, PoolFull, StartFailed)


class Worker(GenServer):
    """Takes a while to start, and for each request as long as it says."""

    async def init(self) -> None:
        await self.node.clock.sleep_ms(self.node.rng.choice((0, 0, 2)))

    async def handle_call(self, request: Any, _sender: From) -> Reply:
        await self.node.clock.sleep_ms(request)
        return Reply(request)


def works_or_borrows(info: ProcessInfo) -> bool:
    return info.server == "Worker" or (info.name or "").startswith("borrower")


async def lend(simulation: Simulation) -> None:
    node, rng = simulation.node, simulation.node.rng
    simulation.may_kill = False
    size = rng.randrange(1, 4)
    pool = Pool(
        Worker,
        size=size,
        max_overflow=rng.randrange(3),
        overflow_idle_ms=rng.choice((0, 5)),
        strategy=rng.choice(list(PoolStrategy)),
    )
    await node.start(pool, name="pool")
    holders: dict[Pid, Pid | None] = {}

    async def use(worker: Pid) -> None:
        other = holders.get(worker)
        assert other is None or not node.is_alive(other), "two borrowers"
        holders[worker] = node.current_pid()
        await node.call(worker, rng.randrange(4), timeout_ms=rng.choice((2, 100)))

    async def borrow() -> None:
        for _ in range(LOANS):
            timeout_ms, block = rng.choice((3, 10, 1000)), rng.random() < 0.8
            with contextlib.suppress(*MAY_HAPPEN):
                async with transaction(node, "pool", timeout_ms=timeout_ms, block=block) as worker:
                    try:
                        await use(worker)
                    finally:
                        holders[worker] = None
            await node.clock.sleep_ms(rng.randrange(3))

    simulation.may_kill = True
    names = [f"borrower{number}" for number in range(BORROWERS)]
    borrowers = [node.spawn(borrow, name=name, link=False) for name in names]
    for pid in borrowers:
        assert not isinstance(getattr(await node.join(pid), "error", None), AssertionError)
    simulation.may_kill = False
    await node.clock.sleep_ms(200)
    if node.whereis("pool") is not None:  # it ends when a replacement is killed while it starts
        assert sum(info.server == "Worker" for info in node.processes()) == size
        assert (await pool_status(node, "pool")).idle == size


@pytest.mark.parametrize("crashes", [0, 3, 8])
def test_no_worker_is_lent_twice_and_all_come_back(crashes: int) -> None:
    faults = Faults(crashes=crashes, may_crash=works_or_borrows, delay_ms=5, jitter_ms=3)

    report = explore(lend, seeds=SEEDS, faults=faults)

    assert report is None, str(report)
