"""The two channels of ICOM: what goes where, what the secondary insists on, six streams each."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from bacen.icom import IcomClient, IcomRefused
from bacen.simulator import RunningBank
from bacen.wire import Pacs008, decode
from tests.bacen.simulator.conftest import OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, READ_SECONDS, Desk, DeskKeys, admin
from tests.bacen.simulator.test_simulator_icom import IN, OUT, XML, exchange

OpenClient = Callable[[RunningBank, str], IcomClient]
Connect = Callable[[RunningBank], Awaitable["RawConnection"]]
STREAMS_MAX = 6


@pytest.fixture
async def secondary(desk_keys: dict[str, DeskKeys]) -> AsyncIterator[OpenClient]:
    """Open clients of the secondary channel; all are closed at the end."""
    opened: list[IcomClient] = []

    def client(bank: RunningBank, ispb: str = PAYER) -> IcomClient:
        keys = desk_keys[ispb]
        opened.append(IcomClient(bank.secondary_url, ispb, keys.context, compress=True))
        return opened[-1]

    yield client
    for each in opened:
        await each.close()


async def test_scheduled_payment_is_read_on_the_secondary_channel_and_nothing_else_is(
    bank: RunningBank, payer: Desk, receiver: Desk, secondary: OpenClient
) -> None:
    scheduled = payer.transfer(creditor_ispb=CONNECTED)
    message = payer.pacs008(scheduled, priority="NORM", service_level="PAGAGD")
    immediate = payer.transfer(creditor_ispb=CONNECTED)

    await secondary(bank, PAYER).post([payer.encode(message)])
    await payer.pay(immediate)
    (on_primary,) = await receiver.read()
    delivery = await secondary(bank, CONNECTED).start_stream()

    assert isinstance(on_primary, Pacs008)
    assert [each.end_to_end_id for each in on_primary.transfers] == [immediate.end_to_end_id]
    (on_secondary,) = [decode(each.body, receiver.spi) for each in delivery.messages]
    assert isinstance(on_secondary, Pacs008)
    assert [each.end_to_end_id for each in on_secondary.transfers] == [scheduled.end_to_end_id]


async def test_unconfirmed_message_of_the_secondary_channel_comes_again_there(
    bank: RunningBank, payer: Desk, secondary: OpenClient
) -> None:
    transfer = payer.transfer(creditor_ispb=CONNECTED)
    message = payer.pacs008(transfer, priority="NORM", service_level="PAGAGD")
    await payer.client.post([payer.encode(message)])
    died, next_one = secondary(bank, CONNECTED), secondary(bank, CONNECTED)
    unconfirmed = await died.start_stream()
    await died.close()

    delivery = await next_one.start_stream()
    async with asyncio.timeout(READ_SECONDS):
        while not delivery.messages:
            delivery = await next_one.pull(delivery.next)

    assert delivery.messages == unconfirmed.messages


async def test_each_channel_has_its_own_six_streams(
    start: StartBank, desks: OpenDesk, secondary: OpenClient
) -> None:
    bank = await start(long_poll_ms=0)
    clients = (desks(bank).client, secondary(bank, PAYER))

    for client in clients:
        for _ in range(STREAMS_MAX):
            await client.start_stream()

    for client in clients:
        with pytest.raises(IcomRefused) as refused:
            await client.start_stream()
        assert refused.value.status == 429
        assert refused.value.retry_after_s is not None


async def test_stream_of_one_channel_is_unknown_on_the_other(
    bank: RunningBank, payer: Desk, secondary: OpenClient
) -> None:
    delivery = await payer.client.start_stream()

    with pytest.raises(IcomRefused) as gone:
        await secondary(bank, PAYER).pull(delivery.next)

    assert gone.value.status == 410


ON_SECONDARY = {
    "post without gzip": (415, "POST", IN, XML, b"<a/>"),
    "post in another packing": (415, "POST", IN, {**XML, "Content-Encoding": "identity"}, b"<a/>"),
    "reader that takes no gzip": (
        406,
        "GET",
        f"{OUT}/start",
        {"Accept-Encoding": "identity"},
        None,
    ),
    "header that is not on the list": (403, "GET", f"{OUT}/start", {"X-Request-Id": "1"}, None),
    "path of DICT": (404, "GET", "/api/v2/entries/x", {}, None),
}


@pytest.mark.parametrize("case", sorted(ON_SECONDARY))
async def test_secondary_channel_refuses(
    bank: RunningBank, desk_keys: dict[str, DeskKeys], case: str
) -> None:
    expected, method, path, headers, body = ON_SECONDARY[case]

    status, answered, _ = await exchange(
        bank.secondary_url, desk_keys[PAYER], method, path, headers, body
    )

    assert status == expected
    assert answered["Content-Type"].startswith("application/problem+xml")


async def test_secondary_channel_takes_and_gives_gzip(
    bank: RunningBank, desk_keys: dict[str, DeskKeys], payer: Desk
) -> None:
    packed = {**XML, "Content-Encoding": "gzip"}
    message = payer.pacs008(
        payer.transfer(creditor_ispb=PAYER), priority="NORM", service_level="PAGAGD"
    )
    post = gzip.compress(payer.encode(message))

    stored, named, _ = await exchange(
        bank.secondary_url, desk_keys[PAYER], "POST", IN, packed, post
    )

    assert stored == 201
    assert len(named["PI-ResourceId"].split(",")) == 1


class RawConnection:
    """A connection to the bank on which a test writes what no client would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str, context: ssl.SSLContext) -> "RawConnection":
        port = urlsplit(url).port
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context))

    def write(self, *lines: str) -> None:
        self._writer.write("\r\n".join(lines).encode())

    async def status(self) -> int:
        return int((await self._reader.readline()).split()[1])

    async def rest(self) -> bytes:
        """Read until the bank closes the connection."""
        return await self._reader.read()

    async def close(self) -> None:
        self._writer.transport.abort()
        await asyncio.sleep(0)


