"""Real servers and the check that every test cleans up after itself.

`node` is a runtime on the test's own event loop, `postgres_server` a PostgreSQL of this test
run (one per worker), `postgres_dsn` an empty database in it. Whatever a test leaves behind —
task, thread, child process, open file or socket — fails that test by name.
"""

import asyncio
import contextlib
import fcntl
import gc
import inspect
import itertools
import os
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.postgres import Executables, PostgresServer, initialise

LEAK_GRACE_SECONDS = 1.5
TASK_GRACE_TURNS = 20

SERVER = pytest.StashKey[PostgresServer]()


@pytest.fixture
async def node() -> AsyncIterator[object]:
    """Run an `actors.Node` on the test's loop; whatever is left in it is shut down at the end."""
    from actors import Node

    node = Node("test")
    before = set(runtime_timers())
    yield node
    await node.shutdown()
    deadline = time.monotonic() + LEAK_GRACE_SECONDS
    while (left := set(runtime_timers()) - before) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)  # the watch over something that does not end is no leak yet
    if left:
        pytest.fail("left behind: " + "; ".join(sorted(map(repr, left))), pytrace=False)


def runtime_timers() -> Iterator[asyncio.TimerHandle]:
    """Timers of the runtime that will still fire; uvloop does not show its timers."""
    for timer in getattr(asyncio.get_running_loop(), "_scheduled", ()):
        action = getattr(timer._callback, "func", timer._callback)
        if not timer.cancelled() and getattr(action, "__module__", "").startswith("actors"):
            yield timer


@pytest.fixture(scope="session")
def postgres_server(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresServer]:
    """Run one PostgreSQL for this worker, durable settings on, in a folder of its own.

    The folder lies directly in the temporary directory: a unix socket path has about a hundred
    bytes, and pytest's own folders are closed to the user that PostgreSQL runs as.
    """
    executables = Executables.find()
    folder = Path(tempfile.mkdtemp(prefix="corrente-pg-"))
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    try:
        copy_template(executables, shared, folder)
        server = PostgresServer(executables, folder)
        pytestconfig.stash[SERVER] = server
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder)


def copy_template(executables: Executables, shared: Path, folder: Path) -> None:
    """Fill `folder` from a data directory that the first worker of the run has initialised."""
    template = shared / "postgres-template"
    with (shared / "postgres-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            initialise(executables, folder)
            shutil.copytree(folder / "data", template, symlinks=True)
            return
    shutil.copytree(template, folder / "data", symlinks=True)


DATABASES = itertools.count(1)


@pytest.fixture
def postgres_dsn(postgres_server: PostgresServer) -> Iterator[str]:
    """Create an empty database for one test and drop it afterwards, whoever is still connected."""
    if not postgres_server.is_running():  # the test before killed it and left it so
        postgres_server.start()
    name = f"test_{next(DATABASES)}"
    postgres_server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield postgres_server.dsn(name)
    if not postgres_server.is_running():
        postgres_server.start()
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> str:
    """Name of a database with all tables, made once: migrating takes longer than most tests."""
    from ledger import migrate

    postgres_server.execute("CREATE DATABASE migrated TEMPLATE template0")
    asyncio.run(migrate(postgres_server.dsn("migrated")))
    return "migrated"


@pytest.fixture
def migrated_dsn(postgres_server: PostgresServer, migrated_template: str) -> Iterator[str]:
    """Create a database with all tables and no rows for one test and drop it afterwards."""
    if not postgres_server.is_running():
        postgres_server.start()
    name = f"test_{next(DATABASES)}"
    postgres_server.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    yield postgres_server.dsn(name)
    if not postgres_server.is_running():
        postgres_server.start()
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test after which a thread, child process, file or socket is left."""
    threads, children, descriptors = set(threading.enumerate()), own_children(), open_descriptors()
    yield
    server = request.config.stash.get(SERVER, None)

    def leaks() -> list[str]:
        allowed = children | ({server.pid} if server is not None and server.is_running() else set())
        return [
            *(f"thread {thread.name}" for thread in threading.enumerate() if thread not in threads),
            *(f"process {describe(pid)}" for pid in own_children() - allowed),
            *(f"descriptor {name}" for name in new_descriptors(descriptors)),
        ]

    left = settled(leaks)
    if left:
        pytest.fail("left behind: " + "; ".join(sorted(left)), pytrace=False)


@pytest.fixture(autouse=True)
def no_task_left_behind(nothing_left_behind: None, request: pytest.FixtureRequest) -> None:
    """Check the tasks of asynchronous tests, and make no event loop for the others.

    Apart from `nothing_left_behind`, which must end after the loop does, with its threads.
    """
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("no_task_left_in_loop")


@pytest.fixture
async def no_task_left_in_loop() -> AsyncIterator[None]:
    """Fail a test after which an asyncio task of its loop is still running."""
    before = asyncio.all_tasks()
    yield
    for _ in range(TASK_GRACE_TURNS):
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
        if not left:
            return
        await asyncio.sleep(0)
    pytest.fail("left behind: " + "; ".join(sorted(map(repr, left))), pytrace=False)


def settled(leaks: Callable[[], list[str]]) -> list[str]:
    """Ask again for a while: a closing socket or an ending thread is no leak yet."""
    left = leaks()
    deadline = time.monotonic() + LEAK_GRACE_SECONDS
    while left and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
        left = leaks()
    return left


def own_children() -> set[int]:
    """Pids of our direct children; from /proc where it lists them, which reads 1 file, not all."""
    tasks = Path("/proc/self/task")
    try:
        return {int(p) for task in tasks.iterdir() for p in (task / "children").read_text().split()}
    except OSError:
        return {child.pid for child in psutil.Process().children()}


def describe(pid: int) -> str:
    with contextlib.suppress(psutil.Error):
        return f"{pid} {' '.join(psutil.Process(pid).cmdline())}"
    return str(pid)


def open_descriptors() -> dict[int, str]:
    """Map each open descriptor of this process to what it is open on."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"  # noqa: PTH112
    found = {}
    for number in os.listdir(folder):  # noqa: PTH208 - a Path per descriptor per test is slow
        try:
            found[int(number)] = os.readlink(f"{folder}/{number}")  # noqa: PTH115
        except OSError:
            with contextlib.suppress(OSError):
                os.fstat(int(number))
                found[int(number)] = "open"
    return found


def new_descriptors(before: dict[int, str]) -> list[str]:
    """Name what is open now and was not; a number that means something else now counts too."""
    now = open_descriptors()
    new = {number: name for number, name in now.items() if before.get(number) != name}
    sockets: dict[int, str] = {}
    if any(name.startswith("socket:") for name in new.values()):
        with contextlib.suppress(psutil.Error):
            connections = psutil.Process().net_connections("all")
            sockets = {each.fd: f"{each.status} {each.laddr}" for each in connections}
    return [f"{number} {name} {sockets.get(number, '')}".strip() for number, name in new.items()]
