"""Server programs as children: real ones, small, in Python."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog

from actors import Crash, Killed, Node, Pid, Shutdown, StartFailed
from supervisors import (
    GetOsPid,
    OsProcess,
    OsProcessFailed,
    OsProcessSpec,
    RunAs,
    Supervisor,
    Within,
    launch_argv,
    worker,
)

SERVER = """
import os, signal, socket, sys, time
print("hello from", os.getpid(), flush=True)
print("trouble", file=sys.stderr, flush=True)
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listener.accept()[0].close()
"""
LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="Linux offers it alone")
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def server_spec(port: int, *extra: str, **options: Any) -> OsProcessSpec:
    async def ready() -> bool:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await writer.wait_closed()
        return True

    options.setdefault("argv", [sys.executable, "-S", "-c", SERVER, str(port), *extra])
    return OsProcessSpec(name="server", ready=ready, **options)


async def start(node: Node, spec: OsProcessSpec) -> tuple[Pid, psutil.Process]:
    pid = await node.start(OsProcess(spec), name="server")
    return pid, psutil.Process(await node.call(pid, GetOsPid()))


def is_running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


async def gone(process: psutil.Process, within_ms: int = 5_000) -> bool:
    for _ in range(within_ms // 10):
        if not is_running(process):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_start_waits_until_the_program_answers_and_stop_ends_it(
    node: Node, port: int
) -> None:
    with structlog.testing.capture_logs() as logs:
        pid, process = await start(node, server_spec(port))
        assert is_running(process)

        await node.stop(pid, Shutdown())

    assert not is_running(process)
    lines = [entry["line"] for entry in logs if entry["event"] == "server output"]
    assert sorted(lines) == [f"hello from {process.pid}", "trouble"]


async def test_program_that_ends_is_restarted_by_the_supervisor(node: Node, port: int) -> None:
    spec = server_spec(port)
    supervisor = await node.start(Supervisor([worker("s", lambda: OsProcess(spec), name="server")]))
    before = node.whereis("server")
    first = psutil.Process(await node.call("server", GetOsPid()))

    first.kill()
    reason = await node.join(before)
    while (pid := node.whereis("server")) in {None, before}:
        await asyncio.sleep(0.01)
    second = await node.call(pid, GetOsPid())

    assert isinstance(reason, Crash)
    assert isinstance(reason.error, OsProcessFailed)
    assert reason.error.exit_code == -signal.SIGKILL
    assert second != first.pid
    await node.stop(supervisor, Shutdown())
    assert not psutil.pid_exists(second)


@pytest.mark.parametrize("how", ["deaf", "stopped"])
async def test_program_that_does_not_stop_is_killed(node: Node, port: int, how: str) -> None:
    pid, process = await start(node, server_spec(port, how, stop_timeout_ms=100))
    if how == "stopped":
        process.suspend()

    await node.stop(pid, Shutdown())

    assert not is_running(process)


async def test_kill_of_the_process_kills_the_program(node: Node, port: int) -> None:
    pid, process = await start(node, server_spec(port, "deaf"))

    node.exit(pid, Killed())

    assert await gone(process)


async def test_what_the_program_started_dies_with_it(node: Node, port: int) -> None:
    family = ["sh", "-c", 'sleep 60 & "$@"', "sh", sys.executable, "-S", "-c", SERVER, str(port)]
    pid, process = await start(node, server_spec(port, argv=family))
    members = process.children(recursive=True)
    assert len(members) == 2

    await node.stop(pid, Shutdown())

    assert [await gone(member) for member in members] == [True, True]


async def test_program_that_ends_at_start_fails_the_start(node: Node, port: int) -> None:
    argv = [sys.executable, "-S", "-c", "print('no luck'); raise SystemExit(3)"]

    with pytest.raises(StartFailed) as caught:
        await start(node, server_spec(port, argv=argv))

    error = caught.value.reason.error
    assert (error.name, error.exit_code) == ("server", 3)
    assert "no luck" in error.problem


async def test_program_that_is_missing_fails_the_start(node: Node, port: int) -> None:
    with pytest.raises(StartFailed) as caught:
        await start(node, server_spec(port, argv=["/nowhere/server"]))

    assert isinstance(caught.value.reason.error, OsProcessFailed | FileNotFoundError)


async def test_program_that_never_answers_is_killed_in_time(node: Node, port: int) -> None:
    argv = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]

    with pytest.raises(StartFailed) as caught:
        await start(node, server_spec(port, argv=argv, ready_timeout_ms=300))

    assert "300 ms" in caught.value.reason.error.problem


async def test_a_line_longer_than_any_buffer_is_logged_in_pieces(node: Node, port: int) -> None:
    noisy = [sys.executable, "-S", "-c", f"print('x' * 100_000, flush=True)\n{SERVER}", str(port)]

    with structlog.testing.capture_logs() as logs:
        pid, _ = await start(node, server_spec(port, argv=noisy))
        await node.stop(pid, Shutdown())

    lines = [entry["line"] for entry in logs if entry["event"] == "server output"]
    assert sum(line.count("x") for line in lines) == 100_000


async def test_environment_and_folder_are_those_of_the_spec(
    node: Node, port: int, tmp_path: Path
) -> None:
    _, process = await start(node, server_spec(port, env={"ONLY": "this"}, cwd=tmp_path))

    assert process.environ().get("ONLY") == "this"
    assert "HOME" not in process.environ()
    assert process.cwd() == str(tmp_path)


PARENT = """
import asyncio, sys
from actors import Node
from supervisors import GetOsPid, OsProcess, OsProcessSpec

