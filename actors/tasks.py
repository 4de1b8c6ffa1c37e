"""A value that a process of its own computes, for the process that asked for it.

The outcome goes to a future, not through the mailbox: after a timeout or a shutdown nothing of the
task can arrive any more.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from actors.errors import CalleeDied, CallTimeout, NotOwner
from actors.identity import Pid
from actors.node import Node
from actors.reason import ExitReason, Killed, Shutdown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """A task returned.

    Attributes:
        value: What.
    """

    value: T


class Task(Generic[T]):
    """A running computation; only the process that made it may wait for it.

    Args:
        node: Where it runs.
        body: What to compute.
        owner: Who may wait; None: whoever is outside every process.
        link: Link it to the calling process; None: if there is one.
        link_owner: Link it to its owner, where that is not the caller.

    Attributes:
        pid: The process that computes.
    """

    def __init__(
        self,
        node: Node,
        body: Callable[[], Coroutine[Any, Any, T]],
        owner: Pid | None,
        *,
        link: bool | None = None,
        link_owner: bool = False,
    ) -> None:
        self._node = node
        self._owner = owner
        returned: list[T] = []

        async def run() -> None:
            if link_owner and owner is not None:
                node.link(owner)
            returned.append(await body())

        def settle(reason: ExitReason) -> None:
            self._outcome.set_result(Done(returned[0]) if returned else reason)

        self.pid = node.spawn(run, link=link)
        self._outcome: asyncio.Future[Done[T] | ExitReason] = node.loop.create_future()
        node.watch(self.pid, settle)

    async def result(self, *, timeout_ms: int = 5_000) -> T:
        """Its value.

        Raises:
            CalleeDied: It ended without one.
            CallTimeout: Not in time; a linked task ends with its owner, any other goes on.
            NotOwner: The caller did not make it.
        """
        outcome = await self.poll(timeout_ms=timeout_ms)
        if outcome is None:
            raise CallTimeout(self.pid, "result", timeout_ms)
        if isinstance(outcome, Done):
            return outcome.value
        raise CalleeDied(outcome, self.pid, "result")

    async def poll(self, *, timeout_ms: int = 0) -> Done[T] | ExitReason | None:
        """Its value, why it ended, or None when it still runs after this time.

        Raises:
            NotOwner: The caller did not make it.
        """
        if self._node.current_pid() != self._owner:
            raise NotOwner(self._owner, "wait for a task")
        if not self._outcome.done():
            await self._wait(timeout_ms)
        return self._outcome.result() if self._outcome.done() else None

    async def shutdown(self, *, timeout_ms: int = 5_000) -> Done[T] | ExitReason | None:
        """Stop it, by force after this time; a value that is already there is still given."""
        outcome = await self.poll()
        if outcome is None:
            self._node.exit(self.pid, Shutdown())
            outcome = await self.poll(timeout_ms=timeout_ms)
        if outcome is None:
            self.kill()
        return outcome if isinstance(outcome, Done) else None

    def kill(self) -> None:
        """End it by force."""
        self._node.exit(self.pid, Killed())

    async def _wait(self, timeout_ms: int) -> None:
        over: asyncio.Future[None] = self._node.loop.create_future()

        def end(_: object = None) -> None:
            if not over.done():
                over.set_result(None)

        timer = self._node.clock.call_later(timeout_ms, end)
        self._outcome.add_done_callback(end)
        try:
            await over
        finally:
            timer.cancel()
            self._outcome.remove_done_callback(end)


def start_task(
    node: Node, body: Callable[[], Coroutine[Any, Any, T]], *, link: bool | None = None
) -> Task[T]:
    """Compute something beside the calling process, linked to it unless told otherwise."""
    return Task(node, body, node.current_pid(), link=link)
