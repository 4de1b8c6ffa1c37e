"""An event loop without a world: virtual time, and a choice of who runs next.

asyncio promises that callbacks run in the order they were registered, and libraries count on it.
What it does not promise is when a task that waits is woken: sockets, timers and other threads
decide that. So the turn of a task may be put off for any time, and a plain callback runs before
everything that was registered after it: the choice is among the oldest turns up to and including
the first plain callback. Two turns of one task are never ready at once. A mailbox is a queue in
its process, so the order of messages between two processes is not touched.

Time stands still while anything is ready, and then jumps to the next timer.
"""

import asyncio
import contextvars
import heapq
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar, TypeVarTuple

from actors.process import Process
from actors.simulation.choices import Chooser, TurnChooser
from actors.simulation.errors import Deadlock, NotSimulated, TooManySteps
from actors.simulation.seal import sealed
from actors.simulation.trace import Trace, describe
from actors.simulation.waiting import who_waits

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

WINDOW: Final = 16  # turns that are looked at for one choice; any order is still within reach
CLOSING_STEPS_MAX: Final = 10_000
_NS_PER_SECOND: Final = 1_000_000_000
_WAKEUP: Final = "task_wakeup"


class SimulatedTask(asyncio.Task[T]):
    """A task whose hash is its number, so that sets of tasks have the same order in every run."""

    __slots__ = ("number", "scope")

    def __init__(
        self,
        body: Generator[Any, None, T] | Coroutine[Any, Any, T],
        loop: "SimulatedLoop",
        name: str,
        scope: contextvars.Context,
    ) -> None:
        self.number = len(loop.tasks)
        self.scope = scope
        super().__init__(body, loop=loop, name=name, context=scope)

    def __hash__(self) -> int:
        return self.number


