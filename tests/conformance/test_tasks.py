"""Case 33: tasks, as `task_test.exs` and `task/supervisor_test.exs` have them."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from actors import (
    CalleeDied,
    CallTimeout,
    Crash,
    Done,
    Killed,
    Node,
    NotOwner,
    start_task,
)
from supervisors import (
    TIMED_OUT,
    TaskSupervisor,
    TooManyChildren,
    count_children,
    start_supervised_task,
    stream,
)


async def forever() -> None:
    await asyncio.Event().wait()


async def crash() -> None:
    raise KeyError


async def five() -> int:
    return 5


async def in_process(node: Node, body: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a body as a process; its value, or the reason of its end."""
    values: list[Any] = []

    async def run() -> None:
        values.append(await body())

    reason = await node.join(node.spawn(run))
    return values[0] if values else reason


async def test_33_a_task_gives_its_value(node: Node) -> None:
    assert await start_task(node, five).result() == 5


async def test_33_a_task_that_is_not_linked_crashes_alone(node: Node) -> None:
    async def body() -> object:
        task = await start_supervised_task(node, supervisor, crash)
        return await task.poll(timeout_ms=1_000)

    supervisor = await node.start(TaskSupervisor())
    reason = await in_process(node, body)

    assert isinstance(reason, Crash)
    assert isinstance(reason.error, KeyError)
    assert node.is_alive(supervisor)


@pytest.mark.parametrize("supervised", [True, False])
async def test_33_a_linked_task_takes_its_owner_along(node: Node, *, supervised: bool) -> None:
    supervisor = await node.start(TaskSupervisor())

    async def body() -> None:
        if supervised:
            await start_supervised_task(node, supervisor, crash, link=True)
        else:
            start_task(node, crash)
        await forever()

    reason = await in_process(node, body)

    assert isinstance(reason, Crash)
    assert isinstance(reason.error, KeyError)


async def test_33_only_the_owner_may_wait(node: Node) -> None:
    async def body() -> None:
        await task.result()

    task = start_task(node, five)
    reason = await in_process(node, body)

    assert isinstance(reason, Crash)
    assert isinstance(reason.error, NotOwner)


async def test_33_poll_gives_none_yet_and_shutdown_ends_it(node: Node) -> None:
    task = start_task(node, forever)

    assert await task.poll(timeout_ms=10) is None
    assert await task.shutdown() is None

    assert not node.is_alive(task.pid)
    with pytest.raises(CalleeDied):
        await task.result()


async def test_33_shutdown_still_gives_a_value_that_is_there(node: Node) -> None:
    task = start_task(node, five)
    await node.join(task.pid)

    assert await task.shutdown() == Done(5)


async def test_33_result_fails_with_the_reason_or_in_time(node: Node) -> None:
    slow = start_task(node, forever)

    with pytest.raises(CallTimeout):
        await slow.result(timeout_ms=10)
    slow.kill()
    with pytest.raises(CalleeDied) as caught:
        await slow.result()

    assert caught.value.reason == Killed()


async def test_33_a_full_supervisor_refuses_in_the_caller(node: Node) -> None:
    supervisor = await node.start(TaskSupervisor(max_children=1))
    task = await start_supervised_task(node, supervisor, forever)

    with pytest.raises(TooManyChildren):
        await start_supervised_task(node, supervisor, five)

    await task.shutdown()
    assert (await count_children(node, supervisor)).specs == 0


async def nap(ms: int) -> int:
    await asyncio.sleep(ms / 1000)
    return ms


async def test_33_a_stream_keeps_the_order_and_kills_the_late(node: Node) -> None:
    items = stream(node, nap, [30, 1, 300], concurrency_max=3, timeout_ms=100, kill_late=True)

    assert [value async for value in items] == [30, 1, TIMED_OUT]
    assert node.processes() == []


async def test_33_a_stream_that_is_left_early_leaves_nothing_running(node: Node) -> None:
    async with contextlib.aclosing(
        stream(node, nap, [1, 5_000, 5_000], concurrency_max=2)
    ) as items:
        async for value in items:
            assert value == 1
            break

    assert node.processes() == []
