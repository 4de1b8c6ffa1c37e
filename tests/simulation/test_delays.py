"""Messages that take time keep the order between each two processes, whatever their kind."""

import contextlib
from typing import Any

import pytest

from actors import (
    CalleeDied,
    CallTimeout,
    Down,
    Exit,
    Failed,
    From,
    GenServer,
    Killed,
    Node,
    NoReply,
    Reply,
    Shutdown,
    Stop,
)
from actors.simulation import Faults, Simulation, explore, simulate

FAULTS = Faults(delay_ms=20, jitter_ms=5)
SEEDS = range(200)


class Listener(GenServer):
    """Writes down everything it hears."""

    trap_exit = True

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def handle_call(self, request: Any, _sender: From) -> Reply:
        self.heard.append(request)
        return Reply(len(self.heard))

    async def handle_cast(self, message: Any) -> None:
        if callable(message):
            message(self.node)
        else:
            self.heard.append(message)

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)

    async def terminate(self, _reason: object) -> None:
        self.heard.append("end")


class Speaker(GenServer):
    """Says what it is told to."""

    async def handle_call(self, request: Any, _sender: From) -> Reply | NoReply | Stop:
        answer = await request(self.node)
        return answer if isinstance(answer, NoReply | Stop) else Reply(answer)


async def start(simulation: Simulation) -> tuple[Node, Listener]:
    node, listener = simulation.node, Listener()
    await node.start(listener, name="listener")
    await node.start(Speaker(), name="speaker")
    return node, listener


def test_casts_sends_and_calls_of_one_sender_arrive_in_order() -> None:
    async def program(simulation: Simulation) -> list[Any]:
        node, listener = await start(simulation)

        async def speak(node: Node) -> None:
            for number in range(0, 9, 3):
                node.cast("listener", number)
                node.send("listener", number + 1)
                await node.call("listener", number + 2)

        await node.call("speaker", speak)
        return listener.heard

    assert explore(program, lambda heard: heard == [*range(9)], seeds=SEEDS, faults=FAULTS) is None


def test_senders_do_not_wait_for_each_other() -> None:
    orders = set()

    async def program(simulation: Simulation) -> None:
        node, listener = await start(simulation)
        node.cast("listener", "outside")

        async def speak(node: Node) -> None:
            node.cast("listener", "speaker")

        await node.call("speaker", speak)
        await node.clock.sleep_ms(100)
        orders.add(tuple(listener.heard))

    for seed in range(100):
        assert simulate(program, seed=seed, faults=Faults(delay_ms=20)).error is None

    assert orders == {("outside", "speaker"), ("speaker", "outside")}


@pytest.mark.parametrize("reason", [Killed(), Failed("broken"), Shutdown()])
def test_end_of_a_process_is_heard_after_all_it_said(reason: Any) -> None:
    async def program(simulation: Simulation) -> list[Any]:
        node, listener = await start(simulation)
        speaker = node.whereis("speaker")
        assert speaker is not None
        node.cast("listener", lambda node: node.monitor("speaker"))
        node.cast("listener", lambda node: node.link(speaker))
        await node.call("listener", "ready")

        async def speak(node: Node) -> Stop:
            for number in range(5):
                node.cast("listener", number)
            if reason == Killed():
                node.exit(speaker, reason)
            return Stop(reason)

        with pytest.raises(CalleeDied):
            await node.call("speaker", speak)
        await node.clock.sleep_ms(100)
        return listener.heard

    def end_comes_last(heard: list[Any]) -> bool:
        ends = {type(message) for message in heard[6:]}
        return heard[:6] == ["ready", *range(5)] and ends == {Down, Exit} and len(heard) == 8

    assert explore(program, end_comes_last, seeds=SEEDS, faults=FAULTS) is None


def test_exit_signal_and_stop_come_after_what_the_sender_said() -> None:
    async def program(simulation: Simulation) -> list[Any]:
        node, listener = await start(simulation)
        pid = node.whereis("listener")
        assert pid is not None

        async def speak(node: Node) -> None:
            node.cast("listener", "first")
            node.exit(pid, Failed("trapped"))
            node.cast("listener", "second")
            await node.stop("listener")

        await node.call("speaker", speak)
        return [
            message if isinstance(message, str) else type(message) for message in listener.heard
        ]

    expected = ["first", Exit, "second", "end"]
    assert explore(program, lambda heard: heard == expected, seeds=SEEDS, faults=FAULTS) is None


def test_answer_of_a_server_is_heard_after_what_it_sent_before() -> None:
    async def program(simulation: Simulation) -> list[Any]:
        node, listener = await start(simulation)

        async def told_to_listener(node: Node) -> str:
            node.cast("listener", "message")
            return "answer"

        class Asker(Listener):
            async def handle_cast(self, message: Any) -> None:
                self.heard.append(await self.node.call("speaker", message))

        asker = Asker()
        await node.start(asker, name="asker")

        async def told_to_asker(node: Node) -> str:
            node.send("asker", "message")
            node.send("asker", "after")
            return "answer"

        node.cast("asker", told_to_asker)
        await node.call("speaker", told_to_listener)
        await node.clock.sleep_ms(100)
        assert listener.heard == ["message"]
        return asker.heard

    # The asker waits for the answer, and looks into its mailbox after it.
    expected = ["answer", "message", "after"]
    assert explore(program, lambda heard: heard == expected, seeds=SEEDS, faults=FAULTS) is None


def test_travel_counts_towards_the_deadline_of_a_call() -> None:
    async def program(simulation: Simulation) -> int:
        node, _ = await start(simulation)

        async def for_ever(_node: Node) -> NoReply:
            return NoReply()

        before = node.clock.monotonic_ns()
        with pytest.raises(CallTimeout, match="timeout_ms=30"):
            await node.call("speaker", for_ever, timeout_ms=30)
        return (node.clock.monotonic_ns() - before) // 1_000_000

    assert explore(program, lambda ms: ms == 30, seeds=SEEDS, faults=Faults(delay_ms=20)) is None


def test_message_to_a_process_that_ended_meanwhile_vanishes() -> None:
    async def program(simulation: Simulation) -> list[Any]:
        node, listener = await start(simulation)
        node.cast("listener", "late")

        async def kill(node: Node) -> None:
            pid = node.whereis("listener")
            if pid is not None:
                node.exit(pid, Killed())

        await node.call("speaker", kill)
        await node.clock.sleep_ms(100)
        return listener.heard

    assert (
        explore(program, lambda heard: heard in ([], ["late"]), seeds=SEEDS, faults=FAULTS) is None
    )


def test_answer_can_come_too_late_though_the_request_was_carried_out() -> None:
    outcomes = set()

    async def program(simulation: Simulation) -> None:
        node, listener = await start(simulation)
        outcome: object = "unknown"
        with contextlib.suppress(CallTimeout):
            outcome = await node.call("listener", "pay", timeout_ms=10)
        if outcome == "unknown":
            assert node.clock.monotonic_ns() == 10_000_000
        outcomes.add((outcome, tuple(listener.heard)))

    assert explore(program, seeds=SEEDS, faults=Faults(delay_ms=20)) is None

    assert outcomes == {(1, ("pay",)), ("unknown", ("pay",)), ("unknown", ())}
