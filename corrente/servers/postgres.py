"""The embedded PostgreSQL, durable and closed to the network.

It listens on a unix socket only, in a folder of mode 0700: who may enter that folder is who may
be superuser, so a password would add nothing. The settings are those of a small machine whose
hot tables are written all the time; what the ledger asserts at start is on.
"""

import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from actors import Clock, ExitReason
from corrente.servers.data_folder import SUPERUSER, prepare_data_folder, server_environment
from corrente.servers.executables import PostgresPrograms, find_postgres
from corrente.servers.home import RESTART_DELAY_MS
from corrente.servers.leftover import end_leftovers
from corrente.servers.server_user import choose_run_as
from corrente.servers.socket_folder import (
    SOCKET_LOCK_NAME,
    choose_socket_folder,
    prepare_socket_folder,
    remove_socket_folder,
)
from supervisors import ChildSpec, OsProcess, OsProcessSpec, RunAs, Within, worker

DATABASE = "corrente"
DATABASE_EXISTS = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
READY_TIMEOUT_MS = 120_000  # recovery after a crash replays up to max_wal_size
CONNECT_TIMEOUT_SECONDS = 5
STOP_TIMEOUT_MS = 60_000  # fast shutdown writes a checkpoint
SHUTDOWN = Within(STOP_TIMEOUT_MS + 5_000)

SETTINGS = (
    # nothing that was committed is lost, not even by a power cut
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    # nobody but us
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=50",
    # a small machine: no big memory, few workers, checkpoints seldom enough to matter little
    "shared_buffers=128MB",
    "wal_buffers=16MB",
    "max_wal_size=1GB",
    "wal_compression=on",
    "min_wal_size=256MB",
    "checkpoint_timeout=15min",
    "max_worker_processes=4",
    "max_parallel_workers_per_gather=0",
    "jit=off",
    # account rows change all the time: clean them while they are few
    "autovacuum_naptime=15s",
    "autovacuum_max_workers=2",
    "autovacuum_vacuum_scale_factor=0.05",
    # the log goes to stderr, which our log takes over, and shows no data of customers
    "logging_collector=off",
    "log_destination=stderr",
    "log_line_prefix=",
    "log_checkpoints=off",
    "log_min_error_statement=panic",
    "log_parameter_max_length_on_error=0",
    "log_error_verbosity=terse",
    "timezone=UTC",
)
IO_METHOD_SINCE_MAJOR = 18  # its default starts three more processes, for reads we do not make


@dataclass(frozen=True, slots=True)
class PostgresEndpoint:
    """What a client needs to connect to the embedded PostgreSQL.

    Attributes:
        dsn: URL of the database, with the socket's folder as host; as asyncpg and libpq take it.
    """

    dsn: str


class _PostgresProcess(OsProcess):
    """PostgreSQL as a child, which takes its socket's folder away when it stops."""

    def __init__(self, spec: OsProcessSpec, temporary: Path | None) -> None:
        super().__init__(spec)
        self._temporary = temporary

    async def init(self) -> None:
        with contextlib.ExitStack() as undo:
            undo.callback(self._remove_temporary)
            await super().init()
            undo.pop_all()

    async def terminate(self, reason: ExitReason) -> None:
        await super().terminate(reason)
        self._remove_temporary()

    def _remove_temporary(self) -> None:
        if self._temporary is not None:
            remove_socket_folder(self._temporary)


def postgres_child(home: Path, clock: Clock) -> tuple[ChildSpec, PostgresEndpoint]:
    """Specify the embedded PostgreSQL, its data under `home/postgres`.

    The data folder is made at the first start, and a database `corrente` in it. A server that
    an earlier run left behind on this data is ended first. Under root it runs as another user,
    see `server_user`.

    Args:
        home: Data folder of this installation, claimed by the caller (`claim_home`).
        clock: Clock of the node that the child runs in.

    Raises:
        ServerMissing: There is no PostgreSQL 15 or newer.
        ForeignData: The data belongs to another user.
        NoServerUser: We are root, and there is no other user.
    """
    home = home.absolute()
    data = home / "postgres"
    programs = find_postgres()
    run_as = choose_run_as(data, (programs.postgres, programs.initdb))
    socket_folder = choose_socket_folder(data, run_as)
    temporary = None if socket_folder == data else socket_folder
    spec = OsProcessSpec(
        name="postgres",
        argv=_argv(programs, data, socket_folder),
        env=server_environment(),
        cwd=home,
        prepare=_preparation(data, programs, run_as, socket_folder, clock),
        ready=_answers(socket_folder),
        ready_timeout_ms=READY_TIMEOUT_MS,
        stop_signal=signal.SIGINT,  # fast shutdown; TERM would wait for every client to leave
        stop_timeout_ms=STOP_TIMEOUT_MS,
        pid_file=home / "postgres.pid",
        run_as=run_as,
    )
    child = worker(
        "postgres",
        lambda: _PostgresProcess(spec, temporary),
        name="postgres",
        shutdown=SHUTDOWN,
        restart_delay_ms=RESTART_DELAY_MS,
    )
    return child, PostgresEndpoint(_dsn(socket_folder, DATABASE))


def _argv(programs: PostgresPrograms, data: Path, socket_folder: Path) -> tuple[str, ...]:
    quoted = str(socket_folder).replace('"', '""')  # a list of folders, each may be quoted
    settings = [*SETTINGS, f'unix_socket_directories="{quoted}"']
    if programs.major >= IO_METHOD_SINCE_MAJOR:
        settings.append("io_method=sync")
    options = [option for setting in settings for option in ("-c", setting)]
    return (str(programs.postgres), "-D", str(data), *options)


def _preparation(
    data: Path,
    programs: PostgresPrograms,
    run_as: RunAs | None,
    socket_folder: Path,
    clock: Clock,
) -> Callable[[], Awaitable[None]]:
    async def prepare() -> None:
        await end_leftovers(data, socket_folder / SOCKET_LOCK_NAME, clock)
        await prepare_data_folder(data, programs, run_as)
        if socket_folder != data:
            uid, gid = (run_as.uid, run_as.gid) if run_as else (os.geteuid(), os.getegid())
            prepare_socket_folder(socket_folder, uid, gid)

    return prepare


def _dsn(socket_folder: Path, database: str) -> str:
    return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(socket_folder), safe='/')}"


def _answers(socket_folder: Path) -> Callable[[], Awaitable[bool]]:
    """Make the ready check: the server takes a connection; our database exists from then on."""

    async def answers() -> bool:
        try:
            connection = await asyncpg.connect(
                _dsn(socket_folder, "postgres"), timeout=CONNECT_TIMEOUT_SECONDS
            )
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        try:
            if not await connection.fetchval(DATABASE_EXISTS, DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
        return True

    return answers
