"""What a mailbox does when it is nearly full and when it is full."""

import asyncio
from typing import Any

import pytest

from actors import (
    CallTimeout,
    Down,
    From,
    GenServer,
    Killed,
    MailboxPolicy,
    Node,
    Overloaded,
    Pid,
    Reply,
)


class Gate(GenServer):
    """Holds what it has in hand until it is opened; keeps what it handled."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.handled: list[Any] = []

    async def handle_call(self, request: Any, _sender: From) -> Reply:
        await self._handle(request)
        return Reply(request)

    async def handle_cast(self, message: Any) -> None:
        await self._handle(message)

    async def handle_info(self, message: Any) -> None:
        await self._handle(message)

    async def _handle(self, message: Any) -> None:
        await self.opened.wait()
        self.handled.append(message)


class Blocking(Gate):
    mailbox_policy = MailboxPolicy.BLOCK


class Forgetful(Gate):
    mailbox_policy = MailboxPolicy.DROP_OLDEST


async def closed(node: Node, gate: Gate, mailbox_max: int) -> Pid:
    """Start a gate that has one message in hand and an empty mailbox."""
    pid = await node.start(gate, mailbox_max=mailbox_max)
    node.cast(pid, "in hand")
    await turns()
    return pid


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def dropped(node: Node, pid: Pid) -> int:
    info = node.info(pid)
    assert info is not None
    return info.dropped


async def test_block_has_a_call_wait_for_its_turn(node: Node) -> None:
    gate = Blocking()
    pid = await closed(node, gate, 2)
    calls = [node.loop.create_task(node.call(pid, number)) for number in range(5)]
    await turns()
    assert not any(call.done() for call in calls)

    gate.opened.set()

    assert await asyncio.gather(*calls) == [0, 1, 2, 3, 4]
    assert gate.handled == ["in hand", 0, 1, 2, 3, 4]
    assert dropped(node, pid) == 0


async def test_block_lets_a_call_wait_no_longer_than_its_deadline(node: Node) -> None:
    gate = Blocking()
    pid = await closed(node, gate, 1)
    node.cast(pid, "queued")

    with pytest.raises(CallTimeout):
        await node.call(pid, "too late", timeout_ms=5)
    gate.opened.set()
    await node.call(pid, "after")

    assert gate.handled == ["in hand", "queued", "after"]


async def test_block_drops_a_cast_because_it_cannot_wait(node: Node) -> None:
    gate = Blocking()
    pid = await closed(node, gate, 1)

    node.cast(pid, "kept")
    node.cast(pid, "dropped")
    node.send(pid, "dropped")
    gate.opened.set()
    await node.call(pid, "after")

    assert gate.handled == ["in hand", "kept", "after"]
    assert dropped(node, pid) == 2


async def test_drop_oldest_keeps_the_latest(node: Node) -> None:
    lost: list[Any] = []
    node.telemetry.attach(("mailbox", "overflow"), lambda *event: lost.append(event[1]))
    gate = Forgetful()
    pid = await closed(node, gate, 3)

    for number in range(10):
        node.cast(pid, number)
    gate.opened.set()
    await turns()

    assert gate.handled == ["in hand", 7, 8, 9]
    assert dropped(node, pid) == len(lost) == 7
    assert node.statistics().dropped_total == 7


async def test_drop_oldest_tells_the_caller_whose_call_it_drops(node: Node) -> None:
    gate = Forgetful()
    pid = await closed(node, gate, 1)
    calling = node.loop.create_task(node.call(pid, "old"))
    await turns()

    node.cast(pid, "new")

    with pytest.raises(Overloaded):
        await calling
    gate.opened.set()
    await turns()
    assert gate.handled == ["in hand", "new"]


async def test_drop_oldest_never_drops_a_notice_of_the_runtime(node: Node) -> None:
    class Watching(Forgetful):
        async def handle_call(self, request: Pid, sender: From) -> Reply:
            del sender
            return Reply(self.node.monitor(request))

    gate, watched = Watching(), await node.start(Gate())
    pid = await node.start(gate, mailbox_max=1)
    ref = await node.call(pid, watched)
    node.cast(pid, "in hand")
    await turns()

    node.exit(watched, Killed())
    for number in range(3):
        node.cast(pid, number)
    gate.opened.set()
    await turns()

    assert gate.handled == ["in hand", Down(ref, watched, Killed())]
    assert dropped(node, pid) == 3


async def test_high_water_is_told_once_and_again_only_after_the_mailbox_fell_below_half(
    node: Node,
) -> None:
    told: list[int] = []
    node.telemetry.attach(
        ("mailbox", "high_water"), lambda *event: told.append(event[1]["mailbox_length"])
    )
    gates = asyncio.Semaphore(0)

    class Counted(Gate):
        async def _handle(self, message: Any) -> None:
            await gates.acquire()
            self.handled.append(message)

    pid = await closed(node, Counted(), 10)

    async def fill(length: int) -> None:
        while node.table[pid].mailbox and len(node.table[pid].mailbox) > length:
            gates.release()
            await turns()
        while len(node.table[pid].mailbox) < length:
            node.cast(pid, "more")

    await fill(8)
    assert told == []
    await fill(10)
    assert told == [9]
    await fill(5)  # half is not below half
    await fill(10)
    assert told == [9]
    await fill(4)
    await fill(10)
    assert told == [9, 9]
    node.exit(pid, Killed())


async def test_a_mailbox_past_its_high_water_mark_still_takes_what_fits(node: Node) -> None:
    gate = Gate()
    pid = await closed(node, gate, 10)

    for number in range(20):
        node.cast(pid, number)
    gate.opened.set()
    await turns()
    for number in range(20, 25):
        node.cast(pid, number)
    await turns()

    assert gate.handled == ["in hand", *range(10), *range(20, 25)]
    assert dropped(node, pid) == 10


async def test_a_call_in_hand_fails_when_its_server_is_killed_between_two_turns(
    node: Node,
) -> None:
    """Every hundredth message waits for a turn of the others before it is handled."""
    gate = Gate()
    gate.opened.set()
    pid = await node.start(gate)
    for number in range(99):
        node.cast(pid, number)
    calling = node.loop.create_task(node.call(pid, "the hundredth"))
    await asyncio.sleep(0)
    while len(gate.handled) < 99:
        await asyncio.sleep(0)

    node.exit(pid, Killed())
    outcome = (await asyncio.gather(calling, return_exceptions=True))[0]

    assert getattr(outcome, "reason", outcome) in {Killed(), "the hundredth"}
