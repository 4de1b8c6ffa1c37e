"""What happens to messages that failed, and to callbacks that raise or answer nonsense."""

from collections.abc import Sequence

import structlog

from actors import Crash, Telemetry, reason_text
from pipelines.callbacks import Plan
from pipelines.message import Message
from pipelines.spans import HANDLE_FAILED, slice_span

_log = structlog.get_logger("pipelines")


def failure_of(plan: Plan, callback: str, error: Exception) -> Crash:
    """Why messages failed when a callback raised; logged, without their content."""
    crash = Crash.of(error)
    _log.error(
        "callback raised",
        pipeline=plan.options.name,
        callback=callback,
        reason=reason_text(crash),
        traceback=crash.traceback,
    )
    return crash


async def show_failed(
    plan: Plan, telemetry: Telemetry, stage: str, messages: list[Message]
) -> None:
    """Let the pipeline see its failed messages; whatever it does, they stay failed."""
    try:
        with slice_span(HANDLE_FAILED, telemetry, plan.options.name, stage, len(messages)):
            await plan.pipeline.handle_failed(messages)
    except Exception as error:  # noqa: BLE001 (it is a callback; the stage must live)
        failure_of(plan, "handle_failed", error)
    for message in messages:
        if message.failure is None:
            message.fail("failed")


def same_messages(given: Sequence[Message], answered: object) -> bool:
    """The answer holds exactly the messages that were given, in any order."""
    if not isinstance(answered, list | tuple) or len(answered) != len(given):
        return False
    return {id(message) for message in given} == {id(message) for message in answered}
