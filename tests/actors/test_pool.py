"""Pools beyond the conformance cases: borrowers, their races and their limits."""

import asyncio
import contextlib
from typing import Any

import pytest

from actors import (
    InvalidPool,
    Killed,
    Loan,
    Node,
    NoProcess,
    Pid,
    Pool,
    PoolFull,
    PoolState,
    PoolStatus,
    PoolStrategy,
    checkin,
    checkout,
    pool_status,
    transaction,
)
from tests.actors.pool_workers import (
    Plan,
    Worker,
    finished,
    later,
    ready,
    waiting,
)


async def test_waiters_are_served_first_come_first_served_with_the_very_worker(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    loan = await checkout(node, pool)
    waiters = []
    for number in range(3):
        waiters.append(later(checkout(node, pool)))
        await waiting(node, pool, number + 1)

    served = []
    for waiter in waiters:
        checkin(node, loan)
        loan = await waiter
        served.append(loan.worker)

    assert served == [loan.worker] * 3
    checkin(node, loan)
    assert await pool_status(node, pool) == ready(1)


async def test_overflow_is_kept_while_somebody_waits(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=1))
    loans = [await checkout(node, pool) for _ in range(2)]
    waiter = later(checkout(node, pool))
    await waiting(node, pool, 1)

    checkin(node, loans[0])

    assert (await waiter).worker == loans[0].worker
    assert (await pool_status(node, pool)).overflow == 1


async def test_fifo_lends_the_worker_that_waits_longest(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=3, strategy=PoolStrategy.FIFO))
    first, second, third = [await checkout(node, pool) for _ in range(3)]
    for loan in (second, third, first):
        checkin(node, loan)

    lent = [(await checkout(node, pool)).worker for _ in range(3)]

    assert lent == [second.worker, third.worker, first.worker]


async def test_giving_back_twice_takes_nothing_from_the_next_borrower(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    first = await checkout(node, pool)
    checkin(node, first)
    second = await checkout(node, pool)

    checkin(node, first)

    assert second.worker == first.worker
    with pytest.raises(PoolFull):
        await checkout(node, pool, block=False)


async def test_waiter_cancelled_in_the_instant_it_is_served_leaks_no_worker(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    loan = await checkout(node, pool)
    waiter = later(checkout(node, pool))
    await waiting(node, pool, 1)
    checkin(node, loan)
    while (info := node.info(pool)) is not None and info.mailbox_length:
        await asyncio.sleep(0)

    waiter.cancel()  # its answer is there, and it has not run since
    await finished(waiter)

    assert await pool_status(node, pool) == ready(1)


@pytest.mark.parametrize("turns", range(8))
async def test_cancellation_at_any_turn_leaks_no_worker(node: Node, turns: int) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    borrower = later(checkout(node, pool))
    for _ in range(turns):
        await asyncio.sleep(0)

    is_too_late = borrower.done()
    borrower.cancel()
    await finished(borrower)
    if is_too_late:
        checkin(node, borrower.result())

    assert await pool_status(node, pool) == ready(1)


async def test_nothing_is_started_for_a_borrower_that_has_left(node: Node) -> None:
    plan = Plan()
    pool = await node.start(Pool(plan, size=0, max_overflow=1))
    borrower = later(checkout(node, pool))
    while (info := node.info(pool)) is not None and not info.mailbox_length:
        await asyncio.sleep(0)

    borrower.cancel()
    await finished(borrower)

    assert (await pool_status(node, pool)).lent == 0
    assert plan.made == 0


@pytest.mark.parametrize("turns", range(8))
async def test_borrower_killed_at_any_turn_leaks_no_worker(node: Node, turns: int) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))

    async def borrow_for_ever() -> None:
        await checkout(node, pool)
        await asyncio.Event().wait()

    borrower = node.spawn(borrow_for_ever)
    for _ in range(turns):
        await asyncio.sleep(0)
    node.exit(borrower, Killed())

    assert (await checkout(node, pool)).worker
    assert (await pool_status(node, pool)).waiting == 0


