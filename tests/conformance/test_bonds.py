"""Cases 27 to 29: monitors, links and kills, as `monitor_SUITE` and the reference manual say."""

import asyncio
from typing import Any

import pytest

from actors import (
    CallAnswer,
    CalleeDied,
    Down,
    Exit,
    ExitReason,
    Failed,
    From,
    GenServer,
    Killed,
    NoConnection,
    Node,
    NoProcess,
    Normal,
    Pid,
    Reply,
    Shutdown,
)
from tests.conformance.probes import BOOM, Bench, End

BANG = Failed("bang")


class Watcher(GenServer):
    """Monitors and links on request and keeps what it hears."""

    def __init__(self, *, traps: bool = True) -> None:
        self.trap_exit = traps
        self.heard: list[Any] = []
        self.ends: list[ExitReason] = []

    async def handle_call(self, request: Any, _sender: From) -> CallAnswer:
        operation, target = request
        return Reply(getattr(self.node, operation)(target))

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)

    async def terminate(self, reason: ExitReason) -> None:
        self.ends.append(reason)


async def watch(node: Node, *, traps: bool = True) -> tuple[Watcher, Pid]:
    watcher = Watcher(traps=traps)
    return watcher, await node.start(watcher)


async def end(node: Node, pid: Pid, reason: ExitReason) -> None:
    node.cast(pid, End(reason))
    await node.join(pid)
    await asyncio.sleep(0)


