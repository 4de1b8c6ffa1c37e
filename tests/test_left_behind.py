"""The check of conftest.py catches what it promises: each leak here fails its test by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
THREAD = """
import threading

def test_leak():
    threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()
"""
PROCESS = """
import subprocess

def test_leak():
    global kept
    kept = subprocess.Popen(["sleep", "20"])

def teardown_module():
    kept.kill()
    kept.wait()
"""
SOCKET = """
import socket

def test_leak():
    global kept
    kept = socket.create_server(("127.0.0.1", 0))

def teardown_module():
    kept.close()
"""
FILE = """
def test_leak(tmp_path):
    global kept
    kept = (tmp_path / "forgotten.txt").open("w")

def teardown_module():
    kept.close()
"""
TASK = """
import asyncio

async def test_leak():
    global kept
    kept = asyncio.create_task(asyncio.sleep(60), name="forgotten")
"""
TIDY = """
import asyncio

async def test_tidy():
    server = await asyncio.start_server(print, "127.0.0.1", 0)
    async with server:
        await asyncio.to_thread(print)
        await asyncio.create_task(asyncio.sleep(0))
"""
LEAKS = [
    pytest.param(THREAD, "thread forgotten", id="thread"),
    pytest.param(PROCESS, "sleep 20", id="process"),
    pytest.param(SOCKET, "LISTEN addr(ip='127.0.0.1'", id="socket"),
    pytest.param(FILE, "forgotten.txt", id="file"),
    pytest.param(TASK, "Task pending name='forgotten'", id="task"),
]


def run_pytest(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """Run one made-up test file under our conftest and our pytest settings."""
    (folder / "test_made_up.py").write_text(body)
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("-c", str(ROOT / "pyproject.toml"), "--confcutdir", str(folder)),
            *("-p", "tests.conftest", "--basetemp", str(folder / "temp"), str(folder)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST")},
    )


@pytest.mark.parametrize(("body", "named"), LEAKS)
def test_what_a_test_leaves_behind_fails_it_by_name(body: str, named: str, tmp_path: Path) -> None:
    done = run_pytest(tmp_path, body)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "left behind" in done.stdout
    assert named in done.stdout


def test_tidy_test_passes(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, TIDY)

    assert done.returncode == 0, done.stdout + done.stderr
