"""A gateway without payments, in front of a breaker, for the tests of its interface."""

from typing import Any, cast

import aiohttp
from prometheus_client import CollectorRegistry

from actors import Node
from gateway import GatewayContext, GatewayMetrics, HttpEndpoint, Tokens, application
from ledger.breaker import BreakerDesk
from pix import PixService
from tests.ledger.breaker.served import TENANT

PATH = "/api/v1/admin/breaker"


class BreakerInterface:
    """A gateway without payments, in front of a breaker, or of none."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.tokens = Tokens(b"k" * 32, node.clock)
        self.admin = self.token("admin")
        self.url = ""
        self.session = aiohttp.ClientSession()

    def token(self, role: str, tenant: str = TENANT) -> str:
        return self.tokens.issue("ana", tenant, (role,), 600)

    async def start(self, desk: BreakerDesk | None) -> None:
        context = GatewayContext(
            node=self.node,
            pix=cast(PixService, None),
            tokens=self.tokens,
            metrics=GatewayMetrics(CollectorRegistry()),
            missing=lambda: (),
            breaker=desk,
        )
        endpoint = HttpEndpoint(application(context, 10_000), "127.0.0.1", 0)
        await self.node.start(endpoint)
        self.url = f"http://127.0.0.1:{endpoint.port}"

    async def ask(
        self, method: str, path: str = "", body: object = None, token: str | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.admin if token is None else token}"}
        async with self.session.request(
            method, self.url + PATH + path, json=body, headers=headers
        ) as response:
            return response.status, await response.json(content_type=None)
