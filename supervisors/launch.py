"""The command line that starts a server program: dying with us, as another user if asked."""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class RunAs:
    """Another user to run a program as; matters only when we are root.

    Attributes:
        uid: Its user.
        gid: Its group; it gets no other.
        keep_dac_override: Let it into folders that only root may enter (Linux).
    """

    uid: int
    gid: int
    keep_dac_override: bool = False


def launch_argv(
    argv: Sequence[str],
    run_as: RunAs | None = None,
    *,
    death_signal: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """The command with our launcher in front, where it is of use.

    The program keeps the pid. It must be started by the main thread of this very process.

    Args:
        argv: Program and arguments.
        run_as: User to become; ignored unless we are root.
        death_signal: What the program gets when this process dies (Linux).
    """
    become = run_as if os.geteuid() == 0 else None
    if become is None and sys.platform != "linux":
        return list(argv)
    who = (become.uid, become.gid, int(become.keep_dac_override)) if become else (-1, -1, 0)
    options = [os.getpid(), int(death_signal), *who]
    return [sys.executable, "-I", "-S", str(_LAUNCHER), *map(str, options), *argv]
