"""ICOM as a participant sees it (BCB Manual das Interfaces 1.12, section 3).

A POST is answered 201 when its messages are stored; what is wrong inside them comes back as
admi.002. Reading: `stream/start`, then PI-Pull-Next, each request confirming the one before.
The secondary channel is the same on an address of its own, with its own limits and all in gzip.
"""

import asyncio
from collections.abc import Callable, Iterable

from aiohttp import hdrs, web

from actors import ActorError, Node
from bacen.icom import (
    ChannelBucket,
    ChannelName,
    MultipartInvalid,
    Part,
    build_multipart,
    parse_multipart,
    rates_of,
)
from bacen.simulator.errors import StreamGone, TooManyStreams
from bacen.simulator.files import file_path
from bacen.simulator.intake import TAKEN
from bacen.simulator.outbox import Delivery
from bacen.simulator.posted import read_body, refuse_hostile
from bacen.simulator.problem import Problem, problems
from bacen.simulator.relay import RELAYED
from bacen.simulator.requests import (
    MAILROOM,
    SETTLEMENT,
    CloseStream,
    PullStream,
    Receive,
    StartStream,
)
from bacen.simulator.settings import BankSettings
from bacen.simulator.watching import FILE_FETCHED
from bacen.wire import (
    MESSAGE_BYTES_MAX,
    Admi002,
    Admi004,
    Camt014,
    Camt025,
    Camt052,
    Camt053,
    Camt054,
    Message,
    Pacs002,
    Pacs004,
    Pacs008,
    Pibr002,
    Reda016,
    Reda017,
    Reda041,
    definition_of,
    peer_ispb,
)

MESSAGES_MAX = 10  # of one POST and of one delivery
BODY_BYTES_MAX = 4 * MESSAGE_BYTES_MAX
PREFIX = "/api/v1"
CALL_TIMEOUT_MS = 10_000
XML = "application/xml"
MULTIPART = "multipart/mixed"
ANYTHING = "*/*"
GZIP = "gzip"
MS_PER_SECOND = 1000
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
SENT: tuple[type[Message], ...] = (
    *(Pacs008, Pacs002, Pacs004, Admi002, Admi004, Camt014, Camt025),
    *(Camt052, Camt053, Camt054, Pibr002, Reda016, Reda017, Reda041),
    *RELAYED,
)


