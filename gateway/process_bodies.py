"""Answers of ``/api/v1/admin/processes``: processes as an operator sees them.

No value of a state and no message stands in them. Times are integers in microseconds of a clock
that only goes forward; rates are made from two looks.
"""

import msgspec

from actors import CrashReport, Pid, ProcessInfo
from supervisors import ChildState, TreeRow

NS_PER_US = 1000
INTERVAL_MS_MAX = 10_000
LIMIT_MAX = 10_000
LIMIT = 1_000
SORTS = ("tree", "mailbox", "messages", "time")


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """One process, or a child that is down, in its place in the tree.

    `depth` counts from 0; a row belongs to the nearest row above it of a smaller depth. `child`
    and `restarts` are what its supervisor says. `state` is starting, running, waiting, restarting
    or down; only the last two have no `pid`. `handler_us` is counted while somebody looks, and
    `handler_share` is that time as a part of the interval, waits in a handler included.
    """

    depth: int
    pid: str | None
    name: str | None
    child: str | None
    server: str
    is_supervisor: bool
    state: str
    parent: str | None
    restarts: int
    mailbox_length: int
    mailbox_max: int
    dropped: int
    handled: int
    handler_us: int
    messages_per_second: float | None
    handler_share: float | None
    links: tuple[str, ...]
    monitors: tuple[str, ...]
    monitored_by: int


class ProcessesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Processes of one node. `total` counts the rows there are; `processes` has at most `limit`."""

    node: str
    monotonic_us: int
    interval_us: int | None
    total: int
    processes: tuple[ProcessRow, ...]


class CrashAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How an earlier life of a process ended; types and places, no values."""

    at: str
    pid: str
    reason: str
    traceback: str | None
    last_message: str | None
    handled: int
    mailbox_length: int
    status: dict[str, str]
    ancestors: tuple[str, ...]
    links: tuple[str, ...]
    monitored_by: tuple[str, ...]


class ProcessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One process. `status` is what its server shows of its state; `crash` how it last crashed."""

    monotonic_us: int
    interval_us: int | None
    process: ProcessRow
    calls: int
    last_message: str | None
    ancestors: tuple[str, ...]
    watchers: tuple[str, ...]
    status: dict[str, str]
    crash: CrashAnswer | None


class KilledAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A process that was killed; its supervisor decides what comes next."""

    pid: str
    name: str | None


class Sample(msgspec.Struct, frozen=True):
    """Counters of every process at one moment, to make rates from."""

    monotonic_ns: int
    counters: dict[Pid, tuple[int, int]]

    def rates(self, info: ProcessInfo, now_ns: int) -> tuple[float, float]:
        """Messages a second and share of the time in handlers since this sample.

        A process that is younger has counted from zero since.
        """
        passed_ns = max(1, now_ns - self.monotonic_ns)
        handled, handler_ns = self.counters.get(info.pid, (0, 0))
        messages = (info.handled - handled) * 1_000_000_000 / passed_ns
        return round(messages, 3), round((info.handler_ns - handler_ns) / passed_ns, 6)


def pid_text(pid: Pid) -> str:
    """A pid as it stands in addresses and bodies: node, dot, number."""
    return f"{pid.node}.{pid.number}"


def parse_pid(text: str) -> Pid | None:
    """The pid that `pid_text` wrote; None for anything else."""
    node, dot, number = text.rpartition(".")
    is_number = number.isascii() and number.isdigit() and len(number) <= 18
    return Pid(node, int(number)) if dot and is_number else None


def process_row(row: TreeRow, sample: Sample | None, now_ns: int) -> ProcessRow:
    """One row of the tree; with rates where there is an earlier sample."""
    info, child = row.process, row.child
    child_id, restarts = (child.id, child.restarts) if child else (None, 0)
    if info is None:
        is_restarting = child is not None and child.state is ChildState.RESTARTING
        return _row_of_absent(row.depth, child_id, restarts, is_restarting=is_restarting)
    rates = sample.rates(info, now_ns) if sample else (None, None)
    return ProcessRow(
        depth=row.depth,
        pid=pid_text(info.pid),
        name=info.name,
        child=child_id,
        server=info.server,
        is_supervisor=info.is_supervisor,
        state=info.state.value,
        parent=pid_text(info.parent) if info.parent else None,
        restarts=restarts,
        mailbox_length=info.mailbox_length,
        mailbox_max=info.mailbox_max,
        dropped=info.dropped,
        handled=info.handled,
        handler_us=info.handler_ns // NS_PER_US,
        messages_per_second=rates[0],
        handler_share=rates[1],
        links=tuple(map(pid_text, info.links)),
        monitors=tuple(map(pid_text, info.monitors)),
        monitored_by=info.monitored_by,
    )


def crash_answer(report: CrashReport) -> CrashAnswer:
    """A crash report for the interface."""
    return CrashAnswer(
        at=report.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        pid=pid_text(report.pid),
        reason=report.reason,
        traceback=report.traceback,
        last_message=report.last_message,
        handled=report.handled,
        mailbox_length=report.mailbox_length,
        status=dict(report.state),
        ancestors=report.ancestors,
        links=tuple(map(pid_text, report.links)),
        monitored_by=report.monitored_by,
    )


def _row_of_absent(
    depth: int, child_id: str | None, restarts: int, *, is_restarting: bool
) -> ProcessRow:
    return ProcessRow(
        depth=depth,
        pid=None,
        name=None,
        child=child_id,
        server="",
        is_supervisor=False,
        state="restarting" if is_restarting else "down",
        parent=None,
        restarts=restarts,
        mailbox_length=0,
        mailbox_max=0,
        dropped=0,
        handled=0,
        handler_us=0,
        messages_per_second=None,
        handler_share=None,
        links=(),
        monitors=(),
        monitored_by=0,
    )