class Turn(asyncio.TimerHandle):
    """Something that will run once: a step of a task, a callback, a timer."""

    __slots__ = ("action", "args", "due_ns", "is_cancelled", "scope", "task")

    def __init__(  # no `super().__init__`: three times the cost for what is not used here
        self,
        action: Callable[..., object],
        args: tuple[Any, ...],
        scope: contextvars.Context,
        due_ns: int,
    ) -> None:
        self.action = action
        self.args = args
        self.scope = scope
        self.due_ns = due_ns
        self.is_cancelled = False
        # The steps of a task are the only callbacks bound to it that nobody else can register.
        owner = getattr(action, "__self__", None)
        is_step = type(owner) is SimulatedTask and getattr(action, "__name__", _WAKEUP) == _WAKEUP
        self.task: SimulatedTask[Any] | None = owner if is_step else None

    def __repr__(self) -> str:
        return f"<Turn {describe(self.action)}>"

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def cancel(self) -> None:
        """Forget it."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """It was forgotten."""
        return self.is_cancelled

    def when(self) -> float:
        """Virtual time at which it is due, in seconds."""
        return self.due_ns / _NS_PER_SECOND


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs one program once.

    Args:
        turns: Chooses who runs next.
        jitter: Chooses how late a timer fires.
        jitter_ms: At most; 0 asks nobody.
        steps_max: The run ends with `TooManySteps` then.

    Attributes:
        now_ns: Virtual time since the beginning.
        steps: Turns that ran.
        tasks: Every task, oldest first.
        processes: Gives the living processes, to name those that wait.
        before_step: Called before each turn.
        after_step: Called after each turn; what it raises ends the run.
        trace: Where to write each turn; None: nowhere.
    """

    def __init__(self, turns: TurnChooser, jitter: Chooser, jitter_ms: int, steps_max: int) -> None:
        self.now_ns = 0
        self.steps = 0
        self.tasks: list[SimulatedTask[Any]] = []
        self.processes: Callable[[], Sequence[Process]] = tuple
        self.before_step: Callable[[], None] | None = None
        self.after_step: Callable[[], None] | None = None
        self.trace: Trace | None = None
        self._choose = turns.choose_among
        self._jitter = jitter
        self._jitter_ms = jitter_ms
        self._steps_max = steps_max
        self._ready: list[Turn] = []
        self._timers: list[tuple[int, int, Turn]] = []
        self._timers_made = 0
        self._turn: Turn | None = None
        self._failure: BaseException | None = None

    def run(self, body: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine, named `main`, to its end.

        Raises:
            Deadlock: Nothing can ever happen any more.
            TooManySteps: It goes on and on.
            NotSimulated: Something reached for the real world.
            BaseException: What the coroutine, a plain callback, a task that nobody waited for, or
                `after_step` raised.
        """
        with self._running():
            main = self.create_task(body, name="main", context=contextvars.Context())
            while not main.done():
                self._step()
            value = main.result()
            for task in self.tasks:
                # What the ordinary loop complains of when the task is collected.
                if task.done() and task._log_traceback:  # noqa: SLF001 (it has no other name)
                    task.result()
            return value

    def close_tasks(self) -> None:
        """Cancel what is left and run it to its end, in plain order, unobserved."""
        self.before_step = self.after_step = self.trace = None
        with self._running():
            for task in self.tasks:
                task.cancel()
            for _ in range(CLOSING_STEPS_MAX):
                if not self._ready:
                    break
                self._run_turn(self._ready.pop(0))
        for task in self.tasks:
            if task.done():
                task.cancelled() or task.exception()  # seen: nobody is to complain about it
            else:
                task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 (its own switch)

    @contextmanager
    def _running(self) -> Iterator[None]:
        hooks = sys.get_asyncgen_hooks()
        with sealed(self):
            asyncio._set_running_loop(self)  # noqa: SLF001 (meant for event loops)
            sys.set_asyncgen_hooks(finalizer=self._finish_generator)
            try:
                yield
            finally:
                sys.set_asyncgen_hooks(*hooks)
                asyncio._set_running_loop(None)  # noqa: SLF001 (meant for event loops)

    def _step(self) -> None:
        if not self._ready and not self._fire_timers():
            raise Deadlock(*who_waits(self.tasks, self.processes()))
        turn = self._ready.pop(self._choose_turn())
        if turn.is_cancelled:
            return
        self.steps += 1
        if self.steps > self._steps_max:
            waiting, _ = who_waits(self.tasks, self.processes())
            raise TooManySteps(self._steps_max, self._name(turn), waiting)
        if self.before_step is not None:
            self.before_step()
        if self.trace is not None:
            self.trace.add(self._name(turn), "runs" if turn.task else describe(turn.action))
        self._run_turn(turn)
        if self.after_step is not None:
            self.after_step()
        if self._failure is not None:
            raise self._failure

    def _choose_turn(self) -> int:
        ready = self._ready
        options = min(len(ready), WINDOW)
        if options == 1:
            return 0
        candidates = []
        for turn in ready[:options]:
            candidates.append(turn.task)
            if turn.task is None:
                break
        return self._choose(candidates) if len(candidates) > 1 else 0

    def _run_turn(self, turn: Turn) -> None:
        if turn.is_cancelled:
            return
        self._turn = turn
        try:
            turn.scope.run(turn.action, *turn.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 (a callback has nobody else to tell)
            self._fail(error)
        self._turn = None

    def _fire_timers(self) -> bool:
        """Jump to the next timers; False when there are none."""
        timers, ready = self._timers, self._ready
        while timers:
            due_ns, _, turn = heapq.heappop(timers)
            if turn.is_cancelled:
                continue
            self.now_ns = due_ns
            ready.append(turn)
            while timers and timers[0][0] == due_ns:
                ready.append(heapq.heappop(timers)[2])
            return True
        return False

    def _name(self, turn: Turn) -> str:
        return turn.task.get_name() if turn.task is not None else "loop"

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error

    def _finish_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        self.call_soon(self.create_task, generator.aclose())

    # What the room's own code asks

    def start_timer(
        self,
        due_ns: int,
        action: Callable[..., object],
        args: tuple[Any, ...],
        *,
        exact: bool = False,
    ) -> Turn:
        """Run `action` at a virtual time, or later by the jitter unless it must be exact."""
        if self._jitter_ms and not exact:
            due_ns += self._jitter.choose(self._jitter_ms + 1) * 1_000_000
        self._timers_made += 1
        turn = Turn(action, args, contextvars.copy_context(), due_ns)
        heapq.heappush(self._timers, (due_ns, self._timers_made, turn))
        return turn

    def monotonic_ns(self) -> int:
        """Virtual time since the beginning."""
        return self.now_ns

    def refuse(self, operation: str) -> NoReturn:
        """Raise `NotSimulated`; the run ends with it, even when the program catches it."""
        error = NotSimulated(operation, self._name(self._turn) if self._turn else "main")
        self._fail(error)
        raise error

    # What asyncio asks

    def time(self) -> float:
        """Virtual time in seconds."""
        return self.now_ns / _NS_PER_SECOND

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> Turn:
        """Run it after everything that is ready now."""
        scope = contextvars.copy_context() if context is None else context
        turn = Turn(callback, args, scope, self.now_ns)
        self._ready.append(turn)
        return turn

    call_soon_threadsafe = call_soon  # no other thread can be started

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> Turn:
        """Run it after `delay` seconds of virtual time."""
        due_ns = self.now_ns + max(0, round(delay * _NS_PER_SECOND))
        turn = self.start_timer(due_ns, callback, args)
        if context is not None:  # an empty one is false
            turn.scope = context
        return turn

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> Turn:
        """Run it at this virtual time, in seconds."""
        return self.call_later(when - self.time(), callback, *args, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
    ) -> SimulatedTask[T]:
        """Start a task; its own number names it if nobody does."""
        label = f"task-{len(self.tasks)}" if name is None else str(name)
        scope = contextvars.copy_context() if context is None else context
        task = SimulatedTask(coro, self, label, scope)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Ignore: only futures complain here, when they are collected, which may be any time."""

    def is_running(self) -> bool:
        """A run is under way."""
        return self._turn is not None

    def is_closed(self) -> bool:
        """Never: there is nothing to close."""
        return False

    def get_debug(self) -> bool:
        """Never: its extra checks would look at the real time."""
        return False

    def get_task_factory(self) -> None:
        """None is set, ever."""

    def get_exception_handler(self) -> None:
        """None is set, ever."""

    def __del__(self) -> None:
        """Nothing is held, so there is nothing to warn of."""


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(self: SimulatedLoop, *_: object, **__: object) -> NoReturn:
        self.refuse(f"loop.{name}")

    return refuse


for _name in dir(asyncio.AbstractEventLoop):
    if not _name.startswith("_") and _name not in vars(SimulatedLoop):
        setattr(SimulatedLoop, _name, _refusal(_name))
