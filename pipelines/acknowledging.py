"""Each message is acknowledged at most once, in one of two lists, with those of its group."""

from collections.abc import Hashable, Sequence

import structlog

from actors import Crash, reason_text
from pipelines.message import Acknowledger, Message

_log = structlog.get_logger("pipelines")


class _Group:
    __slots__ = ("acknowledger", "failed", "ref", "successful")

    def __init__(self, acknowledger: Acknowledger, ref: Hashable) -> None:
        self.acknowledger = acknowledger
        self.ref = ref
        self.successful: list[Message] = []
        self.failed: list[Message] = []


async def acknowledge(successful: Sequence[Message], failed: Sequence[Message]) -> None:
    """Tell the acknowledgers; one that raises is logged and harms nobody."""
    groups: dict[tuple[Acknowledger, Hashable], _Group] = {}
    for message in successful:
        if message.acknowledger is not None:
            _group(groups, message.acknowledger, message.ack_ref).successful.append(message)
    for message in failed:
        if message.acknowledger is not None:
            _group(groups, message.acknowledger, message.ack_ref).failed.append(message)
    for group in groups.values():
        try:
            await group.acknowledger.acknowledge(group.ref, group.successful, group.failed)
        except Exception as error:  # noqa: BLE001 (the stage lives; the source redelivers)
            crash = Crash.of(error)
            _log.error(  # not its text, which may quote a message
                "acknowledger failed",
                acknowledger=type(group.acknowledger).__name__,
                successful=len(group.successful),
                failed=len(group.failed),
                reason=reason_text(crash),
                traceback=crash.traceback,
            )


def _group(
    groups: dict[tuple[Acknowledger, Hashable], _Group], acknowledger: Acknowledger, ref: Hashable
) -> _Group:
    key = (acknowledger, ref)
    group = groups.get(key)
    if group is None:
        group = groups[key] = _Group(acknowledger, ref)
    return group
