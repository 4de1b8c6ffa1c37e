"""Health, metrics and a look at accounts and payments: plain HTTP, for the machine's own use."""

import msgspec
from aiohttp import web

from actors import Node
from bacen.simulator.admin_routes import AdminProblem, AdminRoute, json_body, json_response
from bacen.simulator.counterparties import Roster
from bacen.simulator.dict import DIRECTORY, GetDirectoryStatistics
from bacen.simulator.errors import NOT_JSON, BankFault
from bacen.simulator.faults import FaultPlan
from bacen.simulator.metrics import render
from bacen.simulator.payments import shown
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
from bacen.wire import InvalidMessage, cents_to_text

TIMEOUT_MS = 2_000
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class AdminEndpoint:
    """Answers what the processes of one bank know.

    Args:
        node: Where they run.
        plan: Faults, whose strikes are counted.
        roster: Counterparties, whose payments and answers are counted.
    """

    def __init__(self, node: Node, plan: FaultPlan, roster: Roster) -> None:
        self._node = node
        self._plan = plan
        self._roster = roster

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", "/health", self.health, "says whether the bank works"),
            AdminRoute("GET", "/metrics", self.metrics, "metrics in the format of Prometheus"),
            AdminRoute("GET", "/admin/accounts/{ispb}", self.account, "shows a PI account"),
            AdminRoute("POST", "/admin/payments", self.originate, "lets the virtual payer pay"),
            AdminRoute("GET", "/admin/payments/{id}", self.payment, "shows a payment or a return"),
        ]

    async def health(self, _: web.Request) -> web.Response:
        await self._node.call(SETTLEMENT, GetBankStatistics(), timeout_ms=TIMEOUT_MS)
        await self._node.call(MAILROOM, GetMailStatistics(), timeout_ms=TIMEOUT_MS)
        await self._node.call(DIRECTORY, GetDirectoryStatistics(), timeout_ms=TIMEOUT_MS)
        return json_response({"status": "ok"})

    async def metrics(self, _: web.Request) -> web.Response:
        bank = await self._node.call(SETTLEMENT, GetBankStatistics(), timeout_ms=TIMEOUT_MS)
        mail = await self._node.call(MAILROOM, GetMailStatistics(), timeout_ms=TIMEOUT_MS)
        keys = await self._node.call(DIRECTORY, GetDirectoryStatistics(), timeout_ms=TIMEOUT_MS)
        body = render(bank, mail, keys, self._plan, self._roster.counts)
        return web.Response(body=body, headers={"Content-Type": METRICS_TYPE})

    async def account(self, request: web.Request) -> web.Response:
        ispb = request.match_info["ispb"]
        account = await self._node.call(SETTLEMENT, GetAccount(ispb), timeout_ms=TIMEOUT_MS)
        if account is None:
            raise AdminProblem(404)
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
        body = await json_body(request)
        try:
            order = msgspec.json.decode(body, type=VirtualOrder)
            message = pacs008_of(order, self._node.ids, self._node.clock.now())
        except (*NOT_JSON, InvalidMessage) as error:
            raise AdminProblem(400, str(error)) from None
        try:
            await self._node.call(SETTLEMENT, Originate(message), timeout_ms=TIMEOUT_MS)
        except BankFault:
            raise AdminProblem(500) from None
        end_to_end_id = message.transfers[0].end_to_end_id
        return json_response({"end_to_end_id": end_to_end_id}, status=201)

    async def payment(self, request: web.Request) -> web.Response:
        asked = GetPayment(request.match_info["id"])
        payment = await self._node.call(SETTLEMENT, asked, timeout_ms=TIMEOUT_MS)
        if payment is None:
            raise AdminProblem(404)
        return json_response(shown(payment))
