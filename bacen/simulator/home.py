"""One bank at a time in one home: a lock that ends with the process that holds it."""

import os
import sys
from pathlib import Path

from bacen.simulator.errors import HomeInUse

if sys.platform != "win32":
    import fcntl


class HomeLock:
    """Held from construction to `release`; made by the settlement before it reads anything.

    Raises:
        HomeInUse: Another bank runs on this home.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(home / "bank.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if sys.platform != "win32":
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(self._descriptor)
                raise HomeInUse(str(home)) from error

    def release(self) -> None:
        """Let the next bank in."""
        os.close(self._descriptor)
