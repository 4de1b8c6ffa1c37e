"""HTTPS to a service of the BCB: only tolerated headers, bounded answers, one deadline.

ICOM refuses requests with a header that is not on its list (Manual das Interfaces 1.12), so
nothing is added on the way: no tracing, no library's own headers.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from bacen import ExchangeFailed

HEADERS_SKIPPED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
ANSWER_BYTES_MAX = 24 * 1024 * 1024  # ten messages of the largest size, and their frame


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer: status, reason phrase, headers (any case), body, decompressed."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class Channel:
    """A pool of HTTP/1.1 connections to one service, with a client certificate.

    Make it inside a running event loop and close it with `close`.

    Args:
        base_url: `https://host:port`; the `Host` header carries no port.
        ssl_context: As `bacen.wire.client_context` makes it.
        timeout_ms: Deadline of a whole exchange, where none is given with it.
    """

    def __init__(
        self, base_url: str, ssl_context: ssl.SSLContext, *, timeout_ms: int = 10_000
    ) -> None:
        self.origin = URL(base_url).origin()
        self._host = self.origin.host_subcomponent or ""
        self._timeout_ms = timeout_ms
        self._session = ClientSession(
            connector=TCPConnector(ssl=ssl_context, limit=0),
            skip_auto_headers=HEADERS_SKIPPED,
        )

    async def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        timeout_ms: int | None = None,
    ) -> Answer:
        """Send one request and read its whole answer.

        Args:
            method: HTTP method.
            path: Path and query as they go on the wire, percent-encoded.
            headers: Sent as they are, besides Host, Accept-Encoding and Content-Length.
            body: Sent as it is.
            timeout_ms: Deadline of the whole exchange.

        Raises:
            ExchangeFailed: No connection, cut, too late, or an answer over `ANSWER_BYTES_MAX`.
        """
        deadline_ms = self._timeout_ms if timeout_ms is None else timeout_ms
        try:
            async with self._session.request(
                method,
                URL(f"{self.origin}{path}", encoded=True),
                headers={"Host": self._host, "Accept-Encoding": "gzip", **headers},
                data=body,
                allow_redirects=False,
                timeout=ClientTimeout(total=deadline_ms / 1000),
            ) as response:
                read = await _read(response)
                return Answer(response.status, response.reason or "", response.headers, read)
        except (ClientError, OSError, ValueError) as error:  # a deadline is an OSError too
            raise ExchangeFailed(type(error).__name__) from error

    async def close(self) -> None:
        """Close every connection; exchanges under way fail."""
        await self._session.close()


async def _read(response: ClientResponse) -> bytes:
    """Read the body, decompressed; bounded after decompression."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise ExchangeFailed("the answer is too large")
        chunks.append(chunk)
    return b"".join(chunks)
