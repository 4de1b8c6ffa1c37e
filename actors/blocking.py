"""Code that blocks, behind a process: it runs in a thread of its own, one message at a time.

The thread is a pykka actor that the process owns. The mailbox stays with the process, and a request
goes to the thread only when the one before is done: so bounds, deadlines, order, crashes, links and
supervision are those of every server, and pykka's own inbox, which has no bound, holds one request
at most. Handing on ahead of time would save one turn of the event loop for each request; that is
little beside anything that is worth a thread.

A thread cannot be killed. When its process is, the process is dead at once and its name is free;
what the thread still answers or sends is dropped; and from `ZOMBIE_GRACE_MS` on it is reported as a
zombie, until it returns. It is a daemon thread: the program does not wait for it at its end.
"""

import asyncio
import contextlib
import contextvars
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import pykka
import structlog

from actors.clock import TimerHandle
from actors.errors import UnhandledMessage
from actors.exits import ZOMBIE_GRACE_MS
from actors.gen_server import Answer, CallAnswer, GenServer, InitAnswer, Reply, Stop
from actors.identity import Pid, Target
from actors.messages import Exit
from actors.process import From, Raised
from actors.reason import ExitReason, Normal

_log = structlog.get_logger("actors")


class BlockingActor:
    """What runs in the thread: subclass, keep state in attributes, block as long as you must.

    All of it, `__init__` included, runs in the actor's own thread and never at the same time.
    Raising ends the process with `Crash`; to refuse a request, answer with a value. The node is
    not for threads: `cast` and `send` are the way out. Code that computes in Python holds up the
    event loop from a thread as well, by the interpreter's lock.

    Attributes:
        pid: Identity of the process; set before `on_start`.
        cast: `Node.cast` for this thread; set before `on_start`.
        send: `Node.send` for this thread; set before `on_start`.
    """

    pid: Pid
    cast: Callable[[Target, object], None]
    send: Callable[[Target, object], None]

    def on_start(self) -> None:
        """Prepare. The starter waits for it, and gets `StartFailed` when it raises."""

    def handle_call(self, request: Any) -> Any:
        """Give the answer to one call."""
        raise UnhandledMessage("handle_call", type(request).__name__)

    def handle_cast(self, message: Any) -> None:
        """Take one cast."""
        raise UnhandledMessage("handle_cast", type(message).__name__)

    def handle_info(self, message: Any) -> None:
        """Take anything else: `Node.send`, timers. The default logs its type and drops it."""
        _log.warning("unexpected message", process=str(self.pid), message=type(message).__name__)

    def on_stop(self) -> None:
        """Tidy up, after a crash as well. Not run after a kill."""


