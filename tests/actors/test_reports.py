"""Crash reports and looks at processes: what they say, and what can never stand in them."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from actors import (
    AlreadyStarted,
    BadReturnValue,
    Crash,
    CrashReport,
    Failed,
    From,
    GenServer,
    Killed,
    NoConnection,
    Node,
    NoProcess,
    Normal,
    Overloaded,
    Pid,
    ProcessState,
    Reply,
    Shutdown,
    StartFailed,
    Stop,
    StopInit,
    VirtualClock,
    reason_text,
)
from actors.reports import CRASHES_MAX

SECRETS = {
    "cpf": "529982247-25",
    "key": "+5511999887766",
    "token": "eyJhbGciOi.s3cr3t",
    "name": "Maria da Silva",
}


class Refused(Exception):
    """An error of another room: its text is not the runtime's."""


@dataclass(frozen=True, slots=True)
class Order:
    """A message full of what nobody may read."""

    how: str = "raise"
    cpf: str = SECRETS["cpf"]
    token: str = SECRETS["token"]


class Holder(GenServer):
    """Keeps secrets and ends as it is told."""

    def __init__(self) -> None:
        self.customers = {SECRETS["cpf"]: SECRETS["name"]}
        self.token = SECRETS["token"]
        self.pin = 4711

    async def handle_call(self, request: Any, sender: From) -> Any:
        del sender
        if request == "ping":
            return Reply("pong")
        return SECRETS["key"]

    async def handle_cast(self, message: Any) -> Any:
        cpf = message.cpf
        match message.how:
            case "raise":
                raise Refused(cpf, SECRETS["key"])
            case "cause":
                try:
                    int(cpf)
                except ValueError as error:
                    raise KeyError(SECRETS["name"]) from error
            case "literal":  # the line of source itself would give it away
                raise Refused("529982247-25")
            case "group":
                raise ExceptionGroup(cpf, [ValueError(cpf), KeyError(SECRETS["key"])])
            case "fields":
                raise BadReturnValue("handle_cast", SECRETS["token"])
            case "frame":  # an error text that looks like a traceback
                raise Refused(f'\n  File "{cpf}", line 1, in {SECRETS["token"]}\n')
            case "stop":
                return Stop(Failed(Order()))
            case "system exit":
                raise SystemExit(cpf)


async def crashed(node: Node, how: str) -> list[Any]:
    """End a holder in one of these ways; everything that was said of it."""
    said: list[Any] = []
    node.telemetry.attach(
        ("process", "crash"), lambda *event: said.append((event[1], event[2]["report"]))
    )
    with structlog.testing.capture_logs() as logs:
        pid = await node.start(Holder(), name="holder")
        if how == "answer":
            with pytest.raises(Exception, match="BadReturnValue"):
                await node.call(pid, Order())
        else:
            node.cast(pid, Order(how))
            await node.join(pid)
    return [*said, *logs, *node.crashes]


WAYS = [
    *("raise", "cause", "literal", "group", "fields"),
    *("frame", "stop", "system exit", "answer"),
]


@pytest.mark.parametrize("how", WAYS)
async def test_no_payload_key_or_token_stands_in_a_crash_report(node: Node, how: str) -> None:
    said = await crashed(node, how)

    assert len([entry for entry in said if isinstance(entry, CrashReport)]) == 1
    for secret in SECRETS.values():
        assert secret not in repr(said)


async def test_no_value_of_the_state_stands_in_a_look_at_a_process(node: Node) -> None:
    pid = await node.start(Holder())
    await node.call(pid, "ping")

    seen = repr([node.info(pid), *node.processes()])

    assert not any(secret in seen for secret in [*SECRETS.values(), "4711"])


async def test_a_crash_report_names_types_places_bonds_and_shapes(node: Node) -> None:
    async def watch() -> None:
        node.monitor("holder")
        node.cast("holder", Order())
        node.cast("holder", Order())
        await node.join("holder")

    async def lead() -> None:
        pid = await node.start(Holder(), name="holder")
        node.unlink(pid)
        await node.join(node.spawn(watch, name="watcher"))

    await node.join(node.spawn(lead, name="lead"))

    (report,) = node.crashes
    assert (report.name, report.server, report.last_message) == ("holder", "Holder", "Order")
    assert report.reason.startswith("Crash(Refused at test_reports.py:")
    assert report.traceback is not None
    assert "in handle_cast" in report.traceback
    assert report.traceback.endswith("Refused\n")
    assert (report.handled, report.mailbox_length) == (1, 1)
    assert report.state == {
        "customers": "dict, 1 items",
        "token": f"str, {len(SECRETS['token'])} characters",
        "pin": "int",
    }
    assert report.ancestors == ("lead",)
    assert "watcher" in report.monitored_by
    assert pickle.loads(pickle.dumps(report)) == report  # noqa: S301 (our own bytes)


async def test_links_of_a_crashed_process_are_reported_though_they_are_undone(node: Node) -> None:
    async def lead() -> None:
        node.cast(await node.start(Holder()), Order())
        await node.clock.sleep_ms(10_000)

    leader = node.spawn(lead)

    await node.join(leader)
    (report,) = node.crashes
    assert report.links == (leader,)


async def test_frames_of_the_cause_come_before_those_of_the_error(node: Node) -> None:
    await crashed(node, "cause")

    (report,) = node.crashes
    assert report.traceback is not None
    assert [line for line in report.traceback.splitlines() if not line.startswith(" ")] == [
        "ValueError",
        "KeyError",
    ]


async def test_a_group_of_errors_shows_their_types(node: Node) -> None:
    await crashed(node, "group")

    (report,) = node.crashes
    assert str(report.traceback).endswith("ExceptionGroup(ValueError, KeyError)\n")