HEAD = (f"POST {IN} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/xml; charset=utf-8")


@pytest.fixture
async def raw(desk_keys: dict[str, DeskKeys]) -> AsyncIterator[Connect]:
    opened: list[RawConnection] = []

    async def connect(bank: RunningBank) -> RawConnection:
        opened.append(await RawConnection.open(bank.url, desk_keys[PAYER].context))
        return opened[-1]

    yield connect
    for connection in opened:
        await connection.close()


async def received(bank: RunningBank) -> str:
    text = await admin(bank, None)
    return "".join(line for line in text.splitlines() if "messages_received_total{" in line)


async def test_post_that_does_not_say_its_length_is_411(bank: RunningBank, raw: Connect) -> None:
    connection = await raw(bank)

    connection.write(*HEAD, "", "")

    async with asyncio.timeout(READ_SECONDS):
        assert await connection.status() == 411


async def test_body_that_does_not_come_is_408_and_the_connection_ends(
    start: StartBank, raw: Connect
) -> None:
    bank = await start(body_timeout_ms=200)
    connection = await raw(bank)

    connection.write(*HEAD, "Content-Length: 100", "", "<Envel")

    async with asyncio.timeout(READ_SECONDS):
        assert await connection.status() == 408
        assert b"request-timeout" in await connection.rest()
    assert await received(bank) == ""


async def test_post_that_is_cut_in_its_body_stores_nothing_and_goes_again(
    bank: RunningBank, payer: Desk, raw: Connect
) -> None:
    body = payer.encode(payer.pacs008(payer.transfer()))
    connection = await raw(bank)
    connection.write(*HEAD, f"Content-Length: {len(body)}", "", body.decode()[:1000])
    await connection.close()

    await payer.client.post([body])

    (settled,) = await payer.read_reports()
    assert settled.status == "ACSC"
    assert await received(bank) == 'corrente_bacen_messages_received_total{kind="pacs.008"} 1.0'


async def test_frozen_reader_loses_its_messages_to_one_that_reads(
    start: StartBank, desks: OpenDesk, raw: Connect
) -> None:
    """It asked, and never takes its answer off the wire."""
    bank = await start(stream_idle_ms=300)
    other = desks(bank)
    await other.pay(other.transfer())
    frozen = await raw(bank)
    frozen.write(f"GET {OUT}/start HTTP/1.1", "Host: 127.0.0.1", "Accept: multipart/mixed", "", "")
    async with asyncio.timeout(READ_SECONDS):
        while f'corrente_bacen_streams{{ispb="{PAYER}"}} 1.0' not in await admin(bank, None):
            await asyncio.sleep(0.01)

        (settled,) = await other.read_reports()

    assert settled.status == "ACSC"
