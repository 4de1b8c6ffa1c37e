"""Applications start after what they need, stop before it, and end the node when they must."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors import (
    CalleeDied,
    ExitReason,
    Failed,
    GenServer,
    Ignore,
    Killed,
    Node,
    NoProcess,
    Normal,
    Shutdown,
    Stop,
)
from supervisors import (
    APPLICATIONS,
    Application,
    ApplicationEnded,
    ApplicationFailed,
    ApplicationNotRunning,
    Applications,
    ApplicationType,
    ChildType,
    InvalidApplication,
    Supervisor,
    run_applications,
    start_application,
    stop_application,
    which_applications,
    which_children,
    worker,
)


@dataclass(frozen=True)
class Settings:
    """The environment of the applications of these tests."""

    log: list[str]
    name: str
    fails: bool = False
    ignores: bool = False


class Part(GenServer):
    trap_exit = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def init(self) -> Ignore | None:
        if self.settings.fails:
            raise ValueError
        if self.settings.ignores:
            return Ignore()
        self.settings.log.append(f"start {self.settings.name}")
        return None

    async def handle_cast(self, message: ExitReason) -> Stop:
        return Stop(message)

    async def terminate(self, reason: ExitReason) -> None:
        del reason
        self.settings.log.append(f"stop {self.settings.name}")


def root(settings: Settings) -> GenServer:
    """A supervisor above one part."""
    return Supervisor([worker(settings.name, lambda: Part(settings), name=settings.name)])


class Program:
    """Applications of one node, and what happened to them."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.log: list[str] = []

    def make(
        self,
        name: str,
        *needs: Application[Any],
        root: Callable[[Settings], GenServer] = root,
        **settings: bool,
    ) -> Application[Settings]:
        environment = Settings(self.log, name, **settings)
        return Application(name=name, root=root, environment=environment, needs=needs)

    async def names(self) -> list[str]:
        return [info.name for info in await which_applications(self.node)]


@pytest.fixture
async def program(node: Node) -> Program:
    await node.start(Applications(), name=APPLICATIONS)
    return Program(node)


async def until_handled(node: Node, name: str) -> None:
    """Wait until the controller has dealt with the end of an application."""
    while name in [info.name for info in await which_applications(node)]:
        await node.clock.sleep_ms(0)


# Starting


async def test_what_an_application_needs_starts_first_and_once(
    node: Node, program: Program
) -> None:
    store = program.make("store")
    ledger = program.make("ledger", store)
    bank = program.make("bank", store)

    await start_application(node, program.make("pix", ledger, bank))

    assert program.log == ["start store", "start ledger", "start bank", "start pix"]
    assert await program.names() == ["store", "ledger", "bank", "pix"]


async def test_an_application_that_runs_is_left_alone(node: Node, program: Program) -> None:
    store = program.make("store")

    first = await start_application(node, store, type=ApplicationType.TRANSIENT)
    assert await start_application(node, store) == first
    await start_application(node, program.make("ledger", store))

    assert program.log == ["start store", "start ledger"]
    kinds = [info.type for info in await which_applications(node)]
    assert kinds == [ApplicationType.TRANSIENT, ApplicationType.TEMPORARY]


async def test_when_one_does_not_start_those_started_for_it_are_stopped_again(
    node: Node, program: Program
) -> None:
    store = program.make("store")
    await start_application(node, store)
    ledger = program.make("ledger", store)
    bank = program.make("bank", fails=True)

    with pytest.raises(ApplicationFailed) as caught, capture_logs():
        await start_application(node, program.make("pix", ledger, bank))

    assert caught.value.application == "bank"
    assert program.log == ["start store", "start ledger", "stop ledger"]
    assert await program.names() == ["store"]


async def test_an_application_whose_root_does_not_want_to_run_has_not_started(
    node: Node, program: Program
) -> None:
    lazy = program.make("lazy", root=Part, ignores=True)

    with pytest.raises(ApplicationFailed) as caught:
        await start_application(node, lazy)

    assert caught.value.reason is None


async def test_the_root_gets_the_environment_it_is_started_with(
    node: Node, program: Program
) -> None:
    store = program.make("store")
    changed = replace(store, environment=replace(store.environment, name="other"))

    await start_application(node, changed)

    assert program.log == ["start other"]


async def test_two_applications_of_one_name_do_not_run_together(
    node: Node, program: Program
) -> None:
    await start_application(node, program.make("store"))

    with pytest.raises(InvalidApplication):
        await start_application(node, program.make("ledger", program.make("store")))

    assert await program.names() == ["store"]


def test_an_application_has_a_name_and_needs_no_names() -> None:
    with pytest.raises(InvalidApplication):
        Application(name="", root=root, environment=None)
    with pytest.raises(InvalidApplication):
        Application(name="a", root=root, environment=None, needs=("b",))  # type: ignore[arg-type] # on purpose


async def test_a_node_without_applications_says_so(node: Node) -> None:
    with pytest.raises(NoProcess):
        await start_application(node, Program(node).make("store"))


# Stopping


