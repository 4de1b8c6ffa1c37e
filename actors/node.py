"""One event loop's runtime: the table of its processes and everything one may do to them.

All of it runs in the thread of the loop. A target that is another node's pid cannot be reached
from here and says so; the cluster carries messages between nodes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from actors import draining, exits, mailbox, starting
from actors.clock import Clock, TimerHandle
from actors.current import current_process
from actors.deadlines import Deadlines
from actors.errors import (
    AlreadyStarted,
    CalleeDied,
    CallTimeout,
    NoProcess,
    NotAProcess,
    StartFailed,
    StartIgnored,
)
from actors.gen_server import GenServer, Ignore
from actors.identity import Name, Pid, Ref, Target, Via
from actors.ids import IdGenerator, make_rng
from actors.inspection import NodeStatistics, Observation, ProcessInfo, describe
from actors.parking import Parking
from actors.process import CAST, INFO, NOTICE, STOP, From, Process, Raised
from actors.reason import ExitReason, Normal
from actors.refusals import absence, check_alive, check_caller, refusal, unreachable
from actors.reports import CRASHES_MAX, CrashReport
from actors.server_loop import resume_server, run_body, run_server
from actors.telemetry import Telemetry
from actors.timers import TimerRef, Timers

CALL_TIMEOUT_MS: Final = 5_000

_NORMAL: Final = Normal()


class Node:
    """One event loop's runtime.

    Args:
        name: Part of every pid; unique in a cluster.
        clock: Time of every deadline; a `VirtualClock` in simulations.
        seed: Makes ids, tokens and `rng` repeatable; for simulations only.

    Attributes:
        name: As given.
        clock: Its time.
        ids: Its ids and tokens.
        rng: Its randomness; not for secrets.
        telemetry: Its events.
        crashes: Reports of the latest crashes, oldest first.
        observation: Has the time in handlers measured for a while.
    """

    def __init__(
        self, name: str = "corrente", *, clock: Clock | None = None, seed: int | None = None
    ) -> None:
        self.name = name
        self.clock = clock or Clock()
        self.rng = make_rng(seed)
        self.ids = IdGenerator(self.clock, self.rng, seed)
        self.telemetry = Telemetry(self.clock)
        self.crashes: deque[CrashReport] = deque(maxlen=CRASHES_MAX)
        self.observation = Observation(self.telemetry, self.clock)
        # What follows is for the other modules of this room.
        self.loop: asyncio.AbstractEventLoop
        # Pids and names in one table: a message needs one lookup, whichever it is sent to.
        self.table: dict[Target, Process] = {}
        self.parking = Parking(enabled=type(self.clock) is Clock)
        self.exit_signals: deque[tuple[Process, Pid, ExitReason]] = deque()
        self.dropped = 0
        self.is_draining = False
        self._leaving: dict[asyncio.Task[None], None] = {}
        self._timers = Timers(self.clock)
        self._deadlines = Deadlines(self.clock)
        self._waiting = self._deadlines.waiting
        self._pids = 0
        self._refs = 0

    # Starting

    async def start(
        self,
        server: GenServer,
        *,
        name: Name | None = None,
        link: bool | None = None,
        mailbox_max: int | None = None,
        timeout_ms: int | None = None,
    ) -> Pid:
        """Start a server; returns when its `init` has returned.

        Args:
            server: A new instance.
            name: Register it; free again before anybody hears of its end.
            link: Link it to the calling process, which becomes its parent. None: if there is one.
            mailbox_max: Messages its mailbox holds; None: what the server's class says.
            timeout_ms: Longest `init`; the process is killed then. None: no limit.

        Raises:
            AlreadyStarted: The name is taken, or the instance was started before.
            StartFailed: `init` raised, answered `StopInit` or took too long.
            StartIgnored: `init` answered `Ignore`.
            Draining: The node is shutting down.
        """
        if getattr(server, "pid", None) is not None:
            raise AlreadyStarted(server.pid)
        process = starting.create(self, name, link)
        process.mailbox_max = server.mailbox_max if mailbox_max is None else mailbox_max
        server.node, server.pid, process.server = self, process.pid, server
        starting.run(process, run_server(process, server))
        starting.tell(process)
        outcome = await starting.wait_for_start(process, timeout_ms)
        if outcome is None:
            return process.pid
        if isinstance(outcome, Ignore):
            raise StartIgnored
        raise StartFailed(outcome)

    def spawn(
        self,
        body: Callable[[], Coroutine[Any, Any, Any]],
        *,
        name: Name | None = None,
        link: bool | None = None,
    ) -> Pid:
        """Run a coroutine function as a bare process: no mailbox, but links and monitors.

        Its return ends it `Normal`, an exception `Crash`.

        Raises:
            AlreadyStarted: The name is taken.
            Draining: The node is shutting down.
        """
        process = starting.create(self, name, link)
        starting.run(process, run_body(process, body))
        starting.tell(process)
        return process.pid

    # Messages

    async def call(  # noqa: C901 (one frame: every helper would cost a tenth of a call)
        self,
        target: Target,
        request: object,
        *,
        timeout_ms: int | None = CALL_TIMEOUT_MS,
        must_run: bool = False,
    ) -> Any:
        """Send a request and wait for its answer.

        Args:
            target: Whom to ask.
            request: Immutable.
            timeout_ms: Deadline, queueing included; None waits without limit. The server is not
                told when it passes, and its late reply is dropped.
            must_run: Handle the request even when its deadline passed while it was queued.

        Raises:
            NoProcess: Nobody is there; nothing was done.
            Overloaded: The mailbox is full; nothing was done.
            CallingSelf: The caller is the target.
            CallTimeout: The outcome is unknown.
            CalleeDied: The server ended first; the outcome is unknown.
            NodeLost: The pid is another node's, and it cannot be reached.
        """
        process = self.table.get(target) or self._via(target)
        if process is None:
            raise unreachable(self.name, target, request)
        sender = From(request, self.loop.create_future(), process, self.clock.monotonic_ns())
        sender.must_run = must_run
        caller = current_process.get()
        if caller is not None:
            if caller is process or not caller.alive:
                check_caller(caller, process, request)
            sender.caller = caller.pid
        waiting = self._waiting.get(timeout_ms)
        if waiting is None:
            if timeout_ms is None or timeout_ms <= 0:
                raise CallTimeout(process.label, type(request).__name__, timeout_ms or 0)
            waiting = self._deadlines.add(timeout_ms)
        if len(process.mailbox) < process.room:
            process.mailbox.append(sender)
            waiter = process.waiter
            if waiter is not None:
                process.waiter = None
                if not waiter.done():
                    waiter.set_result(False)
        elif not mailbox.admit(process, sender):
            raise refusal(process, request)
        waiting[sender] = None
        try:
            answer = await sender.future
        finally:
            waiting.pop(sender, None)
            if process.calls:
                process.calls.pop(sender, None)
        if type(answer) is Raised:
            raise answer.error
        return answer

    def cast(self, target: Target, message: object) -> None:
        """Send a message to `handle_cast`; never fails and never waits.

        To nobody it vanishes; a full mailbox drops and counts it (see `MailboxPolicy`).
        """
        process = self.table.get(target) or self._via(target)
        if process is not None:
            sender = current_process.get()
            if sender is None or sender.alive:
                self._post(process, CAST, message)

    def send(self, target: Target, message: object) -> None:
        """Send a message to `handle_info`; as `cast` otherwise."""
        process = self.table.get(target) or self._via(target)
        if process is not None:
            sender = current_process.get()
            if sender is None or sender.alive:
                self._post(process, INFO, message)

    def reply(self, sender: From, value: object) -> None:
        """Answer a call, from anywhere, once; a late, second or unwanted answer is dropped."""
        current = current_process.get()
        if not sender.future.done() and (current is None or current.alive):
            sender.future.set_result(value)

    def fail(self, sender: From, error: BaseException) -> None:
        """Answer a call with an error that is raised at the caller."""
        self.reply(sender, Raised(error))

    def send_after(self, ms: int, target: Target, message: object) -> TimerRef:
        """Send a message to `handle_info` after `ms` milliseconds."""

        def fire() -> None:
            process = self._find(target)
            if process is not None:
                self._post(process, INFO, message)

        return self._timers.start(ms, fire)

    def send_interval(self, ms: int, target: Target, message: object) -> TimerRef:
        """Send a message to `handle_info` every `ms` milliseconds, until cancelled.

        A message that is late makes none after it late; one that would be a whole period late is
        left out. It stops when the process ends that is the target now, also where that was given
        by name: whoever takes its place asks for its own, in `init`.
        """
        process = self._find(target)

        def fire() -> bool:
            if process is None or not process.alive:
                return False
            self._post(process, INFO, message)
            return True

        return self._timers.repeat(max(1, ms), fire)

    def cancel_timer(self, timer: TimerRef) -> None:
        """Send no more; a timer that has fired does not mind."""
        self._timers.cancel(timer)

    # Bonds

    def monitor(self, target: Target) -> Ref:
        """Have the calling server sent one `Down` when `target` ends, or now if it is gone."""
        ref = self._new_ref()
        exits.monitor(self._caller("monitor"), self._find(target), target, ref)
        return ref

    def demonitor(self, ref: Ref) -> None:
        """Forget a monitor of the calling process; no `Down` of it arrives any more."""
        exits.demonitor(self._caller("demonitor"), ref)

    def link(self, pid: Pid) -> None:
        """Bind the calling process to another: when one ends, the other gets an exit signal."""
        caller = self._caller("link")
        peer = self.table.get(pid)
        if peer is None:
            exits.signal(caller, pid, absence(self.name, pid), linked=True)
        else:
            exits.link(caller, peer)

    def unlink(self, pid: Pid) -> None:
        """Undo a link of the calling process."""
        peer = self.table.get(pid)
        if peer is not None:
            exits.unlink(self._caller("unlink"), peer)

    def on_exit(self, release: Callable[[], None], *, pid: Pid | None = None) -> None:
        """Run `release` when a process ends, even by a kill, before anybody hears of it.

        Args:
            release: Must be quick and cannot wait.
            pid: Which process; None: the calling one.

        Raises:
            NoProcess: There is no such process on this node.
        """
        process = self._caller("on_exit") if pid is None else self.table.get(pid)
        if process is None:
            raise NoProcess(pid, "on_exit")
        if process.releases is None:
            process.releases = []
        process.releases.append(release)

    # Ending

    def exit(self, pid: Pid, reason: ExitReason) -> None:
        """Send an exit signal; `Killed()` kills, whatever the process traps."""
        process = self.table.get(pid)
        source = current_process.get()
        if process is not None and (source is None or source.alive):
            exits.signal(process, source.pid if source else None, reason, linked=False)

    async def stop(
        self, target: Target, reason: ExitReason = _NORMAL, *, timeout_ms: int | None = None
    ) -> None:
        """Have a server run `terminate` and end; a bare process ends at once.

        Raises:
            NoProcess: Nobody is there.
            CallTimeout: It did not end in time; it still may.
            CalleeDied: It ended for another reason.
        """
        process = self._find(target)
        if process is None:
            raise NoProcess(target, "stop")
        if process.server is None:
            exits.kill(process, reason)
            return
        process.deliver(STOP, reason)
        actual = await self.join(process.pid, timeout_ms=timeout_ms)
        if actual != reason:
            raise CalleeDied(actual, target, "stop")

    async def join(self, target: Target, *, timeout_ms: int | None = None) -> ExitReason:
        """Wait until a process has ended; gives its reason, `NoProcess()` if it is not there.

        Raises:
            CallTimeout: It has not ended in time.
        """
        process = self._find(target)
        if process is None:
            return absence(self.name, target)
        ended: asyncio.Future[ExitReason | None] = self.loop.create_future()
        ref = self._new_ref()
        exits.watch(process, ref, lambda reason: _settle(ended, reason), None)
        timer = self._later(timeout_ms, lambda: _settle(ended, None))
        try:
            reason = await ended
        finally:
            exits.unwatch(process, ref)
            if timer is not None:
                timer.cancel()
        if reason is None:
            raise CallTimeout(target, "join", timeout_ms or 0)
        return reason

    async def shutdown(self) -> None:
        """Stop every process, youngest first; children are left to their parents. Ends the node.

        Call it from outside every process. A server that takes longer than its class allows
        (`stop_timeout_ms`) is killed.
        """
        self.is_draining = True
        self.parking.cancel()
        await draining.stop_all(self, self._local())
        self._timers.cancel_all()
        self.observation.end()
        self._deadlines.cancel()
        await draining.see_off(self._leaving)

    # Looking

    def whereis(self, name: Name) -> Pid | None:
        """Who is registered under a name."""
        process = self._find(name)
        return process.pid if process is not None else None

    def is_alive(self, pid: Pid) -> bool:
        """The process has not ended."""
        return pid in self.table

    def processes(self) -> list[ProcessInfo]:
        """All living processes, oldest first."""
        return [describe(process) for process in self._local()]

    def info(self, target: Target) -> ProcessInfo | None:
        """One living process, with what its server shows of its state."""
        process = self.table.get(target)
        return describe(process, whole=True) if process is not None else None

    def current_pid(self) -> Pid | None:
        """Pid of the calling process; None outside every process."""
        current = current_process.get()
        if current is None:
            return None
        check_alive(current)
        return current.pid

    def statistics(self) -> NodeStatistics:
        """Counters of this node."""
        return NodeStatistics(len(self._local()), self._pids, self.dropped, len(self._timers))

    @property
    def observing(self) -> int:
        """How many have the time in handlers measured now."""
        return self.telemetry.observers

    # For this room

    def new_pid(self) -> Pid:
        """The identity of one more process, which will run in the current loop."""
        self.loop = asyncio.get_running_loop()
        self._pids += 1
        return Pid(self.name, self._pids)

    def resume(self, process: Process) -> None:
        """Give a parked server its task back."""
        if process.server is not None:
            starting.run(process, resume_server(process, process.server))

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold the task of a killed process until it is done; nothing else does any more."""
        self._leaving[task] = None
        task.add_done_callback(lambda _: self._leaving.pop(task, None))

    def forget(self, process: Process) -> None:
        """Take an ended process out of the table; its name is free."""
        self.parking.forget(process)
        del self.table[process.pid]
        if process.name is not None:
            del self.table[process.name]

    def watch(self, pid: Pid, tell: Callable[[ExitReason], None]) -> None:
        """Call `tell` when a process ends, now if it is gone."""
        process = self.table.get(pid)
        if process is None:
            tell(absence(self.name, pid))
        else:
            exits.watch(process, self._new_ref(), tell, None)

    def notify(self, target: Target, message: object) -> None:
        """Send a notice of the runtime, also while the caller is ending; passes the bound."""
        process = self._find(target)
        if process is not None:
            process.deliver(NOTICE, message)

    def _find(self, target: Target) -> Process | None:
        return self.table.get(target) or self._via(target)

    def _via(self, target: Target) -> Process | None:
        pid = target.whereis() if type(target) is Via else None
        return self.table.get(pid) if pid is not None else None

    def _local(self) -> list[Process]:
        return [process for key, process in self.table.items() if type(key) is Pid]

    def _post(self, process: Process, kind: int, message: object) -> None:
        if len(process.mailbox) < process.room:
            process.mailbox.append((kind, message))
            if process.waiter is not None:
                process.wake()
        elif not mailbox.admit(process, (kind, message)):
            mailbox.count_dropped(process, (kind, message))

    def _caller(self, operation: str) -> Process:
        caller = current_process.get()
        if caller is None:
            raise NotAProcess(operation)
        check_alive(caller)
        return caller

    def _later(self, timeout_ms: int | None, action: Callable[[], None]) -> TimerHandle | None:
        return None if timeout_ms is None else self.clock.call_later(timeout_ms, action)

    def _new_ref(self) -> Ref:
        self._refs += 1
        return Ref(self.name, self._refs)


def _settle(future: asyncio.Future[Any], value: object) -> None:
    if not future.done():
        future.set_result(value)
