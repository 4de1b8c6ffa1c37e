"""Processes that have nothing to do lose their task; the next message starts a new one.

A task with its frames weighs more than everything else of an idle process, but making one for each
message would cost more than the message. So only a process that handled nothing from one look to
the next is parked, and a busy one never notices: what decides is the count it keeps anyway.
"""

import asyncio
import contextvars
import itertools
from collections.abc import Iterator
from typing import Final

from actors.process import Process

LOOK_SECONDS: Final = 1.0
LOOK_AT_ONCE: Final = 200  # then everybody else has a turn


class Parking:
    """The processes of a node that have a task and read their mailbox.

    Time is the event loop's and not the clock's: nobody can feel it, so there is nothing for a
    virtual clock to order. Under one nobody is parked: a replay must not depend on real time.

    Args:
        enabled: Look at the processes at all.
    """

    __slots__ = ("_awake", "_context", "_enabled", "_timer")

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._awake: dict[Process, int] = {}  # to what it had handled at the last look
        self._timer: asyncio.Handle | None = None
        self._context = contextvars.Context()  # a timer would keep that of whoever started it

    @property
    def is_busy(self) -> bool:
        """Somebody has a task to read its mailbox with."""
        return bool(self._awake)

    def watch(self, process: Process) -> None:
        """A process began to read its mailbox."""
        self._awake[process] = -1
        if self._timer is None:
            self._look_later(process.node.loop)

    def forget(self, process: Process) -> None:
        """It parked or ended."""
        self._awake.pop(process, None)

    def look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Park whoever has done nothing since the last look; look again as long as one is awake."""
        if self._timer is not None:
            self._timer.cancel()
        self._look_at(iter(list(self._awake)), loop)

    def cancel(self) -> None:
        """Look no more."""
        self._enabled = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at(self, left: Iterator[Process], loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        some = list(itertools.islice(left, LOOK_AT_ONCE))
        for process in some:
            handled = self._awake.get(process)
            if handled is None:
                continue
            if handled != process.handled:
                self._awake[process] = process.handled
            elif process.waiter is not None and not process.waiter.done():
                process.waiter.set_result(True)
                process.waiter = None
        if some:
            self._timer = loop.call_soon(self._look_at, left, loop, context=self._context)
        elif self._awake:
            self._look_later(loop)

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._enabled:
            self._timer = loop.call_later(LOOK_SECONDS, self.look, loop, context=self._context)
