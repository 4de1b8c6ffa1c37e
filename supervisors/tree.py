"""All processes of a node as a tree: each below its supervisor, or below whoever started it.

What a supervisor says of its children counts first: it knows their ids, and those that are down.
A supervisor that is busy is not waited for; its children are then found by their parent.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from actors import ActorError, Node, Pid, ProcessInfo, ProcessState
from supervisors.children import ChildInfo
from supervisors.requests import WhichChildren

ANSWER_MS: Final = 200  # how long a supervisor may take to name its children


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One process, or one child that is down, in its place.

    Attributes:
        depth: 0 for a process that nobody living has started.
        process: The process; None while the child is down or restarting.
        child: What its supervisor says of it; None for others' children.
    """

    depth: int
    process: ProcessInfo | None
    child: ChildInfo | None


async def process_tree(node: Node) -> list[TreeRow]:
    """Every process of a node, each right after its parent and before its younger siblings."""
    seen = node.processes()  # once: a look costs some microseconds a process
    asked = [
        info.pid for info in seen if info.is_supervisor and info.state is not ProcessState.STARTING
    ]
    answers = await asyncio.gather(*(_children(node, pid) for pid in asked))
    processes = {info.pid: info for info in seen if node.is_alive(info.pid)}
    below: dict[Pid, list[TreeRow]] = {}
    claimed: set[Pid] = set()
    for supervisor, children in zip(asked, answers, strict=True):
        rows = [TreeRow(0, _look(node, processes, child.pid), child) for child in children]
        below[supervisor] = rows
        claimed.update(row.process.pid for row in rows if row.process is not None)
    roots = []
    for info in processes.values():
        if info.pid in claimed:
            continue
        row = TreeRow(0, info, None)
        if info.parent in processes:
            below.setdefault(info.parent, []).append(row)
        else:
            roots.append(row)
    return list(_in_order(roots, below))


def _look(node: Node, processes: dict[Pid, ProcessInfo], pid: Pid | None) -> ProcessInfo | None:
    """A child; it may have been started while its supervisor was asked."""
    if pid is None or pid in processes:
        return None if pid is None else processes[pid]
    info = node.info(pid)
    if info is not None:
        processes[pid] = info
    return info


async def _children(node: Node, supervisor: Pid) -> Iterable[ChildInfo]:
    try:
        children: list[ChildInfo] = await node.call(
            supervisor, WhichChildren(), timeout_ms=ANSWER_MS
        )
    except ActorError:
        return ()
    return children


def _in_order(roots: list[TreeRow], below: dict[Pid, list[TreeRow]]) -> Iterator[TreeRow]:
    """Depth first, on a stack of our own: a chain of links may be longer than Python's."""
    waiting = list(reversed(roots))
    while waiting:
        row = waiting.pop()
        yield row
        if row.process is not None:
            # Taken out: nobody is shown twice, whatever the supervisors say.
            children = reversed(below.pop(row.process.pid, []))
            waiting += [replace(child, depth=row.depth + 1) for child in children]