async def ready():
    return True

async def main():
    node = Node()
    argv = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    from pathlib import Path
    spec = OsProcessSpec(name="s", argv=argv, ready=ready, pid_file=Path(sys.argv[1]))
    pid = await node.start(OsProcess(spec))
    print("child", await node.call(pid, GetOsPid()), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def parent_and_child(pid_file: Path) -> tuple[subprocess.Popen[str], psutil.Process]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(pid_file)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    for line in parent.stdout:
        if line.startswith("child "):
            return parent, psutil.Process(int(line.split()[1]))
    raise AssertionError("the parent did not start")


@LINUX_ONLY
async def test_program_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent, child = parent_and_child(tmp_path / "pid")

    with parent:
        parent.kill()

    assert await gone(child)


async def test_a_leftover_of_an_earlier_run_is_stopped_first(
    node: Node, port: int, tmp_path: Path
) -> None:
    path = tmp_path / "server.pid"
    spec = server_spec(port, pid_file=path)
    _, first = await start(node, spec)

    second_node = Node("second")
    pid = await second_node.start(OsProcess(spec))
    second = await second_node.call(pid, GetOsPid())

    assert not is_running(first)
    assert path.read_text().splitlines()[0] == str(second)
    await second_node.shutdown()
    assert not path.exists()


async def test_a_recycled_pid_is_never_touched(node: Node, port: int, tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    with subprocess.Popen(["sleep", "60"]) as stranger:
        path.write_text(f"{stranger.pid}\nstarted another day\nsleep\n")

        await start(node, server_spec(port, pid_file=path))

        assert stranger.poll() is None
        stranger.kill()


@ROOT_ONLY
async def test_run_as_changes_user_and_group_for_good(node: Node, port: int) -> None:
    run_as = RunAs(uid=65534, gid=65534, keep_dac_override=True)  # Python may live below /root
    _, process = await start(node, server_spec(port, run_as=run_as))

    assert set(process.uids()) == {65534}
    assert set(process.gids()) == {65534}
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "Groups:\t65534" in status


@ROOT_ONLY
@LINUX_ONLY
@pytest.mark.parametrize("keeps", [True, False])
async def test_run_as_enters_a_folder_of_root_only_with_the_capability(
    tmp_path: Path, *, keeps: bool
) -> None:
    secret = tmp_path / "only root"
    secret.mkdir(mode=0o700)
    (secret / "file").write_text("inside")
    run_as = RunAs(uid=65534, gid=65534, keep_dac_override=keeps)

    command = launch_argv(["cat", str(secret / "file")], run_as)
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.stdout == "inside") == keeps


@ROOT_ONLY
@LINUX_ONLY
async def test_run_as_still_dies_with_its_parent() -> None:
    starter = textwrap.dedent(
        """
        import subprocess, sys, time
        from supervisors import RunAs, launch_argv
        run_as = RunAs(uid=65534, gid=65534, keep_dac_override=True)
        child = subprocess.Popen(launch_argv(["sleep", "60"], run_as))
        print(child.pid, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        while child.cmdline()[:1] != ["sleep"]:
            await asyncio.sleep(0.01)
        parent.kill()

    assert await gone(child)


def test_the_launcher_gives_up_when_the_parent_is_already_dead() -> None:
    argv = launch_argv(["echo", "orphan"])
    if argv == ["echo", "orphan"]:
        pytest.skip("no launcher on this system")
    argv[4] = "1"  # somebody else's child

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert done.stdout == ""


def test_a_child_spec_may_outlast_the_stop_of_the_program() -> None:
    child = worker("s", lambda: OsProcess(server_spec(1)), shutdown=Within(15_000))

    assert child.shutdown.ms > server_spec(1).stop_timeout_ms
