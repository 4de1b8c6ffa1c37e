"""What happens when a message cannot simply be appended: parked, nearly full, full.

The hot path is one comparison with `Process.room`; whoever fails it comes here. A mailbox past its
high-water mark keeps `room` at 0, so every sender looks here until it has fallen below half.
"""

from typing import Any, Final

from actors.errors import Overloaded
from actors.process import INFO, From, MailboxPolicy, Process, Raised
from actors.reports import message_type

HIGH_WATER: Final = ("mailbox", "high_water")
OVERFLOW: Final = ("mailbox", "overflow")


def admit(process: Process, item: Any) -> bool:
    """Put a call, cast or send into a mailbox; False when it is refused."""
    if process.server is None:
        return False
    policy = process.server.mailbox_policy
    mailbox = process.open()
    length = len(mailbox)
    if process.is_high and 2 * length < process.mailbox_max:
        process.is_high = False
        process.room = process.high_water
    if length >= process.mailbox_max and not _make_room(process, policy, item):
        return False
    mailbox.append(item)
    if not process.is_high and len(mailbox) > process.high_water:
        process.is_high = True
        process.room = 0
        _tell(process, HIGH_WATER, item)
    process.wake()
    return True


def count_dropped(process: Process, item: Any) -> None:
    """Count a message that nobody will handle, and say so."""
    process.dropped += 1
    process.node.dropped += 1
    _tell(process, OVERFLOW, item)


def _make_room(process: Process, policy: MailboxPolicy, item: Any) -> bool:
    if policy is MailboxPolicy.BLOCK:
        return type(item) is From  # its caller is what waits; the line is no longer than that
    return policy is MailboxPolicy.DROP_OLDEST and _drop_oldest(process)


def _drop_oldest(process: Process) -> bool:
    mailbox = process.mailbox
    for index, item in enumerate(mailbox):
        if type(item) is From or item[0] <= INFO:
            del mailbox[index]
            if type(item) is From and not item.future.done():
                error = Overloaded(process.label, process.mailbox_max)
                item.future.set_result(Raised(error))
            count_dropped(process, item)
            return True
    return False


def _tell(process: Process, event: tuple[str, str], item: Any) -> None:
    process.node.telemetry.execute(
        event,
        {"mailbox_length": len(process.mailbox), "mailbox_max": process.mailbox_max},
        {"pid": process.pid, "name": process.name, "message": message_type(item)},
    )
