"""What machines ask: alive, ready, metrics, the description of the interface."""

import msgspec
from aiohttp import web

from gateway.context import CONTEXT
from gateway.openapi import openapi_document

JSON = "application/json"


async def health(request: web.Request) -> web.Response:
    """``GET /health``: the process answers."""
    del request
    return web.Response(body=b'{"status":"ok"}', content_type=JSON)


async def ready(request: web.Request) -> web.Response:
    """``GET /health/ready``: 200 when a payment can be accepted, else 503 and what is missing."""
    missing = request.app[CONTEXT].missing()
    body = {"status": "starting" if missing else "ready", "missing": missing}
    return web.Response(
        status=503 if missing else 200, body=msgspec.json.encode(body), content_type=JSON
    )


async def metrics(request: web.Request) -> web.Response:
    """``GET /metrics``: Prometheus exposition of the node."""
    body, content_type = request.app[CONTEXT].metrics.page()
    return web.Response(body=body, headers={"Content-Type": content_type})


async def openapi(request: web.Request) -> web.Response:
    """``GET /openapi.json``: generated from the structs that decode and encode."""
    del request
    return web.Response(body=openapi_document(), content_type=JSON)
