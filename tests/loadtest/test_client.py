"""The load generator's client: right where it is lean, and for this machine only."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from loadtest import (
    ClosedLoop,
    ConnectionCut,
    LoadConnection,
    NotLoopback,
    post_request,
    run_closed_loop,
)

Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ANSWER = b'HTTP/1.1 201 Created\r\nContent-Length: 24\r\n\r\n{"payment_id":"pay-123"}'


@asynccontextmanager
async def serving(handle: Streams) -> AsyncIterator[int]:
    async def close_after(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handle(reader, writer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(close_after, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


async def test_answer_that_comes_in_pieces_is_put_together() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await read_request(reader) == b"order"
        for position in range(0, len(ANSWER), 7):
            writer.write(ANSWER[position : position + 7])
            await writer.drain()
            await asyncio.sleep(0)

    async with serving(handle) as port:
        connection = await LoadConnection.open("127.0.0.1", port)

        status, body = await connection.exchange(post_request("x", "/", "token", b"order"))

        connection.close()
    assert (status, body) == (201, b'{"payment_id":"pay-123"}')


async def test_cut_connection_leaves_the_order_unknown() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ANSWER[:30])
        await writer.drain()

    async with serving(handle) as port:
        connection = await LoadConnection.open("127.0.0.1", port)

        with pytest.raises(ConnectionCut):
            await connection.exchange(post_request("x", "/", "token", b"order"))

        with pytest.raises(ConnectionCut):
            await connection.exchange(post_request("x", "/", "token", b"order"))


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "::"])
async def test_other_machines_are_never_a_target(host: str) -> None:
    with pytest.raises(NotLoopback):
        await LoadConnection.open(host, 80)


async def test_closed_loop_orders_again_after_each_answer_and_counts() -> None:
    orders: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                orders.append(await read_request(reader))
            except asyncio.IncompleteReadError:
                return
            refused = len(orders) % 3 == 0
            writer.write(ANSWER.replace(b"201 Created", b"422 Refused") if refused else ANSWER)

    async with serving(handle) as port:
        load = ClosedLoop(
            url=f"http://127.0.0.1:{port}",
            token="t",
            debtors=[{"account_number": "1"}],
            creditor={"pix_key": "k"},
            payers=3,
            seconds=0.3,
            run="r",
        )
        result = await run_closed_loop(load)

    assert len(result.accepted) + sum(result.refused.values()) == len(orders)
    assert set(result.refused) == {422}
    assert len(set(orders)) == len(orders)
    assert result.percentile_ms(0.5) <= result.percentile_ms(0.99)
