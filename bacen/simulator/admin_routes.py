"""What the routes of the admin listener share: their table, JSON in and out, problem documents.

Plain HTTP for the machine's own use: a request that names another host than this machine is
refused, and so is a body that a foreign web page could send.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from actors import ActorError
from bacen.simulator.errors import InvalidControl
from bacen.simulator.problem import Handler

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class AdminRoute:
    """One row of the table that `GET /admin` shows."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    does: str


class AdminProblem(Exception):
    """Ends a request with a problem document (RFC 9457); raised inside the endpoints only."""

    def __init__(self, status: int, detail: str = "", **more: str) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.more = more


@web.middleware
async def admin_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal into a problem document; 503 while the bank's processes start again."""
    try:
        if request.url.host not in LOOPBACK:
            return problem_json(403, "the admin listener is this machine's own")
        return await handler(request)
    except AdminProblem as problem:
        return problem_json(problem.status, problem.detail, **problem.more)
    except InvalidControl as error:
        return problem_json(400, error.problem, field=error.field)
    except ActorError:
        return json_response({"status": "unavailable"}, status=503)
    except web.HTTPError as error:
        return problem_json(error.status)


def admin_application(routes: list[AdminRoute]) -> web.Application:
    """Serve a table of routes, and the table itself under `/admin`."""
    listed = [{"method": each.method, "path": each.path, "does": each.does} for each in routes]

    async def table(_: web.Request) -> web.Response:
        return json_response({"routes": listed})

    application = web.Application(middlewares=[admin_problems])
    application.router.add_get("/admin", table)
    for each in routes:
        application.router.add_route(each.method, each.path, each.handler)
    return application


async def json_body(request: web.Request) -> bytes:
    """Read a body that says it is JSON, which a foreign web page cannot send.

    Raises:
        AdminProblem: 415.
    """
    if request.content_type != JSON:
        raise AdminProblem(415, f"send {JSON}")
    return await request.read()


def json_response(body: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type=JSON)


def problem_json(status: int, detail: str = "", **more: str) -> web.Response:
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return web.Response(body=msgspec.json.encode(body), status=status, content_type=PROBLEM_JSON)
