"""An error in code that the runtime calls is never lost: log, event, and whoever waits."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import (
    CalleeDied,
    Crash,
    Down,
    Exit,
    ExitReason,
    Failed,
    From,
    GenServer,
    Killed,
    Node,
    Pid,
    Reply,
    StartFailed,
    start_task,
)


class Wrong(Exception):
    """What everything here raises."""


class Watcher(GenServer):
    """Links to and monitors whom it is told to; keeps what it hears."""

    trap_exit = True

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def handle_call(self, request: Pid, _sender: From) -> Reply:
        self.node.link(request)
        return Reply(self.node.monitor(request))

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)


class Breaking(GenServer):
    """Raises where it is told to."""

    trap_exit = True

    def __init__(self, where: str, error: BaseException) -> None:
        self.where = where
        self.error = error

    async def init(self) -> None:
        self.reach("init")

    async def handle_call(self, request: Any, _sender: From) -> Reply:
        self.reach("call")
        return Reply(request)

    async def handle_cast(self, _message: Any) -> None:
        self.reach("cast")

    async def handle_info(self, _message: Any) -> None:
        self.reach("info")

    async def terminate(self, _reason: ExitReason) -> None:
        self.reach("terminate")

    def reach(self, where: str) -> None:
        if where == self.where:
            raise self.error


@pytest.fixture
def events(node: Node) -> list[tuple[Any, ...]]:
    seen: list[tuple[Any, ...]] = []
    for event in (
        ("process", "exit"),
        ("process", "release", "failure"),
        ("process", "watcher", "failure"),
        ("telemetry", "handler", "failure"),
    ):
        node.telemetry.attach(event, lambda *parts: seen.append(parts))
    return seen


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


ERRORS = pytest.mark.parametrize("error", [Wrong(), SystemExit(3), GeneratorExit()], ids=repr)


async def ended(node: Node, pid: Pid, action: Any) -> tuple[list[Any], ExitReason]:
    """Watch a process, do what ends it, and give what its peer heard and the reason."""
    watcher = Watcher()
    watching = await node.start(watcher)
    await node.call(watching, pid)
    joining = node.loop.create_task(node.join(pid))
    await asyncio.sleep(0)
    action()
    reason = await joining
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    heard, watcher.heard = watcher.heard, []
    await node.stop(watching)
    return heard, reason


def raised(reason: object) -> BaseException:
    assert isinstance(reason, Crash), reason
    return reason.error


@ERRORS
@pytest.mark.parametrize("where", ["cast", "info", "terminate"])
async def test_a_callback_that_raises_is_heard_of_everywhere(
    node: Node, events: list[Any], logs: list[Any], where: str, error: BaseException
) -> None:
    pid = await node.start(Breaking(where, error))
    stopping: list[asyncio.Task[None]] = []

    def act() -> None:
        if where == "terminate":
            stopping.append(node.loop.create_task(node.stop(pid)))
        else:
            getattr(node, {"cast": "cast", "info": "send"}[where])(pid, "go")

    heard, reason = await ended(node, pid, act)
    outcomes = await asyncio.gather(*stopping, return_exceptions=True)

    assert raised(reason) is error
    assert [type(notice) for notice in heard] == [Exit, Down]
    assert all(notice.reason == reason for notice in heard)
    assert all(isinstance(outcome, CalleeDied) for outcome in outcomes)
    assert [line["pid"] for line in logs if line["log_level"] == "error"] == [str(pid)]
    ends = [about for event, _, about in events if event == ("process", "exit")]
    assert ends[0]["pid"] == pid
    assert ends[0]["reason"] == "Crash"


@ERRORS
async def test_an_init_that_raises_is_the_answer_of_the_start(
    node: Node, events: list[Any], logs: list[Any], error: BaseException
) -> None:
    with pytest.raises(StartFailed) as caught:
        await node.start(Breaking("init", error), name="broken")

    assert raised(caught.value.reason) is error
    assert node.whereis("broken") is None
    assert [line["process"] for line in logs] == ["broken"]
    assert [about["reason"] for _, _, about in events] == ["Crash"]


@ERRORS
async def test_a_spawned_body_that_raises_is_heard_of_everywhere(
    node: Node, events: list[Any], logs: list[Any], error: BaseException
) -> None:
    go = asyncio.Event()

    async def body() -> None:
        await go.wait()
        raise error

    pid = node.spawn(body)
    heard, reason = await ended(node, pid, go.set)

    assert raised(reason) is error
    assert [type(notice) for notice in heard] == [Exit, Down]
    assert [line["pid"] for line in logs] == [str(pid)]
    assert events[0][2]["reason"] == "Crash"


async def test_a_task_that_raises_tells_its_owner_and_the_log(node: Node, logs: list[Any]) -> None:
    async def body() -> None:
        raise Wrong

    task = start_task(node, body)

    with pytest.raises(CalleeDied) as caught:
        await task.result()
    assert isinstance(raised(caught.value.reason), Wrong)
    assert [line["pid"] for line in logs] == [str(task.pid)]


async def test_a_task_that_raises_and_is_never_waited_for_is_in_the_log(
    node: Node, events: list[Any], logs: list[Any]
) -> None:
    async def body() -> None:
        raise Wrong

    pid = start_task(node, body).pid
    await node.join(pid)

    assert [line["pid"] for line in logs] == [str(pid)]
    assert [about["reason"] for _, _, about in events] == ["Crash"]


@ERRORS
async def test_a_release_that_raises_does_not_keep_the_others_from_theirs(
    node: Node, events: list[Any], logs: list[Any], error: BaseException
) -> None:
    released: list[str] = []

    def fail() -> None:
        raise error

    pid = await node.start(Watcher(), name="owner")
    for release in (lambda: released.append("before"), fail, lambda: released.append("after")):
        node.on_exit(release, pid=pid)

    heard, reason = await ended(node, pid, lambda: node.exit(pid, Killed()))

    assert released == ["before", "after"]
    assert reason == Killed()
    assert len(heard) == 2
    assert [line["event"] for line in logs] == ["process release failure"]
    failures = [about for event, _, about in events if event[1] == "release"]
    assert [(about["name"], about["error"]) for about in failures] == [("owner", error)]


async def test_a_watcher_that_raises_does_not_keep_the_others_in_the_dark(
    node: Node, events: list[Any], logs: list[Any]
) -> None:
    pid = await node.start(Watcher())
    error = Wrong()

    def fail(_reason: ExitReason) -> None:
        raise error

    node.watch(pid, fail)
    heard, _ = await ended(node, pid, lambda: node.exit(pid, Killed()))

    assert len(heard) == 2
    assert [line["event"] for line in logs] == ["process watcher failure"]
    assert [about["error"] for event, _, about in events if event[1] == "watcher"] == [error]


@ERRORS
async def test_a_telemetry_handler_that_raises_is_detached_and_told(
    node: Node, events: list[Any], logs: list[Any], error: BaseException
) -> None:
    def fail(*_event: object) -> None:
        raise error

    node.telemetry.attach(("genserver", "call", "stop"), fail)
    pid = await node.start(Breaking("nowhere", error))

    assert [await node.call(pid, number) for number in (1, 2)] == [1, 2]

    assert [about["error"] for event, _, about in events if event[0] == "telemetry"] == [error]
    assert [line["event"] for line in logs] == ["telemetry handler detached"]


async def test_a_handler_of_the_failure_event_that_fails_too_ends_there(node: Node) -> None:
    def fail(*_event: object) -> None:
        raise Wrong

    node.telemetry.attach(("a", "b"), fail)
    node.telemetry.attach(("telemetry", "handler", "failure"), fail)

    with capture_logs() as lines:
        node.telemetry.execute(("a", "b"), {}, {})

    assert len(lines) == 2


async def test_a_kill_in_a_finally_that_waits_is_told_at_once(node: Node) -> None:
    """The rest of the finally runs as a zombie: nothing it does has an effect."""
    in_finally, go_on, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
    watcher = Watcher()
    other = await node.start(watcher)

    class Tidy(GenServer):
        async def handle_cast(self, _message: Any) -> None:
            try:
                raise Wrong
            finally:
                in_finally.set()
                try:
                    await go_on.wait()
                except asyncio.CancelledError:
                    await go_on.wait()
                self.node.send(other, "from the grave")
                over.set()

    pid = await node.start(Tidy())
    node.cast(pid, "go")
    await in_finally.wait()
    joining = node.loop.create_task(node.join(pid))
    await asyncio.sleep(0)

    node.exit(pid, Killed())
    assert await joining == Killed()
    go_on.set()
    await over.wait()
    await asyncio.sleep(0)

    assert watcher.heard == []


async def test_a_kill_in_terminate_ends_it_there(node: Node, logs: list[Any]) -> None:
    in_terminate = asyncio.Event()

    class Slow(GenServer):
        async def terminate(self, _reason: ExitReason) -> None:
            in_terminate.set()
            await asyncio.Event().wait()

    pid = await node.start(Slow())
    stopping = node.loop.create_task(node.stop(pid, Failed("enough")))
    await in_terminate.wait()

    node.exit(pid, Killed())

    with pytest.raises(CalleeDied) as caught:
        await stopping
    assert caught.value.reason == Killed()
    assert logs == []
