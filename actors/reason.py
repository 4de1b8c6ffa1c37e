"""Why a process ended: data, compared by value.

`is_abnormal` decides three things at once: whether a transient child restarts, whether a crash
report is logged, and whether a supervisor counts the end as unexpected.
"""

import re
import traceback as tracebacks
from dataclasses import dataclass
from typing import TypeAlias

from actors.errors import NoProcess

_FRAME = re.compile(r'File "[^"]*?([^/"]+)", line (\d+)')


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
        traceback: The frames as text, causes first: files, lines and types of errors. No message
            of an error and no line of source, which may quote input or secrets.
    """

    error: BaseException
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> "Crash":
        """Reason for a raised error; takes its frames as text and lets them go."""
        text = _frames(error)
        return cls(error.with_traceback(None), text)

    @property
    def is_abnormal(self) -> bool:
        """Always."""
        return True

    @property
    def place(self) -> str:
        """File and line that raised; "" when it was raised nowhere."""
        frames = _FRAME.findall(self.traceback)
        return f"{frames[-1][0]}:{frames[-1][1]}" if frames else ""

    def __repr__(self) -> str:
        where = f" at {self.place}" if self.place else ""
        return f"Crash({type(self.error).__name__}{where})"


def _frames(error: BaseException) -> str:
    """The frames of an error and of what caused it, the cause first."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and not any(cause is known for known in chain):
        chain.append(cause)
        hidden = None if cause.__suppress_context__ else cause.__context__
        cause = cause.__cause__ or hidden
    lines = []
    for one in reversed(chain):
        for frame, line in tracebacks.walk_tb(one.__traceback__):
            code = frame.f_code
            lines.append(f'  File "{code.co_filename}", line {line}, in {code.co_name}\n')
        lines.append(f"{_kind(one)}\n")
    return "".join(lines)


def _kind(error: BaseException) -> str:
    """Type of an error; of a group, also the types in it."""
    name = type(error).__qualname__
    if not isinstance(error, BaseExceptionGroup):
        return name
    return f"{name}({', '.join(_kind(one) for one in error.exceptions)})"


ExitReason: TypeAlias = Normal | Shutdown | Killed | NoProcess | NoConnection | Failed | Crash
"""Every reason a process can end with."""