class IcomEndpoint:
    """Routes of one channel, and the tokens of its participants, which are full at the start.

    Args:
        node: Where the settlement and the mailroom run.
        settings: Of the bank.
        channel: Which of the two.
    """

    def __init__(
        self, node: Node, settings: BankSettings, channel: ChannelName = ChannelName.PRIMARY
    ) -> None:
        self._node = node
        self._settings = settings
        self._channel = channel
        self._is_compressed = channel is ChannelName.SECONDARY
        rates = rates_of(channel, settings.primary_per_second)
        self._buckets = {ispb: ChannelBucket(rates, node.clock) for ispb in settings.connected}

    def application(self) -> web.Application:
        application = web.Application(middlewares=[problems], client_max_size=BODY_BYTES_MAX)
        router = application.router
        router.add_post("/in/{ispb}/msgs", self.receive)
        router.add_get("/out/{ispb}/stream/start", self.start, allow_head=False)
        router.add_get("/out/{ispb}/stream/{token}", self.pull, allow_head=False)
        router.add_delete("/out/{ispb}/stream/{token}", self.close)
        router.add_get("/out/{ispb}/files/{sha256:[0-9a-f]{64}}", self.file, allow_head=False)
        router.add_get("/in/catalog", self.received_catalog, allow_head=False)
        router.add_get("/out/catalog", self.sent_catalog, allow_head=False)
        return application

    async def receive(self, request: web.Request) -> web.Response:
        """Store 1 to 10 messages; PI-ResourceId names them in their order."""
        ispb = self._authorise(request)
        bodies = await self._bodies(request)
        wait_ms = self._buckets[ispb].take(bodies)
        if wait_ms:
            raise Problem(429, "limite de envio", -(-wait_ms // MS_PER_SECOND))
        try:
            resource_ids = await self._node.call(
                SETTLEMENT, Receive(ispb, bodies, self._channel), timeout_ms=CALL_TIMEOUT_MS
            )
        except ActorError as error:
            raise Problem(503) from error
        return web.Response(status=201, headers={RESOURCE_ID: ",".join(resource_ids)})

    async def start(self, request: web.Request) -> web.Response:
        """Open a stream and wait for its first delivery."""
        ispb = self._authorise(request)
        letters_max = self._letters_max(request)
        asked = StartStream(ispb, letters_max, connection_of(request), self._channel)
        return self._deliver(request, ispb, await self._ask(asked), letters_max)

    async def pull(self, request: web.Request) -> web.Response:
        """Confirm the last delivery of a stream and wait for the next."""
        ispb = self._authorise(request)
        letters_max = self._letters_max(request)
        token = request.match_info["token"]
        asked = PullStream(ispb, token, letters_max, connection_of(request), self._channel)
        return self._deliver(request, ispb, await self._ask(asked), letters_max)

    async def close(self, request: web.Request) -> web.Response:
        """Confirm the last delivery of a stream and end it."""
        ispb = self._authorise(request)
        await self._ask(CloseStream(ispb, request.match_info["token"], self._channel))
        return web.Response()

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Hand out a file of entries that a camt.052 spoke of, as it is: gzip."""
        ispb = self._authorise(request)
        path = file_path(self._settings.home, ispb, request.match_info["sha256"])
        if not path.exists():
            raise Problem(404)
        seen = {"ispb": ispb, "sha256": path.stem}
        self._node.telemetry.execute(FILE_FETCHED, {}, seen)
        return web.FileResponse(path, headers={hdrs.CONTENT_TYPE: "application/gzip"})

    async def received_catalog(self, request: web.Request) -> web.Response:
        """List the messages that the bank takes."""
        return self._catalog(request, TAKEN)

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
        if ispb is None or ispb not in self._buckets:
            raise Problem(403, "participante nao conectado")
        return ispb

    async def _bodies(self, request: web.Request) -> tuple[bytes, ...]:
        kind = request.content_type
        if kind not in {XML, MULTIPART}:
            raise Problem(415)
        if kind == XML and (request.charset or "utf-8").lower() != "utf-8":
            raise Problem(400, "charset")
        if not {hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING} & request.headers.keys():
            raise Problem(411)
        packing = request.headers.get(hdrs.CONTENT_ENCODING, "")
        if self._is_compressed and GZIP not in packing.lower():
            raise Problem(415, "gzip obrigatorio no canal secundario")
        bytes_max = MESSAGE_BYTES_MAX if kind == XML else BODY_BYTES_MAX
        try:
            async with asyncio.timeout(self._settings.body_timeout_ms / MS_PER_SECOND):
                body = await read_body(request, bytes_max)
        except TimeoutError as error:
            raise Problem(408) from error
        bodies = (body,) if kind == XML else parts_of(request, body)
        if not all(bodies):
            raise Problem(400, "mensagem vazia")
        if any(len(each) > MESSAGE_BYTES_MAX for each in bodies):
            raise Problem(413)
        for each in bodies:
            refuse_hostile(each)
        return bodies

    def _letters_max(self, request: web.Request) -> int:
        if self._is_compressed and GZIP not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            raise Problem(406, "gzip obrigatorio no canal secundario")
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
        takes_gzip = GZIP in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        if takes_gzip and (self._is_compressed or self._settings.compress_answers):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    def _catalog(self, request: web.Request, kinds: Iterable[type[Message]]) -> web.Response:
        self._authenticate(request)
        listed = "".join(f"<Message>{definition_of(each)}</Message>" for each in kinds)
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
