"""DICT at the controls of the bank: any operation in the name of any participant, as JSON.

So a test or a demonstration lets a virtual participant claim a key, contest a payment or judge a
report. Nothing is signed here; the rules are those of the participants' door.
"""

import msgspec
from aiohttp import web

from actors import Node
from bacen import InvalidMessage
from bacen.dict import ERROR_TYPES, OPERATIONS
from bacen.simulator.admin_routes import AdminProblem, AdminRoute, json_body
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.office import Asked
from bacen.simulator.dict.requests import DIRECTORY, Ask
from bacen.simulator.errors import NOT_JSON

TIMEOUT_MS = 10_000
NAMED = "as"


class DictControl:
    """The route.

    Args:
        node: Where the directory runs.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def routes(self) -> list[AdminRoute]:
        path = "/admin/dict/{operation}"
        does = "carries out an operation of DICT, `?as=` a participant"
        return [AdminRoute("POST", path, self.carry_out, does)]

    async def carry_out(self, request: web.Request) -> web.Response:
        """Read the operation's struct as JSON, with the names of its fields in Python."""
        operation = OPERATIONS.get(request.match_info["operation"])
        if operation is None:
            raise AdminProblem(404, "no operation of DICT")
        body = await json_body(request)
        try:
            wanted = msgspec.json.decode(body, type=operation.request)
        except (*NOT_JSON, InvalidMessage) as error:
            raise AdminProblem(400, str(error)) from None
        head = {
            "response_time": self._node.clock.now(),
            "correlation_id": self._node.ids.new_id().hex,
        }
        asked = Asked(by=request.query.get(NAMED, ""), request=wanted, head=head, files_url="")
        try:
            answer = await self._node.call(
                DIRECTORY, Ask(operation.name, asked), timeout_ms=TIMEOUT_MS
            )
        except DictRefusal as refusal:
            status = ERROR_TYPES[refusal.type].status
            raise AdminProblem(status, refusal.reason, type=refusal.type) from None
        return web.Response(
            status=operation.status,
            body=msgspec.json.encode(answer),
            content_type="application/json",
        )
