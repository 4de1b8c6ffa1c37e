"""A start function that raises, whatever it raises, is an answer and never a lost error."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import Crash, ExitReason, Failed, GenServer, Killed, Node, Pid, Shutdown, StartFailed
from supervisors import (
    ChildSpec,
    ChildState,
    DynamicSupervisor,
    FailedToStartChild,
    Supervisor,
    start_child,
    which_children,
    worker,
)

ERRORS = [KeyError("raised"), SystemExit(3), asyncio.CancelledError("of something else")]


def failing(error: BaseException) -> ChildSpec:
    async def start(_node: Node) -> Pid:
        await asyncio.sleep(0)
        raise error

    return ChildSpec(id="failing", start=start)


def cause(reason: object) -> object:
    return reason.error if isinstance(reason, Crash) else reason


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "kind", [DynamicSupervisor, lambda: Supervisor([])], ids=["dynamic", "list"]
)
async def test_a_start_that_raises_is_told_to_whoever_asked(
    node: Node, kind: Any, error: BaseException
) -> None:
    supervisor = await node.start(kind())

    with pytest.raises(StartFailed) as caught:
        await start_child(node, supervisor, failing(error))

    assert cause(caught.value.reason) is error
    assert await which_children(node, supervisor) == []
    await node.stop(supervisor, Shutdown())


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_first_start_that_raises_is_the_reason_of_the_supervisor(
    node: Node, error: BaseException
) -> None:
    with pytest.raises(StartFailed) as caught:
        await node.start(Supervisor([failing(error)]))

    assert isinstance(caught.value.reason, Shutdown)
    detail = caught.value.reason.detail
    assert isinstance(detail, FailedToStartChild)
    assert (detail.child, cause(detail.reason)) == ("failing", error)


async def test_a_restart_that_raises_is_logged_and_tried_again(node: Node) -> None:
    failures: list[BaseException] = [KeyError("one"), SystemExit(2)]
    first = True

    class Server(GenServer):
        async def init(self) -> None:
            nonlocal first
            if not first and failures:
                raise failures.pop(0)
            first = False

    supervisor = await node.start(Supervisor([worker("server", Server, name="server")]))
    pid = node.whereis("server")
    assert pid is not None
    with capture_logs() as lines:
        node.exit(pid, Killed())
        while (await which_children(node, supervisor))[0].state is not ChildState.RUNNING:
            await asyncio.sleep(0)

    assert failures == []
    assert [line["event"] for line in lines].count("restart failed") == 2
    await node.stop(supervisor, Shutdown())


async def test_a_supervisor_that_is_killed_while_it_starts_a_child_ends(node: Node) -> None:
    starting, forever = asyncio.Event(), asyncio.Event()

    async def start(_node: Node) -> Pid:
        starting.set()
        await forever.wait()
        raise KeyError

    supervisor = await node.start(Supervisor([]))
    asking = node.loop.create_task(start_child(node, supervisor, ChildSpec(id="slow", start=start)))
    await starting.wait()

    node.exit(supervisor, Killed())
    reasons: list[ExitReason] = []
    outcome = (await asyncio.gather(asking, return_exceptions=True))[0]
    reasons.append(getattr(outcome, "reason", Failed("no answer")))

    assert reasons == [Killed()]
    assert not node.is_alive(supervisor)
