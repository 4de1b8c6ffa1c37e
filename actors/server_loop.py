"""The loop of one process: take a message, run its callback, obey the answer.

One task for each process, none for each message. At most `TURN_MESSAGES` are handled before every
other ready task gets its turn. This is the one place that turns whatever code raises into an exit
reason: `SystemExit` in a callback is a crash of that process, not of the program.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple, TypeAlias

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
from actors.messages import TIMEOUT, Exit
from actors.process import CONTINUE, INFO, KINDS, From, Process
from actors.reason import Crash, ExitReason, Killed, Normal
from actors.reports import message_type

TURN_MESSAGES: Final = 100  # about a millisecond of short handlers

_NO_REPLY: Final = NoReply()

_Callback: TypeAlias = Callable[[Any], Coroutine[Any, Any, Answer]]


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
    _settle(process)


async def run_server(process: Process, server: GenServer) -> None:
    """Run a server from `init` to its end."""
    current_process.set(process)
    try:
        then = _accept(process, await server.init())
        if process.alive:
            ending = await _serve(process, server, then)
            await _stop(process, server, ending)
    except BaseException as error:  # noqa: BLE001 (the one place that makes it a reason)
        if process.alive:
            await _end_raised(process, server, _reason_of(error))
    _settle(process)


# One frame for each message: every helper of its own would cost a tenth of a cast.
async def _serve(  # noqa: C901, PLR0912
    process: Process, server: GenServer, then: Then | None
) -> Ending:
    mailbox, telemetry = process.mailbox, process.node.telemetry
    create_future = process.node.loop.create_future
    callbacks = _callbacks(process, server)
    turn = TURN_MESSAGES
    while True:
        if then is not None:
            item = await _obey(process, then)
        elif mailbox:
            item = mailbox.popleft()
        else:
            process.waiter = waiter = create_future()
            await waiter
            continue
        turn -= 1
        if not turn:
            turn = TURN_MESSAGES
            await pause()
        process.handling = item
        is_call = type(item) is From
        if telemetry.watches_messages:
            process.handling_ns = process.node.clock.monotonic_ns()
        if not is_call:
            answer: Any = await callbacks[item[0]](item[1])
        elif item.expired and not item.must_run:
            answer = _NO_REPLY
        else:
            answer = await server.handle_call(item.request, item)
        if not process.alive:  # killed meanwhile, and the callback swallowed it
            raise asyncio.CancelledError
        if telemetry.watches_messages:
            _observe(process, "stop")
        if type(answer) is Reply and is_call:
            if not item.future.done():
                item.future.set_result(answer.value)
            then = answer.then
        elif type(answer) is Stop:
            return Ending(answer.reason, item if is_call else None, answer.reply)
        else:
            then = _judge(answer, item)


def _judge(answer: object, item: Any) -> Then | None:
    """What comes next after an answer that ends nothing and answers nobody."""
    if type(item) is From:
        callback = "handle_call"
    elif answer is None:
        return None
    else:
        callback = f"handle_{KINDS[item[0]]}"
    if type(answer) is NoReply:
        return answer.then
    raise BadReturnValue(callback, answer)


def _callbacks(process: Process, server: GenServer) -> tuple[_Callback, ...]:
    """What handles a queued message, by its kind."""

    async def handle_exit(message: Exit) -> Answer:
        if message.pid == process.parent:  # both None: started and told from outside
            return Stop(message.reason)
        return await server.handle_info(message)

    async def stop(reason: ExitReason) -> Answer:
        return Stop(reason)

    return (server.handle_cast, server.handle_info, handle_exit, stop, server.handle_continue)


async def _obey(process: Process, then: object) -> Any:
    """The next item when the last answer said what comes next."""
    if isinstance(then, Continue):
        return (CONTINUE, then.argument)
    if not isinstance(then, IdleTimeout):
        raise BadReturnValue("then", then)
    if not process.mailbox and then.ms > 0:
        process.waiter = waiter = process.node.loop.create_future()
        timer = process.node.clock.call_later(then.ms, process.wake)
        try:
            await waiter
        finally:
            timer.cancel()
    return process.mailbox.popleft() if process.mailbox else (INFO, TIMEOUT)


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
        if process.node.telemetry.watches_messages:
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


def _settle(process: Process) -> None:
    """The task ends: a killed process is no zombie after all."""
    if process.zombie_timer is not None:
        process.zombie_timer.cancel()
        process.zombie_timer = None


def _observe(process: Process, end: str) -> None:
    """Emit the telemetry of one handled message; queue time is known for calls only."""
    item = process.handling
    kind, queue_ns = "info", 0
    if type(item) is From:
        kind, queue_ns = "call", process.handling_ns - item.sent_ns
    elif type(item) is tuple:
        kind = KINDS[item[0]]
    took_ns = process.node.clock.monotonic_ns() - process.handling_ns
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
