"""How a process comes to be: its record and its bonds first, then the task that runs it."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from actors import exits
from actors.current import current_process
from actors.errors import AlreadyStarted, Draining, NotAProcess
from actors.identity import Name
from actors.process import Process
from actors.reason import Failed, Killed
from actors.refusals import check_alive

if TYPE_CHECKING:
    from actors.node import Node


def create(node: "Node", name: Name | None, link: bool | None) -> Process:
    """Make the record of a process, linked and registered before it can run.

    Raises:
        AlreadyStarted: The name is taken.
        Draining: The node is shutting down.
        NotAProcess: It is to be linked, and there is no calling process.
    """
    if node.is_draining:
        raise Draining(node.name)
    taken = None if name is None else node.whereis(name)
    if taken is not None:
        raise AlreadyStarted(taken)
    parent = current_process.get() if link is not False else None
    if parent is None and link:
        raise NotAProcess("link")
    if parent is not None:
        check_alive(parent)
    process = Process(node, node.new_pid(), name if isinstance(name, str) else None)
    if parent is not None:
        process.parent = parent.pid
        if parent.lineage is None:
            parent.lineage = (*parent.ancestors, str(parent.label))
        process.ancestors = parent.lineage
        exits.link(process, parent)
    node.table[process.pid] = process
    if isinstance(name, str):
        node.table[name] = process
    elif name is not None:
        name.register(process.pid)
    return process


def run(process: Process, body: Coroutine[Any, Any, None]) -> None:
    """Start the task of a process. The record holds it: the loop alone would do so weakly."""
    process.task = process.node.loop.create_task(
        body, name=str(process.label), context=process.context
    )


def tell(process: Process) -> None:
    """Emit that there is one more process."""
    seen = {"pid": process.pid, "name": process.name, "parent": process.parent}
    process.node.telemetry.execute(("process", "start"), {}, seen)


async def wait_for_start(process: Process, timeout_ms: int | None) -> object:
    """What `init` answered, or why it failed; None when it went well."""
    starting: asyncio.Future[Any] = process.node.loop.create_future()
    process.starting = starting

    def give_up() -> None:
        exits.unlink_parent(process)
        if not starting.done():
            starting.set_result(Failed("timeout"))
        exits.kill(process, Killed())

    timer = None if timeout_ms is None else process.node.clock.call_later(timeout_ms, give_up)
    try:
        return await starting
    except asyncio.CancelledError:
        exits.kill(process, Killed())
        raise
    finally:
        if timer is not None:
            timer.cancel()
