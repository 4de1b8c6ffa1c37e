"""``/api/v1/admin/processes``: the processes of the node, for whoever keeps it running."""

import contextlib
from heapq import nlargest
from typing import Final

import msgspec
import structlog
from aiohttp import web

from actors import CalleeDied, CallTimeout, Failed, Killed, Node, NoProcess, Pid
from gateway.auth import MAY_ADMINISTER, Principal
from gateway.context import CONTEXT
from gateway.errors import InvalidRequest, Violation
from gateway.problem import CORRELATION_ID, problem_response
from gateway.process_bodies import (
    INTERVAL_MS_MAX,
    LIMIT,
    LIMIT_MAX,
    SORTS,
    KilledAnswer,
    ProcessAnswer,
    ProcessesAnswer,
    ProcessRow,
    Sample,
    crash_answer,
    parse_pid,
    pid_text,
    process_row,
)
from supervisors import TreeRow, process_tree

OBSERVE_MS: Final = 10_000  # an observer that asks less often sees parts of the time in handlers
JSON: Final = "application/json"

_log = structlog.get_logger("corrente.audit")
_encode = msgspec.json.Encoder().encode


async def get_processes(request: web.Request) -> web.Response:
    """``GET /api/v1/admin/processes``: every process, as a tree or by what it does."""
    _administrator(request)
    limit = _number(request, "limit", LIMIT, 1, LIMIT_MAX)
    sort = request.query.get("sort", "tree")
    if sort not in SORTS:
        raise _invalid("sort", f"must be one of {', '.join(SORTS)}")
    node = request.app[CONTEXT].node
    sample = await _sample(request, node)
    tree = await process_tree(node)
    now_ns = node.clock.monotonic_ns()
    if sort == "tree":
        rows = [process_row(row, sample, now_ns) for row in tree[:limit]]
    else:
        rows = nlargest(limit, (process_row(row, sample, now_ns) for row in tree), _RANKS[sort])
    answer = ProcessesAnswer(
        node=node.name,
        monotonic_us=now_ns // 1000,
        interval_us=_passed_us(sample, now_ns),
        total=len(tree),
        processes=tuple(rows),
    )
    return web.Response(body=_encode(answer), content_type=JSON)


async def get_process(request: web.Request) -> web.Response:
    """``GET /api/v1/admin/processes/{pid}``: everything there is to see of one process."""
    _administrator(request)
    node = request.app[CONTEXT].node
    sample = await _sample(request, node)
    row = _find(await process_tree(node), parse_pid(request.match_info["pid"]))
    info = node.info(row.process.pid) if row is not None and row.process is not None else None
    if row is None or info is None:
        return problem_response(request, "not_found", "no such process")
    now_ns = node.clock.monotonic_ns()
    crashes = (
        crash_answer(report)
        for report in reversed(node.crashes)
        if report.is_about(info.name, info.server, info.ancestors)
    )
    answer = ProcessAnswer(
        monotonic_us=now_ns // 1000,
        interval_us=_passed_us(sample, now_ns),
        process=process_row(row, sample, now_ns),
        calls=info.calls,
        last_message=info.last_message,
        ancestors=info.ancestors,
        watchers=info.watchers,
        status=dict(info.shown),
        crash=next(crashes, None),
    )
    return web.Response(body=_encode(answer), content_type=JSON)


async def kill_process(request: web.Request) -> web.Response:
    """``DELETE /api/v1/admin/processes/{pid}``: kill it; its supervisor starts it again.

    A supervisor is not killed: its children would outlive it and keep their names and ports from
    its successor. It stops them in order and ends.
    """
    principal = _administrator(request)
    node = request.app[CONTEXT].node
    row = _find(await process_tree(node), parse_pid(request.match_info["pid"]))
    if row is None or row.process is None:
        return problem_response(request, "not_found", "no such process")
    if row.depth == 0:
        detail = "nothing above this process would start it again"
        return problem_response(request, "not_supervised", detail)
    info = row.process
    _log.warning(
        "process killed over the admin interface",
        subject=principal.subject,
        tenant=principal.tenant,
        pid=str(info.pid),
        process=info.name,
        child=row.child.id if row.child else None,
        server=info.server,
        correlation_id=request[CORRELATION_ID],
    )
    if info.is_supervisor:
        await _stop(node, info.pid)
    else:
        node.exit(info.pid, Killed())
    answer = KilledAnswer(pid=pid_text(info.pid), name=info.name)
    return web.Response(body=_encode(answer), content_type=JSON)


async def _stop(node: Node, pid: Pid) -> None:
    """Tell it to stop, and do not wait: this very request may stand below it."""
    with contextlib.suppress(CallTimeout, CalleeDied, NoProcess):
        await node.stop(pid, Failed("stopped by an administrator"), timeout_ms=1)


def _administrator(request: web.Request) -> Principal:
    principal = request.app[CONTEXT].tokens.verify(request.headers.get("Authorization"))
    principal.require(MAY_ADMINISTER)
    return principal


async def _sample(request: web.Request, node: Node) -> Sample | None:
    """Have handlers timed from now on; with an interval, count, and wait for it to pass."""
    interval_ms = _number(request, "interval_ms", 0, 0, INTERVAL_MS_MAX)
    node.observation.renew(OBSERVE_MS + interval_ms)
    if not interval_ms:
        return None
    counters = {info.pid: (info.handled, info.handler_ns) for info in node.processes()}
    sample = Sample(node.clock.monotonic_ns(), counters)
    await node.clock.sleep_ms(interval_ms)
    return sample


def _passed_us(sample: Sample | None, now_ns: int) -> int | None:
    return None if sample is None else (now_ns - sample.monotonic_ns) // 1000


def _find(tree: list[TreeRow], pid: Pid | None) -> TreeRow | None:
    return next((row for row in tree if row.process is not None and row.process.pid == pid), None)


def _number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not is_number or not least <= int(text) <= most:
        raise _invalid(name, f"must be a number from {least} to {most}")
    return int(text)


def _invalid(name: str, problem: str) -> InvalidRequest:
    return InvalidRequest("validation_failed", (Violation(problem, name),))


def _by_mailbox(row: ProcessRow) -> float:
    return row.mailbox_length


def _by_messages(row: ProcessRow) -> float:
    return row.handled if row.messages_per_second is None else row.messages_per_second


def _by_time(row: ProcessRow) -> float:
    return row.handler_us if row.handler_share is None else row.handler_share


_RANKS = {"mailbox": _by_mailbox, "messages": _by_messages, "time": _by_time}
