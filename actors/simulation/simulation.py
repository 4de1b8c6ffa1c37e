"""One run of one program under one schedule."""

import asyncio
import gc
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, Generic, TypeAlias, TypeVar

from actors import exits
from actors.identity import Pid, Target
from actors.inspection import ProcessInfo, describe
from actors.node import Node
from actors.process import Process
from actors.reason import Killed
from actors.simulation.choices import Choices, Kind, Schedule, parse_choices
from actors.simulation.clock import SimulatedClock
from actors.simulation.delays import DelayingNode
from actors.simulation.errors import Broken
from actors.simulation.loop import SimulatedLoop
from actors.simulation.trace import Trace, logs_go_to

T = TypeVar("T")

STEPS_MAX: Final = 100_000
_ALONE: Final = threading.Lock()  # the walls and the log are the whole program's
_SEED_STEP: Final = 1_000_003  # between the seeds of the nodes of one simulation


def has_parent(info: ProcessInfo) -> bool:
    """Somebody started it, and may start it again."""
    return info.parent is not None


@dataclass(frozen=True, slots=True)
class Faults:
    """What may go wrong in a run, besides the order of turns.

    Attributes:
        crashes: Processes killed, at most.
        may_crash: Which ones; those that another process started, unless told otherwise.
        delay_ms: A message between two processes takes up to this long.
        jitter_ms: A timer fires up to this late.
        steps_max: A run that takes more has failed.
    """

    crashes: int = 0
    may_crash: Callable[[ProcessInfo], bool] = has_parent
    delay_ms: int = 0
    jitter_ms: int = 0
    steps_max: int = STEPS_MAX


NO_FAULTS: Final = Faults()


class Simulation:
    """What a simulated program is given.

    Args:
        seed: Of the schedule, and of the ids and the randomness of the nodes.
        choices: The schedule.
        faults: What may go wrong.
        is_traced: Keep a trace.

    Attributes:
        seed: As given.
        clock: Virtual time; all nodes share it.
        loop: Runs it all.
        node: The first node, named `node`.
        may_kill: Processes are killed; a tree may switch it off while it starts, and again to come
            to rest before it is judged.
        killed: Processes that the schedule has killed, with the time in nanoseconds.
        trace: What happened; None when nobody asked.
    """

    def __init__(self, seed: int, choices: Choices, faults: Faults, *, is_traced: bool) -> None:
        self.seed = seed
        self._choices = choices
        self._faults = faults
        self._checks: list[Callable[[], object]] = []
        self._nodes: list[Node] = []
        self.may_kill = True
        self.killed: list[tuple[int, Target]] = []
        self.loop = SimulatedLoop(choices.turn, choices.jitter, faults.jitter_ms, faults.steps_max)
        self.clock = SimulatedClock(self.loop)
        self.trace = self.loop.trace = Trace(self.loop.monotonic_ns) if is_traced else None
        self.loop.processes = self._processes
        if faults.crashes:
            self.loop.before_step = self._perhaps_crash
        self.node = self.new_node("node")

    def new_node(self, name: str) -> Node:
        """One more node, with ids and randomness from the same seed.

        Nodes of one simulation do not reach each other; a test carries messages between them.
        """
        seed = self.seed + len(self._nodes) * _SEED_STEP
        delay_ms = self._faults.delay_ms
        node = (
            DelayingNode(name, self.clock, seed, self._choices.delay, delay_ms)
            if delay_ms
            else Node(name, clock=self.clock, seed=seed)
        )
        if self.trace is not None:
            self.trace.watch(node)
        self._nodes.append(node)
        return node

    def always(self, check: Callable[[], object]) -> None:
        """Call `check` after every step from now on; it must neither raise nor answer False."""
        self._checks.append(check)
        self.loop.after_step = self._check

    def note(self, what: object) -> None:
        """Write a line of the program's own into the trace."""
        if self.trace is not None:
            self.trace.add("note", str(what))

    def close(self) -> None:
        """Kill what the program left behind; no `terminate` runs, and no trace is kept."""
        if self.trace is not None:
            self.trace.is_open = False
        self.loop.before_step = self.loop.after_step = self.loop.trace = None
        for process in self._processes():
            exits.kill(process, Killed())
        self.loop.close_tasks()

    def _processes(self) -> list[Process]:
        tables = (node.table.items() for node in self._nodes)
        return [process for table in tables for key, process in table if type(key) is Pid]

    def _check(self) -> None:
        for check in self._checks:
            hold(check, check())

    def _perhaps_crash(self) -> None:
        if not self.may_kill:
            return
        chosen = self._choices.crash.choose_seldom(lambda: 1 + len(self._victims()))
        if chosen:
            victim = self._victims()[chosen - 1]
            self.killed.append((self.loop.now_ns, victim.label))
            if self.trace is not None:
                self.trace.add("crash", f"kills {victim.label}")
            exits.kill(victim, Killed())

    def _victims(self) -> list[Process]:
        if len(self.killed) >= self._faults.crashes:
            return []
        return [each for each in self._processes() if self._faults.may_crash(describe(each))]


