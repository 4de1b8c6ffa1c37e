"""The loop of one process: take a message, run its callback, obey the answer.

One task for each process that has something to do, none for each message. At most `TURN_MESSAGES`
are handled before every other ready task gets its turn. This is the one place that turns whatever
code raises into an exit reason: `SystemExit` in a callback is a crash of that process, not of the
program.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from actors import exits
from actors.clock import pause
from actors.current import current_process
from actors.errors import BadReturnValue
from actors.gen_server import (
    ABSENT,
    Answer,
    Continue,
    GenServer,
    IdleTimeout,
    Ignore,
    NoReply,
    Reply,
    Stop,
    StopInit,
    Then,
)
from actors.messages import TIMEOUT
from actors.process import CAST, CONTINUE, EXIT, KINDS, NOTICE, STOP, From, Process
from actors.reason import Crash, ExitReason, Killed, Normal
from actors.reports import message_type

TURN_MESSAGES: Final = 100  # about a millisecond of short handlers


class Ending(NamedTuple):
    """Why a server stops, and the last reply it owes."""

    reason: ExitReason
    sender: From | None = None
    reply: Any = ABSENT


async def run_body(process: Process, body: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Run a bare process to its end."""
    current_process.set(process)
    try:
        await body()
    except BaseException as error:  # noqa: BLE001 (the one place that makes it a reason)
        if process.alive:
            exits.crash(process, _reason_of(error))
    else:
        exits.finish(process, Normal())


async def run_server(process: Process, server: GenServer) -> None:
    """Run a server from `init` until it parks or ends."""
    current_process.set(process)
    try:
        then = _accept(process, await server.init())
        if not process.alive:
            pass
        elif then is None and not process.mailbox:
            _park(process)  # a start needs no more than `init`
        else:
            await _leave(process, server, await _serve(process, server, then))
    except BaseException as error:  # noqa: BLE001 (the one place that makes it a reason)
        if process.alive:
            await _end_raised(process, server, _reason_of(error))


async def resume_server(process: Process, server: GenServer) -> None:
    """Run a server that was parked until it parks again or ends."""
    try:
        await _leave(process, server, await _serve(process, server, None))
    except BaseException as error:  # noqa: BLE001 (the one place that makes it a reason)
        if process.alive:
            await _end_raised(process, server, _reason_of(error))


async def _leave(process: Process, server: GenServer, ending: Ending | None) -> None:
    if ending is None:
        _park(process)
    else:
        await _stop(process, server, ending)


# One frame for each message: every helper of its own would cost a tenth of a cast.
async def _serve(  # noqa: C901, PLR0912, PLR0915
    process: Process, server: GenServer, then: Then | None
) -> Ending | None:
    """Handle messages until one ends the server, or until it may park (None)."""
    mailbox, telemetry = process.open(), process.node.telemetry
    create_future = process.node.loop.create_future
    answer: Any
    turn = TURN_MESSAGES
    process.node.parking.watch(process)
    _no_longer_idle(process)
    while True:
        if then is not None:
            item, then = _obey(process, then), None
            if item is None:
                continue
        elif mailbox:
            item = mailbox.popleft()
        else:
            process.waiter = waiter = create_future()
            if await waiter and not mailbox:
                return None
            if process.idle_timer is not None:
                _no_longer_idle(process)
            continue
        process.handling = item  # before the pause: a call in hand is answered when we are killed
        process.handled += 1
        turn -= 1
        if not turn:
            turn = TURN_MESSAGES
            await pause()
        if telemetry.is_timing:
            process.handling_ns = process.node.clock.monotonic_ns()
        if type(item) is From:
            if item.expired and not item.must_run:
                continue
            answer = await server.handle_call(item.request, item)
        elif item[0] == CAST:
            answer = await server.handle_cast(item[1])
        else:
            answer = await _handle(process, server, item)
        if not process.alive:  # killed meanwhile, and the callback swallowed it
            raise asyncio.CancelledError
        if telemetry.is_timing:
            _observe(process, "stop")
        if type(item) is not From:
            if answer is None:
                continue
        elif type(answer) is Reply:
            if not item.future.done():
                item.future.set_result(answer.value)
            then = answer.then
            continue
        if type(answer) is Stop:
            return Ending(answer.reason, item if type(item) is From else None, answer.reply)
        then = _judge(process, answer, item)


def _judge(process: Process, answer: object, item: Any) -> Then | None:
    """What comes next after an answer that ends nothing and answers nobody."""
    if type(answer) is NoReply:
        if type(item) is From and not item.future.done():
            process.put_off(item)
        return answer.then
    callback = "handle_call" if type(item) is From else f"handle_{KINDS[item[0]]}"
    raise BadReturnValue(callback, answer)


