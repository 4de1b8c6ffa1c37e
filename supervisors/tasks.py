"""Tasks below a supervisor: counted, limited, and stopped with the tree."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from enum import Enum
from typing import Any, Final, TypeVar

from actors import CalleeDied, CallTimeout, Done, Node, Pid, Target, Task, start_task
from supervisors.child_spec import ChildSpec, Restart
from supervisors.dynamic import DynamicSupervisor
from supervisors.requests import start_child

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 (an item)


class TimedOut(Enum):
    """Type of `TIMED_OUT`."""

    TIMED_OUT = "timed out"


TIMED_OUT: Final = TimedOut.TIMED_OUT
"""In a stream: the place of an item that took too long and was killed."""


class TaskSupervisor(DynamicSupervisor):
    """Supervises tasks: temporary children, each an attempt that is never repeated.

    Args:
        max_children: Tasks at most; None: no limit.
    """

    def __init__(self, *, max_children: int | None = None) -> None:
        super().__init__(max_children=max_children)


async def start_supervised_task(
    node: Node,
    supervisor: Target,
    body: Callable[[], Coroutine[Any, Any, T]],
    *,
    link: bool = False,
) -> Task[T]:
    """Start a task below a `TaskSupervisor`.

    Args:
        node: Where.
        supervisor: Whose child it becomes.
        body: What to compute.
        link: Also link it to the calling process: either one's crash takes the other.

    Raises:
        TooManyChildren: The supervisor is full.
        NoProcess: There is no such supervisor.
    """
    owner = node.current_pid()
    made: list[Task[T]] = []

    def start(node: Node) -> Awaitable[Pid]:
        made.append(Task(node, body, owner, link_owner=link))
        return _ready(made[0].pid)

    await start_child(
        node, supervisor, ChildSpec(id="task", start=start, restart=Restart.TEMPORARY)
    )
    return made[0]


async def stream(
    node: Node,
    function: Callable[[I], Coroutine[Any, Any, T]],
    items: Iterable[I],
    *,
    concurrency_max: int,
    timeout_ms: int = 5_000,
    kill_late: bool = False,
) -> AsyncIterator[T | TimedOut]:
    """Compute `function` of each item, some at a time; results come in the order of the items.

    When the consumer stops early (close it: `contextlib.aclosing`), what still runs is killed.

    Args:
        node: Where.
        function: What to compute.
        items: For what; taken as they are needed.
        concurrency_max: Tasks at a time.
        timeout_ms: Longest wait for one item, from when its turn to be given has come.
        kill_late: Give `TIMED_OUT` for an item that takes too long; else raise.

    Raises:
        CalleeDied: A task crashed.
        CallTimeout: One took too long, and `kill_late` is not set.
    """
    running: deque[Task[T]] = deque()
    waiting = iter(items)
    try:
        while True:
            while len(running) < concurrency_max:
                try:
                    item = next(waiting)
                except StopIteration:
                    break
                running.append(start_task(node, _bind(function, item), link=False))
            if not running:
                return
            yield await _outcome(running[0], timeout_ms, kill_late=kill_late)
            running.popleft()
    finally:
        for task in running:
            task.kill()


async def _outcome(task: Task[Any], timeout_ms: int, *, kill_late: bool) -> Any:
    outcome = await task.poll(timeout_ms=timeout_ms)
    if isinstance(outcome, Done):
        return outcome.value
    task.kill()
    if outcome is not None:
        raise CalleeDied(outcome, task.pid, "stream")
    if kill_late:
        return TIMED_OUT
    raise CallTimeout(task.pid, "stream", timeout_ms)


def _bind(
    function: Callable[[I], Coroutine[Any, Any, T]], item: I
) -> Callable[[], Coroutine[Any, Any, T]]:
    return lambda: function(item)


async def _ready(pid: Pid) -> Pid:
    return pid