class BlockingServer(GenServer):
    """The process that a `BlockingActor` is known by.

    It ends in an orderly way, after the request in hand, when its parent or any linked process
    ends abnormally: a thread that is left in the middle does not stop.

    Args:
        actor: Makes the actor; called in its thread.
    """

    trap_exit = True

    def __init__(self, actor: Callable[[], BlockingActor]) -> None:
        self._make = actor
        self._actor: BlockingActor
        self._thread: _Thread

    async def init(self) -> InitAnswer:
        """Start the thread and prepare the actor in it."""
        self._thread = _Thread(self)
        self.node.on_exit(self._thread.leave)
        try:
            await self._thread.run(self._prepare)
        except asyncio.CancelledError:
            raise  # killed: `leave` sees to the thread
        except BaseException:
            await self._thread.end()  # before the starter knows
            raise
        return None

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Answer one call from the thread."""
        del sender
        return Reply(await self._thread.run(lambda: self._actor.handle_call(request)))

    async def handle_cast(self, message: Any) -> Answer:
        """Take one cast in the thread."""
        await self._thread.run(lambda: self._actor.handle_cast(message))
        return None

    async def handle_info(self, message: Any) -> Answer:
        """Take a message in the thread; end with a linked process."""
        if isinstance(message, Exit):
            return None if isinstance(message.reason, Normal) else Stop(message.reason)
        await self._thread.run(lambda: self._actor.handle_info(message))
        return None

    async def terminate(self, reason: ExitReason) -> None:
        """Tidy up in the thread and see it end."""
        del reason
        try:
            await self._thread.run(self._actor.on_stop)
        finally:
            await self._thread.end()

    def _prepare(self) -> None:
        """In the thread."""
        actor = self._make()
        actor.pid = self.pid
        actor.cast = lambda target, message: self._thread.post(self.node.cast, target, message)
        actor.send = lambda target, message: self._thread.post(self.node.send, target, message)
        actor.on_start()
        self._actor = actor


class _Thread:
    """The thread of one process, as the event loop sees it."""

    def __init__(self, server: GenServer) -> None:
        self._node = server.node
        self._pid = server.pid
        # What the thread has the loop do is done in the name of the process: dropped when dead.
        self._context = contextvars.copy_context()
        self._ended = self._node.loop.create_future()
        self._zombie_timer: TimerHandle | None = None
        self._is_zombie = False
        info = self._node.info(self._pid)
        self._label = str((info.name if info is not None else None) or self._pid)
        self.name = f"blocking {self._label}"
        self.ident: int | None = None
        self._host = _Host.start(self)

    async def run(self, work: Callable[[], Any]) -> Any:
        """Have the thread do this; gives what it gives and raises what it raises."""
        done: asyncio.Future[Any] = self._node.loop.create_future()
        self._host.tell(partial(self._do, work, done))
        outcome = await done
        if type(outcome) is Raised:
            raise outcome.error
        return outcome

    async def end(self) -> None:
        """Let the thread end, and wait for it."""
        _ = self._host.stop(block=False)  # its future would block
        await self._ended

    def leave(self) -> None:
        """The process has ended: so must the thread, and one that does not is reported."""
        if not self._ended.done():
            _ = self._host.stop(block=False)
            self._zombie_timer = self._node.clock.call_later(ZOMBIE_GRACE_MS, self._report)

    def post(self, action: Callable[..., None], *arguments: object) -> None:
        """Have the loop do this soon; the one method for other threads."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program is ending
            self._node.loop.call_soon_threadsafe(action, *arguments, context=self._context)

    def settle_end(self) -> None:
        """The thread has returned."""
        self._ended.set_result(None)
        if self._zombie_timer is not None:
            self._zombie_timer.cancel()
        if self._is_zombie:
            _log.warning("zombie: the thread has returned", process=self._label, pid=str(self._pid))
            self._tell("stop")

    def _do(self, work: Callable[[], Any], done: asyncio.Future[Any]) -> None:
        """In the thread."""
        try:
            outcome = work()
        except BaseException as error:  # noqa: BLE001 (raised again in the process, which ends)
            outcome = Raised(error)
        self.post(_settle, done, outcome)

    def _report(self) -> None:
        self._is_zombie = True
        # Where it hangs; the one way to see another thread's frames.
        frame = sys._current_frames().get(self.ident or 0)  # noqa: SLF001
        _log.error(
            "zombie: the thread of a dead process does not return",
            process=self._label,
            pid=str(self._pid),
            stack="".join(traceback.format_stack(frame)) if frame is not None else "",
        )
        self._tell("start")

    def _tell(self, event: str) -> None:
        seen = {"pid": self._pid, "thread": self.name}
        self._node.telemetry.execute(("blocking", "zombie", event), {}, seen)


class _Host(pykka.ThreadingActor):
    """The thread itself: does what it is told, in order."""

    use_daemon_thread: ClassVar[bool] = True

    def __init__(self, thread: _Thread) -> None:
        super().__init__()
        self._thread = thread

    def on_start(self) -> None:
        threading.current_thread().name = self._thread.name
        self._thread.ident = threading.get_ident()

    def on_receive(self, message: Any) -> None:
        message()

    def on_stop(self) -> None:
        self._thread.post(self._thread.settle_end)


def _settle(done: asyncio.Future[Any], outcome: object) -> None:
    if not done.done():  # the process was killed meanwhile
        done.set_result(outcome)
