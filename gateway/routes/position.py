"""``/api/v1/position``: the institution's money at the central bank."""

import msgspec
from aiohttp import web

from gateway.auth import MAY_READ
from gateway.bodies import position_answer
from gateway.context import CONTEXT


async def get_position(request: web.Request) -> web.Response:
    """``GET /api/v1/position``: available, reserved, balance and limit."""
    context = request.app[CONTEXT]
    context.tokens.verify(request.headers.get("Authorization")).require(MAY_READ)
    answer = position_answer(await context.pix.position())
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")
