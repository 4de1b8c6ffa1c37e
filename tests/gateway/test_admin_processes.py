"""The admin interface: processes as a tree, one of them, and how to kill one."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
import pytest
import structlog
from prometheus_client import CollectorRegistry

from actors import (
    Failed,
    From,
    GenServer,
    Killed,
    Node,
    Pid,
    ProcessState,
    Reply,
    Stop,
    VirtualClock,
)
from gateway import GatewayContext, GatewayMetrics, HttpEndpoint, Tokens, application
from gateway.process_bodies import parse_pid, pid_text
from pix import PixService
from supervisors import DynamicSupervisor, Restart, Supervisor, start_child, supervisor, worker

TENANT = "12345678"
PATH = "/api/v1/admin/processes"
SECRET = "52998224725"


class Worker(GenServer):
    """Counts, and keeps a secret."""

    async def init(self) -> None:
        self.secret = SECRET

    async def handle_call(self, request: Any, sender: From) -> Reply:
        del sender
        return Reply(request)

    async def handle_cast(self, message: Any) -> Stop | None:
        if message == "stop":
            return Stop(Failed("asked"))
        if message == "raise":
            raise ValueError(SECRET)
        await self.node.clock.sleep_ms(message)
        return None


class Late(GenServer):
    """Starts when the gate is opened."""

    def __init__(self, gate: asyncio.Event) -> None:
        self._gate = gate

    async def init(self) -> None:
        await self._gate.wait()


class Interface:
    """A gateway without payments, and a client of it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.tokens = Tokens(b"k" * 32, node.clock)
        self.admin = self.tokens.issue("ana", TENANT, ("admin",), 600)
        self.url = ""
        self._session = aiohttp.ClientSession()

    def endpoint(self) -> HttpEndpoint:
        context = GatewayContext(
            node=self.node,
            pix=cast(PixService, None),
            tokens=self.tokens,
            metrics=GatewayMetrics(CollectorRegistry()),
            missing=lambda: (),
        )
        port = int(self.url.rpartition(":")[2]) if self.url else 0
        return HttpEndpoint(application(context, 10_000), "127.0.0.1", port)

    async def start(self) -> None:
        endpoint = self.endpoint()
        await self.node.start(endpoint)
        self.url = f"http://127.0.0.1:{endpoint.port}"

    async def close(self) -> None:
        await self._session.close()

    async def ask(
        self, method: str, path: str = PATH, token: str | None = None, **query: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.admin if token is None else token}"}
        url = self.url + path
        async with self._session.request(method, url, headers=headers, params=query) as response:
            return response.status, await response.json(content_type=None)

    async def rows(self, **query: Any) -> list[dict[str, Any]]:
        status, answer = await self.ask("GET", **query)
        assert status == 200, answer
        assert answer["node"] == self.node.name
        rows: list[dict[str, Any]] = answer["processes"]
        return rows


@pytest.fixture
async def interface(node: Node) -> AsyncIterator[Interface]:
    interface = Interface(node)
    await interface.start()
    yield interface
    await interface.close()


async def grow(node: Node) -> Pid:
    """A tree of three levels; the last child of the root has ended and stays down."""
    children = [
        worker("first", Worker, name="first"),
        supervisor("inner", [worker("deep", Worker, name="deep")]),
        worker("last", Worker, name="last", restart=Restart.TRANSIENT),
    ]
    root = await node.start(Supervisor(children), name="root")
    await node.stop("last")
    return root


