"""ICOM as a participant sees it (BCB Manual das Interfaces 1.12, section 3).

A POST is answered 201 when its messages are stored; what is wrong inside them comes back as
admi.002. Reading: `stream/start`, then PI-Pull-Next, each request confirming the one before.
"""

from collections.abc import Callable

from aiohttp import hdrs, web

from actors import ActorError, Node
from bacen.icom import MultipartInvalid, Part, build_multipart, parse_multipart
from bacen.simulator.errors import StreamGone, TooManyStreams
from bacen.simulator.outbox import Delivery
from bacen.simulator.posted import read_body, refuse_hostile
from bacen.simulator.problem import Problem, problems
from bacen.simulator.requests import (
    MAILROOM,
    SETTLEMENT,
    CloseStream,
    PullStream,
    Receive,
    StartStream,
)
from bacen.simulator.settings import BankSettings
from bacen.wire import MESSAGE_BYTES_MAX, peer_ispb

MESSAGES_MAX = 10  # of one POST and of one delivery
BODY_BYTES_MAX = 4 * MESSAGE_BYTES_MAX
PREFIX = "/api/v1"
CALL_TIMEOUT_MS = 10_000
XML = "application/xml"
MULTIPART = "multipart/mixed"
ANYTHING = "*/*"
RESOURCE_ID = "PI-ResourceId"
PULL_NEXT = "PI-Pull-Next"
ALLOWED_HEADERS = frozenset(
    [
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "max-forwards",
        "transfer-encoding",
        "user-agent",
        "via",
    ]
)
RECEIVED = ("pacs.008.spi.1.16", "pacs.002.spi.1.17")
SENT = ("pacs.008.spi.1.16", "pacs.002.spi.1.17", "admi.002.spi.1.5")


