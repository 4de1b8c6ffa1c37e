"""A server left over from an earlier run, recognised beyond doubt before it is touched.

A pid alone may belong to somebody else by now. So the file holds the pid, when that process
started, and its program; a process is ours only when all three still agree.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_STARTED_FIELD = 19  # of /proc/PID/stat after the name in parentheses: field 22, proc(5)


@dataclass(frozen=True, slots=True)
class Running:
    """A process as the system shows it.

    Attributes:
        pid: Its pid.
        started: When it started, in the system's own words; unique together with the pid.
        command: Its arguments.
    """

    pid: int
    started: str
    command: str


def look_at(pid: int) -> Running | None:
    """The process of this pid now; None when there is none, or only its exit status."""
    return _look_in_proc(pid) if (_PROC / "self").exists() else _ask_ps(pid)


def write(path: Path, pid: int, program: str) -> None:
    """Record a process we started."""
    process = look_at(pid)
    if process is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(f"{pid}\n{process.started}\n{program}\n")
    fresh.replace(path)


def remove(path: Path, pid: int) -> None:
    """Take the record of a process that ended away, unless it is another's by now."""
    try:
        if path.read_text().split("\n", 1)[0] == str(pid):
            path.unlink()
    except FileNotFoundError:
        return


def find_leftover(path: Path) -> Running | None:
    """The process that the file names, if it still runs and is really that one."""
    try:
        pid, started, program = path.read_text().splitlines()
        process = look_at(int(pid))
    except (FileNotFoundError, ValueError):
        return None
    if process is None or process.started != started or program not in process.command:
        return None
    return process


def _look_in_proc(pid: int) -> Running | None:
    folder = _PROC / str(pid)
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] == "Z":
        return None
    return Running(pid, f"{boot} {fields[_STARTED_FIELD]}", command)


def _ask_ps(pid: int) -> Running | None:
    def ask(column: str) -> str:
        command = ["ps", "-o", f"{column}=", "-p", str(pid)]  # the system's own, by name
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 (fixed arguments)

    started = ask("lstart")
    return Running(pid, started, ask("command")) if started else None
