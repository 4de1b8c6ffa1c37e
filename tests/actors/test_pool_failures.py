"""Workers that die or do not start, and the end of a pool."""

import asyncio
from typing import Any

import pytest

from actors import (
    CalleeDied,
    Failed,
    GenServer,
    Ignore,
    Killed,
    Node,
    Pool,
    PoolState,
    PoolStatus,
    Shutdown,
    StartFailed,
    StartIgnored,
    StopInit,
    checkin,
    checkout,
    pool_status,
    transaction,
)
from supervisors import Supervisor, worker
from tests.actors.pool_workers import (
    BornDying,
    Plan,
    Worker,
    later,
    waiting,
)


async def test_worker_that_dies_while_lent_is_replaced_for_whoever_waits(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    loan = await checkout(node, pool)
    waiter = later(checkout(node, pool))
    await waiting(node, pool, 1)

    node.exit(loan.worker, Killed())

    assert (await waiter).worker != loan.worker
    checkin(node, loan)  # of a worker that is no more
    assert (await pool_status(node, pool)).lent == 1


async def test_overflow_worker_that_dies_is_replaced_for_whoever_waits(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=1))
    loans = [await checkout(node, pool) for _ in range(2)]
    waiter = later(checkout(node, pool))
    await waiting(node, pool, 1)

    node.exit(loans[0].worker, Killed())

    assert (await waiter).worker not in {loan.worker for loan in loans}
    assert await pool_status(node, pool) == PoolStatus(PoolState.FULL, 0, 1, 2, 0)


async def test_overflow_worker_that_dies_while_lent_is_not_replaced(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=1))
    loans = [await checkout(node, pool) for _ in range(2)]

    node.exit(loans[0].worker, Killed())

    assert await pool_status(node, pool) == PoolStatus(PoolState.OVERFLOW, 0, 0, 1, 0)


async def test_worker_that_dies_idle_is_never_lent_and_is_replaced(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    loan = await checkout(node, pool)
    checkin(node, loan)
    await pool_status(node, pool)

    node.exit(loan.worker, Killed())
    again = await checkout(node, pool)

    assert again.worker != loan.worker
    assert node.is_alive(again.worker)


async def test_worker_that_dies_just_before_it_would_be_lent_is_not_lent(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    loan = await checkout(node, pool)
    checkin(node, loan)
    await pool_status(node, pool)

    node.cast(loan.worker, Shutdown())  # it runs first, and the pool hears of its end last
    again = await checkout(node, pool)

    assert again.worker != loan.worker
    assert node.is_alive(again.worker)


async def test_worker_that_dies_just_before_it_is_given_back_is_not_handed_on(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    loan = await checkout(node, pool)
    waiter = later(checkout(node, pool))
    await waiting(node, pool, 1)

    node.cast(loan.worker, Shutdown())
    checkin(node, loan)

    assert (await waiter).worker != loan.worker
    assert (await pool_status(node, pool)).lent == 1


async def test_pool_does_not_start_when_a_worker_does_not(node: Node) -> None:
    plan = Plan(True, False)

    with pytest.raises(StartFailed) as caught:
        await node.start(Pool(plan, size=3), name="pool")

    assert caught.value.reason == Failed("no connection")
    assert (plan.made, node.whereis("pool"), node.processes()) == (2, None, [])


async def test_worker_that_takes_too_long_to_start_is_a_failure(node: Node) -> None:
    class Hanging(GenServer):
        async def init(self) -> None:
            await asyncio.Event().wait()

    class Impatient(Pool):
        worker_start_ms = 10

    with pytest.raises(StartFailed) as caught:
        await node.start(Impatient(Hanging, size=1))

    assert caught.value.reason == Failed("timeout")
    assert node.processes() == []


async def test_overflow_worker_that_does_not_start_fails_its_checkout_alone(node: Node) -> None:
    pool = await node.start(Pool(Plan(True, False), size=1, max_overflow=1))
    loan = await checkout(node, pool)

    with pytest.raises(StartFailed):
        await checkout(node, pool)

    assert await pool_status(node, pool) == PoolStatus(PoolState.OVERFLOW, 0, 0, 1, 0)
    await checkout(node, pool)
    checkin(node, loan)
    assert (await pool_status(node, pool)).overflow == 0


async def test_replacement_that_does_not_start_ends_the_pool(node: Node) -> None:
    pool = await node.start(Pool(Plan(True, True, False), size=2))
    loans = [await checkout(node, pool) for _ in range(2)]
    ended = later(node.join(pool))
    await asyncio.sleep(0)

    node.exit(loans[0].worker, Killed())

    reason: Any = await ended
    assert isinstance(reason.error, StartFailed)
    assert node.processes() == []


async def test_supervisor_brings_a_pool_back_and_borrowers_go_on(node: Node) -> None:
    pool = worker("pool", lambda: Pool(Worker, size=1), name="pool")
    supervisor = await node.start(Supervisor([pool]))
    loan = await checkout(node, "pool")

    node.exit(loan.pool, Killed())
    while node.whereis("pool") in (None, loan.pool):
        await asyncio.sleep(0)

    assert not node.is_alive(loan.worker)
    checkin(node, loan)
    async with transaction(node, "pool") as fresh:
        assert await node.call(fresh, "ping") == "ping"
    await node.stop(supervisor, Shutdown())


async def test_idle_workers_that_keep_dying_end_the_pool(node: Node) -> None:
    pool = await node.start(Pool(BornDying, size=2))

    assert await node.join(pool) == Failed("idle workers die too often")
    assert node.processes() == []


async def test_stopping_a_pool_stops_all_workers_and_tells_all_waiters(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=2, max_overflow=0))
    loans = [await checkout(node, pool) for _ in range(2)]
    waiter = later(checkout(node, pool))
    await waiting(node, pool, 1)

    await node.stop(pool)

    with pytest.raises(CalleeDied):
        await waiter
    assert node.processes() == []
    assert not any(node.is_alive(loan.worker) for loan in loans)


async def test_worker_that_ignores_its_start_is_a_failure_as_well(node: Node) -> None:
    class Shy(GenServer):
        async def init(self) -> Ignore:
            return Ignore()

    with pytest.raises(StartFailed) as caught:
        await node.start(Pool(Shy, size=1))
    pool = await node.start(Pool(Shy, size=0, max_overflow=1))
    with pytest.raises(StartIgnored):
        await checkout(node, pool)

    reason: Any = caught.value.reason
    assert isinstance(reason.error, StartIgnored)
    assert (await pool_status(node, pool)).lent == 0


async def test_worker_that_stops_well_in_its_start_is_a_failure_as_well(node: Node) -> None:
    class Done(GenServer):
        async def init(self) -> StopInit:
            return StopInit(Shutdown("nothing to do"))

    with pytest.raises(StartFailed) as caught:
        await node.start(Pool(Done, size=1))

    assert caught.value.reason == Failed("a worker stopped in init")
    assert node.processes() == []
