"""Why a process ended: data, compared by value (otp.md section 1).

`is_abnormal` decides three things at once: whether a transient child restarts, whether a crash
report is logged, and whether a supervisor counts the end as unexpected.
"""

import re
import traceback as tracebacks
from dataclasses import dataclass
from typing import TypeAlias

from actors.errors import NoProcess

_LAST_FRAME = re.compile(r'File "[^"]*?([^/"]+)", line (\d+)')


@dataclass(frozen=True, slots=True)
class Normal:
    """The work is done. The only reason that does not travel over a link."""

    @property
    def is_abnormal(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Asked to stop, or stopping on purpose.

    Attributes:
        detail: Why, for whoever reads it; None when a supervisor asked.
    """

    detail: object = None

    @property
    def is_abnormal(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True)
class Killed:
    """Ended by force, without `terminate`. As an argument of `Node.exit`: kill."""

    @property
    def is_abnormal(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class NoConnection:
    """The node of a watched process cannot be reached; the process may be alive.

    Attributes:
        node: Name of that node.
    """

    node: str

    @property
    def is_abnormal(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class Failed:
    """Stopped on purpose because something is wrong.

    Attributes:
        detail: What; must be picklable and free of personal data.
    """

    detail: object

    @property
    def is_abnormal(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True, repr=False)
class Crash:
    """A callback raised.

    Attributes:
        error: What was raised, without its frames: they would keep dead state alive.
        traceback: The frames as text. Messages of foreign errors may quote input: log with care.
    """

    error: BaseException
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> "Crash":
        """Reason for a raised error; takes its frames as text and lets them go."""
        text = "".join(tracebacks.format_exception(error))
        return cls(error.with_traceback(None), text)

    @property
    def is_abnormal(self) -> bool:
        """Always."""
        return True

    def __repr__(self) -> str:
        frames = _LAST_FRAME.findall(self.traceback)
        where = f" at {frames[-1][0]}:{frames[-1][1]}" if frames else ""
        return f"Crash({type(self.error).__name__}{where})"


ExitReason: TypeAlias = Normal | Shutdown | Killed | NoProcess | NoConnection | Failed | Crash
"""Every reason a process can end with."""
