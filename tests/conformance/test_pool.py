"""Cases 34 and 35: pools, as `poolboy_tests` has them."""

import asyncio
from typing import Any

import pytest

from actors import (
    CallAnswer,
    CheckoutTimeout,
    From,
    GenServer,
    Killed,
    Loan,
    Node,
    Pid,
    Pool,
    PoolFull,
    PoolState,
    Reply,
    checkin,
    checkout,
    pool_status,
    transaction,
)

FULL, OVERFLOW, READY = PoolState.FULL, PoolState.OVERFLOW, PoolState.READY


class Worker(GenServer):
    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        del sender
        return Reply(request)


async def start_pool(node: Node, **options: Any) -> Pid:
    return await node.start(Pool(Worker, **options))


async def status(node: Node, pool: Pid) -> tuple[PoolState, int, int, int]:
    now = await pool_status(node, pool)
    return now.state, now.idle, now.overflow, now.lent


async def test_34_overflow_comes_and_goes_with_the_load(node: Node) -> None:
    pool = await start_pool(node, size=1, max_overflow=1)
    assert await status(node, pool) == (READY, 1, 0, 0)

    first = await checkout(node, pool)
    assert await status(node, pool) == (OVERFLOW, 0, 0, 1)
    second = await checkout(node, pool)
    assert await status(node, pool) == (FULL, 0, 1, 2)

    checkin(node, first)
    assert await status(node, pool) == (OVERFLOW, 0, 0, 1)
    assert (node.is_alive(first.worker), node.is_alive(second.worker)) == (False, True)
    checkin(node, second)
    assert await status(node, pool) == (READY, 1, 0, 0)
    assert node.is_alive(second.worker)


async def test_34_a_full_pool_refuses_whoever_does_not_wait(node: Node) -> None:
    pool = await start_pool(node, size=1, max_overflow=1)
    loans = [await checkout(node, pool) for _ in range(2)]

    with pytest.raises(PoolFull) as caught:
        await checkout(node, pool, block=False)

    assert (caught.value.pool, caught.value.workers_max) == (pool, 2)
    assert await status(node, pool) == (FULL, 0, 1, 2)
    checkin(node, loans[0])
    assert (await checkout(node, pool, block=False)).worker != loans[1].worker


async def test_34_the_worker_returned_last_is_lent_first(node: Node) -> None:
    pool = await start_pool(node, size=3, max_overflow=0)
    first, second, third = [await checkout(node, pool) for _ in range(3)]
    for loan in (second, third, first):
        checkin(node, loan)

    lent = [(await checkout(node, pool)).worker for _ in range(3)]

    assert lent == [first.worker, third.worker, second.worker]


async def test_35_a_waiter_leaves_when_its_time_is_over(node: Node) -> None:
    pool = await start_pool(node, size=1, max_overflow=0)
    loan = await checkout(node, pool)

    with pytest.raises(CheckoutTimeout):
        await checkout(node, pool, timeout_ms=50)

    assert (await pool_status(node, pool)).waiting == 0
    checkin(node, loan)
    assert await status(node, pool) == (READY, 1, 0, 0)


async def test_35_the_worker_of_a_dead_borrower_comes_back(node: Node) -> None:
    pool = await start_pool(node, size=1, max_overflow=0)
    loans: asyncio.Queue[Loan] = asyncio.Queue()

    async def borrow_for_ever() -> None:
        loans.put_nowait(await checkout(node, pool))
        await asyncio.Event().wait()

    borrower = node.spawn(borrow_for_ever)
    loan = await loans.get()
    assert await status(node, pool) == (FULL, 0, 0, 1)
    node.exit(borrower, Killed())

    assert await status(node, pool) == (READY, 1, 0, 0)
    assert (await checkout(node, pool)).worker == loan.worker


async def test_35_a_transaction_that_raises_gives_back(node: Node) -> None:
    pool = await start_pool(node, size=1, max_overflow=0)

    async def borrow_and_raise() -> None:
        async with transaction(node, pool) as worker:
            assert await node.call(worker, "ping") == "ping"
            raise LookupError

    with pytest.raises(LookupError):
        await borrow_and_raise()

    assert await status(node, pool) == (READY, 1, 0, 0)


async def test_35_a_transaction_that_is_cancelled_gives_back(node: Node) -> None:
    pool = await start_pool(node, size=1, max_overflow=0)
    inside = asyncio.Event()

    async def borrow_for_ever() -> None:
        async with transaction(node, pool):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(borrow_for_ever())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await status(node, pool) == (READY, 1, 0, 0)


async def test_35_a_worker_that_dies_while_lent_is_replaced(node: Node) -> None:
    pool = await start_pool(node, size=1, max_overflow=0)
    loan = await checkout(node, pool)

    node.exit(loan.worker, Killed())

    assert await status(node, pool) == (READY, 1, 0, 0)
    assert (await checkout(node, pool)).worker != loan.worker
