"""Health, metrics and a look at accounts and payments: plain HTTP, for the machine's own use."""

from typing import Any

import msgspec
from aiohttp import web

from actors import ActorError, Node
from bacen.simulator.errors import BankFault
from bacen.simulator.metrics import render
from bacen.simulator.problem import Handler
from bacen.simulator.requests import (
    MAILROOM,
    SETTLEMENT,
    GetAccount,
    GetBankStatistics,
    GetMailStatistics,
    GetPayment,
    Originate,
)
from bacen.simulator.virtual_payer import VirtualOrder, pacs008_of
from bacen.wire import InvalidMessage, cents_to_text, is_end_to_end_id

TIMEOUT_MS = 2_000
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@web.middleware
async def unavailable(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 503 while the processes of the bank start again."""
    try:
        return await handler(request)
    except ActorError:
        return json_response({"status": "unavailable"}, status=503)


class AdminEndpoint:
    """Answers what the processes of one bank know.

    Args:
        node: Where they run.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def application(self) -> web.Application:
        application = web.Application(middlewares=[unavailable])
        application.router.add_get("/health", self.health)
        application.router.add_get("/metrics", self.metrics)
        application.router.add_get("/admin/accounts/{ispb}", self.account)
        application.router.add_post("/admin/payments", self.originate)
        application.router.add_get("/admin/payments/{end_to_end_id}", self.payment)
        return application

    async def health(self, _: web.Request) -> web.Response:
        await self._node.call(SETTLEMENT, GetBankStatistics(), timeout_ms=TIMEOUT_MS)
        await self._node.call(MAILROOM, GetMailStatistics(), timeout_ms=TIMEOUT_MS)
        return json_response({"status": "ok"})

    async def metrics(self, _: web.Request) -> web.Response:
        bank = await self._node.call(SETTLEMENT, GetBankStatistics(), timeout_ms=TIMEOUT_MS)
        mail = await self._node.call(MAILROOM, GetMailStatistics(), timeout_ms=TIMEOUT_MS)
        return web.Response(body=render(bank, mail), headers={"Content-Type": METRICS_TYPE})

    async def account(self, request: web.Request) -> web.Response:
        ispb = request.match_info["ispb"]
        account = await self._node.call(SETTLEMENT, GetAccount(ispb), timeout_ms=TIMEOUT_MS)
        if account is None:
            return json_response({"error": "not_found"}, status=404)
        return json_response(
            {
                "ispb": ispb,
                "balance": cents_to_text(account.balance_cents),
                "blocked": cents_to_text(account.blocked_cents),
                "available": cents_to_text(account.available_cents),
                "balance_cents": account.balance_cents,
                "blocked_cents": account.blocked_cents,
                "available_cents": account.available_cents,
            }
        )

    async def originate(self, request: web.Request) -> web.Response:
        """Let the virtual payer pay a participant, so that it has something to receive."""
        if request.content_type != "application/json":  # what a foreign web page cannot send
            return json_response({"error": "unsupported_media_type"}, status=415)
        try:
            order = msgspec.json.decode(await request.read(), type=VirtualOrder)
            message = pacs008_of(order, self._node.ids, self._node.clock.now())
        except (msgspec.DecodeError, InvalidMessage) as error:
            return json_response({"error": "bad_request", "detail": str(error)}, status=400)
        try:
            await self._node.call(SETTLEMENT, Originate(message), timeout_ms=TIMEOUT_MS)
        except BankFault:
            return json_response({"error": "internal"}, status=500)
        end_to_end_id = message.transfers[0].end_to_end_id
        return json_response({"end_to_end_id": end_to_end_id}, status=201)

    async def payment(self, request: web.Request) -> web.Response:
        end_to_end_id = request.match_info["end_to_end_id"]
        payment = None
        if is_end_to_end_id(end_to_end_id):
            asked = GetPayment(end_to_end_id)
            payment = await self._node.call(SETTLEMENT, asked, timeout_ms=TIMEOUT_MS)
        if payment is None:
            return json_response({"error": "not_found"}, status=404)
        return json_response(msgspec.to_builtins(payment))


def json_response(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
