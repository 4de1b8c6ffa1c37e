"""``/api/v1/admin/breaker``: the circuit breaker between TigerBeetle and PostgreSQL, for operators.

An order is written down before it is given: who, why, when. Another institution's token is refused
whatever its roles.
"""

from typing import Final

import asyncpg
import msgspec
import structlog
from aiohttp import web

from actors import ActorError
from gateway.auth import MAY_ADMINISTER, Principal
from gateway.breaker_bodies import (
    HISTORY,
    HISTORY_MAX,
    breaker_answer,
    decode_breaker_order,
    history_answer,
)
from gateway.context import CONTEXT
from gateway.errors import Forbidden, InvalidRequest, Violation
from gateway.problem import problem_response
from ledger import LedgerError
from ledger.breaker import BreakerDesk, Close, Open

JSON: Final = "application/json"
AWAY: Final = (ActorError, LedgerError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)

_log = structlog.get_logger("corrente.audit")
_encode = msgspec.json.Encoder().encode


async def get_breaker(request: web.Request) -> web.Response:
    """``GET /api/v1/admin/breaker``: how it stands."""
    _, desk = _at_the_desk(request)
    if desk is None:
        return _no_breaker(request)
    try:
        answer = breaker_answer(await desk.status())
    except AWAY as error:
        return _away(request, error)
    return web.Response(body=_encode(answer), content_type=JSON)


async def get_breaker_history(request: web.Request) -> web.Response:
    """``GET /api/v1/admin/breaker/history``: changes of position, and orders, newest first."""
    _, desk = _at_the_desk(request)
    limit = _limit(request)
    if desk is None:
        return _no_breaker(request)
    try:
        answer = history_answer(await desk.events(limit), await desk.orders(limit))
    except AWAY as error:
        return _away(request, error)
    return web.Response(body=_encode(answer), content_type=JSON)


async def open_breaker(request: web.Request) -> web.Response:
    """``POST /api/v1/admin/breaker/open``: PostgreSQL decides until somebody closes it."""
    return await _order(request, Open)


async def close_breaker(request: web.Request) -> web.Response:
    """``POST /api/v1/admin/breaker/close``: back to TigerBeetle, if the two come to be equal."""
    return await _order(request, Close)


async def _order(request: web.Request, kind: type[Open | Close]) -> web.Response:
    principal, desk = _at_the_desk(request)
    order = decode_breaker_order(await request.read())
    if desk is None:
        return _no_breaker(request)
    _log.warning(
        "breaker ordered over the admin interface",
        order=kind.__name__.lower(),
        reason=order.reason,
        subject=principal.subject,
        tenant=principal.tenant,
    )
    try:
        answer = breaker_answer(await desk.order(kind(order.reason, principal.subject)))
    except AWAY as error:
        return _away(request, error)
    return web.Response(body=_encode(answer), content_type=JSON)


def _at_the_desk(request: web.Request) -> tuple[Principal, BreakerDesk | None]:
    context = request.app[CONTEXT]
    principal = context.tokens.verify(request.headers.get("Authorization"))
    principal.require(MAY_ADMINISTER)
    desk = context.breaker
    if desk is not None and principal.tenant != desk.tenant:
        raise Forbidden("the token is another institution's")
    return principal, desk


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(HISTORY))
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(HISTORY_MAX))
    if not is_number or not 1 <= int(text) <= HISTORY_MAX:
        problem = f"must be a number from 1 to {HISTORY_MAX}"
        raise InvalidRequest("validation_failed", (Violation(problem, "limit"),))
    return int(text)


def _no_breaker(request: web.Request) -> web.Response:
    return problem_response(request, "not_found", "PostgreSQL keeps the money alone")


def _away(request: web.Request, error: Exception) -> web.Response:
    detail = f"the breaker, or its journal, does not answer: {type(error).__name__}"
    return problem_response(request, "unavailable", detail)
