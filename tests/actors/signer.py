"""A blocking actor that writes down what it does, and whom it talks to."""

import asyncio
import threading
from typing import Any

from actors import (
    BlockingActor,
    BlockingServer,
    CallAnswer,
    From,
    GenServer,
    Node,
    Pid,
    Reply,
)

LONG_SECONDS = 30  # nobody waits for it: the end of every wait that should not be needed


class Record:
    """What the threads of a test did, and the gates at which they block."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.threads: set[threading.Thread] = set()

    async def until_entered(self) -> None:
        while not self.entered.is_set():
            await asyncio.sleep(0.001)

    async def until_threads_ended(self) -> None:
        """Wait until the threads are gone, and their processes know it."""
        while any(thread.is_alive() for thread in self.threads):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)


class Signer(BlockingActor):
    def __init__(self, record: Record) -> None:
        self.record = record

    def on_start(self) -> None:
        self.note("start")

    def handle_call(self, request: Any) -> Any:
        if request == "block":
            self.record.entered.set()
            self.record.gate.wait(LONG_SECONDS)
        elif isinstance(request, BaseException):
            raise request
        self.note(request)
        return f"signed {request}"

    def handle_cast(self, message: Any) -> None:
        self.handle_call(message)

    def handle_info(self, message: Any) -> None:
        self.note(("info", message))

    def on_stop(self) -> None:
        self.note("stop")

    def note(self, event: object) -> None:
        self.record.threads.add(threading.current_thread())
        self.record.events.append(event)


class Echo(GenServer):
    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        del sender
        return Reply(request)


class Inbox(GenServer):
    """Keeps what it is sent; a watcher that traps exits."""

    trap_exit = True

    def __init__(self) -> None:
        self.received: asyncio.Queue[Any] = asyncio.Queue()

    async def handle_call(self, request: Any, sender: From) -> CallAnswer:
        del sender
        return Reply(request(self.node))

    async def handle_cast(self, message: Any) -> None:
        self.received.put_nowait(("cast", message))

    async def handle_info(self, message: Any) -> None:
        self.received.put_nowait(message)


async def start_signer(node: Node, record: Record, **options: Any) -> Pid:
    return await node.start(BlockingServer(lambda: Signer(record)), **options)


async def until_queued(node: Node, pid: Pid, number: int) -> None:
    while (info := node.info(pid)) is not None and info.mailbox_length < number:
        await asyncio.sleep(0)
