"""How a node ends: everybody is asked, youngest first, and whoever does not obey is killed."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from actors import exits
from actors.clock import pause
from actors.errors import CalleeDied, CallTimeout
from actors.process import Process
from actors.reason import Killed, Shutdown

if TYPE_CHECKING:
    from actors.node import Node

_LEAVE_SECONDS: Final = 1.0  # for the tasks of killed processes


async def stop_all(node: "Node", processes: Sequence[Process]) -> None:
    """Stop processes, last first; those with a parent are left to it."""
    for process in reversed(processes):
        if process.alive and (process.parent is None or process.parent not in node.table):
            limit_ms = process.server.stop_timeout_ms if process.server else None
            try:
                await node.stop(process.pid, Shutdown(), timeout_ms=limit_ms)
            except (CallTimeout, CalleeDied):
                exits.kill(process, Killed())
    for process in processes:
        exits.kill(process, Killed())


async def see_off(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Wait a moment for tasks that were cancelled."""
    left = tuple(tasks)
    if left:
        await asyncio.wait(left, timeout=_LEAVE_SECONDS)
        await pause()
