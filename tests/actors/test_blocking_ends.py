"""How blocking actors end: crashes, stops, kills, and threads that do not return."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import (
    BlockingActor,
    BlockingServer,
    CalleeDied,
    Crash,
    Down,
    Failed,
    Killed,
    Node,
    NoProcess,
    Normal,
    Shutdown,
    StartFailed,
    UnhandledMessage,
    VirtualClock,
)
from supervisors import Supervisor, worker
from tests.actors.signer import (
    LONG_SECONDS,
    Inbox,
    Record,
    Signer,
    start_signer,
)


@pytest.fixture
def record() -> Iterator[Record]:
    record = Record()
    yield record
    record.gate.set()  # no thread stays blocked, whatever the test did


@pytest.mark.parametrize(
    "error", [LookupError("no key"), SystemExit(1), asyncio.CancelledError(), KeyboardInterrupt()]
)
async def test_error_in_a_handler_ends_the_process_and_its_thread_and_nothing_else(
    node: Node, record: Record, error: BaseException
) -> None:
    other = await start_signer(node, Record())
    pid = await start_signer(node, record, name="signer")

    with pytest.raises(CalleeDied) as caught:
        await node.call(pid, error)

    reason = caught.value.reason
    assert isinstance(reason, Crash)
    assert type(reason.error) is type(error)
    assert "in handle_call" in reason.traceback
    assert node.whereis("signer") is None
    assert record.events == ["start", "stop"]
    assert await node.call(other, 1) == "signed 1"


async def test_stop_iteration_is_a_crash_as_well(node: Node, record: Record) -> None:
    pid = await start_signer(node, record)

    with pytest.raises(CalleeDied) as caught:
        await node.call(pid, StopIteration())

    assert isinstance(caught.value.reason, Crash)


async def test_message_that_the_actor_does_not_know_is_a_crash(node: Node) -> None:
    for operation in ("call", "cast"):
        pid = await node.start(BlockingServer(BlockingActor))
        ended = asyncio.get_running_loop().create_task(node.join(pid))
        await asyncio.sleep(0)
        if operation == "call":
            with pytest.raises(CalleeDied):
                await node.call(pid, 1)
        else:
            node.cast(pid, 1)

        reason = await ended
        assert isinstance(reason, Crash)
        assert isinstance(reason.error, UnhandledMessage)


async def test_start_fails_when_the_actor_does(node: Node, record: Record) -> None:
    class Broken(Signer):
        def on_start(self) -> None:
            super().on_start()
            raise ConnectionError

    with pytest.raises(StartFailed) as caught:
        await node.start(BlockingServer(lambda: Broken(record)), name="signer")

    assert isinstance(caught.value.reason, Crash)
    assert isinstance(caught.value.reason.error, ConnectionError)
    assert node.whereis("signer") is None
    assert record.events == ["start"]


async def test_start_fails_when_there_is_no_thread_to_be_had(
    node: Node, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError(thread.name)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(StartFailed):
            await start_signer(node, record, name="signer")

    assert (node.whereis("signer"), record.events) == (None, [])
    await start_signer(node, record, name="signer")


async def test_start_that_takes_too_long_fails(node: Node, record: Record) -> None:
    class Slow(Signer):
        def on_start(self) -> None:
            super().on_start()
            self.record.gate.wait(LONG_SECONDS)

    with pytest.raises(StartFailed) as caught:
        await node.start(BlockingServer(lambda: Slow(record)), name="signer", timeout_ms=20)

    assert caught.value.reason == Failed("timeout")
    assert node.whereis("signer") is None
    record.gate.set()
    await record.until_threads_ended()


async def test_stop_finishes_what_is_queued_and_tidies_up(node: Node, record: Record) -> None:
    pid = await start_signer(node, record)
    for number in (1, 2):
        node.cast(pid, number)

    await node.stop(pid)

    assert record.events == ["start", 1, 2, "stop"]


async def test_kill_frees_the_name_at_once_and_drops_what_the_thread_still_does(
    node: Node, record: Record
) -> None:
    class Sender(Signer):
        def handle_cast(self, message: Any) -> None:
            super().handle_cast(message)
            self.cast("inbox", "from the dead")
            self.send("inbox", "from the dead")
            self.note("sent")

    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, failure: failures.append(failure))
    inbox = Inbox()
    await node.start(inbox, name="inbox")
    pid = await node.start(BlockingServer(lambda: Sender(record)), name="signer")
    node.cast(pid, "block")
    await record.until_entered()

    node.exit(pid, Killed())

    assert (node.is_alive(pid), node.whereis("signer")) == (False, None)
    with pytest.raises(NoProcess):
        await node.call(pid, 1)
    fresh = Record()
    await start_signer(node, fresh, name="signer")
    record.gate.set()
    await record.until_threads_ended()
    assert await node.call("signer", 1) == "signed 1"
    assert inbox.received.empty()
    assert record.events == ["start", "block", "sent"]
    assert failures == []


async def test_thread_of_a_dead_process_is_reported_until_it_returns(
    node: Node, record: Record
) -> None:
    seen: list[str] = []
    ends = asyncio.Event()

    def notice(event: tuple[str, ...], _measured: object, metadata: Any) -> None:
        seen.append(f"{event[-1]} {metadata['thread']}")
        ends.set()

    for end in ("start", "stop"):
        node.telemetry.attach(("blocking", "zombie", end), notice)
    pid = await start_signer(node, record, name="signer")
    node.cast(pid, "block")
    await record.until_entered()

    with capture_logs() as logs:
        node.exit(pid, Killed())
        await ends.wait()
        ends.clear()
        record.gate.set()
        await ends.wait()

    assert seen == ["start blocking signer", "stop blocking signer"]
    assert [log["event"] for log in logs] == [
        "zombie: the thread of a dead process does not return",
        "zombie: the thread has returned",
    ]
    assert "gate.wait" in logs[0]["stack"]


async def test_thread_that_returns_in_time_is_not_reported(record: Record) -> None:
    clock = VirtualClock()
    node = Node(clock=clock)
    pid = await start_signer(node, record)

    with capture_logs() as logs:
        node.exit(pid, Killed())
        await record.until_threads_ended()
        await clock.advance(10_000)

    assert logs == []
    await node.shutdown()


async def test_watchers_and_linked_processes_hear_of_its_end(node: Node, record: Record) -> None:
    inbox = Inbox()
    watcher = await node.start(inbox)
    pid = await start_signer(node, record)
    await node.call(watcher, lambda node: node.monitor(pid))
    await node.call(watcher, lambda node: node.link(pid))

    node.cast(pid, LookupError())

    ends = [await inbox.received.get() for _ in range(2)]
    assert {type(end).__name__ for end in ends} == {"Down", "Exit"}
    assert all(isinstance(end.reason.error, LookupError) for end in ends)
    assert [end.process for end in ends if isinstance(end, Down)] == [pid]


@pytest.mark.parametrize("reason", [Failed("gone"), Shutdown(), Killed()])
async def test_it_ends_tidily_with_a_linked_process(
    node: Node, record: Record, reason: Any
) -> None:
    pid = await start_signer(node, record)
    peer = await node.start(Inbox())
    await node.call(peer, lambda node: node.link(pid))
    ended = asyncio.get_running_loop().create_task(node.join(pid))
    await asyncio.sleep(0)

    if reason == Killed():
        node.exit(peer, reason)
    else:
        await node.stop(peer, reason)

    assert await ended == reason
    assert record.events == ["start", "stop"]


async def test_linked_process_that_ends_well_does_not_end_it(node: Node, record: Record) -> None:
    pid = await start_signer(node, record)
    peer = await node.start(Inbox())
    await node.call(peer, lambda node: node.link(pid))

    await node.stop(peer, Normal())

    assert await node.call(pid, 1) == "signed 1"


async def test_supervisor_restarts_it_and_stops_it(node: Node, record: Record) -> None:
    signer = worker("signer", lambda: BlockingServer(lambda: Signer(record)), name="signer")
    root = await node.start(Supervisor([signer]))
    first = node.whereis("signer")

    with pytest.raises(CalleeDied):
        await node.call("signer", LookupError())
    while node.whereis("signer") in (None, first):
        await asyncio.sleep(0.001)
    assert await node.call("signer", 1) == "signed 1"
    await node.stop(root, Shutdown())

    assert record.events == ["start", "stop", "start", 1, "stop"]


async def test_error_while_tidying_up_is_the_reason(node: Node) -> None:
    class Untidy(BlockingActor):
        def on_stop(self) -> None:
            raise OSError

    pid = await node.start(BlockingServer(Untidy))

    with pytest.raises(CalleeDied) as caught:
        await node.stop(pid)

    assert isinstance(caught.value.reason, Crash)
    assert isinstance(caught.value.reason.error, OSError)


PROGRAM = """
import asyncio, threading
from actors import BlockingActor, BlockingServer, Killed, Node

gate, entered = threading.Event(), asyncio.Event()

class Stuck(BlockingActor):
    def handle_cast(self, message):
        loop.call_soon_threadsafe(entered.set)
        gate.wait()
        self.cast("nobody", "too late")
        print("returned")

async def main():
    global loop
    loop = asyncio.get_running_loop()
    node = Node()
    pid = await node.start(BlockingServer(Stuck))
    node.cast(pid, "go")
    await entered.wait()
    node.exit(pid, Killed())
    await node.shutdown()

asyncio.run(main())
"""


RETURN = """
gate.set()
while threading.active_count() > 1:
    threading.Event().wait(0.001)
"""


@pytest.mark.parametrize(
    ("before_the_end", "output"),
    [("", "over\n"), (RETURN, "returned\nover\n")],
    ids=["never", "late"],
)
def test_program_ends_when_a_thread_returns_late_or_never(before_the_end: str, output: str) -> None:
    program = PROGRAM + before_the_end + 'print("over")'

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG_SECONDS * 3,
    )

    assert (done.stdout, done.stderr) == (output, "")
