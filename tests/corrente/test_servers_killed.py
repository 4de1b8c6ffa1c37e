"""Kill -9 of the whole program: its servers end with it, and the next start needs no help."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

PROGRAM = """
import asyncio
import sys
from pathlib import Path

import asyncpg

from actors import Node
from corrente.servers import claim_home, nats_child, postgres_child
from supervisors import GetOsPid, Strategy, Supervisor


async def main(home: Path, statement: str) -> None:
    node = Node("killed")
    postgres, postgres_at = postgres_child(home, node.clock)
    nats, _ = nats_child(home)
    await node.start(Supervisor([postgres, nats], strategy=Strategy.ONE_FOR_ONE), name="tree")
    connection = await asyncpg.connect(postgres_at.dsn)
    answer = await connection.fetchval(statement)
    await connection.close()
    pids = [await node.call(name, GetOsPid()) for name in ("postgres", "nats")]
    print("answer", answer, *pids, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await node.shutdown()


with claim_home(Path(sys.argv[1])):
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""
GONE_SECONDS = 20


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a home with a space in its name, in a folder that only we enter."""
    folder = Path(tempfile.mkdtemp(prefix="corrente-home-"))
    yield folder / "my home"
    shutil.rmtree(folder)


def run(home: Path, statement: str) -> tuple[subprocess.Popen[str], str, list[int]]:
    """Start the program; returns it, the answer to the statement and the servers' pids."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home), statement],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    said = []
    for line in program.stdout:
        said.append(line)
        if line.startswith("answer "):
            _, answer, *pids = line.split()
            return program, answer, [int(pid) for pid in pids]
    program.wait()
    raise AssertionError("the program ended before it answered:\n" + "".join(said))


def end(program: subprocess.Popen[str], how: signal.Signals | None) -> None:
    """Kill the program, or let it end in order by closing its input."""
    if how is not None:
        program.send_signal(how)
    program.communicate(timeout=60)


def all_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + GONE_SECONDS
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends them")
def test_servers_end_with_their_killed_program(home: Path) -> None:
    program, _, pids = run(home, "SELECT 1")

    end(program, signal.SIGKILL)

    assert all_gone(pids)


def test_program_that_was_killed_starts_again_with_its_data(home: Path) -> None:
    first, _, _ = run(home, "CREATE TABLE kept AS SELECT 42 AS answer")
    end(first, signal.SIGKILL)

    second, answer, pids = run(home, "SELECT answer FROM kept")  # at once, no matter who still dies
    end(second, None)

    assert answer == "42"
    assert second.returncode == 0
    assert all_gone(pids)


def test_program_and_servers_that_were_all_killed_start_again(home: Path) -> None:
    first, _, pids = run(home, "CREATE TABLE kept AS SELECT 42 AS answer")
    for pid in (first.pid, *pids):
        os.kill(pid, signal.SIGKILL)
    end(first, None)
    assert (home / "postgres" / "postmaster.pid").exists()

    second, answer, _ = run(home, "SELECT answer FROM kept")
    end(second, None)

    assert answer == "42"
    assert second.returncode == 0