async def test_27_two_monitors_give_two_downs(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"))
    watcher, watching = await watch(node)
    refs = [await node.call(watching, ("monitor", pid)) for _ in range(2)]

    await end(node, pid, BANG)

    assert refs[0] != refs[1]
    assert watcher.heard == [Down(ref, pid, BANG) for ref in refs]


async def test_27_monitoring_nobody_gives_down_at_once(bench: Bench) -> None:
    node = bench.node
    dead = await node.start(bench.plain("a"))
    await node.stop(dead)
    watcher, watching = await watch(node)

    absent = [dead, "nobody", Pid("elsewhere", 7)]
    refs = [await node.call(watching, ("monitor", target)) for target in absent]
    await asyncio.sleep(0)

    reasons = [NoProcess(), NoProcess(), NoConnection("elsewhere")]
    expected = [Down(*parts) for parts in zip(refs, absent, reasons, strict=True)]
    assert watcher.heard == expected


async def test_27_a_monitor_on_a_name_reports_the_name(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"), name="a")
    watcher, watching = await watch(node)
    ref = await node.call(watching, ("monitor", "a"))

    await end(node, pid, BANG)

    assert watcher.heard == [Down(ref, "a", BANG)]


async def test_27_demonitor_takes_back_a_down_that_is_queued(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"))

    class Fickle(Watcher):
        async def handle_cast(self, message: Any) -> None:
            ref = self.node.monitor(message)
            self.node.exit(message, Killed())
            self.node.demonitor(ref)

    watcher = Fickle()
    watching = await node.start(watcher)
    node.cast(watching, pid)
    await node.join(pid)
    await node.call(watching, ("is_alive", pid))

    assert watcher.heard == []


async def test_27_a_dead_watcher_leaves_no_trace(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"))
    _, watching = await watch(node)
    await node.call(watching, ("monitor", pid))

    await node.stop(watching)

    assert node.info(pid).monitored_by == 0


async def test_27_five_messages_then_down(bench: Bench) -> None:
    node = bench.node
    watcher, watching = await watch(node)

    class Talker(GenServer):
        async def handle_cast(self, _message: Any) -> None:
            for number in range(5):
                self.node.send(watching, number)
            self.node.exit(self.pid, Killed())

    pid = await node.start(Talker())
    ref = await node.call(watching, ("monitor", pid))
    node.cast(pid, "go")
    await node.join(pid)
    await node.call(watching, ("is_alive", pid))

    assert watcher.heard == [0, 1, 2, 3, 4, Down(ref, pid, Killed())]


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), BOOM], ids=["normal", "shutdown", "boom"])
async def test_28_a_link_to_a_plain_worker(bench: Bench, reason: ExitReason) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"))
    watcher, linked = await watch(node, traps=False)
    await node.call(linked, ("link", pid))
    ended = node.loop.create_task(node.join(linked))
    await asyncio.sleep(0)

    await end(node, pid, reason)

    if reason == Normal():
        assert node.is_alive(linked)
        ended.cancel()
    else:
        assert await ended == reason
        assert watcher.ends == []


async def test_28_a_trapping_peer_gets_one_message(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"))
    watcher, linked = await watch(node)
    await node.call(linked, ("link", pid))
    await node.call(linked, ("link", pid))

    await end(node, pid, BOOM)

    assert watcher.heard == [Exit(pid, BOOM)]


async def test_28_linking_to_the_dead_gives_noproc(bench: Bench) -> None:
    node = bench.node
    dead = await node.start(bench.plain("a"))
    await node.stop(dead)
    watcher, linked = await watch(node)

    await node.call(linked, ("link", dead))
    await node.call(linked, ("is_alive", dead))

    assert watcher.heard == [Exit(dead, NoProcess())]


async def test_28_linking_to_the_dead_ends_a_plain_worker(bench: Bench) -> None:
    node = bench.node
    dead = await node.start(bench.plain("a"))
    await node.stop(dead)
    watcher, linked = await watch(node, traps=False)
    joining = node.loop.create_task(node.join(linked))
    await asyncio.sleep(0)

    with pytest.raises(CalleeDied):
        await node.call(linked, ("link", dead))

    assert await joining == NoProcess()
    assert watcher.ends == []


async def test_28_a_killed_peer_ends_a_plain_worker_as_killed(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"))
    _, linked = await watch(node, traps=False)
    await node.call(linked, ("link", pid))
    joining = node.loop.create_task(node.join(linked))
    await asyncio.sleep(0)

    node.exit(pid, Killed())

    assert await joining == Killed()


async def test_28_after_unlink_nothing_is_felt(bench: Bench) -> None:
    node = bench.node
    pid = await node.start(bench.plain("a"))
    watcher, linked = await watch(node)
    await node.call(linked, ("link", pid))
    await node.call(linked, ("unlink", pid))

    await end(node, pid, BOOM)

    assert watcher.heard == []


async def test_28_a_chain_of_three_thousand_links_unwinds(node: Node) -> None:
    forever = asyncio.Event()
    pids: list[Pid] = []

    async def body() -> None:
        if len(pids) < 3_000:
            pids.append(node.spawn(body))
        await forever.wait()

    pids.append(node.spawn(body))
    while len(pids) < 3_000:
        await asyncio.sleep(0)
    await asyncio.sleep(0)

    node.exit(pids[1_500], BOOM)

    assert node.processes() == []


class Undead(GenServer):
    """Swallows every attempt to end it, and goes on acting."""

    trap_exit = True

    def __init__(self, release: asyncio.Event, other: Pid) -> None:
        self.release = release
        self.other = other
        self.sender: From | None = None
        self.acted = False
        self.terminated = False

    async def handle_call(self, _request: Any, sender: From) -> Reply:
        while not self.release.is_set():
            try:
                await self.release.wait()
            except BaseException:  # noqa: BLE001, S112 (the point of it)
                continue
        self.node.send(self.other, "from the grave")
        self.node.cast(self.other, "from the grave")
        self.node.reply(sender, "from the grave")
        self.acted = True
        return Reply("from the grave")

    async def terminate(self, _reason: ExitReason) -> None:
        self.terminated = True


async def test_29_kill_has_effect_even_on_a_process_that_swallows_it(bench: Bench) -> None:
    node = bench.node
    peer, peer_pid = await watch(node)
    release = asyncio.Event()
    undead = Undead(release, peer_pid)
    pid = await node.start(undead, name="undead")
    await node.call(peer_pid, ("link", pid))
    ref = await node.call(peer_pid, ("monitor", pid))
    calling = node.loop.create_task(node.call(pid, "hang"))
    while (info := node.info(pid)) is None or info.last_message is None:
        await asyncio.sleep(0)  # until it is in its handler
    await asyncio.sleep(0.01)

    node.exit(pid, Killed())
    assert node.whereis("undead") is None
    with pytest.raises(NoProcess):
        await node.call(pid, "anybody?")
    error = (await asyncio.gather(calling, return_exceptions=True))[0]
    release.set()
    await asyncio.sleep(0.01)

    assert error.reason == Killed()
    assert undead.acted
    assert not undead.terminated
    assert sorted(peer.heard, key=repr) == [Down(ref, pid, Killed()), Exit(pid, Killed())]


async def test_29_a_zombie_is_reported_with_its_stack(bench: Bench) -> None:
    import structlog

    node = bench.node
    release = asyncio.Event()
    pid = await node.start(Undead(release, Pid("none", 1)), name="undead")
    calling = node.loop.create_task(node.call(pid, "hang"))
    while (info := node.info(pid)) is None or info.last_message is None:
        await asyncio.sleep(0)  # until it is in its handler
    await asyncio.sleep(0.01)

    with structlog.testing.capture_logs() as logs:
        node.exit(pid, Killed())
        await asyncio.gather(calling, return_exceptions=True)
        while not logs:
            await asyncio.sleep(0.01)
    release.set()
    await asyncio.sleep(0)

    assert [entry["process"] for entry in logs] == ["undead"]
    assert "handle_call" in logs[0]["stack"]