async def test_an_error_that_is_its_own_cause_is_reported() -> None:
    error = ValueError()
    error.__cause__ = error

    assert Crash.of(error).traceback == "ValueError\n"


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), Shutdown("asked")])
async def test_an_expected_end_is_silent(node: Node, reason: Any) -> None:
    class Stopping(GenServer):
        async def handle_cast(self, message: Any) -> Stop:
            return Stop(message)

    with structlog.testing.capture_logs() as logs:
        pid = await node.start(Stopping())
        node.cast(pid, reason)
        await node.join(pid)

    assert (list(node.crashes), logs) == ([], [])


async def test_a_kill_is_reported_by_whoever_kills(node: Node) -> None:
    pid = await node.start(Holder())

    node.exit(pid, Killed())

    assert list(node.crashes) == []


async def test_a_start_that_fails_is_reported_once(node: Node) -> None:
    class Unable(GenServer):
        async def init(self) -> StopInit:
            return StopInit(Failed("no disk"))

    with pytest.raises(StartFailed):
        await node.start(Unable())

    (report,) = node.crashes
    assert (report.reason, report.traceback) == ("Failed('no disk')", None)


async def test_only_the_latest_crashes_are_kept(node: Node) -> None:
    async def crash() -> None:
        raise Refused

    pids = [node.spawn(crash) for _ in range(CRASHES_MAX + 5)]
    for pid in pids:
        await node.join(pid)

    assert [report.pid for report in node.crashes] == pids[5:]


@pytest.mark.parametrize("error", [Refused, SystemExit])
async def test_a_server_that_cannot_show_its_state_is_reported_all_the_same(
    node: Node, error: type[BaseException]
) -> None:
    class Shy(Holder):
        def format_status(self) -> Mapping[str, str]:
            raise error(SECRETS["cpf"])

    pid = await node.start(Shy())
    info = node.info(pid)
    node.cast(pid, Order())
    await node.join(pid)

    (report,) = node.crashes
    assert info is not None
    assert report.state == info.shown == {"format_status": f"raised {error.__name__}"}


async def test_a_server_may_show_what_it_knows_to_be_harmless(node: Node) -> None:
    class Open(Holder):
        def format_status(self) -> Mapping[str, str]:
            return {**super().format_status(), "pin": str(self.pin)}

    info = node.info(await node.start(Open()))

    assert info is not None
    assert (info.shown["pin"], info.shown["customers"]) == ("4711", "dict, 1 items")


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Normal(), "Normal()"),
        (Shutdown(), "Shutdown()"),
        (Failed("no disk"), "Failed('no disk')"),
        (Failed(7), "Failed(int)"),
        (Failed(Failed("inner")), "Failed(Failed('inner'))"),
        (Killed(), "Killed()"),
        (NoProcess(), "NoProcess(target=None, request=)"),
        (NoConnection("n2"), "NoConnection(node='n2')"),
        (Crash(Refused("text"), ""), "Crash(Refused)"),
        (
            Crash(Overloaded("writer", 10), '  File "a/b.py", line 3, in f\n'),
            "Crash(Overloaded(target=writer, mailbox_max=10) at b.py:3)",
        ),
        (Crash(AlreadyStarted(Pid("n", 1)), ""), "Crash(AlreadyStarted(pid=<n.1>))"),
        (
            Crash(StartFailed(Crash(Refused("text"), "")), ""),
            "Crash(StartFailed(reason=Crash(Refused)))",
        ),
        (Crash(StartFailed("text"), ""), "Crash(StartFailed(reason=str))"),
        ("text", "str"),
    ],
)
def test_a_reason_is_one_line_without_foreign_text(reason: object, text: str) -> None:
    assert reason_text(reason) == text


async def test_a_look_tells_starting_running_and_waiting_apart(node: Node) -> None:
    class Slow(GenServer):
        async def init(self) -> None:
            seen.append(node.info(self.pid))

        async def handle_call(self, request: Any, sender: From) -> Reply:
            del request, sender
            seen.append(node.info(self.pid))
            return Reply(None)

    seen: list[Any] = []
    pid = await node.start(Slow())
    await node.call(pid, "look")
    await node.clock.sleep_ms(0)
    seen.append(node.info(pid))

    assert [info.state for info in seen] == [
        ProcessState.STARTING,
        ProcessState.RUNNING,
        ProcessState.WAITING,
    ]
    assert [info.handled for info in seen] == [0, 1, 1]


async def test_a_look_at_a_bare_process_that_monitors(node: Node) -> None:
    target = await node.start(Holder(), name="holder")

    async def watch() -> None:
        node.monitor(target)
        await node.clock.sleep_ms(10_000)

    pid = node.spawn(watch, name="watcher")
    await node.clock.sleep_ms(0)
    info, seen = node.info(pid), node.info(target)

    assert info is not None
    assert seen is not None
    assert (info.server, info.state, info.monitors) == ("", ProcessState.RUNNING, (target,))
    assert (seen.watchers, seen.monitored_by) == (("watcher",), 1)


async def test_handlers_are_timed_only_while_somebody_observes() -> None:
    clock = VirtualClock()
    node = Node("virtual", clock=clock)

    class Working(GenServer):
        async def handle_cast(self, message: int) -> None:
            await clock.sleep_ms(message)

    async def work() -> int:
        node.cast(pid, 5)
        await clock.advance(5)
        info = node.info(pid)
        assert info is not None
        return info.handler_ns // 1_000_000

    pid = await node.start(Working())
    worked = [await work()]
    node.observation.renew(200)
    node.observation.renew(100)
    worked.append(await work())
    await clock.advance(150)
    worked.append(await work())
    await clock.advance(100)
    worked.append(await work())

    assert worked == [0, 5, 10, 10]
    assert node.observing == 0
    await node.shutdown()
