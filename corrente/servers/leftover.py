"""Processes of an earlier run that still work on a PostgreSQL data folder.

After kill -9 of a postmaster its backends need a moment to notice, and a server started
meanwhile gives up ("pre-existing shared memory block is still in use"). The other way round a pid
file outlives its server, and when its number was given to another process — sure to happen in a
container, where pids start at 1 — PostgreSQL takes that one for a running server. Both are
decided here by what a process does, not by its number: every PostgreSQL process has the data
folder as its working directory.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from actors import Clock
from corrente.servers.errors import LeftoverServer

POLL_MS = 20
PID_FILE = "postmaster.pid"
# Each step of insisting and how long it may take: fast shutdown writes a checkpoint.
STEPS = ((signal.SIGINT, 60_000), (signal.SIGQUIT, 10_000), (signal.SIGKILL, 10_000))


async def end_leftovers(data: Path, socket_lock: Path, clock: Clock) -> None:
    """Return when no PostgreSQL process works on `data` and no stale lock file is in the way.

    The caller holds the claim on the home, so whoever is found belongs to nobody any more.

    Raises:
        LeftoverServer: They cannot be ended.
    """
    for step, wait_ms in STEPS:
        for pid in _addressees(data, step):
            _signal(pid, step)
        if await _gone(data, clock, wait_ms):
            break
    else:
        raise LeftoverServer(path=data, pids=tuple(processes_on(data)))
    for lock in (data / PID_FILE, socket_lock):
        # Alive, but none of ours: somebody else's by now, or killed and not yet buried by its
        # parent. PostgreSQL would take it for a server; a number that nobody has, it sees through.
        if _is_alive(_pid_in(lock)):
            lock.unlink()


def _addressees(data: Path, step: int) -> list[int]:
    """Ask the postmaster, which ends its own; ask orphans, and kill, one by one."""
    running = processes_on(data)
    postmaster = _pid_in(data / PID_FILE)
    return [postmaster] if postmaster in running and step != signal.SIGKILL else running


async def _gone(data: Path, clock: Clock, wait_ms: int) -> bool:
    deadline_ns = clock.monotonic_ns() + wait_ms * 1_000_000
    while processes_on(data):
        if clock.monotonic_ns() > deadline_ns:
            return False
        await clock.sleep_ms(POLL_MS)
    return True


def processes_on(data: Path) -> list[int]:
    """Return the pids of PostgreSQL processes whose data folder is `data`.

    Linux: all of them. Elsewhere: the postmaster, by its pid file.
    """
    if sys.platform != "linux":
        pid = _pid_in(data / PID_FILE)
        return [pid] if _is_alive(pid) and _names(pid, data) else []
    wanted = str(data.resolve())
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if _is_on(each, wanted)]


def _is_on(process: Path, data: str) -> bool:
    """Tell whether a process is a PostgreSQL on `data`; foreign ones do not let us look.

    One that is about to end has no program any more, but may still hold the shared memory.
    """
    if _target(process / "cwd") != data:
        return False
    program = _target(process / "exe")
    return program is None or Path(program).name.split(" ")[0] == "postgres"


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:
        return None


def _names(pid: int, data: Path) -> bool:
    """Tell whether the command line of `pid` is that of a PostgreSQL on `data`."""
    said = subprocess.run(  # noqa: S603 - numbers only
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return "postgres" in said and str(data) in said


def _pid_in(lock: Path) -> int:
    try:
        return int(lock.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return 0


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
