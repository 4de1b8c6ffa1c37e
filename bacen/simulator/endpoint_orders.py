"""What an operator orders of the SPI: returns of virtual participants, liquidity, announcements."""

import re
from typing import TypeVar

import msgspec
from aiohttp import web

from actors import Node
from bacen.simulator.admin_routes import AdminProblem, AdminRoute, json_body, json_response
from bacen.simulator.errors import (
    NOT_JSON,
    BankFault,
    ControlNumberTaken,
    InsufficientBalance,
    UnknownAccount,
)
from bacen.simulator.liquidity import fund, withdraw
from bacen.simulator.requests import SETTLEMENT, Announce, GetPayment, Originate
from bacen.simulator.settings import BankSettings
from bacen.simulator.virtual_returner import ReturnOrder, pacs004_of
from bacen.wire import InvalidMessage, is_end_to_end_id

TIMEOUT_MS = 2_000
CENTS_MAX = 10**16
CONTROL_NUMBER = re.compile(r"[A-Z]{3}[0-9]{4}[0-1][0-9][0-3][0-9][a-zA-Z0-9]{9}")
TEXT_MAX = 1_000  # catalogue 5.13: of an admi.004
T = TypeVar("T")


class LiquidityOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money for a PI account, or out of it (below zero)."""

    ispb: str
    amount_cents: int
    control_number: str


class AnnouncementOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text for all connected participants."""

    text: str


class OrdersEndpoint:
    """Passes orders on to the settlement of one bank.

    Args:
        node: Where it runs.
        settings: Of the bank.
    """

    def __init__(self, node: Node, settings: BankSettings) -> None:
        self._node = node
        self._connected = frozenset(settings.connected)

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("POST", "/admin/returns", self.give_back, "lets a virtual receiver return"),
            AdminRoute("POST", "/admin/liquidity", self.move, "moves money from or to the STR"),
            AdminRoute("POST", "/admin/announcements", self.announce, "sends an admi.004 to all"),
        ]

    async def give_back(self, request: web.Request) -> web.Response:
        """Let the virtual receiver of a settled payment return it, or a part of it."""
        order = read_order(await json_body(request), ReturnOrder)
        original = None
        if is_end_to_end_id(order.end_to_end_id):
            asked = GetPayment(order.end_to_end_id)
            original = await self._node.call(SETTLEMENT, asked, timeout_ms=TIMEOUT_MS)
        if original is None or original.receiver in self._connected or not original.details:
            raise AdminProblem(404, "no payment that a virtual participant received")
        try:
            message = pacs004_of(order, original, self._node.ids, self._node.clock.now())
        except InvalidMessage as error:
            raise AdminProblem(400, str(error)) from None
        await self._order(Originate(message))
        return json_response({"return_id": message.returns[0].return_id}, status=201)

    async def move(self, request: web.Request) -> web.Response:
        """Move money between the STR and a PI account."""
        order = read_order(await json_body(request), LiquidityOrder)
        if order.amount_cents == 0 or abs(order.amount_cents) > CENTS_MAX:
            raise AdminProblem(400, "amount_cents must not be 0 nor beyond 10**16")
        if CONTROL_NUMBER.fullmatch(order.control_number) is None:
            raise AdminProblem(400, "control_number must be AAAyyyyMMdd and 9 letters or digits")
        do = fund if order.amount_cents > 0 else withdraw
        try:
            await do(self._node, order.ispb, abs(order.amount_cents), order.control_number)
        except UnknownAccount:
            raise AdminProblem(404) from None
        except InsufficientBalance as error:
            raise AdminProblem(409, f"{error.available_cents} cents are available") from None
        except ControlNumberTaken:
            raise AdminProblem(409, "the control number stands for another movement") from None
        except BankFault:
            raise AdminProblem(500) from None
        return json_response(msgspec.to_builtins(order), status=201)

    async def announce(self, request: web.Request) -> web.Response:
        """Tell all connected participants the start or the end of a maintenance."""
        order = read_order(await json_body(request), AnnouncementOrder)
        if not 0 < len(order.text) <= TEXT_MAX:
            raise AdminProblem(400, f"text must have 1 to {TEXT_MAX} characters")
        await self._order(Announce(order.text))
        return json_response(msgspec.to_builtins(order), status=201)

    async def _order(self, order: object) -> None:
        try:
            await self._node.call(SETTLEMENT, order, timeout_ms=TIMEOUT_MS)
        except BankFault:
            raise AdminProblem(500) from None


def read_order(body: bytes, kind: type[T]) -> T:
    """Read an order.

    Raises:
        AdminProblem: 400.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except NOT_JSON as error:
        raise AdminProblem(400, str(error)) from None
