"""Cases 16 and 17: dynamic supervisors, as `dynamic_supervisor_test.exs` has them."""

import time
from typing import Any

import pytest

from actors import (
    BadReturnValue,
    Failed,
    Ignore,
    Killed,
    Node,
    NoProcess,
    Shutdown,
    StartFailed,
    StopInit,
)
from supervisors import (
    ChildCounts,
    ChildNotFound,
    ChildSpec,
    DynamicSupervisor,
    Restart,
    TooManyChildren,
    Within,
    count_children,
    start_child,
    terminate_child,
    which_children,
)
from tests.conformance.probes import BOOM, Bench, Block, End, Raised


async def raising(_node: Node) -> Any:
    raise KeyError


async def nonsense(_node: Node) -> Any:
    return 42


async def test_16_failures_are_values(bench: Bench) -> None:
    node = bench.node
    bench.plans |= {"e": [StopInit(Failed("found"))], "i": [Ignore()], "r": [Raised]}
    pid = await node.start(DynamicSupervisor(max_children=1))

    assert await start_child(node, pid, bench.spec("i")) is None
    reasons = []
    for spec in (
        bench.spec("e"),
        bench.spec("r"),
        ChildSpec(id="k", start=raising),
        ChildSpec(id="n", start=nonsense),
    ):
        with pytest.raises(StartFailed) as caught:
            await start_child(node, pid, spec)
        reasons.append(caught.value.reason)
    counts = await count_children(node, pid)
    good = await start_child(node, pid, bench.spec("g"))
    with pytest.raises(TooManyChildren):
        await start_child(node, pid, bench.spec("h"))

    assert reasons[0] == Failed("found")
    assert [type(reason.error) for reason in reasons[1:]] == [Raised, KeyError, BadReturnValue]
    assert counts == ChildCounts(0, 0, 0, 0)
    assert node.is_alive(good)


async def test_17_children_are_stopped_at_once(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(DynamicSupervisor())
    for name in "abcde":
        await start_child(node, pid, bench.spec(name, shutdown=Within(300)))
        node.cast(name, Block(5_000))
    await node.clock.sleep_ms(5)

    before = time.monotonic()
    await node.stop(pid, Shutdown())
    took = time.monotonic() - before

    assert 0.3 <= took < 0.45
    assert not [event for event in bench.events if event.startswith("term")]
    assert node.processes() == []


async def test_a_child_is_restarted_alone_and_terminated_by_pid(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(DynamicSupervisor())
    before = [await start_child(node, pid, bench.spec(name)) for name in "ab"]

    await bench.end("a", BOOM, pid)
    await terminate_child(node, pid, before[1])

    assert [child.pid for child in await which_children(node, pid)] == bench.pids("a")
    assert node.whereis("a") not in {None, before[0]}
    with pytest.raises(ChildNotFound):
        await terminate_child(node, pid, before[1])


async def test_restarts_that_fail_are_tried_again_until_the_limit(bench: Bench) -> None:
    node = bench.node
    bench.plans["a"] = [None, *[StopInit(BOOM)] * 10]
    pid = await node.start(DynamicSupervisor(max_restarts=3))
    child = await start_child(node, pid, bench.spec("a"))

    node.cast(child, End(BOOM))

    assert await node.join(pid) == Shutdown()
    assert bench.attempts["a"] == 4


async def test_a_temporary_child_is_forgotten(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(DynamicSupervisor())
    child = await start_child(node, pid, bench.spec("a", restart=Restart.TEMPORARY))

    node.exit(child, Killed())
    counts = await count_children(node, pid)

    assert counts.specs == 0
    assert await node.join(child) == NoProcess()
