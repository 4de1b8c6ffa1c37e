"""DICT as a participant sees it: getEntry of API 2.12.1, every answer signed, problems too."""

import re
from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware

from actors import Node
from bacen.dict import (
    Entry,
    InvalidKey,
    Problem,
    Violation,
    encode_entry_response,
    encode_problem,
    parse_key,
)
from bacen.simulator.endpoint_icom import certified_ispb
from bacen.simulator.problem import MEDIA_TYPE, Handler
from bacen.simulator.settings import BankSettings
from bacen.wire import Signer, is_end_to_end_id

PREFIX = "/api/v2"
XML = "application/xml"
REQUESTING = "PI-RequestingParticipant"
PAYER_ID = "PI-PayerId"
END_TO_END_ID = "PI-EndToEndId"
TAX_ID = re.compile(r"[0-9]{11}|[0-9A-Z]{12}[0-9]{2}")
TYPES = {
    400: ("BadRequest", "Requisição inválida"),
    403: ("Forbidden", "Acesso negado"),
    404: ("NotFound", "Recurso não encontrado"),
    503: ("ServiceUnavailable", "Serviço indisponível"),
}


class Refusal(Exception):
    """Ends a request with a signed problem document."""

    def __init__(self, status: int, *violations: Violation) -> None:
        super().__init__(status)
        self.status = status
        self.violations = violations


class DictEndpoint:
    """Routes of the directory.

    Args:
        node: Its clock and ids.
        settings: Of the bank.
        entries: By key.
        signer: Of the bank.
    """

    def __init__(
        self, node: Node, settings: BankSettings, entries: Mapping[str, Entry], signer: Signer
    ) -> None:
        self._node = node
        self._connected = frozenset(settings.connected)
        self._entries = entries
        self._signer = signer

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._problems()])
        application.router.add_get("/entries/{key}", self.get_entry, allow_head=False)
        return application

    async def get_entry(self, request: web.Request) -> web.Response:
        """Answer which account a key leads to."""
        self._authorise(request)
        try:
            key = parse_key(request.match_info["key"])
        except InvalidKey as error:
            raise Refusal(400, Violation(error.problem, "Key")) from error
        entry = self._entries.get(key.value)
        if entry is None:
            raise Refusal(404)
        body = encode_entry_response(
            entry,
            self._signer,
            response_time=self._node.clock.now(),
            correlation_id=self._node.ids.new_id().hex,
        )
        return web.Response(body=body, content_type=XML, charset="utf-8")

    def _authorise(self, request: web.Request) -> None:
        given = request.headers
        participant = given.get(REQUESTING, "").upper()
        wrong = [
            Violation("compulsory, with its own form", name)
            for name, is_good in (
                (REQUESTING, bool(participant)),
                (PAYER_ID, TAX_ID.fullmatch(given.get(PAYER_ID, "").upper()) is not None),
                (END_TO_END_ID, is_end_to_end_id(given.get(END_TO_END_ID, ""))),
            )
            if not is_good
        ]
        if wrong:
            raise Refusal(400, *wrong)
        ispb = certified_ispb(request)
        if ispb not in self._connected or participant != ispb:
            raise Refusal(403)

    def _problems(self) -> Middleware:
        @web.middleware
        async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refusal as refusal:
                return self._problem(refusal.status, refusal.violations)
            except web.HTTPError as error:
                return self._problem(error.status, ())

        return problems

    def _problem(self, status: int, violations: tuple[Violation, ...]) -> web.Response:
        kind, title = TYPES.get(status, TYPES[400])
        problem = Problem(
            type=kind,
            title=title,
            status=status,
            correlation_id=self._node.ids.new_id().hex,
            violations=violations,
        )
        body = encode_problem(problem, self._signer)
        return web.Response(status=status, body=body, content_type=MEDIA_TYPE)
