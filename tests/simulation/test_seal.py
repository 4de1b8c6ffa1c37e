"""Nothing of the real world gets into a simulation, and the walls are gone after it."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from actors import Clock, GenServer, Node
from actors.simulation import NotSimulated, Simulation, simulate
from supervisors import Supervisor, worker


async def connect() -> None:
    await asyncio.open_connection("localhost", 1)


async def program_of_its_own() -> None:
    await asyncio.create_subprocess_exec(sys.executable, "--version")


async def executor() -> None:
    await asyncio.get_running_loop().run_in_executor(None, print)


async def to_thread() -> None:
    await asyncio.to_thread(print)


ASYNCHRONOUS = [
    (connect, "loop.create_connection"),
    (program_of_its_own, "loop.subprocess_exec"),
    (executor, "loop.run_in_executor"),
    (to_thread, "loop.run_in_executor"),
]
DIRECT: list[tuple[Callable[[], Any], str]] = [
    (socket.socket, "socket.__new__"),
    (lambda: socket.getaddrinfo("localhost", 1), "socket.getaddrinfo"),
    (lambda: subprocess.run([sys.executable, "--version"], check=False), "subprocess.Popen"),
    (lambda: threading.Thread(target=print).start(), "threading.Thread.start"),
    (lambda: time.sleep(0), "time.sleep"),
    (Clock, "actors.clock.Clock"),
    (Node, "actors.clock.Clock"),
    (Clock().now, "actors.clock.Clock"),
    (lambda: asyncio.get_running_loop().run_forever(), "loop.run_forever"),
    (lambda: asyncio.get_running_loop().add_signal_handler(2, print), "loop.add_signal_handler"),
]


@pytest.mark.parametrize(("attempt", "operation"), ASYNCHRONOUS)
def test_loop_refuses_input_and_output(attempt: Any, operation: str) -> None:
    async def program(simulation: Simulation) -> None:
        del simulation
        await attempt()

    error = simulate(program).error

    assert isinstance(error, NotSimulated)
    assert (error.operation, error.process) == (operation, "main")


@pytest.mark.parametrize(("attempt", "operation"), DIRECT)
def test_direct_ways_out_are_refused_and_open_again_afterwards(
    attempt: Any, operation: str
) -> None:
    async def program(simulation: Simulation) -> None:
        del simulation
        attempt()

    error = simulate(program).error

    assert isinstance(error, NotSimulated)
    assert (error.operation, error.process) == (operation, "main")
    with socket.socket():
        time.sleep(0)
        assert Clock().now_ns() > 0


def test_attempt_that_is_caught_or_supervised_still_ends_the_run() -> None:
    class Server(GenServer):
        async def init(self) -> None:
            with contextlib.suppress(Exception):
                time.sleep(1)

    async def program(simulation: Simulation) -> None:
        node = simulation.node
        await node.start(Supervisor([worker("sleeper", Server, name="sleeper")]))
        await node.clock.sleep_ms(1)

    error = simulate(program).error

    assert isinstance(error, NotSimulated)
    assert (error.operation, error.process) == ("time.sleep", "sleeper")


def test_other_threads_do_as_they_like_meanwhile() -> None:
    started, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def other() -> None:
        started.set()
        go_on.wait()
        time.sleep(0)
        with socket.socket():
            done.append("socket")
        inner = threading.Thread(target=done.append, args=("thread",))
        inner.start()
        inner.join()

    thread = threading.Thread(target=other)
    thread.start()
    started.wait()

    async def program(simulation: Simulation) -> None:
        go_on.set()
        while len(done) < 2:
            await simulation.clock.sleep_ms(1)

    assert simulate(program).error is None
    thread.join()
