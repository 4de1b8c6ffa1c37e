"""The tree of a node, and what supervisors report of restarts."""

from typing import Any

import pytest

from actors import Failed, From, GenServer, Node, Pid, Reply, Stop
from supervisors import (
    DynamicSupervisor,
    Restart,
    Strategy,
    Supervisor,
    process_tree,
    start_child,
    supervisor,
    which_children,
    worker,
)


class Worker(GenServer):
    """Ends when it is told to."""

    async def handle_call(self, request: Any, sender: From) -> Reply:
        del sender
        return Reply(await self.node.start(request))

    async def handle_cast(self, message: Any) -> Stop:
        return Stop(message)


def workers(names: str) -> list[Any]:
    return [worker(name, Worker, name=name) for name in names]


async def shown(node: Node) -> list[tuple[int, str]]:
    rows = await process_tree(node)
    names = [
        (row.process.name or row.process.server) if row.process else f"{row.child.id} down"
        for row in rows
        if row.process or row.child
    ]
    return [(row.depth, name) for row, name in zip(rows, names, strict=True)]


async def end(node: Node, name: str) -> None:
    """Crash a worker and wait until its supervisor has dealt with that."""
    old = node.whereis(name)
    assert old is not None
    node.cast(old, Failed("now"))
    await node.join(old)
    while node.whereis(name) in {None, old}:
        await node.clock.sleep_ms(1)
    await process_tree(node)  # asks the supervisor, which answers when it has started all


async def test_children_stand_below_their_supervisor_in_start_order(node: Node) -> None:
    inner = supervisor("inner", workers("de"), name="inner")
    root = Supervisor([*workers("ab"), inner, *workers("c")])
    await node.start(root, name="root")
    await node.call("a", Worker())
    node.spawn(lambda: node.clock.sleep_ms(10_000), name="alone")

    assert await shown(node) == [
        (0, "root"),
        (1, "a"),
        (2, "Worker"),
        (1, "b"),
        (1, "inner"),
        (2, "d"),
        (2, "e"),
        (1, "c"),
        (0, "alone"),
    ]


async def test_a_child_that_is_down_keeps_its_place(node: Node) -> None:
    children = [worker(name, Worker, name=name, restart=Restart.TRANSIENT) for name in "abc"]
    await node.start(Supervisor(children), name="root")

    await node.stop("b")

    assert await shown(node) == [(0, "root"), (1, "a"), (1, "b down"), (1, "c")]


async def test_a_child_that_somebody_else_started_stands_below_its_supervisor(node: Node) -> None:
    async def start(node: Node) -> Pid:
        return await node.start(Worker(), name="lent", link=False)

    from supervisors import ChildSpec

    await node.start(DynamicSupervisor(), name="dynamic")
    await start_child(node, "dynamic", ChildSpec(id="lent", start=start))

    assert await shown(node) == [(0, "dynamic"), (1, "lent")]


async def test_a_chain_longer_than_pythons_stack_is_shown(node: Node) -> None:
    depth = 1_500

    async def grow(left: int) -> None:
        if left:
            node.spawn(lambda: grow(left - 1))
        await node.clock.sleep_ms(60_000)

    node.spawn(lambda: grow(depth - 1))
    while len(node.processes()) < depth:
        await node.clock.sleep_ms(1)

    assert [row.depth for row in await process_tree(node)] == list(range(depth))


@pytest.mark.parametrize(
    ("strategy", "restarts"),
    [
        (Strategy.ONE_FOR_ONE, {"a": 0, "b": 1, "c": 0}),
        (Strategy.REST_FOR_ONE, {"a": 0, "b": 1, "c": 1}),
        (Strategy.ONE_FOR_ALL, {"a": 1, "b": 1, "c": 1}),
    ],
)
async def test_restarts_are_counted_for_every_child_that_is_started_again(
    node: Node, strategy: Strategy, restarts: dict[str, int]
) -> None:
    await node.start(Supervisor(workers("abc"), strategy=strategy), name="root")

    await end(node, "b")

    children = await which_children(node, "root")
    assert {child.id: child.restarts for child in children} == restarts


async def test_restarts_and_the_last_one_are_events_with_child_strategy_and_count(
    node: Node,
) -> None:
    events: list[Any] = []
    for event in (("supervisor", "restart"), ("supervisor", "limit_reached")):
        node.telemetry.attach(
            event,
            lambda event, values, about: events.append((event[1], dict(values), dict(about))),
        )
    options = {"strategy": Strategy.REST_FOR_ONE, "max_restarts": 2, "max_seconds": 60}
    root = await node.start(Supervisor(workers("ab"), **options))

    await end(node, "a")
    await end(node, "b")
    node.cast("a", Failed("once more"))
    await node.join(root)

    told = {"supervisor": root, "strategy": "rest_for_one"}
    assert events == [
        ("restart", {"restarts": 1, "restarts_max": 2}, {**told, "child": "a"}),
        ("restart", {"restarts": 2, "restarts_max": 2}, {**told, "child": "b"}),
        ("limit_reached", {"restarts": 3, "restarts_max": 2}, {**told, "child": "a"}),
    ]


async def test_restarts_of_a_dynamic_supervisor_are_counted_and_reported(node: Node) -> None:
    strategies: list[str] = []
    node.telemetry.attach(
        ("supervisor", "restart"), lambda *event: strategies.append(event[2]["strategy"])
    )
    await node.start(DynamicSupervisor(), name="dynamic")
    await start_child(node, "dynamic", worker("guest", Worker, name="guest"))

    await end(node, "guest")

    (child,) = await which_children(node, "dynamic")
    assert (child.restarts, strategies) == (1, ["one_for_one"])