def named(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (row,) = [row for row in rows if name in {row["name"], row["child"]}]
    return row


async def test_the_tree_has_every_process_below_its_supervisor(
    node: Node, interface: Interface
) -> None:
    root = await grow(node)

    rows = await interface.rows()

    tree = [(row["depth"], row["child"], row["server"], row["state"]) for row in rows]
    assert tree == [
        (0, None, "HttpEndpoint", "waiting"),
        (0, None, "Supervisor", "waiting"),
        (1, "first", "Worker", "waiting"),
        (1, "inner", "Supervisor", "waiting"),
        (2, "deep", "Worker", "waiting"),
        (1, "last", "", "down"),
    ]
    assert named(rows, "first")["parent"] == pid_text(root)
    assert named(rows, "first")["links"] == [pid_text(root)]
    assert named(rows, "last")["pid"] is None


async def test_restarts_are_counted_by_child(node: Node, interface: Interface) -> None:
    await grow(node)
    dynamic = await node.start(DynamicSupervisor(), name="dynamic")
    for spec in (worker("guest", Worker, name="guest"), worker("calm", Worker, name="calm")):
        await start_child(node, dynamic, spec)

    for name in ("deep", "deep", "guest"):
        await crash(node, name)

    rows = await interface.rows()
    restarts = {name: named(rows, name)["restarts"] for name in ("first", "deep", "guest", "calm")}
    assert restarts == {"first": 0, "deep": 2, "guest": 1, "calm": 0}


async def crash(node: Node, name: str) -> Pid:
    """End a process and wait until another one has its name."""
    old = node.whereis(name)
    assert old is not None
    node.cast(old, "stop")
    await node.join(old)
    return await successor(node, name, old)


async def successor(node: Node, name: str, old: Pid) -> Pid:
    while (pid := node.whereis(name)) in {None, old}:
        await node.clock.sleep_ms(1)
    assert pid is not None
    return pid


async def test_totals_alone_and_rates_when_it_looks_twice(node: Node, interface: Interface) -> None:
    await grow(node)
    for number in range(5):
        await node.call("first", number)

    once = named(await interface.rows(), "first")
    node.observation.end()
    asking = interface.rows(interval_ms=300)
    rows, *_ = await asyncio.gather(asking, work(node, times=6))

    twice = named(rows, "first")
    assert (once["handled"], once["messages_per_second"]) == (5, None)
    assert twice["handled"] == 11
    assert 0 < twice["messages_per_second"] <= 6 / 0.3
    assert 0 < twice["handler_share"] <= 1
    assert twice["handler_us"] >= 10_000


async def work(node: Node, times: int) -> None:
    """Let the first worker be busy as soon as somebody looks."""
    while not node.observing:
        await node.clock.sleep_ms(1)
    for _ in range(times):
        node.cast("first", 5)


async def test_a_process_alone_has_its_bonds_its_shapes_and_its_latest_crash(
    node: Node, interface: Interface
) -> None:
    await grow(node)
    old = node.whereis("deep")
    assert old is not None
    node.cast(old, "raise")
    pid = await successor(node, "deep", old)
    await node.call(pid, "hello")

    status, answer = await interface.ask("GET", f"{PATH}/{pid_text(pid)}")

    assert status == 200
    assert answer["process"]["child"] == "deep"
    assert answer["process"]["restarts"] == 1
    assert answer["last_message"] == "str"
    assert answer["ancestors"][0] == "root"
    assert answer["status"] == {"secret": "str, 11 characters"}
    crash = answer["crash"]
    assert crash["pid"] == pid_text(old)
    assert crash["reason"].startswith("Crash(ValueError at test_admin_processes.py:")
    assert crash["at"].endswith("Z")
    assert SECRET not in json.dumps(answer)


async def test_a_killed_process_comes_back_and_the_log_says_who_did_it(
    node: Node, interface: Interface
) -> None:
    await grow(node)
    old = node.whereis("deep")
    assert old is not None

    with structlog.testing.capture_logs() as logs:
        status, answer = await interface.ask("DELETE", f"{PATH}/{pid_text(old)}")
        await successor(node, "deep", old)

    assert (status, answer) == (200, {"pid": pid_text(old), "name": "deep"})
    (entry,) = [entry for entry in logs if "killed" in entry["event"]]
    assert (entry["subject"], entry["tenant"], entry["child"]) == ("ana", TENANT, "deep")
    assert entry["correlation_id"]


async def test_a_killed_gateway_comes_back_on_its_port(node: Node) -> None:
    interface = Interface(node)
    await interface.start()
    served = node.processes()[0].pid
    await node.stop(served)
    children = [worker("http", interface.endpoint, name="http")]
    await node.start(Supervisor(children), name="root")
    old = node.whereis("http")
    assert old is not None

    status, _ = await interface.ask("DELETE", f"{PATH}/{pid_text(old)}")

    assert status == 200
    await successor(node, "http", old)
    assert named(await interface.rows(), "http")["restarts"] == 1
    await interface.close()


async def test_a_supervisor_stops_its_children_before_it_is_started_again(
    node: Node, interface: Interface
) -> None:
    class Careful(Worker):
        trap_exit = True

        async def terminate(self, reason: object) -> None:
            del reason
            await self.node.clock.sleep_ms(50)
            ended.append(self.pid)

    ended: list[Pid] = []
    inner = supervisor("inner", [worker("careful", Careful, name="careful")])
    await node.start(Supervisor([inner], max_restarts=1), name="root")
    old = cast(Pid, node.whereis("careful"))

    status, _ = await interface.ask(
        "DELETE", f"{PATH}/{named(await interface.rows(), 'inner')['pid']}"
    )
    await successor(node, "careful", old)

    assert (status, ended) == (200, [old])
    assert named(await interface.rows(), "inner")["restarts"] == 1


async def test_what_nobody_would_start_again_is_not_killed(
    node: Node, interface: Interface
) -> None:
    root = await grow(node)

    status, problem = await interface.ask("DELETE", f"{PATH}/{pid_text(root)}")

    assert (status, problem["code"]) == (409, "not_supervised")
    assert node.is_alive(root)


@pytest.mark.parametrize("role", ["operator", "api_client", "viewer", "compliance"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", PATH), ("GET", f"{PATH}/test.1"), ("DELETE", f"{PATH}/test.1")]
)
async def test_other_roles_are_refused(
    node: Node, interface: Interface, role: str, method: str, path: str
) -> None:
    token = interface.tokens.issue("otto", TENANT, (role,), 600)

    status, problem = await interface.ask(method, path, token)

    assert (status, problem["code"]) == (403, "forbidden")
    assert (await interface.ask(method, path, "none"))[0] == 401
    assert node.observing == 0


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "pid",
    ["test.99", "other.1", "test", "test.x", "test.-1", ".", "test.%D9%A1", "test." + "9" * 40],
)
async def test_a_pid_of_nobody_is_not_found(interface: Interface, method: str, pid: str) -> None:
    status, problem = await interface.ask(method, f"{PATH}/{pid}")

    assert (status, problem["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        *({"interval_ms": "-1"}, {"interval_ms": "10001"}, {"interval_ms": "x"}),
        *({"limit": "0"}, {"limit": "10001"}, {"limit": ""}, {"limit": "9" * 5_000}),
        {"sort": "name"},
    ],
)
async def test_a_wrong_query_is_named(interface: Interface, query: dict[str, str]) -> None:
    status, problem = await interface.ask("GET", **query)

    assert (status, problem["code"]) == (400, "validation_failed")
    assert problem["violations"][0]["property"] == next(iter(query))


async def test_the_busiest_come_first_and_no_more_than_asked_for(
    node: Node, interface: Interface
) -> None:
    await grow(node)
    for number in range(3):
        await node.call("deep", number)

    status, answer = await interface.ask("GET", sort="messages", limit=2)

    assert status == 200
    assert answer["total"] == 6
    assert len(answer["processes"]) == 2
    assert "deep" in {row["name"] for row in answer["processes"]}


async def test_a_supervisor_that_is_busy_does_not_hold_up_the_answer(
    node: Node, interface: Interface
) -> None:
    await grow(node)
    gate = asyncio.Event()
    gate.set()
    busy = [worker("late", lambda: Late(gate), name="late"), worker("other", Worker, name="other")]
    await node.start(Supervisor(busy), name="busy")
    gate.clear()
    node.exit(cast(Pid, node.whereis("late")), Killed())
    while (info := node.info("late")) is None or info.state is not ProcessState.STARTING:
        await node.clock.sleep_ms(1)

    rows = await interface.rows()

    assert (named(rows, "late")["state"], named(rows, "late")["depth"]) == ("starting", 1)
    assert (named(rows, "other")["state"], named(rows, "other")["depth"]) == ("waiting", 1)
    gate.set()


async def test_an_observer_that_went_away_leaves_no_cost_behind() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock)
    interface = Interface(node)
    await interface.start()

    await interface.rows()
    observed = node.observing
    await clock.advance(10_000)

    assert (observed, node.observing) == (1, 0)
    await interface.close()
    await node.shutdown()


@pytest.mark.parametrize("pid", [Pid("node", 1), Pid("a.b", 10**17), Pid("", 7)])
def test_a_pid_survives_its_text(pid: Pid) -> None:
    assert parse_pid(pid_text(pid)) == pid


def test_the_admin_operations_are_described() -> None:
    from gateway.openapi import openapi_document

    paths = json.loads(openapi_document())["paths"]

    assert set(paths[PATH]["get"]["responses"]) == {"200", "400", "401", "403"}
    assert set(paths[PATH + "/{pid}"]) == {"get", "delete"}
    assert {one["name"] for one in paths[PATH]["get"]["parameters"]} == {
        *("interval_ms", "limit", "sort")
    }
