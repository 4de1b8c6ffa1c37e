"""Pools and time, which stands still until a test moves it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from actors import (
    CheckoutTimeout,
    Killed,
    Node,
    NoProcess,
    Pool,
    PoolState,
    PoolStatus,
    VirtualClock,
    checkin,
    checkout,
    pool_status,
)
from tests.actors.pool_workers import (
    Stubborn,
    Worker,
    later,
    ready,
    waiting,
)


@pytest.fixture
async def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def virtual(clock: VirtualClock) -> AsyncIterator[Node]:
    """Run a node whose time stands still."""
    node = Node("virtual", clock=clock)
    yield node
    await node.shutdown()


async def test_worker_served_in_the_instant_of_the_timeout_is_not_lost(
    virtual: Node, clock: VirtualClock
) -> None:
    pool = await virtual.start(Pool(Worker, size=1, max_overflow=0))
    loan = await checkout(virtual, pool)
    waiter = later(checkout(virtual, pool, timeout_ms=50))
    await waiting(virtual, pool, 1)

    virtual.clock.call_later(50, lambda: checkin(virtual, loan))
    await clock.advance(50)

    with pytest.raises(CheckoutTimeout) as caught:
        await waiter
    assert (caught.value.pool, caught.value.timeout_ms) == (pool, 50)
    assert await pool_status(virtual, pool) == ready(1)


async def test_worker_that_does_not_stop_is_killed_with_the_pool(
    virtual: Node, clock: VirtualClock
) -> None:
    pool = await virtual.start(Pool(lambda: Stubborn(asyncio.Event()), size=2))

    stopped = later(virtual.stop(pool))
    await clock.advance(3_999)
    assert len(virtual.processes()) == 3
    await clock.advance(1)
    await stopped

    assert virtual.processes() == []


async def test_dismissed_worker_that_does_not_stop_holds_nobody_up_and_is_killed(
    virtual: Node, clock: VirtualClock
) -> None:
    go = asyncio.Event()
    pool = await virtual.start(Pool(lambda: Stubborn(go), size=1, max_overflow=1))
    slow, stuck = [await checkout(virtual, pool) for _ in range(2)]

    checkin(virtual, stuck)

    assert await pool_status(virtual, pool) == PoolStatus(PoolState.OVERFLOW, 0, 0, 1, 0)
    assert virtual.is_alive(stuck.worker)
    await clock.advance(4_000)
    assert not virtual.is_alive(stuck.worker)
    checkin(virtual, slow)
    assert await pool_status(virtual, pool) == ready(1)
    go.set()


async def test_overflow_workers_may_be_kept_for_a_while(virtual: Node, clock: VirtualClock) -> None:
    pool = await virtual.start(Pool(Worker, size=1, max_overflow=2, overflow_idle_ms=1_000))
    first, second, third = [await checkout(virtual, pool) for _ in range(3)]

    checkin(virtual, first)
    await clock.advance(600)
    checkin(virtual, second)
    checkin(virtual, third)
    await clock.advance(399)
    assert (await pool_status(virtual, pool)).idle == 3
    await clock.advance(1)
    assert (await pool_status(virtual, pool)).idle == 2
    assert not virtual.is_alive(first.worker)
    again = await checkout(virtual, pool)
    assert again.worker == third.worker
    await clock.advance(599)
    assert (await pool_status(virtual, pool)).overflow == 1
    await clock.advance(1)
    assert (await pool_status(virtual, pool)).overflow == 0
    checkin(virtual, again)

    await clock.advance(10_000)

    assert await pool_status(virtual, pool) == ready(1)
    assert virtual.is_alive(third.worker)


async def test_pool_that_is_killed_leaves_no_timer(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=0, max_overflow=1, overflow_idle_ms=60_000))
    checkin(node, await checkout(node, pool))
    await pool_status(node, pool)

    node.exit(pool, Killed())

    assert await node.join(pool) == NoProcess()
    # The fixture of the node sees to the rest.
