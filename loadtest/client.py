"""HTTP/1.1 client for load: one connection, one request at a time, nothing that is not needed.

A general client costs more per request than the platform it measures, and both share this machine.
So this one writes prepared bytes, waits for one answer with a Content-Length, and gives back status
and body. It talks to loopback addresses only.
"""

import asyncio
import ipaddress
from dataclasses import dataclass
from typing import cast

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(eq=False)
class ConnectionCut(Exception):
    """The server closed the connection before the answer was complete.

    Attributes:
        received_bytes: How much of the answer had come.
    """

    received_bytes: int

    def __post_init__(self) -> None:
        self.args = (self.received_bytes,)


@dataclass(eq=False)
class NotLoopback(Exception):
    """Load is for this machine only.

    Attributes:
        host: The address that was refused.
    """

    host: str

    def __post_init__(self) -> None:
        self.args = (self.host,)


class LoadConnection(asyncio.Protocol):
    """One keep-alive connection; `exchange` sends a request and waits for its answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._needed = 0
        self._waiter: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> "LoadConnection":
        """Connect; raises NotLoopback for any address that is not this machine."""
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise NotLoopback(host)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio calls this)."""
        # uvloop's transports are of classes of their own.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Complete the answer that is waited for (asyncio calls this)."""
        self._buffer += data
        if not self._needed:
            end = self._buffer.find(HEAD_END)
            if end < 0:
                return
            self._needed = end + len(HEAD_END) + _content_length(self._buffer[:end])
        if len(self._buffer) >= self._needed:
            self._complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the answer that is waited for (asyncio calls this)."""
        if self._waiter is not None and not self._waiter.done():
            error = ConnectionCut(len(self._buffer))
            error.__cause__ = exc
            self._waiter.set_exception(error)
        self._transport = None

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; the status and the body of its answer.

        Raises:
            ConnectionCut: The answer is unknown; open a new connection.
        """
        if self._transport is None:
            raise ConnectionCut(0)
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiter

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _complete(self) -> None:
        answer, self._buffer = self._buffer[: self._needed], self._buffer[self._needed :]
        self._needed = 0
        body = answer[answer.find(HEAD_END) + len(HEAD_END) :]
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result((int(answer[9:12]), body))


def post_request(host: str, path: str, token: str, body: bytes) -> bytes:
    """The bytes of a POST with a JSON body."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def get_request(host: str, path: str, token: str) -> bytes:
    """The bytes of a GET."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()


def _content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(LENGTH)
    if start < 0:
        return 0
    return int(lower[start + len(LENGTH) :].split(b"\r\n", 1)[0])
