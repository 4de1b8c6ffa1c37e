"""Cases 30 to 32: registries, groups and tables."""

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from actors import (
    Access,
    AlreadyRegistered,
    AlreadyStarted,
    AmbiguousName,
    Down,
    Failed,
    GenServer,
    GroupJoined,
    GroupLeft,
    Groups,
    Ignore,
    Killed,
    Node,
    NoProcess,
    NoReply,
    NotJoined,
    NotOwner,
    Pid,
    Registered,
    Registry,
    Reply,
    Shutdown,
    StartFailed,
    StartIgnored,
    StopInit,
    Table,
    TableGone,
    TableKind,
    TableTransfer,
    Unregistered,
)
from supervisors import Supervisor, which_children, worker


class Doer(GenServer):
    """Does what it is told, as itself, and keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def handle_call(self, action: Callable[[], Any], sender: Any) -> Reply | NoReply:
        try:
            return Reply(action())
        except Exception as error:  # noqa: BLE001 (it belongs to the test)
            self.node.fail(sender, error)
            return NoReply()

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)


class Doers:
    def __init__(self, node: Node) -> None:
        self.node = node
        self.servers: dict[Pid, Doer] = {}

    async def make(self) -> Pid:
        doer = Doer()
        pid = await self.node.start(doer)
        self.servers[pid] = doer
        return pid

    async def do(self, pid: Pid, action: Callable[[], Any]) -> Any:
        return await self.node.call(pid, action)


@pytest.fixture
def doers(node: Node) -> Doers:
    return Doers(node)


async def test_30_a_unique_key_has_one_process(node: Node, doers: Doers) -> None:
    registry = Registry(node)
    one, other = await doers.make(), await doers.make()

    await doers.do(one, lambda: registry.register("k", "value"))
    for pid in (one, other):
        with pytest.raises(AlreadyRegistered) as caught:
            await doers.do(pid, lambda: registry.register("k"))
        assert caught.value.pid == one

    assert registry.lookup("k") == [(one, "value")]


async def test_30_whoever_hears_down_may_register(node: Node, doers: Doers) -> None:
    registry = Registry(node)
    registered: list[Pid] = []

    class Successor(GenServer):
        async def init(self) -> None:
            self.node.monitor(owner)

        async def handle_info(self, message: Any) -> None:
            assert message == Down(message.ref, owner, Killed())
            registry.register("k")
            registered.append(self.pid)

    for _ in range(500):
        owner = await doers.make()
        await doers.do(owner, lambda: registry.register("k"))
        successor = await node.start(Successor())
        node.exit(owner, Killed())
        while registry.whereis("k") is None:
            await asyncio.sleep(0)
        assert registry.whereis("k") == successor
        await node.stop(successor)

    assert len(set(registered)) == 500
    assert len(registry) == 0


async def test_30_a_lookup_never_finds_the_dead(node: Node, doers: Doers) -> None:
    registry = Registry(node)
    found: list[Any] = []
    owner = await doers.make()
    # Runs while the owner ends, before the registry has heard of it.
    node.on_exit(lambda: found.extend([registry.whereis("k"), *registry.lookup("k")]), pid=owner)
    await doers.do(owner, lambda: registry.register("k"))

    node.exit(owner, Killed())

    assert found == [None]
    with pytest.raises(NoProcess) as caught:
        await node.call(registry.via("k"), "anybody?")
    arrived = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 (our own bytes)
    assert arrived.target == "via a str"


async def test_30_keys_compare_strictly(node: Node, doers: Doers) -> None:
    registry = Registry(node)
    pid = await doers.make()

    for key in (1, 1.0, True):
        await doers.do(pid, lambda key=key: registry.register(key))

    assert len(registry) == 3
    assert registry.whereis(2) is None
    assert [type(key) for key in registry.keys(pid)] == [int, float, bool]


async def test_30_a_server_is_started_and_reached_by_its_key(node: Node) -> None:
    registry = Registry(node)
    doer = Doer()

    pid = await node.start(doer, name=registry.via("k", "value"))

    assert registry.lookup("k") == [(pid, "value")]
    assert node.whereis(registry.via("k")) == pid
    assert await node.call(registry.via("k"), lambda: "called") == "called"
    node.send(registry.via("k"), "sent")
    node.send(registry.via("nobody"), "lost")
    await node.call(pid, lambda: None)
    assert doer.heard == ["sent"]
    await node.stop(registry.via("k"))
    assert len(registry) == 0


async def test_30_a_taken_key_runs_no_init(node: Node, doers: Doers) -> None:
    registry = Registry(node)
    holder = await doers.make()
    await doers.do(holder, lambda: registry.register("k"))
    inits: list[str] = []

    class Late(GenServer):
        async def init(self) -> None:
            inits.append("late")

    with pytest.raises(AlreadyStarted) as caught:
        await node.start(Late(), name=registry.via("k"))

    assert caught.value.pid == holder
    assert inits == []
    assert [info.pid for info in node.processes()] == [holder]


@pytest.mark.parametrize("answer", [Ignore(), StopInit(Failed("why")), KeyError("raised")])
async def test_30_a_start_that_fails_leaves_its_key_free(node: Node, answer: Any) -> None:
    registry = Registry(node)

    class Unwilling(GenServer):
        async def init(self) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    for _ in range(100):
        with pytest.raises((StartIgnored, StartFailed)):
            await node.start(Unwilling(), name=registry.via("k"))

    assert len(registry) == 0


async def test_30_a_supervised_server_keeps_its_key(node: Node) -> None:
    registry = Registry(node)
    supervisor = await node.start(Supervisor([worker("doer", Doer, name=registry.via("k"))]))
    first = registry.whereis("k")
    assert first is not None

    node.exit(first, Killed())
    await which_children(node, supervisor)

    assert registry.whereis("k") not in {None, first}
    await node.stop(supervisor, Shutdown())


async def test_30_listeners_hear_each_entry_come_and_go(node: Node, doers: Doers) -> None:
    registry = Registry(node, listeners=["listener", "nobody"])
    listener, one = Doer(), await doers.make()
    await node.start(listener, name="listener")

    await doers.do(one, lambda: registry.register("a", 1))
    await doers.do(one, lambda: registry.register("b", 2))
    with pytest.raises(AlreadyRegistered):
        await doers.do(one, lambda: registry.register("b", 3))
    await doers.do(one, lambda: registry.unregister("a"))
    await doers.do(one, lambda: registry.unregister("a"))
    node.exit(one, Killed())
    await node.call("listener", lambda: None)

    assert listener.heard == [
        Registered(registry, "a", one, 1),
        Registered(registry, "b", one, 2),
        Unregistered(registry, "a", one),
        Unregistered(registry, "b", one),
    ]


async def test_31_a_duplicate_registry_lists_all(node: Node, doers: Doers) -> None:
    registry = Registry(node, unique=False)
    one, other = await doers.make(), await doers.make()
    for pid, value in ((one, 1), (one, 2), (other, 3)):
        await doers.do(pid, lambda value=value: registry.register("k", value))
    assert registry.lookup("k") == [(one, 1), (one, 2), (other, 3)]

    await doers.do(one, lambda: registry.unregister("k"))

    assert registry.lookup("k") == [(other, 3)]
    dispatched: list[Any] = []
    registry.dispatch("k", dispatched.append)
    registry.dispatch("nobody", dispatched.append)
    assert dispatched == [[(other, 3)]]


async def test_31_a_duplicate_registry_names_nobody(node: Node) -> None:
    with pytest.raises(AmbiguousName):
        Registry(node, unique=False).via("k")


async def test_31_only_the_owner_changes_its_value(node: Node, doers: Doers) -> None:
    registry = Registry(node)
    one, other = await doers.make(), await doers.make()
    await doers.do(one, lambda: registry.register("k", 1))

    assert await doers.do(one, lambda: registry.update("k", 2)) is True
    assert await doers.do(other, lambda: registry.update("k", 3)) is False

    assert registry.lookup("k") == [(one, 2)]


async def test_31_groups_count_memberships(node: Node, doers: Doers) -> None:
    groups = Groups(node)
    pid = await doers.make()
    groups.join("g", pid)
    groups.join("g", pid)

    groups.leave("g", pid)
    assert groups.members("g") == [pid]
    with pytest.raises(NotJoined):
        groups.leave("other", pid)
    node.exit(pid, Killed())

    assert groups.members("g") == []
    assert groups.groups() == []


async def test_31_a_group_monitor_hears_each_change_once(node: Node, doers: Doers) -> None:
    groups = Groups(node)
    watcher, one, two = [await doers.make() for _ in range(3)]
    groups.join("g", one)

    ref, members = await doers.do(watcher, lambda: groups.monitor("g"))
    groups.join("g", two)
    groups.join("elsewhere", two)
    await node.stop(two)
    groups.leave("g", one)
    await doers.do(watcher, lambda: None)

    assert members == [one]
    heard = [GroupJoined(ref, "g", two), GroupLeft(ref, "g", two), GroupLeft(ref, "g", one)]
    assert doers.servers[watcher].heard == heard


async def make_table(doers: Doers, *options: Any, **more: Any) -> tuple[Pid, Table]:
    owner = await doers.make()
    return owner, await doers.do(owner, lambda: Table(doers.node, *options, **more))


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (TableKind.SET, [(1, "b")]),
        (TableKind.ORDERED_SET, [(1, "b")]),
        (TableKind.BAG, [(1, "a"), (1, "b")]),
        (TableKind.DUPLICATE_BAG, [(1, "a"), (1, "a"), (1, "b")]),
    ],
)
async def test_32_kinds_keep_their_rows(doers: Doers, kind: TableKind, rows: list[Any]) -> None:
    owner, table = await make_table(doers, kind)

    await doers.do(owner, lambda: table.insert((1, "a"), (1, "a"), (1, "b")))

    assert table.lookup(1) == rows
    assert len(table) == len(rows)


async def test_32_an_ordered_set_is_in_order_and_one_is_one(doers: Doers) -> None:
    _, table = await make_table(doers, TableKind.ORDERED_SET, access=Access.PUBLIC)
    table.insert((3, "c"), (1, "a"), (2, "b"), (1.0, "A"))

    assert (table.first(), table.next(1), table.next(2.5), table.next(3)) == (1, 2, 3, None)
    assert list(table.rows()) == [(1.0, "A"), (2, "b"), (3, "c")]
    table.delete(1)
    assert table.first() == 2
    _, plain = await make_table(doers, access=Access.PUBLIC)
    plain.insert((1, "a"), (1.0, "A"))
    assert len(plain) == 2


async def test_32_a_protected_table_is_written_by_its_owner(doers: Doers) -> None:
    owner, table = await make_table(doers)
    stranger = await doers.make()
    await doers.do(owner, lambda: table.insert((1, "a")))

    with pytest.raises(NotOwner):
        await doers.do(stranger, lambda: table.insert((1, "b")))

    assert await doers.do(stranger, lambda: table.get(1)) == (1, "a")
    _, private = await make_table(doers, access=Access.PRIVATE)
    with pytest.raises(NotOwner):
        private.lookup(1)


async def test_32_lists_of_rows_are_all_or_none(doers: Doers) -> None:
    _, table = await make_table(doers, access=Access.PUBLIC)
    table.insert((1, "a"))

    assert table.insert_new((2, "b"), (1, "b")) is False
    with pytest.raises(TypeError):
        table.insert((3, "c"), ([], "no key"))

    assert list(table.rows()) == [(1, "a")]


async def test_32_counters_wrap_and_lose_nothing(node: Node, doers: Doers) -> None:
    _, table = await make_table(doers, access=Access.PUBLIC)
    table.insert(("k", 4, "rest"))
    assert table.add_to_counter("k", 5, wrap=(7, 0)) == 0
    assert table.get("k") == ("k", 0, "rest")

    async def count() -> None:
        for _ in range(100):
            table.add_to_counter("n", 1)
            await asyncio.sleep(0)

    pids = [node.spawn(count) for _ in range(100)]
    await asyncio.gather(*(node.join(pid) for pid in pids))

    assert table.get("n") == ("n", 10_000)


async def test_32_a_traversal_sees_what_stays(doers: Doers) -> None:
    _, table = await make_table(doers, access=Access.PUBLIC)
    table.insert(*((number,) for number in range(10)))
    seen = []

    for (number,) in table.rows():
        seen.append(number)
        table.delete(number + 1 if number % 2 == 0 else 100)

    assert seen == [0, 2, 4, 6, 8]


async def test_32_a_table_is_gone_when_down_arrives(node: Node, doers: Doers) -> None:
    owner, table = await make_table(doers, access=Access.PUBLIC)
    joining = node.loop.create_task(node.join(owner))
    await asyncio.sleep(0)

    node.exit(owner, Killed())
    await joining

    with pytest.raises(TableGone):
        table.lookup(1)


async def test_32_an_heir_takes_the_table_over(node: Node, doers: Doers) -> None:
    heir = await doers.make()
    owner, table = await make_table(doers, access=Access.PUBLIC, heir=heir)
    table.insert((1, "a"))

    await node.stop(owner)
    await doers.do(heir, lambda: table.insert((2, "b")))

    assert doers.servers[heir].heard == [TableTransfer(table, owner)]
    assert len(table) == 2
    await node.stop(heir)
    with pytest.raises(TableGone):
        len(table)


async def test_32_a_table_can_be_given_away(node: Node, doers: Doers) -> None:
    owner, table = await make_table(doers)
    other = await doers.make()

    await doers.do(owner, lambda: table.give_away(other))
    await node.stop(owner)

    assert table.owner == other
    await doers.do(other, lambda: table.insert((1, "a")))
    assert len(table) == 1
