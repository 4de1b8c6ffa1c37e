"""What the runtime itself puts into a mailbox; all of it reaches `handle_info`."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from actors.identity import Pid, Ref, Target
from actors.reason import ExitReason


@dataclass(frozen=True, slots=True)
class Down:
    """A monitored process ended; delivered exactly once for each monitor.

    Attributes:
        ref: The monitor.
        process: What was monitored: the pid, or the name if it was monitored by name.
        reason: Why it ended; `NoProcess()` when it was not there.
    """

    ref: Ref
    process: Target
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class Exit:
    """A linked process ended, or somebody sent an exit signal, to a process that traps exits.

    Attributes:
        pid: Who; None when the signal came from outside every process.
        reason: Why.
    """

    pid: Pid | None
    reason: ExitReason


class Timeout(Enum):
    """Type of `TIMEOUT`."""

    IDLE = "idle"


TIMEOUT: Final = Timeout.IDLE
"""The idle timeout that the last answer asked for has passed without a message."""