async def _handle(process: Process, server: GenServer, item: tuple[int, Any]) -> Answer:
    """Handle what is neither a call nor a cast."""
    kind, message = item
    if kind == STOP:
        return Stop(message)
    if kind == EXIT and message.pid == process.parent:  # both None: told from outside
        return Stop(message.reason)
    if kind == CONTINUE:
        return await server.handle_continue(message)
    return await server.handle_info(message)


def _obey(process: Process, then: object) -> Any:
    """The next item when the last answer said what comes next; None: wait for one."""
    if isinstance(then, Continue):
        return (CONTINUE, then.argument)
    if not isinstance(then, IdleTimeout):
        raise BadReturnValue("then", then)
    if process.mailbox:
        return process.mailbox.popleft()
    if then.ms <= 0:
        return (NOTICE, TIMEOUT)

    def fire() -> None:
        process.idle_timer = None
        if not process.mailbox:
            process.deliver(NOTICE, TIMEOUT)

    process.idle_timer = process.node.clock.call_later(then.ms, fire)
    return None


def _no_longer_idle(process: Process) -> None:
    """A message came: the idle timeout that was asked for is off."""
    if process.idle_timer is not None:
        process.idle_timer.cancel()
        process.idle_timer = None


def _park(process: Process) -> None:
    """Keep nothing but the record: the next message makes a mailbox and a task."""
    process.node.parking.forget(process)
    process.last_message = message_type(process.handling) or process.last_message
    process.handling = process.task = None
    process.calls = process.calls or None
    process.close()


def _accept(process: Process, answer: object) -> Then | None:
    """Tell the starter what `init` answered; a process that does not want to run ends here."""
    if answer is None or isinstance(answer, Continue | IdleTimeout):
        _answer_starter(process, None)
        return answer
    if isinstance(answer, Ignore):
        exits.unlink_parent(process)
        starting, process.starting = process.starting, None
        exits.finish(process, Normal())  # the name is free before the starter knows
        if starting is not None and not starting.done():
            starting.set_result(answer)
    elif isinstance(answer, StopInit):
        exits.unlink_parent(process)
        exits.crash(process, answer.reason)
    else:
        raise BadReturnValue("init", answer)
    return None


def _answer_starter(process: Process, answer: object) -> None:
    starting, process.starting = process.starting, None
    if starting is not None and not starting.done():
        starting.set_result(answer)


async def _end_raised(process: Process, server: GenServer, reason: ExitReason) -> None:
    """A callback raised: `terminate` runs, unless it was `init` or the task was cancelled."""
    if process.starting is not None:
        exits.unlink_parent(process)
    elif not isinstance(reason, Killed):
        if process.node.telemetry.is_timing:
            _observe(process, "exception")
        reason = await _terminate(process, server, reason)
    exits.crash(process, reason)


async def _stop(process: Process, server: GenServer, ending: Ending) -> None:
    reason = await _terminate(process, server, ending.reason)
    sender = ending.sender
    if sender is not None and ending.reply is not ABSENT and not sender.future.done():
        sender.future.set_result(ending.reply)
    exits.crash(process, reason)


async def _terminate(process: Process, server: GenServer, reason: ExitReason) -> ExitReason:
    try:
        await server.terminate(reason)
    except BaseException as error:  # noqa: BLE001 (the new error is the reason)
        return _reason_of(error) if process.alive else reason
    return reason


def _reason_of(error: BaseException) -> ExitReason:
    task = asyncio.current_task()
    if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
        return Killed()  # somebody cancelled the task itself, as the end of a program does
    return Crash.of(error)


def _observe(process: Process, end: str) -> None:
    """Count and tell how long one message took; queue time is known for calls only."""
    item, started_ns, process.handling_ns = process.handling, process.handling_ns, -1
    if started_ns < 0:
        return  # nobody watched yet when it began
    kind, queue_ns = "info", 0
    if type(item) is From:
        kind, queue_ns = "call", started_ns - item.sent_ns
    elif type(item) is tuple:
        kind = KINDS[item[0]]
    took_ns = process.node.clock.monotonic_ns() - started_ns
    process.handler_ns += took_ns
    process.node.telemetry.execute(
        ("genserver", kind, end),
        {"duration_ns": took_ns, "queue_ns": queue_ns, "mailbox_length": len(process.mailbox)},
        {
            "pid": process.pid,
            "name": process.name,
            "server": type(process.server).__name__,
            "message": message_type(item),
        },
    )
