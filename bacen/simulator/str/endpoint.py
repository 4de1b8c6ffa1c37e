"""How documents reach the STR here: over the participants' HTTPS port, in place of message queues.

`POST /str/{ispb}/msgs` takes one; `GET` gives the oldest that waits for the participant, with its
number in `STR-MessageId`, or 204; `DELETE /str/{ispb}/msgs/{number}` confirms it.
"""

from typing import Any

import msgspec
from aiohttp import web

from actors import ActorError, Node
from bacen.simulator.admin_routes import AdminRoute, json_response
from bacen.simulator.endpoint_icom import certified_ispb
from bacen.simulator.problem import Problem, problems
from bacen.simulator.settings import BankSettings
from bacen.simulator.str.desk import (
    STR_DESK,
    ConfirmStrMail,
    FetchStrMail,
    GetStrAccounts,
    TakeStrMessage,
)
from bacen.str import MESSAGE_BYTES_MAX

PREFIX = "/str"
CALL_TIMEOUT_MS = 10_000
MESSAGE_ID = "STR-MessageId"
MEDIA_TYPE = "application/xml; charset=utf-16be"


class StrEndpoint:
    """Routes of the STR.

    Args:
        node: Where the desk runs.
        settings: Of the bank.
    """

    def __init__(self, node: Node, settings: BankSettings) -> None:
        self._node = node
        self._connected = frozenset(settings.connected)

    def application(self) -> web.Application:
        """Make the routes, to be put under `PREFIX`."""
        application = web.Application(middlewares=[problems], client_max_size=MESSAGE_BYTES_MAX)
        router = application.router
        router.add_post("/{ispb}/msgs", self.take)
        router.add_get("/{ispb}/msgs", self.fetch, allow_head=False)
        router.add_delete("/{ispb}/msgs/{number}", self.confirm)
        return application

    def admin_routes(self) -> list[AdminRoute]:
        """Give what the admin listener shows of the STR."""
        return [AdminRoute("GET", "/admin/str/{ispb}", self.accounts, "shows accounts at the STR")]

    async def accounts(self, request: web.Request) -> web.Response:
        """Show a participant's accounts at the STR."""
        shown = await self._node.call(
            STR_DESK, GetStrAccounts(request.match_info["ispb"]), timeout_ms=CALL_TIMEOUT_MS
        )
        return json_response(msgspec.to_builtins(shown))

    async def take(self, request: web.Request) -> web.Response:
        """Take one document; what is wrong in it comes back as a message."""
        ispb = self._authorise(request)
        body = await request.read()
        await self._ask(TakeStrMessage(ispb, body))
        return web.Response(status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        """Give the oldest message; it stays until it is confirmed."""
        found = await self._ask(FetchStrMail(self._authorise(request)))
        if found is None:
            return web.Response(status=204)
        number, body = found
        headers = {MESSAGE_ID: str(number), "Content-Type": MEDIA_TYPE}
        return web.Response(body=body, headers=headers)

    async def confirm(self, request: web.Request) -> web.Response:
        """Forget a message."""
        ispb, number = self._authorise(request), request.match_info["number"]
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            raise Problem(404)
        if not await self._ask(ConfirmStrMail(ispb, int(number))):
            raise Problem(404)
        return web.Response(status=204)

    def _authorise(self, request: web.Request) -> str:
        ispb = request.match_info["ispb"]
        if ispb not in self._connected or certified_ispb(request) != ispb:
            raise Problem(403)
        return ispb

    async def _ask(self, question: object) -> Any:
        try:
            return await self._node.call(STR_DESK, question, timeout_ms=CALL_TIMEOUT_MS)
        except ActorError as error:
            raise Problem(503) from error
