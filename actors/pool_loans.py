"""What one may ask a pool, and what it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast
from uuid import UUID

from actors.errors import CallTimeout, CheckoutTimeout, NoProcess
from actors.identity import Pid, Target
from actors.node import Node

CHECKOUT_TIMEOUT_MS: Final = 5_000


class PoolState(Enum):
    """What the next checkout meets."""

    READY = "ready"
    """An idle worker."""
    OVERFLOW = "overflow"
    """A worker that is started for it."""
    FULL = "full"
    """Nobody: it waits."""


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A pool at one moment; `idle + lent == size + overflow` when nobody has just died.

    Attributes:
        state: What the next checkout meets.
        idle: Workers nobody has borrowed.
        overflow: Workers beyond the size of the pool.
        lent: Workers somebody has borrowed.
        waiting: Borrowers that wait for a worker.
    """

    state: PoolState
    idle: int
    overflow: int
    lent: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Checkout:
    """Lend me a worker, under this ticket."""

    ticket: UUID
    block: bool


@dataclass(frozen=True, slots=True)
class Checkin:
    """The holder of this ticket wants no worker, or no longer."""

    ticket: UUID


@dataclass(frozen=True, slots=True)
class GetStatus:
    """Count."""


@dataclass(frozen=True, slots=True)
class Loan:
    """A borrowed worker; give it back with `checkin`.

    Attributes:
        worker: Whom to call. Nobody else borrows it meanwhile.
        pool: Whose it is.
        ticket: What the pool knows it by.
    """

    worker: Pid
    pool: Pid
    ticket: UUID


async def checkout(
    node: Node,
    pool: Target,
    *,
    block: bool = True,
    timeout_ms: int | None = CHECKOUT_TIMEOUT_MS,
) -> Loan:
    """Borrow a worker; prefer `transaction`, which cannot forget to give it back.

    The worker of a process that ends comes back by itself. Code outside every process has nobody
    to watch: what it does not give back is lent until the pool ends.

    Args:
        node: Where the pool runs.
        pool: Its name or pid.
        block: Wait when all workers are lent; first come, first served.
        timeout_ms: Longest wait; None waits without limit.

    Raises:
        PoolFull: All workers are lent, and it was not to wait or too many wait; nothing borrowed.
        CheckoutTimeout: No worker came back in time; nothing borrowed.
        StartFailed: The worker that was started for it did not start; nothing borrowed.
        StartIgnored: That worker did not want to run; nothing borrowed.
        NoProcess: There is no such pool.
        CalleeDied: The pool ended meanwhile, and all its workers with it.
    """
    pid = pool if isinstance(pool, Pid) else node.whereis(pool)
    if pid is None:
        raise NoProcess(pool, Checkout.__name__)
    ticket = node.ids.new_id()
    with node.telemetry.span(("pool", "checkout"), {"pool": pool}):
        try:
            worker: Pid = await node.call(pid, Checkout(ticket, block), timeout_ms=timeout_ms)
        except CallTimeout as error:
            node.notify(pid, Checkin(ticket))
            raise CheckoutTimeout(pool, error.timeout_ms) from None
        except asyncio.CancelledError:  # perhaps in the very instant it was answered
            node.notify(pid, Checkin(ticket))
            raise
    return Loan(worker, pid, ticket)


def checkin(node: Node, loan: Loan) -> None:
    """Give a worker back; a second time, or after the end of the pool, does nothing."""
    node.notify(loan.pool, Checkin(loan.ticket))


@asynccontextmanager
async def transaction(
    node: Node,
    pool: Target,
    *,
    block: bool = True,
    timeout_ms: int | None = CHECKOUT_TIMEOUT_MS,
) -> AsyncIterator[Pid]:
    """Borrow a worker for a block; however the block is left, the worker is given back.

    Arguments and errors are those of `checkout`.
    """
    loan = await checkout(node, pool, block=block, timeout_ms=timeout_ms)
    try:
        yield loan.worker
    finally:
        checkin(node, loan)


async def pool_status(node: Node, pool: Target) -> PoolStatus:
    """Count the workers of a pool.

    Raises:
        NoProcess: There is no such pool.
    """
    return cast(PoolStatus, await node.call(pool, GetStatus()))