class IcomEndpoint:
    """Routes of the primary channel.

    Args:
        node: Where the settlement and the mailroom run.
        settings: Of the bank.
    """

    def __init__(self, node: Node, settings: BankSettings) -> None:
        self._node = node
        self._settings = settings
        self._connected = frozenset(settings.connected)

    def application(self) -> web.Application:
        application = web.Application(middlewares=[problems], client_max_size=BODY_BYTES_MAX)
        router = application.router
        router.add_post("/in/{ispb}/msgs", self.receive)
        router.add_get("/out/{ispb}/stream/start", self.start, allow_head=False)
        router.add_get("/out/{ispb}/stream/{token}", self.pull, allow_head=False)
        router.add_delete("/out/{ispb}/stream/{token}", self.close)
        router.add_get("/in/catalog", self.received_catalog, allow_head=False)
        router.add_get("/out/catalog", self.sent_catalog, allow_head=False)
        return application

    async def receive(self, request: web.Request) -> web.Response:
        """Store 1 to 10 messages; PI-ResourceId names them in their order."""
        ispb = self._authorise(request)
        kind = request.content_type
        if kind not in {XML, MULTIPART}:
            raise Problem(415)
        if kind == XML and (request.charset or "utf-8").lower() != "utf-8":
            raise Problem(400, "charset")
        body = await read_body(request, MESSAGE_BYTES_MAX if kind == XML else BODY_BYTES_MAX)
        bodies = (body,) if kind == XML else parts_of(request, body)
        if not all(bodies):
            raise Problem(400, "mensagem vazia")
        if any(len(each) > MESSAGE_BYTES_MAX for each in bodies):
            raise Problem(413)
        for each in bodies:
            refuse_hostile(each)
        try:
            resource_ids = await self._node.call(
                SETTLEMENT, Receive(ispb, bodies), timeout_ms=CALL_TIMEOUT_MS
            )
        except ActorError as error:
            raise Problem(503) from error
        return web.Response(status=201, headers={RESOURCE_ID: ",".join(resource_ids)})

    async def start(self, request: web.Request) -> web.Response:
        """Open a stream and wait for its first delivery."""
        ispb = self._authorise(request)
        letters_max = self._letters_max(request)
        asked = StartStream(ispb, letters_max, connection_of(request))
        return self._deliver(request, ispb, await self._ask(asked), letters_max)

    async def pull(self, request: web.Request) -> web.Response:
        """Confirm the last delivery of a stream and wait for the next."""
        ispb = self._authorise(request)
        letters_max = self._letters_max(request)
        token = request.match_info["token"]
        asked = PullStream(ispb, token, letters_max, connection_of(request))
        return self._deliver(request, ispb, await self._ask(asked), letters_max)

    async def close(self, request: web.Request) -> web.Response:
        """Confirm the last delivery of a stream and end it."""
        ispb = self._authorise(request)
        await self._ask(CloseStream(ispb, request.match_info["token"]))
        return web.Response()

    async def received_catalog(self, request: web.Request) -> web.Response:
        """List the messages that the bank takes."""
        return self._catalog(request, RECEIVED)

    async def sent_catalog(self, request: web.Request) -> web.Response:
        """List the messages that the bank sends."""
        return self._catalog(request, SENT)

    def _authorise(self, request: web.Request) -> str:
        ispb = self._authenticate(request)
        if ispb != request.match_info["ispb"]:
            raise Problem(403, "certificado de outro participante")
        return ispb

    def _authenticate(self, request: web.Request) -> str:
        strange = [each for each in request.headers if each.lower() not in ALLOWED_HEADERS]
        if strange:
            raise Problem(403, f"cabecalho nao permitido: {strange[0]}")
        ispb = certified_ispb(request)
        if ispb not in self._connected:
            raise Problem(403, "participante nao conectado")
        return ispb

    def _letters_max(self, request: web.Request) -> int:
        accept = request.headers.get(hdrs.ACCEPT, ANYTHING)
        kinds = {each.partition(";")[0].strip() for each in accept.split(",")}
        if MULTIPART in kinds:
            return MESSAGES_MAX
        if XML in kinds or ANYTHING in kinds:
            return 1
        raise Problem(406)

    async def _ask(self, asked: object) -> Delivery:
        timeout_ms = self._settings.long_poll_ms + CALL_TIMEOUT_MS
        try:
            delivery: Delivery = await self._node.call(MAILROOM, asked, timeout_ms=timeout_ms)
        except TooManyStreams as error:
            raise Problem(429, f"no maximo {error.streams_max} streams") from error
        except StreamGone as error:
            raise Problem(410) from error
        except ActorError as error:
            raise Problem(503) from error
        return delivery

    def _deliver(
        self, request: web.Request, ispb: str, delivery: Delivery, letters_max: int
    ) -> web.Response:
        headers = {PULL_NEXT: f"{PREFIX}/out/{ispb}/stream/{delivery.token}"}
        letters = delivery.letters
        if not letters:
            return web.Response(status=204, headers=headers)
        if letters_max == 1:
            headers[RESOURCE_ID] = letters[0].resource_id
            headers[hdrs.CONTENT_TYPE] = "application/xml; charset=utf-8"
            body = letters[0].body
        else:
            parts = [Part(each.body, {RESOURCE_ID: each.resource_id}) for each in letters]
            headers[hdrs.CONTENT_TYPE], body = build_multipart(parts)
        response = web.Response(body=body, headers=headers)
        if self._settings.compress_answers and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    def _catalog(self, request: web.Request, names: tuple[str, ...]) -> web.Response:
        self._authenticate(request)
        listed = "".join(f"<Message>{each}</Message>" for each in names)
        body = f'<?xml version="1.0" encoding="UTF-8"?><Catalog>{listed}</Catalog>'
        return web.Response(body=body.encode(), content_type=XML, charset="utf-8")


def certified_ispb(request: web.Request) -> str | None:
    """ISPB that the client's certificate names."""
    if request.transport is None:
        return None
    connection = request.transport.get_extra_info("ssl_object")
    return None if connection is None else peer_ispb(connection)


def connection_of(request: web.Request) -> Callable[[], bool]:
    """Give a way to ask later whether the reader is still there."""
    protocol = request.protocol
    return lambda: protocol.connected


def parts_of(request: web.Request, body: bytes) -> tuple[bytes, ...]:
    try:
        parts = parse_multipart(request.headers[hdrs.CONTENT_TYPE], body)
    except MultipartInvalid as error:
        raise Problem(400, "multipart") from error
    return tuple(each.body for each in parts)