async def test_zombie_that_leaves_its_transaction_late_takes_nothing_back(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    inside, leave, left = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def cling() -> None:
        try:
            async with transaction(node, pool):
                inside.set()
                while not leave.is_set():
                    with contextlib.suppress(asyncio.CancelledError):
                        await leave.wait()
        finally:
            left.set()

    borrower = node.spawn(cling)
    await inside.wait()
    node.exit(borrower, Killed())
    loan = await checkout(node, pool)
    leave.set()
    await left.wait()

    with pytest.raises(PoolFull):
        await checkout(node, pool, block=False)
    checkin(node, loan)
    assert await pool_status(node, pool) == ready(1)


async def test_waiter_that_dies_leaves_the_queue(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))
    loan = await checkout(node, pool)

    async def wait() -> None:
        await checkout(node, pool)

    waiter = node.spawn(wait)
    await waiting(node, pool, 1)
    node.exit(waiter, Killed())

    assert (await pool_status(node, pool)).waiting == 0
    checkin(node, loan)
    assert await pool_status(node, pool) == ready(1)


async def test_number_of_waiters_is_bounded(node: Node) -> None:
    class Small(Pool):
        waiting_max = 1

    pool = await node.start(Small(Worker, size=1, max_overflow=0))
    loan = await checkout(node, pool)
    waiter = later(checkout(node, pool))
    await waiting(node, pool, 1)

    with pytest.raises(PoolFull) as caught:
        await checkout(node, pool)

    assert caught.value.waiting == 1
    checkin(node, loan)
    assert (await waiter).worker == loan.worker


async def test_nobody_can_borrow_where_there_is_no_pool(node: Node) -> None:
    with pytest.raises(NoProcess):
        await checkout(node, "pool")
    with pytest.raises(NoProcess):
        async with transaction(node, Pid(node.name, 1_000)):
            pass


@pytest.mark.parametrize(
    "options",
    [
        {"size": -1},
        {"max_overflow": -1},
        {"overflow_idle_ms": -1},
        {"size": 0, "max_overflow": 0},
        {"strategy": "lifo"},
    ],
)
def test_pool_that_cannot_be_is_refused_when_it_is_made(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidPool):
        Pool(Worker, **options)


async def test_pool_of_overflow_alone_starts_every_worker_on_demand(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=0, max_overflow=1))
    assert await pool_status(node, pool) == PoolStatus(PoolState.OVERFLOW, 0, 0, 0, 0)

    async with transaction(node, pool) as only:
        assert await node.call(only, "ping") == "ping"

    assert await pool_status(node, pool) == PoolStatus(PoolState.OVERFLOW, 0, 0, 0, 0)


async def test_checkouts_and_a_full_pool_are_told_to_telemetry(node: Node) -> None:
    events: list[tuple[str, ...]] = []
    for event in (
        *(("pool", "checkout", end) for end in ("start", "stop", "exception")),
        ("pool", "full"),
    ):
        node.telemetry.attach(event, lambda name, _measured, _seen: events.append(name))
    pool = await node.start(Pool(Worker, size=1, max_overflow=0))

    await checkout(node, pool)
    with pytest.raises(PoolFull):
        await checkout(node, pool, block=False)

    assert events == [
        ("pool", "checkout", "start"),
        ("pool", "checkout", "stop"),
        ("pool", "checkout", "start"),
        ("pool", "full"),
        ("pool", "checkout", "exception"),
    ]


async def test_a_loan_names_its_worker_and_its_pool(node: Node) -> None:
    pool = await node.start(Pool(Worker, size=1), name="pool")

    loan = await checkout(node, "pool")

    assert isinstance(loan, Loan)
    assert loan.pool == pool
    assert await node.call(loan.worker, 7) == 7
