"""Blocking actors: code in a thread, behind a process like any other."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import (
    BlockingActor,
    BlockingServer,
    CallTimeout,
    Node,
    Overloaded,
    Pool,
    transaction,
)
from tests.actors.signer import (
    LONG_SECONDS,
    Echo,
    Inbox,
    Record,
    start_signer,
    until_queued,
)


@pytest.fixture
def record() -> Iterator[Record]:
    record = Record()
    yield record
    record.gate.set()  # no thread stays blocked, whatever the test did


async def test_everything_runs_in_one_thread_of_its_own_in_order(
    node: Node, record: Record
) -> None:
    pid = await start_signer(node, record, name="signer")

    assert await node.call("signer", 1) == "signed 1"
    node.cast(pid, 2)
    node.send(pid, 3)
    assert await asyncio.gather(*(node.call(pid, number) for number in (4, 5, 6))) == [
        "signed 4",
        "signed 5",
        "signed 6",
    ]
    await node.stop(pid)

    assert record.events == ["start", 1, 2, ("info", 3), 4, 5, 6, "stop"]
    assert [thread.name for thread in record.threads] == ["blocking signer"]


async def test_actor_is_made_in_its_thread(node: Node) -> None:
    class Slow(BlockingActor):
        def __init__(self) -> None:
            self.made_in = threading.current_thread()

        def handle_call(self, request: Any) -> Any:
            del request
            return self.made_in is threading.current_thread()

    pid = await node.start(BlockingServer(Slow))

    assert await node.call(pid, "same thread?")


async def test_event_loop_answers_others_while_a_handler_blocks(node: Node, record: Record) -> None:
    signer = await start_signer(node, record)
    echo = await node.start(Echo())
    blocked = asyncio.get_running_loop().create_task(node.call(signer, "block", timeout_ms=None))
    await record.until_entered()

    answers = [await node.call(echo, number) for number in range(1_000)]

    assert answers == list(range(1_000))
    assert not blocked.done()
    record.gate.set()
    assert await blocked == "signed block"


async def test_caller_that_waits_no_longer_leaves_the_thread_at_work(
    node: Node, record: Record
) -> None:
    pid = await start_signer(node, record)

    with pytest.raises(CallTimeout):
        await node.call(pid, "block", timeout_ms=20)

    assert node.is_alive(pid)
    assert "block" not in record.events
    record.gate.set()
    assert await node.call(pid, "next") == "signed next"
    assert record.events == ["start", "block", "next"]


async def test_request_whose_deadline_passed_in_the_queue_is_not_run(
    node: Node, record: Record
) -> None:
    pid = await start_signer(node, record)
    node.cast(pid, "block")
    await record.until_entered()

    with pytest.raises(CallTimeout):
        await node.call(pid, "late", timeout_ms=20)
    with pytest.raises(CallTimeout):
        await node.call(pid, "must", timeout_ms=20, must_run=True)
    record.gate.set()
    await node.call(pid, "last")

    assert record.events == ["start", "block", "must", "last"]


async def test_queue_is_bounded(node: Node, record: Record) -> None:
    pid = await start_signer(node, record, mailbox_max=1)
    node.cast(pid, "block")
    await record.until_entered()
    queued = asyncio.get_running_loop().create_task(node.call(pid, "queued"))
    await until_queued(node, pid, 1)

    with pytest.raises(Overloaded):
        await node.call(pid, "too many")

    record.gate.set()
    assert await queued == "signed queued"


async def test_stray_message_is_logged_and_dropped(node: Node) -> None:
    pid = await node.start(BlockingServer(BlockingActor))

    with capture_logs() as logs:
        node.send(pid, "stray")
        await node.stop(pid)

    assert [log["event"] for log in logs] == ["unexpected message"]


async def test_actors_in_a_pool_work_at_the_same_time(node: Node) -> None:
    both = threading.Barrier(2)

    class Meeting(BlockingActor):
        def handle_call(self, request: Any) -> Any:
            del request
            return both.wait(LONG_SECONDS)

    pool = await node.start(Pool(lambda: BlockingServer(Meeting), size=2, max_overflow=0))

    async def meet() -> Any:
        async with transaction(node, pool) as actor:
            return await node.call(actor, "meet", timeout_ms=None)

    assert sorted(await asyncio.gather(meet(), meet())) == [0, 1]
    await node.stop(pool)


async def test_actor_sends_from_its_thread(node: Node) -> None:
    class Sender(BlockingActor):
        def on_start(self) -> None:
            self.cast("inbox", self.pid)

        def handle_cast(self, message: Any) -> None:
            self.send("inbox", message)

    inbox = Inbox()
    await node.start(inbox, name="inbox")
    pid = await node.start(BlockingServer(Sender))
    node.cast(pid, "hello")

    assert await inbox.received.get() == ("cast", pid)
    assert await inbox.received.get() == "hello"
