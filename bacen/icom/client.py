"""Client of ICOM, the message interface of SPI (BCB Manual das Interfaces 1.12)."""

import gzip
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from bacen import (
    ExchangeFailed,
    IcomRefused,
    IcomUnknown,
    MalformedXml,
    MultipartInvalid,
)
from bacen.icom.catalogue import parse_catalogue
from bacen.icom.channel import Answer, Channel
from bacen.icom.multipart import (
    PARTS_MAX,
    XML_TYPE,
    Part,
    build_multipart,
    is_multipart,
    parse_multipart,
)
from bacen.wire import parse_xml

LONG_POLL_MS = 30_000  # an empty stream answers 204 after some seconds
TITLE_CHARACTERS_MAX = 200
RETRY_AFTER_SECONDS_MAX = 60  # whatever the bank says, it is asked again after this
RETRY_AFTER_DIGITS_MAX = 9
_PROBLEM_TITLE = "{urn:ietf:rfc:7807}title"
_BOTH_TYPES = "multipart/mixed, application/xml"
_COMPRESSION_LEVEL = 1  # XML shrinks to an eighth at the fastest level already


@dataclass(frozen=True, slots=True)
class Received:
    """One message out of the stream; the same `resource_id` may come again after a cut."""

    resource_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one pull brought: up to ten messages, none after an idle long poll.

    Attributes:
        messages: In the order of the stream.
        next: Path of the next pull. Pulling or closing it confirms these messages.
    """

    messages: tuple[Received, ...]
    next: str


class IcomClient:
    """ICOM of one participant on one channel; make it inside a running event loop.

    Args:
        base_url: `https://host:port` of the channel.
        ispb: The participant; its certificate is in `ssl_context`.
        ssl_context: As `bacen.wire.client_context` makes it.
        timeout_ms: Deadline of one request; a pull waits `LONG_POLL_MS` longer.
        compress: Send gzip, which the secondary channel demands.
    """

    def __init__(
        self,
        base_url: str,
        ispb: str,
        ssl_context: ssl.SSLContext,
        *,
        timeout_ms: int = 10_000,
        compress: bool = False,
    ) -> None:
        self._channel = Channel(base_url, ssl_context, timeout_ms=timeout_ms)
        self._pull_timeout_ms = timeout_ms + LONG_POLL_MS
        self._compress = compress
        self._post_path = f"/api/v1/in/{ispb}/msgs"
        self._start_path = f"/api/v1/out/{ispb}/stream/start"

    async def post(self, messages: Sequence[bytes]) -> tuple[str, ...]:
        """Hand 1 to 10 signed messages to SPI; they are stored, not judged, when this returns.

        Returns:
            The PI-ResourceId of each message, in order. What SPI thinks of a message comes
            on the stream.

        Raises:
            IcomRefused: 4xx: nothing was stored. Do not resend unchanged; 429: later.
            IcomUnknown: Anything else: resend the same bytes, SPI is idempotent by BizMsgIdr.
            ValueError: No message, or more than ten.
        """
        if not 0 < len(messages) <= PARTS_MAX:
            raise ValueError(f"1 to {PARTS_MAX} messages go into one post")
        content_type, body = XML_TYPE, messages[0]
        if len(messages) > 1:
            content_type, body = build_multipart([Part(message) for message in messages])
        headers = {"Accept": "*/*", "Content-Type": content_type}
        if self._compress:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, _COMPRESSION_LEVEL, mtime=0)
        answer = await self._send("POST", self._post_path, headers, body=body)
        if answer.status != 201:
            raise _problem(answer)
        names = answer.headers.get("PI-ResourceId", "").split(",")
        stored = tuple(name.strip() for name in names if name.strip())
        if len(stored) != len(messages):
            raise IcomUnknown("the answer does not name every message")
        return stored

    async def start_stream(self) -> Delivery:
        """Open a stream and pull for the first time. At most six a participant (429 beyond).

        Raises:
            IcomRefused: 4xx, with its reason.
            IcomUnknown: Anything else: start again, unconfirmed messages come again.
        """
        return await self.pull(self._start_path)

    async def pull(self, path: str) -> Delivery:
        """Confirm the delivery that named this path, and wait for the next one.

        Raises:
            IcomRefused: 4xx, with its reason; 410 when the stream is gone: start a new one.
            IcomUnknown: Anything else: what was pulled may come again.
        """
        answer = await self._send(
            "GET", path, {"Accept": _BOTH_TYPES}, timeout_ms=self._pull_timeout_ms
        )
        if answer.status not in (200, 204):
            raise _problem(answer)
        following = self._next_path(answer.headers.get("PI-Pull-Next", ""))
        return Delivery(() if answer.status == 204 else _messages(answer), following)

    async def close_stream(self, path: str) -> None:
        """Close the stream and confirm its last delivery; a stream that is gone is closed.

        Raises:
            IcomRefused: 4xx but 410.
            IcomUnknown: Anything else: unconfirmed messages come again on another stream.
        """
        answer = await self._send("DELETE", path, {"Accept": "*/*"})
        if answer.status not in (200, 204, 410):
            raise _problem(answer)

    async def catalogue(self, direction: Literal["in", "out"]) -> frozenset[str]:
        """Ask which messages the bank takes (`in`) or sends (`out`), such as `pacs.008.spi.1.16`.

        Raises:
            IcomRefused: 4xx, with its reason.
            IcomUnknown: Anything else.
        """
        path = f"/api/v1/{direction}/catalog"
        answer = await self._send("GET", path, {"Accept": "application/xml"})
        if answer.status != 200:
            raise _problem(answer)
        return parse_catalogue(answer.body)

    async def close(self) -> None:
        """Close the connections; the stream stays open at the other end until it times out."""
        await self._channel.close()

    async def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        *,
        body: bytes | None = None,
        timeout_ms: int | None = None,
    ) -> Answer:
        try:
            return await self._channel.send(method, path, headers, body=body, timeout_ms=timeout_ms)
        except ExchangeFailed as error:
            raise IcomUnknown(error.cause) from error

    def _next_path(self, text: str) -> str:
        """Take the path out of PI-Pull-Next; another host is never followed."""
        try:
            parts = urlsplit(text)
            same = not parts.netloc or parts.hostname == self._channel.origin.host
        except ValueError:
            same = False
        if not same or not parts.path.startswith("/") or not text.isascii():
            raise IcomUnknown("the answer has no usable PI-Pull-Next")
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _messages(answer: Answer) -> tuple[Received, ...]:
    content_type = answer.headers.get("Content-Type", "")
    parts: tuple[Part, ...] = (
        Part(answer.body, {"pi-resourceid": answer.headers.get("PI-ResourceId", "").strip()}),
    )
    if is_multipart(content_type):
        try:
            parts = parse_multipart(content_type, answer.body)
        except MultipartInvalid as error:
            raise IcomUnknown(f"multipart: {error.problem}") from error
    received = tuple(Received(part.headers.get("pi-resourceid", ""), part.body) for part in parts)
    if not all(message.resource_id for message in received):
        raise IcomUnknown("a message has no PI-ResourceId")
    return received


def _problem(answer: Answer) -> IcomRefused | IcomUnknown:
    if not 400 <= answer.status < 500:
        return IcomUnknown(f"HTTP {answer.status}")
    return IcomRefused(answer.status, _title(answer), _retry_after_s(answer))


def _retry_after_s(answer: Answer) -> int | None:
    """Read `Retry-After` in seconds; the bank gives no dates, and nothing waits for days."""
    text = answer.headers.get("Retry-After", "").strip()
    if not text.isascii() or not text.isdigit():
        return None
    return min(int(text[:RETRY_AFTER_DIGITS_MAX]), RETRY_AFTER_SECONDS_MAX)


def _title(answer: Answer) -> str:
    """`title` of a problem document; the reason phrase where there is no such document."""
    if "xml" in answer.headers.get("Content-Type", ""):
        try:
            title = parse_xml(answer.body).findtext(_PROBLEM_TITLE)
        except MalformedXml:
            title = None
        if title:
            return title[:TITLE_CHARACTERS_MAX]
    return answer.reason
