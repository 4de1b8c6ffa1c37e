"""Who waits for what: the words of a deadlock."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from actors.current import current_process
from actors.identity import Pid
from actors.process import Process

if TYPE_CHECKING:
    from actors.simulation.loop import SimulatedTask


def who_waits(
    tasks: "Iterable[SimulatedTask[Any]]", processes: Sequence[Process]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """One line for each task that waits for something, and the names of the idle servers."""
    waiting = []
    for task in tasks:
        process = task.scope.get(current_process)
        if task.done() or (process is not None and is_idle(process, task)):
            continue
        if process is not None and process.task is task:
            waiting.append(f"{process.label}: {_what(task, process.pid, processes)}")
        else:
            waiting.append(f"{task.get_name()}: {_what(task, None, processes)}")
    idle = (process for process in processes if is_idle(process, process.task))
    return tuple(waiting), tuple(str(process.label) for process in idle)


def is_idle(process: Process, task: object) -> bool:
    """It has nothing to do but wait for a message; without a task it has not even begun to."""
    return process.task is task and (task is None or process.waiter is not None)


def _what(task: "SimulatedTask[Any]", caller: Pid | None, callees: Sequence[Process]) -> str:
    """The call it is in, or the line it stands in."""
    for callee in callees:
        for sender in callee.owed():
            if sender.caller == caller:
                return f"calls {callee.label} with {type(sender.request).__name__}"
    return f"waits in {_line(task.get_coro())}"


def _line(awaited: Any) -> str:
    """Function, file and line of the innermost frame."""
    place = "nowhere"
    while getattr(awaited, "cr_frame", None) is not None:
        code = awaited.cr_frame.f_code
        place = f"{code.co_name}, {code.co_filename.rpartition('/')[2]}:{awaited.cr_frame.f_lineno}"
        awaited = awaited.cr_await
    return place
