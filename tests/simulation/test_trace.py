"""What a person reads after a finding."""

import threading

import pytest
import structlog

from actors import GenServer
from actors.simulation import Faults, Simulation, simulate
from tests.simulation import planted

_log = structlog.get_logger("test")


def test_trace_says_when_who_and_what() -> None:
    async def program(simulation: Simulation) -> None:
        node = simulation.node
        await node.start(planted.Account(), name="account")
        await node.clock.sleep_ms(2)
        node.cast("account", planted.Deposit(5))
        simulation.note(("balance", await node.call("account", planted.Read())))

    assert simulate(program, choices="").trace == (
        "           0 main             runs",
        "           0 account          start",
        "           0 account          runs",
        "           0 main             runs",
        "     2000000 loop             Clock.sleep_ms",
        "     2000000 main             runs",
        "     2000000 account          runs",
        "     2000000 account          handled cast Deposit",
        "     2000000 account          handled call Read",
        "     2000000 main             runs",
        "     2000000 note             ('balance', 105)",
        "     2000000 end              as promised",
    )


def test_late_messages_are_named_with_their_delay() -> None:
    faults = Faults(delay_ms=20)
    done = simulate(planted.late_message, choices="delay1:7", faults=faults)

    assert "teller           str to listener takes 7 ms" in "\n".join(done.trace)


def test_log_lines_of_the_program_go_into_the_trace_only(
    capfd: pytest.CaptureFixture[str],
) -> None:
    class Broken(GenServer):
        async def handle_cast(self, message: object) -> None:
            raise ValueError(message)

    async def program(simulation: Simulation) -> None:
        node = simulation.node
        await node.start(Broken(), name="broken")
        _log.warning("low", reason=object())
        node.cast("broken", "secret")
        await node.clock.sleep_ms(1)

    done = simulate(program)
    text = "\n".join(done.trace)

    assert "log              warning: low <object object at 0x>" in text
    assert (
        "log              error: process crashed broken Crash(ValueError at test_trace.py" in text
    )
    assert "secret" not in text
    assert capfd.readouterr() == ("", "")


def test_log_lines_of_other_threads_go_where_they_went(capfd: pytest.CaptureFixture[str]) -> None:
    begun, over = threading.Event(), threading.Event()

    def other() -> None:
        begun.wait()
        structlog.get_logger("other").warning("from another thread")
        over.set()

    thread = threading.Thread(target=other)
    thread.start()

    async def program(simulation: Simulation) -> None:
        begun.set()
        over.wait()
        await simulation.clock.sleep_ms(1)

    trace = simulate(program).trace
    thread.join()

    assert not any("from another thread" in line for line in trace)
    assert "from another thread" in "".join(capfd.readouterr())
