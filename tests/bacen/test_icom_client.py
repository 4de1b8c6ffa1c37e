"""ICOM over TLS against a small server: what is sent, what comes back, what an error means."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from bacen.icom import (
    IcomClient,
    IcomRefused,
    IcomUnknown,
    Part,
    build_multipart,
    parse_multipart,
)
from tests.bacen.conftest import OUR_ISPB, Serve

POST = f"/api/v1/in/{OUR_ISPB}/msgs"
START = f"/api/v1/out/{OUR_ISPB}/stream/start"
ALLOWED_HEADERS = {
    *("accept", "accept-encoding", "connection", "content-encoding", "content-length"),
    *("content-type", "cookie", "host", "max-forwards", "transfer-encoding", "user-agent", "via"),
}
PROBLEM = (
    b'<problem xmlns="urn:ietf:rfc:7807"><type>https://icom.pi.rsfn.net.br/api/v1/error/x</type>'
    b"<title>Too many streams</title></problem>"
)
Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse] | web.StreamResponse]


class Icom:
    """A server that answers by a function and remembers the requests."""

    def __init__(self, serve: Serve, context: ssl.SSLContext) -> None:
        self._serve, self._context = serve, context
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.clients: list[IcomClient] = []

    async def client(
        self, answer: Answer, *, timeout_ms: int = 10_000, compress: bool = False
    ) -> IcomClient:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.seen.append((request.method, request.path_qs, headers, body))
            answered = answer(request, body)
            return answered if isinstance(answered, web.StreamResponse) else await answered

        url = await self._serve(handle)
        client = IcomClient(url, OUR_ISPB, self._context, timeout_ms=timeout_ms, compress=compress)
        self.clients.append(client)
        return client


@pytest.fixture
async def icom(serve: Serve, our_context: ssl.SSLContext) -> AsyncIterator[Icom]:
    icom = Icom(serve, our_context)
    yield icom
    for client in icom.clients:
        await client.close()


def stored(request: web.Request, body: bytes) -> web.Response:
    count = body.count(b"<m") if request.method == "POST" else 0
    names = ",".join(f"R{number}" for number in range(count))
    return web.Response(status=201, headers={"PI-ResourceId": names})


async def test_one_message_goes_as_plain_xml(icom: Icom) -> None:
    client = await icom.client(stored)

    assert await client.post([b"<m/>"]) == ("R0",)

    method, path, headers, body = icom.seen[0]
    assert (method, path, body) == ("POST", POST, b"<m/>")
    assert headers["content-type"] == "application/xml; charset=utf-8"


async def test_several_messages_go_as_multipart_in_order(icom: Icom) -> None:
    client = await icom.client(stored)
    messages = [b"<m>%d</m>" % number for number in range(10)]

    assert await client.post(messages) == tuple(f"R{number}" for number in range(10))

    parts = parse_multipart(icom.seen[0][2]["content-type"], icom.seen[0][3])
    assert [part.body for part in parts] == messages


async def test_only_tolerated_headers_are_sent_and_host_has_no_port(icom: Icom) -> None:
    client = await icom.client(
        lambda request, body: (
            stored(request, body)
            if request.method == "POST"
            else web.Response(
                status=204 if request.method == "GET" else 200,
                headers={"PI-Pull-Next": "/next/1"},
            )
        )
    )
    await client.post([b"<m/>", b"<m/>"])
    delivery = await client.start_stream()
    await client.close_stream(delivery.next)

    assert [method for method, *_ in icom.seen] == ["POST", "GET", "DELETE"]
    for _, _, headers, _ in icom.seen:
        assert set(headers) <= ALLOWED_HEADERS
        assert headers["host"] == "localhost"
        assert headers["accept-encoding"] == "gzip"
    assert icom.seen[1][2]["accept"].startswith("multipart/mixed")


async def test_secondary_channel_is_sent_gzip(icom: Icom) -> None:
    client = await icom.client(stored, compress=True)

    await client.post([b"<m>" + b"x" * 1000])

    assert icom.seen[0][2]["content-encoding"] == "gzip"
    assert icom.seen[0][3] == b"<m>" + b"x" * 1000  # the server unpacked it


@pytest.mark.parametrize("count", [0, 11])
async def test_post_takes_one_to_ten_messages(icom: Icom, count: int) -> None:
    client = await icom.client(stored)

    with pytest.raises(ValueError, match="1 to 10"):
        await client.post([b"<m/>"] * count)
    assert icom.seen == []


async def test_unconfirmed_messages_come_again_with_their_ids(icom: Icom) -> None:
    """The stream is confirmed by pulling on; a reader that starts anew sees the same again."""
    confirmed = 0

    def answer(request: web.Request, _body: bytes) -> web.Response:
        nonlocal confirmed
        if "/pull/" in request.path:
            confirmed = int(request.path.rpartition("/")[2])
        following = {"PI-Pull-Next": f"/api/v1/pull/{confirmed + 2}"}
        if confirmed >= 4:
            return web.Response(status=204, headers=following)
        parts = [Part(b"<m/>", {"PI-ResourceId": f"R{confirmed + step}"}) for step in (1, 2)]
        content_type, body = build_multipart(parts)
        headers = {"Content-Type": content_type, **following}
        return web.Response(body=body, headers=headers)

    client = await icom.client(answer)
    first = await client.start_stream()
    again = await client.start_stream()
    second = await client.pull(again.next)
    idle = await client.pull(second.next)
    await client.close_stream(idle.next)

    assert [message.resource_id for message in first.messages] == ["R1", "R2"]
    assert first.messages == again.messages
    assert [message.resource_id for message in second.messages] == ["R3", "R4"]
    assert idle.messages == ()


async def test_single_compressed_message_is_read(icom: Icom) -> None:
    client = await icom.client(
        lambda _request, _body: web.Response(
            body=gzip.compress(b"<m>1</m>"),
            headers={
                "Content-Type": "application/xml; charset=utf-8",
                "Content-Encoding": "gzip",
                "PI-ResourceId": "R7",
                "PI-Pull-Next": "https://localhost/api/v1/next?x=1",
            },
        )
    )

    delivery = await client.start_stream()

    assert [(m.resource_id, m.body) for m in delivery.messages] == [("R7", b"<m>1</m>")]
    assert delivery.next == "/api/v1/next?x=1"


async def test_refusal_carries_title_and_waiting_time(icom: Icom) -> None:
    client = await icom.client(
        lambda _request, _body: web.Response(
            status=429,
            body=PROBLEM,
            headers={"Content-Type": "application/problem+xml", "Retry-After": "7"},
        )
    )

    for attempt in (client.post([b"<m/>"]), client.start_stream(), client.close_stream("/x")):
        with pytest.raises(IcomRefused) as refused:
            await attempt
        assert refused.value.status == 429
        assert refused.value.title == "Too many streams"
        assert refused.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("0", 0),
        ("59", 59),
        ("86400", 60),
        ("9" * 5000, 60),
        ("soon", None),
        ("-1", None),
        ("²", None),
    ],
)
async def test_waiting_time_is_read_and_never_longer_than_a_minute(
    icom: Icom, told: str, expected: int | None
) -> None:
    client = await icom.client(
        lambda _request, _body: web.Response(status=429, headers={"Retry-After": told})
    )

    with pytest.raises(IcomRefused) as refused:
        await client.post([b"<m/>"])

    assert refused.value.retry_after_s == expected


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 408, 410, 411, 413, 415])
async def test_client_errors_say_that_nothing_was_stored(icom: Icom, status: int) -> None:
    client = await icom.client(lambda _request, _body: web.Response(status=status, body=b"<<"))

    with pytest.raises(IcomRefused) as refused:
        await client.post([b"<m/>"])

    assert refused.value.status == status


@pytest.mark.parametrize("status", [200, 202, 302, 500, 502, 503])
async def test_every_other_answer_leaves_the_outcome_unknown(icom: Icom, status: int) -> None:
    client = await icom.client(
        lambda _request, _body: web.Response(status=status, headers={"Location": "/x"})
    )

    with pytest.raises(IcomUnknown, match=str(status)):
        await client.post([b"<m/>"])
    assert len(icom.seen) == 1


async def test_stream_that_is_gone_counts_as_closed(icom: Icom) -> None:
    client = await icom.client(lambda _request, _body: web.Response(status=410))

    await client.close_stream("/next/1")

    assert icom.seen[0][:2] == ("DELETE", "/next/1")


async def test_cut_connection_leaves_the_outcome_unknown(icom: Icom) -> None:
    def cut(request: web.Request, _body: bytes) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    client = await icom.client(cut)

    with pytest.raises(IcomUnknown):
        await client.post([b"<m/>"])


async def test_late_answer_leaves_the_outcome_unknown(icom: Icom) -> None:
    over = asyncio.Event()

    async def wait(_request: web.Request, _body: bytes) -> web.StreamResponse:
        await over.wait()
        return web.Response(status=201)

    client = await icom.client(wait, timeout_ms=50)

    with pytest.raises(IcomUnknown, match="Timeout"):
        await client.post([b"<m/>"])
    over.set()


async def test_nobody_listening_leaves_the_outcome_unknown(our_context: ssl.SSLContext) -> None:
    client = IcomClient("https://127.0.0.1:1", OUR_ISPB, our_context)
    try:
        with pytest.raises(IcomUnknown):
            await client.post([b"<m/>"])
    finally:
        await client.close()


BAD_ANSWERS = {
    "no resource id": ({"PI-Pull-Next": "/n"}, b"<m/>"),
    "no next": ({"PI-ResourceId": "R1"}, b"<m/>"),
    "next on another host": (
        {"PI-ResourceId": "R1", "PI-Pull-Next": "https://elsewhere.test/n"},
        b"<m/>",
    ),
    "next without path": ({"PI-ResourceId": "R1", "PI-Pull-Next": "n"}, b"<m/>"),
    "broken multipart": (
        {"PI-Pull-Next": "/n", "Content-Type": "multipart/mixed; boundary=b"},
        b"--b\r\n",
    ),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_unusable_delivery_is_never_half_read(icom: Icom, name: str) -> None:
    headers, body = BAD_ANSWERS[name]
    client = await icom.client(lambda _request, _body: web.Response(body=body, headers=headers))

    with pytest.raises(IcomUnknown):
        await client.start_stream()


async def test_answer_that_names_too_few_messages_is_unknown(icom: Icom) -> None:
    client = await icom.client(
        lambda _request, _body: web.Response(status=201, headers={"PI-ResourceId": "R1"})
    )

    with pytest.raises(IcomUnknown):
        await client.post([b"<m/>", b"<m/>"])


async def test_answer_without_end_is_cut_off(icom: Icom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bacen.icom.channel.ANSWER_BYTES_MAX", 100_000)
    bomb = gzip.compress(b"\x00" * 50_000_000)
    client = await icom.client(
        lambda _request, _body: web.Response(body=bomb, headers={"Content-Encoding": "gzip"})
    )

    with pytest.raises(IcomUnknown):
        await client.start_stream()
