"""Workers for tests of pools, and what the tests wait for."""

import asyncio
import contextlib
from typing import Any

from actors import (
    Answer,
    CallAnswer,
    Continue,
    Failed,
    From,
    GenServer,
    Node,
    Pid,
    PoolState,
    PoolStatus,
    Reply,
    Stop,
    StopInit,
    pool_status,
)


class Worker(GenServer):
    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        del sender
        return Reply(request)

    async def handle_cast(self, message: Any) -> Answer:
        return Stop(message)


class Stubborn(GenServer):
    """Traps exits, so that its end takes until `go` is set."""

    trap_exit = True

    def __init__(self, go: asyncio.Event) -> None:
        self.go = go

    async def terminate(self, reason: object) -> None:
        del reason
        await self.go.wait()


class Plan:
    """Makes workers that start or fail as planned; those beyond the plan start."""

    def __init__(self, *starts: bool) -> None:
        self.starts = list(starts)
        self.made = 0

    def __call__(self) -> GenServer:
        self.made += 1
        does_start = self.made > len(self.starts) or self.starts[self.made - 1]
        return Worker() if does_start else Broken()


class Broken(GenServer):
    async def init(self) -> StopInit:
        return StopInit(Failed("no connection"))


class BornDying(GenServer):
    """Starts, and ends before anybody needs it."""

    async def init(self) -> Continue:
        return Continue()

    async def handle_continue(self, argument: object) -> Answer:
        del argument
        raise ConnectionError


def later(body: Any) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(body)


async def finished(task: asyncio.Task[Any]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def waiting(node: Node, pool: Pid, number: int) -> None:
    """Let borrowers run until this many wait."""
    while (await pool_status(node, pool)).waiting != number:
        await asyncio.sleep(0)


def ready(idle: int) -> PoolStatus:
    return PoolStatus(PoolState.READY, idle, overflow=0, lent=0, waiting=0)
