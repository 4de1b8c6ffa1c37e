"""An agent owns a value; functions come to it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from actors import (
    Agent,
    AgentServer,
    CalleeDied,
    CallTimeout,
    Crash,
    Node,
    NoProcess,
    StartFailed,
    UnhandledMessage,
    start_agent,
)


async def test_functions_read_and_replace_the_value(node: Node) -> None:
    agent = await start_agent(node, lambda: 10)

    assert await agent.get(lambda value: value + 1) == 11
    await agent.update(lambda value: value * 2)
    assert await agent.get_and_update(lambda value: (value, value + 5)) == 20
    assert await agent.get(lambda value: value) == 25


async def test_functions_run_in_the_process_of_the_agent(node: Node) -> None:
    agent = await start_agent(node, dict)

    assert await agent.get(lambda _: node.current_pid()) == agent.target


async def test_no_update_is_lost_between_many_callers(node: Node) -> None:
    agent = await start_agent(node, int)

    async def count() -> None:
        for _ in range(20):
            await agent.update(lambda value: value + 1)

    pids = [node.spawn(count) for _ in range(50)]
    await asyncio.gather(*(node.join(pid) for pid in pids))

    assert await agent.get(lambda value: value) == 1_000


async def test_a_function_that_raises_ends_the_agent_and_tells_the_caller(node: Node) -> None:
    agent = await start_agent(node, lambda: 0)

    with pytest.raises(CalleeDied) as caught, capture_logs():
        await agent.update(lambda value: 1 // value)

    assert isinstance(caught.value.reason, Crash)
    assert isinstance(caught.value.reason.error, ZeroDivisionError)
    with pytest.raises(NoProcess):
        await agent.get(lambda value: value)


async def test_a_first_value_that_cannot_be_made_fails_the_start(node: Node) -> None:
    with pytest.raises(StartFailed), capture_logs():
        await start_agent(node, lambda: 1 // 0)


async def test_an_agent_is_found_by_its_name_after_it_was_started_again(node: Node) -> None:
    agent = await start_agent(node, list[int], name="numbers")
    await agent.update(lambda value: [*value, 1])
    await node.stop("numbers")

    await node.start(AgentServer(list[int]), name="numbers")

    assert await agent.get(len) == 0
    assert await Agent[list[int]](node, "numbers").get(len) == 0


async def test_an_agent_that_is_busy_costs_the_caller_its_deadline_only(node: Node) -> None:
    agent = await start_agent(node, int)

    with pytest.raises(CallTimeout):
        await agent.get(lambda value: value, timeout_ms=0)


async def test_an_agent_takes_functions_only(node: Node) -> None:
    agent = await start_agent(node, int)

    with pytest.raises(CalleeDied) as caught, capture_logs():
        await node.call(agent.target, "value")

    assert isinstance(caught.value.reason, Crash)
    assert isinstance(caught.value.reason.error, UnhandledMessage)
