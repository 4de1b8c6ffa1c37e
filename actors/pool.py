"""Workers that are lent to one borrower at a time: the role of poolboy (docs/pools.md).

A few workers run always, some more while the load asks for them. Whatever happens to a borrower,
its worker comes back: the pool watches the borrower's process, a `transaction` gives back on every
way out, and a loan is given back by its own ticket, so that giving back twice, late, or after the
worker went to somebody else does nothing.

A worker that does not start is never passed over. One of the first: the pool does not start. One
more, for a checkout: that checkout fails with `StartFailed`. A replacement: the pool ends, and its
supervisor decides. poolboy ends in all three cases. It also replaces for ever an idle worker that
keeps dying; this pool ends when that happens too often.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, ClassVar, Final, cast
from uuid import UUID

from actors.clock import TimerHandle
from actors.errors import (
    CallTimeout,
    InvalidPool,
    PoolFull,
    StartFailed,
    StartIgnored,
)
from actors.gen_server import (
    Answer,
    CallAnswer,
    GenServer,
    InitAnswer,
    NoReply,
    Reply,
    Stop,
    StopInit,
)
from actors.identity import Pid, Ref
from actors.messages import Down, Exit
from actors.pool_loans import Checkin, Checkout, GetStatus, PoolState, PoolStatus
from actors.process import From
from actors.reason import ExitReason, Failed, Killed, Shutdown

WORKER_STOP_MS: Final = 4_000  # within what a supervisor, or the node's shutdown, gives the pool
IDLE_DEATHS_PER_WORKER: Final = 3  # as many in one window as a supervisor restarts one child
IDLE_DEATHS_WINDOW_MS: Final = 5_000

_NS_PER_MS: Final = 1_000_000
_SWEEP: Final = "sweep"


class PoolStrategy(Enum):
    """Which idle worker is lent next."""

    LIFO = "lifo"
    """The one that came back last: the others may cool down."""
    FIFO = "fifo"
    """The one that waits longest: all get the same work."""


class _Borrower:
    """Who holds a worker, or waits for one."""

    __slots__ = ("monitor", "sender", "ticket", "worker")

    def __init__(self, ticket: UUID, sender: From, monitor: Ref | None) -> None:
        self.ticket = ticket
        self.sender = sender
        self.monitor = monitor
        self.worker: Pid | None = None


class Pool(GenServer):
    """Lends workers: `checkout`, `checkin`, `transaction` and `pool_status` speak to it.

    The pool waits for a worker that it starts, and answers nobody meanwhile: slow preparation
    belongs in a worker's `handle_continue`. A call that the last borrower left behind is finished
    before the next borrower's: a worker handles one message at a time.

    Args:
        worker: Makes a new worker, a server of any kind.
        size: Workers that always run.
        max_overflow: Workers that run beside them while all are lent.
        strategy: Which idle worker is lent next.
        overflow_idle_ms: How long more workers than `size` may be idle; 0 stops the one that is
            given back, as poolboy does. For workers that are dear to start.

    Attributes:
        worker_start_ms: Longest `init` of a worker.
        waiting_max: Borrowers that wait at most; the next one gets `PoolFull`.

    Raises:
        InvalidPool: A number is negative, or the pool could never have a worker.
    """

    trap_exit = True
    worker_start_ms: ClassVar[int] = 5_000
    waiting_max: ClassVar[int] = 10_000

    def __init__(
        self,
        worker: Callable[[], GenServer],
        *,
        size: int = 5,
        max_overflow: int = 10,
        strategy: PoolStrategy = PoolStrategy.LIFO,
        overflow_idle_ms: int = 0,
    ) -> None:
        for option, number in (
            ("size", size),
            ("max_overflow", max_overflow),
            ("overflow_idle_ms", overflow_idle_ms),
        ):
            if number < 0:
                raise InvalidPool(option, "is negative")
        if size + max_overflow == 0:
            raise InvalidPool("size", "is 0 and max_overflow too")
        if not isinstance(strategy, PoolStrategy):
            raise InvalidPool("strategy", "is no PoolStrategy")
        self._make = worker
        self._size = size
        self._workers_max = size + max_overflow
        self._strategy = strategy
        self._overflow_idle_ms = overflow_idle_ms
        self._workers: set[Pid] = set()  # all but those told to leave
        self._idle: dict[Pid, int] = {}  # since when, in nanoseconds; longest first
        self._lent: dict[Pid, _Borrower] = {}
        self._borrowers: dict[UUID, _Borrower] = {}
        self._waiting: dict[UUID, _Borrower] = {}
        self._monitors: dict[Ref, UUID] = {}
        self._leaving: dict[Pid, TimerHandle] = {}
        self._idle_deaths_ns: deque[int] = deque()
        self._sweep_timer: TimerHandle | None = None

    async def init(self) -> InitAnswer:
        """Start the workers; the pool does not start if one of them does not."""
        self.node.on_exit(self._cancel_timers)
        try:
            for _ in range(self._size):
                self._place(await self._start_worker())
        except StartFailed as error:
            reason = cast(ExitReason, error.reason)
            await self.terminate(reason)
            return StopInit(reason if reason.is_abnormal else Failed("a worker stopped in init"))
        return None

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        """Lend a worker, or count."""
        if isinstance(request, Checkout):
            return await self._check_out(request, sender)
        if isinstance(request, GetStatus):
            return Reply(self._status())
        return await super().handle_call(request, sender)

    async def handle_info(self, message: Any) -> Answer:
        """Take a worker back, or see to one that died."""
        match message:
            case Checkin(ticket):
                self._take_back(ticket)
            case Down(ref=ref) if ref in self._monitors:
                self._take_back(self._monitors[ref])
            case Down():
                pass  # of a borrower that has given back meanwhile
            case Exit(pid=pid) if pid in self._leaving:
                self._leaving.pop(pid).cancel()
            case Exit(pid=pid) if pid in self._workers:
                return await self._replace(pid)
            case _ if message is _SWEEP:
                self._sweep()
            case _:
                return await super().handle_info(message)
        return None

    async def terminate(self, reason: ExitReason) -> None:
        """Stop all workers at the same time; what is left after `WORKER_STOP_MS` is killed."""
        del reason
        workers = [*sorted(self._workers), *self._leaving]  # the same order in every replay
        for worker in workers:
            self.node.exit(worker, Shutdown())
        until_ns = self.node.clock.monotonic_ns() + WORKER_STOP_MS * _NS_PER_MS
        for worker in workers:
            left_ms = (until_ns - self.node.clock.monotonic_ns()) // _NS_PER_MS
            try:
                await self.node.join(worker, timeout_ms=max(0, left_ms))
            except CallTimeout:
                self.node.exit(worker, Killed())

    async def _check_out(self, request: Checkout, sender: From) -> CallAnswer:
        if sender.future.done():  # it was cancelled meanwhile: nothing is started for it
            return NoReply()
        worker = self._take_idle()
        if worker is None and len(self._workers) < self._workers_max:
            try:
                worker = await self._start_worker()
            except (StartFailed, StartIgnored) as error:
                self.node.fail(sender, error)
                return NoReply()
        if worker is None:
            self._tell_full()
            if not request.block or len(self._waiting) >= self.waiting_max:
                self.node.fail(sender, PoolFull(self.pid, self._workers_max, len(self._waiting)))
                return NoReply()
        monitor = self.node.monitor(sender.caller) if sender.caller is not None else None
        borrower = _Borrower(request.ticket, sender, monitor)
        self._borrowers[request.ticket] = borrower
        if monitor is not None:
            self._monitors[monitor] = request.ticket
        if worker is None:
            self._waiting[request.ticket] = borrower
        else:
            self._lend(worker, borrower)
        return NoReply()

    def _lend(self, worker: Pid, borrower: _Borrower) -> None:
        assert worker not in self._lent
        assert worker not in self._idle
        borrower.worker = worker
        self._lent[worker] = borrower
        self.node.reply(borrower.sender, worker)

    def _take_back(self, ticket: UUID) -> None:
        """The holder of a ticket has done with its worker, or waits no longer."""
        borrower = self._forget(ticket)
        worker = borrower.worker if borrower is not None else None
        if worker is not None:
            del self._lent[worker]
            if self.node.is_alive(worker):  # else its exit is on the way, and does the rest
                self._place(worker)

    def _forget(self, ticket: UUID) -> _Borrower | None:
        self._waiting.pop(ticket, None)
        borrower = self._borrowers.pop(ticket, None)
        if borrower is not None and borrower.monitor is not None:
            del self._monitors[borrower.monitor]
            self.node.demonitor(borrower.monitor)
        return borrower

    def _place(self, worker: Pid) -> None:
        """Find a use for a worker that nobody has."""
        if self._waiting:
            # Perhaps its time has just passed: then it says so, and gives back what it never saw.
            self._lend(worker, self._waiting.pop(next(iter(self._waiting))))
        elif len(self._workers) > self._size and not self._overflow_idle_ms:
            self._dismiss(worker)
        else:
            self._idle[worker] = self.node.clock.monotonic_ns()
            if len(self._workers) > self._size and self._sweep_timer is None:
                self._sweep_after(self._overflow_idle_ms)

    def _take_idle(self) -> Pid | None:
        while self._idle:
            if self._strategy is PoolStrategy.LIFO:
                worker, _ = self._idle.popitem()
            else:
                worker = next(iter(self._idle))
                del self._idle[worker]
            if self.node.is_alive(worker):  # else its exit is on the way, and replaces it
                return worker
        return None

    async def _start_worker(self) -> Pid:
        worker = await self.node.start(self._make(), timeout_ms=self.worker_start_ms)
        self._workers.add(worker)
        return worker

    async def _replace(self, worker: Pid) -> Answer:
        """A worker died: start another for whoever waits, or if there are too few now."""
        self._workers.discard(worker)
        self._idle.pop(worker, None)
        borrower = self._lent.pop(worker, None)
        if borrower is not None:
            self._forget(borrower.ticket)
        if not self._waiting and len(self._workers) >= self._size:
            return None
        if borrower is None and self._die_idle_too_often():
            return Stop(Failed("idle workers die too often"))
        self._place(await self._start_worker())  # a failure ends the pool
        return None

    def _die_idle_too_often(self) -> bool:
        """Count: a worker that dies before anybody needs it would be replaced without end."""
        now_ns = self.node.clock.monotonic_ns()
        deaths_ns = self._idle_deaths_ns
        deaths_ns.append(now_ns)
        while deaths_ns[0] < now_ns - IDLE_DEATHS_WINDOW_MS * _NS_PER_MS:
            deaths_ns.popleft()
        return len(deaths_ns) > IDLE_DEATHS_PER_WORKER * max(1, self._size)

    def _dismiss(self, worker: Pid) -> None:
        """Stop a worker without waiting for it; it no longer counts."""
        self._workers.discard(worker)
        kill = partial(self.node.exit, worker, Killed())
        self._leaving[worker] = self.node.clock.call_later(WORKER_STOP_MS, kill)
        self.node.exit(worker, Shutdown())

    def _sweep(self) -> None:
        """Dismiss what is too many and was idle for too long, the longest idle first."""
        self._sweep_timer = None
        limit_ns = self.node.clock.monotonic_ns() - self._overflow_idle_ms * _NS_PER_MS
        while self._idle and len(self._workers) > self._size:
            worker, since_ns = next(iter(self._idle.items()))
            if since_ns > limit_ns:
                self._sweep_after(-((limit_ns - since_ns) // _NS_PER_MS))
                return
            del self._idle[worker]
            self._dismiss(worker)

    def _sweep_after(self, ms: int) -> None:
        sweep = partial(self.node.notify, self.pid, _SWEEP)
        self._sweep_timer = self.node.clock.call_later(ms, sweep)

    def _cancel_timers(self) -> None:
        for timer in self._leaving.values():
            timer.cancel()
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()

    def _tell_full(self) -> None:
        self.node.telemetry.execute(
            ("pool", "full"),
            {"lent": len(self._lent), "waiting": len(self._waiting)},
            {"pool": self.pid},
        )

    def _status(self) -> PoolStatus:
        state = PoolState.FULL
        if self._idle:
            state = PoolState.READY
        elif len(self._workers) < self._workers_max:
            state = PoolState.OVERFLOW
        return PoolStatus(
            state=state,
            idle=len(self._idle),
            overflow=max(0, len(self._workers) - self._size),
            lent=len(self._lent),
            waiting=len(self._waiting),
        )