async def test_stopping_an_application_stops_those_that_need_it_first(
    node: Node, program: Program
) -> None:
    store = program.make("store")
    ledger = program.make("ledger", store)
    await start_application(node, program.make("pix", ledger))
    await start_application(node, program.make("web", store))
    await start_application(node, program.make("alone"))
    program.log.clear()

    await stop_application(node, "ledger")

    assert program.log == ["stop pix", "stop ledger"]
    assert await program.names() == ["store", "web", "alone"]
    with pytest.raises(ApplicationNotRunning):
        await stop_application(node, "ledger")


async def test_all_stop_in_reverse_when_the_node_shuts_down(node: Node, program: Program) -> None:
    store = program.make("store")
    await start_application(node, program.make("ledger", store))
    await start_application(node, program.make("web"))
    program.log.clear()

    await node.shutdown()

    assert program.log == ["stop web", "stop ledger", "stop store"]


async def test_an_application_that_was_stopped_can_be_started_again(
    node: Node, program: Program
) -> None:
    store = program.make("store")
    await start_application(node, store, type=ApplicationType.PERMANENT)
    await stop_application(node, "store")

    await start_application(node, store)

    assert program.log == ["start store", "stop store", "start store"]
    assert node.whereis(APPLICATIONS) is not None


async def test_observers_find_the_roots_as_children(node: Node, program: Program) -> None:
    root_of_store = await start_application(node, program.make("store"))

    children = await which_children(node, APPLICATIONS)

    assert [(child.id, child.pid, child.type) for child in children] == [
        ("store", root_of_store, ChildType.SUPERVISOR)
    ]


# An application that ends by itself


@pytest.mark.parametrize(
    ("kind", "reason", "ends_node"),
    [
        (ApplicationType.PERMANENT, Normal(), True),
        (ApplicationType.PERMANENT, Failed("boom"), True),
        (ApplicationType.TRANSIENT, Normal(), False),
        (ApplicationType.TRANSIENT, Shutdown(), True),
        (ApplicationType.TRANSIENT, Failed("boom"), True),
        (ApplicationType.TEMPORARY, Failed("boom"), False),
    ],
)
async def test_the_type_decides_whether_the_others_go_too(
    node: Node, program: Program, kind: ApplicationType, reason: ExitReason, ends_node: bool
) -> None:
    await start_application(node, program.make("other"))
    part = program.make("part", root=Part)
    pid = await start_application(node, part, type=kind)
    joining = asyncio.ensure_future(node.join(APPLICATIONS))
    await asyncio.sleep(0)

    with capture_logs():
        node.cast(pid, reason)
        if ends_node:
            assert await joining == Shutdown(ApplicationEnded("part", reason))
            assert program.log == ["start other", "start part", "stop part", "stop other"]
        else:
            await node.join(pid)
            await until_handled(node, "part")
            assert await program.names() == ["other"]
            joining.cancel()


async def test_a_supervisor_that_gives_up_ends_a_permanent_application(
    node: Node, program: Program
) -> None:
    await start_application(node, program.make("part"), type=ApplicationType.PERMANENT)
    joining = asyncio.ensure_future(node.join(APPLICATIONS))
    await asyncio.sleep(0)

    with capture_logs():
        while not joining.done():
            pid = node.whereis("part")
            if pid is not None:
                node.exit(pid, Killed())
            await asyncio.sleep(0)

    assert joining.result() == Shutdown(ApplicationEnded("part", Shutdown()))


# The life of a node


async def test_a_program_runs_until_an_application_ends_it_and_shuts_its_node_down() -> None:
    node = Node("program")
    program = Program(node)
    part = program.make("part", program.make("store"), root=Part)
    running = asyncio.ensure_future(run_applications(node, part))
    while len(program.log) < 2:
        await asyncio.sleep(0)
    pid = [info.pid for info in node.processes() if info.server == "Part"][-1]  # the youngest

    with capture_logs():
        node.cast(pid, Normal())
        reason = await running

    assert reason == Shutdown(ApplicationEnded("part", Normal()))
    assert program.log == ["start store", "start part", "stop part", "stop store"]
    assert node.processes() == []


async def test_a_program_that_is_cancelled_stops_in_order() -> None:
    node = Node("program")
    program = Program(node)
    running = asyncio.ensure_future(
        run_applications(node, program.make("pix", program.make("store")))
    )
    while len(program.log) < 2:
        await asyncio.sleep(0)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert program.log == ["start store", "start pix", "stop pix", "stop store"]


async def test_a_program_that_cannot_start_leaves_nothing_running() -> None:
    node = Node("program")
    program = Program(node)

    with pytest.raises(ApplicationFailed), capture_logs():
        await run_applications(
            node, program.make("store"), program.make("pix", fails=True), program.make("never")
        )

    assert program.log == ["start store", "stop store"]
    assert node.processes() == []


async def test_the_controller_takes_its_own_requests_only(node: Node, program: Program) -> None:
    with pytest.raises(CalleeDied), capture_logs():
        await node.call(APPLICATIONS, "anything")
