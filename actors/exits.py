"""How processes end, and who hears of it: exit signals, links, monitors.

A task cannot be killed, only asked. So a kill marks the process dead first, frees its names and
tables, tells its peers, closes the mailbox, and only then cancels the task. What a zombie still
sends is dropped because its record says dead (docs/actors.md).
"""

import asyncio
import functools
from collections.abc import Callable
from typing import Final

from actors.errors import CalleeDied
from actors.identity import Pid, Ref, Target
from actors.messages import Down, Exit
from actors.process import EXIT, NOTICE, Process, Raised
from actors.reason import ExitReason, Killed, Normal
from actors.refusals import absence
from actors.reports import report_crash, report_failure, report_zombie

ZOMBIE_GRACE_MS: Final = 1_000
RELEASE_FAILURE: Final = ("process", "release", "failure")
WATCHER_FAILURE: Final = ("process", "watcher", "failure")


def finish(process: Process, reason: ExitReason) -> None:
    """End a process once: resources first, notices second."""
    if not process.alive:
        return
    process.alive = False
    process.reason = reason
    process.node.forget(process)
    _release(process)
    if process.idle_timer is not None:
        process.idle_timer.cancel()
        process.idle_timer = None
    if process.starting is not None and not process.starting.done():
        process.starting.set_result(reason)
    _answer_calls(process, reason)
    process.mailbox.clear()  # the loop of a zombie still holds it
    _tell_links(process, reason)
    _tell_watchers(process, reason)
    _forget_monitors(process)
    process.node.telemetry.execute(
        ("process", "exit"),
        {},
        {"pid": process.pid, "name": process.name, "reason": type(reason).__name__},
    )


def crash(process: Process, reason: ExitReason) -> None:
    """End a process for a reason of its own; report it when that is abnormal."""
    if process.alive and reason.is_abnormal:
        report_crash(process, reason)
    finish(process, reason)


def kill(process: Process, reason: ExitReason) -> None:
    """End a process from outside, whatever it is doing."""
    if not process.alive:
        return
    finish(process, reason)
    task = process.task
    if task is not None and not task.done():
        watch = functools.partial(_look_for_zombie, process)
        process.zombie_timer = process.node.clock.call_later(ZOMBIE_GRACE_MS, watch)
        process.node.keep(task)
        task.add_done_callback(functools.partial(_no_zombie, process))
        task.cancel()


def signal(process: Process, source: Pid | None, reason: ExitReason, *, linked: bool) -> None:
    """Deliver an exit signal, in the order of Erlang's "Receiving Exit Signals"."""
    if not process.alive:
        return
    if type(reason) is Killed and not linked:
        kill(process, Killed())
    elif process.traps_exits:
        process.deliver(EXIT, Exit(source, reason))
    elif type(reason) is not Normal or source == process.pid:
        kill(process, reason)


def link(one: Process, other: Process) -> None:
    """Bind two living processes; once is enough."""
    if one is other:
        return
    for process, peer in ((one, other), (other, one)):
        if process.links is None:
            process.links = {}
        process.links[peer] = None


def unlink(one: Process, other: Process) -> None:
    """Undo a link; nothing of it is felt later."""
    for process, peer in ((one, other), (other, one)):
        if process.links is not None:
            process.links.pop(peer, None)


def unlink_parent(process: Process) -> None:
    """A start that failed is told to the starter by its answer, not by an exit signal."""
    for peer in tuple(process.links or ()):
        if peer.pid == process.parent:
            unlink(process, peer)


def monitor(watcher: Process, target: Process | None, label: Target, ref: Ref) -> None:
    """Have `watcher` told once when `target` ends, or at once when there is none."""
    if target is None:
        watcher.deliver(NOTICE, Down(ref, label, absence(watcher.node.name, label)))
        return

    def tell(reason: ExitReason) -> None:
        if watcher.monitors is not None:
            watcher.monitors.pop(ref, None)
        watcher.deliver(NOTICE, Down(ref, label, reason))

    watch(target, ref, tell, watcher)
    if watcher.monitors is None:
        watcher.monitors = {}
    watcher.monitors[ref] = target


def watch(
    target: Process, ref: Ref, tell: Callable[[ExitReason], None], watcher: Process | None
) -> None:
    """Call `tell(reason)` when `target` ends."""
    if target.watchers is None:
        target.watchers = {}
    target.watchers[ref] = (watcher, tell)


def unwatch(target: Process, ref: Ref) -> None:
    """Forget a watcher."""
    if target.watchers is not None:
        target.watchers.pop(ref, None)


def demonitor(watcher: Process, ref: Ref) -> None:
    """Forget a monitor; no DOWN of it is in the mailbox or arrives later."""
    target = watcher.monitors.pop(ref, None) if watcher.monitors else None
    if target is None:
        watcher.forget_down(ref)
    else:
        unwatch(target, ref)


def _answer_calls(process: Process, reason: ExitReason) -> None:
    for sender in process.owed():
        request = type(sender.request).__name__
        sender.future.set_result(Raised(CalleeDied(reason, process.label, request)))
    process.calls = None


def _release(process: Process) -> None:
    releases, process.releases = process.releases, None
    for release in releases or ():
        try:
            release()
        except BaseException as error:  # noqa: BLE001 (the others must still be released)
            report_failure(process, RELEASE_FAILURE, error)


def _tell_links(process: Process, reason: ExitReason) -> None:
    """Signal every peer; a chain of links of any length unwinds in a loop, not on the stack."""
    peers, process.links = process.links, None
    if not peers:
        return
    signals = process.node.exit_signals
    is_outermost = not signals
    for peer in peers:
        if peer.links is not None:
            peer.links.pop(process, None)
        signals.append((peer, process.pid, reason))
    try:
        while is_outermost and signals:
            signal(*signals[0], linked=True)
            signals.popleft()
    finally:
        if is_outermost:
            signals.clear()  # a failure must not make every later end believe it is nested


def _tell_watchers(process: Process, reason: ExitReason) -> None:
    watchers, process.watchers = process.watchers, None
    for _, tell in (watchers or {}).values():
        try:
            tell(reason)
        except BaseException as error:  # noqa: BLE001 (the others must still be told)
            report_failure(process, WATCHER_FAILURE, error)


def _forget_monitors(process: Process) -> None:
    monitors, process.monitors = process.monitors, None
    for ref, target in (monitors or {}).items():
        unwatch(target, ref)


def _no_zombie(process: Process, _task: asyncio.Task[None]) -> None:
    if process.zombie_timer is not None:
        process.zombie_timer.cancel()
        process.zombie_timer = None


def _look_for_zombie(process: Process) -> None:
    process.zombie_timer = None
    if process.task is not None and not process.task.done():
        report_zombie(process)
