"""DICT over TLS for tests: every operation of the table, answered by one function of the test."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from actors import Clock
from bacen.dict import (
    OPERATIONS,
    Arrival,
    DictClient,
    DictOptions,
    Operation,
    Part,
    Problem,
    RateLimits,
    Response,
    decode_request,
    encode_problem,
    encode_response,
    sign_with,
)
from bacen.dict.error_types import ERROR_TYPES
from bacen.wire import LocalAuthority, Signer, Verifier, server_context
from tests.bacen.dict_documents import smallest

CORRELATION_ID = "a9f13566e19f5ca51329479a5bae60c5"
AT = datetime(2026, 1, 10, 10, tzinfo=UTC)
HEAD: dict[str, Any] = {"response_time": AT, "correlation_id": CORRELATION_ID}

Answered = Response | Problem | web.Response
Answering = Callable[[str, Any], Answered]


def problem(kind: str) -> Problem:
    return Problem(
        type=kind, title=kind, status=ERROR_TYPES[kind].status, correlation_id=CORRELATION_ID
    )


@dataclass
class DictServer:
    """A running DICT; what was asked is in `asked`, by operation.

    Attributes:
        answer: What to say to a request; may be exchanged at any time.
        bodies: The bytes of the requests, as they came.
    """

    ispb: str
    signer: Signer
    ours: Signer
    verifier: Verifier
    context: ssl.SSLContext
    answer: Answering
    asked: list[tuple[str, Part]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""
    clients: list[DictClient] = field(default_factory=list)

    def client(
        self, *, clock: Clock | None = None, limits: RateLimits | None = None, **options: int
    ) -> DictClient:
        """A client that writes, of the participant of the tests."""
        wanted = DictOptions(
            sign=sign_with(self.ours),
            clock=Clock() if clock is None else clock,
            limits=limits,
            **options,  # type: ignore[arg-type] # mypy cannot see the names in a mapping
        )
        made = DictClient(self.url, self.ispb, self.context, self.verifier, wanted)
        self.clients.append(made)
        return made

    def names(self) -> list[str]:
        """What was asked, by the name of the operation."""
        return [name for name, _ in self.asked]

    def application(self) -> web.Application:
        application = web.Application()
        for operation in OPERATIONS.values():
            application.router.add_route(
                operation.method, operation.path, self._handler(operation), name=operation.name
            )
        return application

    def _handler(self, operation: Operation[Part, Response]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            self.bodies.append(body)
            arrival = Arrival(
                path=request.match_info,
                query=tuple(request.query.items()),
                headers=request.headers,
                body=body,
            )
            asked = decode_request(operation, arrival, self.verifier, ispb=self.ispb)
            self.asked.append((operation.name, asked))
            answer = self.answer(operation.name, asked)
            if isinstance(answer, web.Response):
                return answer
            if isinstance(answer, Problem):
                octets = encode_problem(answer, self.signer)
                return web.Response(status=answer.status, body=octets)
            octets = encode_response(operation, answer, self.signer)
            return web.Response(status=operation.status, body=octets)

        return handle


@dataclass(frozen=True)
class Desk:
    """Keys of both ends; reading them takes long, so they are read once."""

    ispb: str
    authority: LocalAuthority
    spi: Signer
    ours: Signer
    context: ssl.SSLContext
    verifier: Verifier


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[DictServer]:
    """A DICT that answers every request with the smallest answer, until told otherwise."""
    server = DictServer(
        ispb=desk.ispb,
        signer=desk.spi,
        ours=desk.ours,
        verifier=desk.verifier,
        context=desk.context,
        answer=lambda name, _: smallest(OPERATIONS[name].response),
    )
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = server_context(desk.authority.certificate, desk.authority.server())
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    server.url = f"https://localhost:{runner.addresses[0][1]}"
    yield server
    for client in server.clients:
        await client.close()
    await runner.cleanup()
    await asyncio.sleep(0)
