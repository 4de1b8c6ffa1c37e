"""What really leaves on the wire: the request's bytes, read before any library sees them."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest

from bacen.icom import IcomClient
from bacen.wire import LocalAuthority, server_context
from tests.bacen.conftest import OUR_ISPB

# BCB Manual das Interfaces 1.12: any other header is refused
TOLERATED = {
    *("accept", "accept-encoding", "connection", "content-encoding", "content-length"),
    *("content-type", "cookie", "host", "max-forwards", "transfer-encoding", "user-agent", "via"),
}
END = b"\r\n\r\n"
NEXT = b"HTTP/1.1 204 No Content\r\nPI-Pull-Next: /next/1\r\nSet-Cookie: x=1\r\n\r\n"
STORED = b"HTTP/1.1 201 Created\r\nPI-ResourceId: R1\r\nContent-Length: 0\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CATALOGUE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 46\r\n\r\n"
    b"<Catalog><Message>a.spi.1</Message> </Catalog>"
)
ANSWERS = {b"GET /api/v1/in": CATALOGUE, b"GET ": NEXT, b"POST ": STORED, b"DELETE ": CLOSED}


class RawServer:
    """Takes requests as bytes and gives fixed answers."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(END)
                self.heads.append(head)
                lines = head.lower().split(b"\r\n")
                sizes = [int(each[15:]) for each in lines if each.startswith(b"content-length:")]
                await reader.readexactly(sum(sizes))
                writer.write(
                    next(answer for start, answer in ANSWERS.items() if head.startswith(start))
                )
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    def headers(self) -> list[dict[str, str]]:
        """Headers of each request, names as they came."""
        return [
            dict(line.split(": ", 1) for line in head.decode("ascii").split("\r\n")[1:] if line)
            for head in self.heads
        ]


@pytest.fixture
async def raw(
    authority: LocalAuthority, our_context: ssl.SSLContext
) -> AsyncIterator[tuple[RawServer, IcomClient]]:
    server = RawServer()
    context = server_context(authority.certificate, authority.server())
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    client = IcomClient(f"https://localhost:{port}", OUR_ISPB, our_context, compress=True)
    yield server, client
    await client.close()
    listening.close()
    await listening.wait_closed()


async def test_no_request_carries_a_header_that_icom_does_not_tolerate(
    raw: tuple[RawServer, IcomClient],
) -> None:
    server, client = raw

    await client.post([b"<m/>"])
    delivery = await client.start_stream()
    await client.pull(delivery.next)
    await client.close_stream(delivery.next)
    await client.catalogue("in")

    assert len(server.heads) == 5
    for headers in server.headers():
        assert {name.lower() for name in headers} <= TOLERATED
        assert headers["Host"] == "localhost"
        assert headers["Accept-Encoding"] == "gzip"
        assert "User-Agent" not in headers
        assert set(headers["Accept"].split(", ")) <= {"application/xml", "multipart/mixed", "*/*"}
    post = server.headers()[0]
    assert post["Content-Type"] == "application/xml; charset=utf-8"
    assert post["Content-Encoding"] == "gzip"


async def test_request_line_is_http_1_1_and_names_the_participant(
    raw: tuple[RawServer, IcomClient],
) -> None:
    server, client = raw

    await client.post([b"<m/>"])

    line = server.heads[0].split(b"\r\n")[0]
    assert line == b"POST /api/v1/in/%b/msgs HTTP/1.1" % OUR_ISPB.encode()
