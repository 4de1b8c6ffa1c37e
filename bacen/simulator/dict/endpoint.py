"""DICT as a participant sees it: the 48 operations of API 2.12.1, every answer signed.

Who asks is who the client's certificate names; writes have to be signed by the same participant.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from actors import ActorError, Node
from bacen import InvalidMessage, MalformedXml, SignatureInvalid
from bacen.dict import (
    ERROR_TYPES,
    NON_PRIORITY_PREFIX,
    OPERATIONS,
    PREFIX,
    Arrival,
    Operation,
    Part,
    Problem,
    Response,
    Violation,
    decode_request,
    encode_problem,
    encode_response,
)
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.office import Asked
from bacen.simulator.dict.requests import DIRECTORY, Ask, GetFile
from bacen.simulator.problem import MEDIA_TYPE, Handler
from bacen.wire import Signer, Verifier, peer_ispb

CALL_TIMEOUT_MS = 10_000
COMPRESSED_BYTES = 4_096  # shorter answers cost more than they save
XML = "application/xml"
FILES = "/cids/contents"
BY_STATUS = {  # what aiohttp refuses by itself, and what faults on demand pretend
    403: "Forbidden",
    404: "NotFound",
    429: "RateLimited",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
INVALID = {  # operations that have a type of their own for a request against the schema
    "createEntry": "EntryInvalid",
    "updateEntry": "EntryInvalid",
    "createClaim": "ClaimInvalid",
    "createInfractionReport": "InfractionReportInvalid",
    "createFundsRecovery": "FundsRecoveryInvalid",
    "createFraudMarker": "FraudMarkerInvalid",
    "createRefund": "RefundInvalid",
}
TITLES = {
    "Forbidden": "Acesso negado",
    "NotFound": "Recurso não encontrado",
    "RateLimited": "Limite de requisições atingido",
    "InternalServerError": "Erro interno",
    "ServiceUnavailable": "Serviço indisponível",
}
TITLE = "Requisição recusada"


class DictEndpoint:
    """Routes of DICT.

    Args:
        node: Where the directory runs.
        connected: ISPBs that may ask.
        signer: Of the bank.
        verifier: Certificates of the participants.
    """

    def __init__(
        self, node: Node, connected: frozenset[str], signer: Signer, verifier: Verifier
    ) -> None:
        self._node = node
        self._connected = connected
        self._signer = signer
        self._verifier = verifier

    def applications(self) -> Mapping[str, web.Application]:
        """Make one application a prefix: the main host's, and that of what can wait."""
        made = {}
        for prefix in (PREFIX, NON_PRIORITY_PREFIX):
            made[prefix] = web.Application(middlewares=[self._problems()])
        for operation in OPERATIONS.values():
            prefix = PREFIX if operation.is_priority else NON_PRIORITY_PREFIX
            made[prefix].router.add_route(
                operation.method,
                operation.path.removeprefix(prefix),
                partial(self._serve, operation),
            )
        made[PREFIX].router.add_get(f"{FILES}/{{token}}", self._file, allow_head=False)
        return made

    async def _serve(
        self, operation: Operation[Part, Response], request: web.Request
    ) -> web.Response:
        by = self._certified(request)
        asked = Asked(
            by=by,
            request=await self._read(operation, request, by),
            head={
                "response_time": self._node.clock.now(),
                "correlation_id": self._node.ids.new_id().hex,
            },
            files_url=f"{origin_of(request)}{PREFIX}{FILES}",
        )
        response: Response = await self._ask(Ask(operation.name, asked))
        body = encode_response(operation, response, self._signer)
        answer = web.Response(status=operation.status, body=body, content_type=XML, charset="utf-8")
        if len(body) >= COMPRESSED_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
            answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def _file(self, request: web.Request) -> web.Response:
        self._certified(request)
        content = await self._ask(GetFile(request.match_info["token"]))
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="text/plain", charset="utf-8")

    async def _read(
        self, operation: Operation[Part, Response], request: web.Request, by: str
    ) -> Part:
        try:
            arrival = Arrival(
                path=request.match_info,
                query=list(request.query.items()),
                headers=request.headers,
                body=await request.read(),
            )
            return decode_request(operation, arrival, self._verifier, ispb=by)
        except SignatureInvalid as error:
            raise DictRefusal("RequestSignatureInvalid", error.problem, "Signature") from error
        except MalformedXml as error:
            kind = INVALID.get(operation.name, "BadRequest")
            raise DictRefusal(kind, error.problem) from error
        except InvalidMessage as error:
            kind = INVALID.get(operation.name, "BadRequest")
            raise DictRefusal(kind, error.problem, error.path) from error

    async def _ask(self, question: Ask | GetFile) -> Any:
        try:
            return await self._node.call(DIRECTORY, question, timeout_ms=CALL_TIMEOUT_MS)
        except ActorError as error:
            raise web.HTTPServiceUnavailable from error

    def _certified(self, request: web.Request) -> str:
        connection = request.transport and request.transport.get_extra_info("ssl_object")
        ispb = peer_ispb(connection) if connection else None
        if ispb is None or ispb not in self._connected:
            raise web.HTTPForbidden
        return ispb

    def _problems(self) -> Middleware:
        @web.middleware
        async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except DictRefusal as refusal:
                return self._problem(refusal)
            except web.HTTPError as error:
                return self._problem(DictRefusal(BY_STATUS.get(error.status, "BadRequest")))

        return problems

    def _problem(self, refusal: DictRefusal) -> web.Response:
        status = ERROR_TYPES[refusal.type].status
        broken = (Violation(refusal.reason, refusal.property or None),)
        problem = Problem(
            type=refusal.type,
            title=TITLES.get(refusal.type, TITLE),
            status=status,
            detail=refusal.reason or None,
            correlation_id=self._node.ids.new_id().hex,
            violations=broken if refusal.reason else (),
        )
        body = encode_problem(problem, self._signer)
        return web.Response(status=status, body=body, content_type=MEDIA_TYPE)


def origin_of(request: web.Request) -> str:
    """Tell where the client has reached us: its Host header carries no port."""
    assert request.transport is not None  # it was asked for its certificate
    host, port, *_ = request.transport.get_extra_info("sockname")
    return f"{request.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
