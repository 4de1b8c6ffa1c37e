"""The doors of a running bank: bent requests over real sockets, never a 5xx, never a fault."""

import asyncio
import contextlib
import random
import shutil
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import msgspec

from actors import Node
from bacen.icom import IcomClient
from bacen.simulator import BankClock, BankSettings, DictSettings, RunningBank, start_bank
from bacen.wire import KeyPair, client_context
from tests.fuzz.corpus import OURS
from tests.fuzz.findings import Findings, words_of
from tests.fuzz.running import Tally
from tests.fuzz.watch import Forbidden, Growth

ANSWER_SECONDS = 30
RAW_SECONDS = 0.1
OTHER = "87654321"
LOOK_EACH = 100  # requests, after which the bank is asked how it is
BANK_INPUTS = 5_000
JSON = (("Content-Type", "application/json"),)
CALM = (
    'corrente_bacen_alarms_total{kind="fault"}',
    'corrente_bacen_alarms_total{kind="money_missing_cents"}',
    "corrente_bacen_dict_faults_total",
)
FORBIDDEN_SIGNS = str.maketrans("", "", "\r\n\0")


class Ask(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        raw: Sent as it is in place of all else.
    """

    method: str = "GET"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    raw: bytes = b""

    def wire(self) -> bytes:
        """Bytes on the line; whatever is bent, it is framed as one request."""
        if self.raw:
            return self.raw
        target = self.target.translate(FORBIDDEN_SIGNS).replace(" ", "%20") or "/"
        lines = [f"{self.method} {target} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}".translate(FORBIDDEN_SIGNS) for name, value in self.headers]
        if self.body or self.method != "GET":
            lines.append(f"Content-Length: {len(self.body)}")
        head = "\r\n".join(lines).encode(errors="replace") + b"\r\n\r\n"
        return head + self.body


@dataclass(frozen=True)
class Door:
    """A listener of the bank, and how requests to it are made.

    Attributes:
        share: Of a thousand inputs, how many are for it.
        url: Where it is, at a running bank.
        asks: Makes what makes requests, for a running bank.
    """

    share: int
    url: Callable[[RunningBank], str]
    asks: Callable[[RunningBank], Callable[[random.Random], Ask]]


class Line:
    """A connection that is kept, and opened again when it was closed."""

    def __init__(self, url: str, context: ssl.SSLContext | None) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname, address.port
        self._context = context
        self._writer: asyncio.StreamWriter | None = None

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
            self._writer = None

    async def ask(self, ask: Ask) -> tuple[int, bytes]:
        """Send a request; gives status and body, 0 when the connection was closed instead.

        Raises:
            TimeoutError: No answer.
        """
        is_new = self._writer is None
        try:
            async with asyncio.timeout(RAW_SECONDS if ask.raw else ANSWER_SECONDS):
                return await self._exchange(ask)
        except (OSError, asyncio.IncompleteReadError) as error:
            await self.close()
            if isinstance(error, TimeoutError) and not ask.raw:
                raise
            if ask.raw:
                return 0, b""  # half a request: the other side waits for the rest
        if is_new:
            return 0, b""
        return await self.ask(ask)  # it may have been closed before we asked

    async def _exchange(self, ask: Ask) -> tuple[int, bytes]:
        if self._writer is None:
            name = "localhost" if self._context else None
            self._reader, self._writer = await asyncio.open_connection(
                self._host, self._port, ssl=self._context, server_hostname=name
            )
        self._writer.write(ask.wire())
        await self._writer.drain()
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split(b" ", 2)[1])
        has_body = ask.method != "HEAD" and status not in {204, 304}
        body = await self._body(head) if has_body else b""
        if b"\r\nconnection: close" in head or ask.raw:
            await self.close()
        return status, body

    async def _body(self, head: bytes) -> bytes:
        read = b""
        if b"\r\ntransfer-encoding: chunked" in head:
            while size := int(await self._reader.readline(), 16):
                read += (await self._reader.readexactly(size + 2))[:-2]
            await self._reader.readline()
        elif b"\r\ncontent-length:" in head:
            length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            read = await self._reader.readexactly(int(length))
        return read


@contextlib.asynccontextmanager
async def running_bank(home: Path) -> AsyncIterator[RunningBank]:
    """A bank without the limits that would answer for it."""
    node = Node("fuzz", clock=BankClock())
    settings = BankSettings(
        home=home,
        connected=(OURS, OTHER),
        long_poll_ms=0,
        stream_idle_ms=200,
        stream_grace_ms=0,
        primary_per_second=1_000_000,
        directory=DictSettings(rate_factor=1_000_000),
    )
    try:
        yield await start_bank(node, settings)
    finally:
        await node.shutdown()


def context_of(bank: RunningBank) -> ssl.SSLContext:
    pki = bank.home / "pki"
    ours = pki / "participants" / OURS
    return client_context(pki / "ca.pem", KeyPair(ours / "client.pem", ours / "client.key"))


class Visit:
    """Requests to one door of one running bank.

    Args:
        bank: It.
        name: Of the door.
        door: It.
        growth: Of this process.
        findings: Where to put what was found.
    """

    def __init__(
        self, bank: RunningBank, name: str, door: Door, growth: Growth, findings: Findings
    ) -> None:
        self._name = name
        context = context_of(bank)
        url = door.url(bank)
        self._line = Line(url, context if url.startswith("https") else None)
        self._admin = Line(bank.admin_url, None)
        self._mail = IcomClient(bank.url, OURS, context)
        self._make = door.asks(bank)
        self._growth = growth
        self._findings = findings
        self._asked: list[bytes] = []

    async def close(self) -> None:
        await self._line.close()
        await self._admin.close()
        await self._mail.close()

    async def ask(self, rng: random.Random) -> int:
        """Make a request and send it."""
        return await self.send(msgspec.msgpack.encode(self._make(rng)))

    async def send(self, data: bytes) -> int:
        """Send one request; a status of the bank's own failure is a finding."""
        status = 0
        self._asked.append(data)
        ask = msgspec.msgpack.decode(data, type=Ask)
        try:
            status, body = await self._line.ask(ask)
            require_answer(status, body)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._found(error)
        if len(self._asked) >= LOOK_EACH:
            await self.look()
        return status

    async def look(self) -> None:
        """Ask the bank how it is, and read what it has told us."""
        try:
            await self._admin.ask(Ask("POST", "/admin/clock", JSON, b'{"rate": 1}'))
            _, metrics = await self._admin.ask(Ask(target="/metrics"))
            require_calm(metrics.decode())
            await self._read_mail()
            self._growth.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._found(error)
        self._asked = []

    async def _read_mail(self) -> None:
        """Confirm what waits, so that it does not pile up."""
        delivery = await self._mail.start_stream()
        while delivery.messages:
            delivery = await self._mail.pull(delivery.next)
        await self._mail.close_stream(delivery.next)

    def _found(self, error: Exception) -> None:
        self._findings.add(self._name, self._asked, f"{words_of(error)} {error}"[:4000])


def require_answer(status: int, body: bytes) -> None:
    """Refuse an answer that says that the bank failed."""
    if status >= 500:
        raise Forbidden(f"answered {status} {body[:200]!r}")


def require_calm(metrics: str) -> None:
    """Refuse metrics that tell of faults of the bank's own code, or of money that is missing."""
    for name in CALM:
        if f"{name} 0.0\n" not in metrics:
            raise Forbidden(f"{name} is not 0")


async def visit(
    name: str, door: Door, home: Path, findings: Findings, generators: Iterator[random.Random]
) -> Tally:
    """Send requests to one door, of a new bank every few thousand."""
    tally, growth = Tally(), Growth()
    while batch := list(islice(generators, BANK_INPUTS)):
        with TemporaryDirectory(dir=home) as folder:
            shutil.copytree(home / "pki", Path(folder) / "pki")
            async with running_bank(Path(folder)) as bank:
                visitor = Visit(bank, name, door, growth, findings)
                for rng in batch:
                    started = time.monotonic()
                    tally.answers[await visitor.ask(rng)] += 1
                    tally.add(time.monotonic() - started)
                await visitor.look()
                await visitor.close()
    return tally