Tree: TypeAlias = Callable[[Simulation], Coroutine[Any, Any, T]]
"""A program: starts what it wants in `simulation.node` and returns what there is to judge."""
Property: TypeAlias = Callable[[T], object]
"""Judges what a tree returned: raises, or answers False, when it is not as promised."""


@dataclass(frozen=True, slots=True)
class Run(Generic[T]):
    """A run that has ended.

    Attributes:
        seed: Of the run.
        value: What the tree returned; None when it raised.
        error: Why it failed; None when it did not.
        schedule: The choices that were not plain.
        steps: Turns that ran.
        trace: What happened; empty when nobody asked.
        digest: SHA-256 of the text of the trace.
    """

    seed: int
    value: T | None
    error: BaseException | None
    schedule: dict[tuple[Kind, int], int]
    steps: int
    trace: tuple[str, ...]
    digest: str


def simulate(
    tree: Tree[T],
    property_: Property[T] | None = None,
    *,
    seed: int = 0,
    choices: str | None = None,
    faults: Faults = NO_FAULTS,
) -> Run[T]:
    """Run a program once, with a trace.

    Args:
        tree: The program.
        property_: Judges what it returned.
        seed: Equal seeds give equal runs.
        choices: Text of a schedule to follow; None draws one from the seed, "" is the plain one.
        faults: What may go wrong.

    Returns:
        The run; its error, if any, is in it.

    Raises:
        InvalidChoices: The text is no schedule.
    """
    given = None if choices is None else parse_choices(choices)
    return run(tree, property_, seed, given, faults, is_traced=True)


def run(
    tree: Tree[T],
    property_: Property[T] | None,
    seed: int,
    given: Schedule | None,
    faults: Faults,
    *,
    is_traced: bool,
) -> Run[T]:
    """Run a program once under a given schedule, or under one drawn from the seed."""
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 (it alone does not raise)
        raise RuntimeError("a simulation cannot run inside a running event loop")
    choices = Choices(seed, given)
    simulation = Simulation(seed, choices, faults, is_traced=is_traced)
    trace = simulation.trace
    value: T | None = None
    error: BaseException | None = None
    with _ALONE, logs_go_to(trace), _garbage_waits(), closing(simulation):
        try:
            value = simulation.loop.run(tree(simulation))
            if property_ is not None:
                hold(property_, property_(value))
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 (whatever it is, it is the finding)
            error = raised
        schedule, steps = choices.schedule(), simulation.loop.steps
        if trace is not None:
            trace.add("end", f"{type(error).__name__}: {error}" if error else "as promised")
    lines = tuple(trace.lines) if trace is not None else ()
    digest = trace.digest if trace is not None else ""
    return Run(seed, value, error, schedule, steps, lines, digest)


def hold(promise: Callable[..., object], answer: object) -> None:
    """Raise when a promise answered False."""
    if answer is False:
        raise Broken(getattr(promise, "__qualname__", type(promise).__qualname__))


def place_of(error: BaseException) -> str:
    """Type of an error and the line that raised it: what makes two failures the same."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f"{PurePath(inspect.getfile(frame.tb_frame)).name}:{frame.tb_lineno}" if frame else ""
    promise = error.promise if isinstance(error, Broken) else ""
    return f"{type(error).__name__} {promise} {where}"


@contextmanager
def _garbage_waits() -> Iterator[None]:
    """Finalizers run when the collector finds them, which depends on all that was done before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
