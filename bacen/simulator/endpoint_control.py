"""The controls of the bank at its admin port: faults, the clock, the counterparties."""

from typing import Any

import msgspec
from aiohttp import web

from actors import Clock, Node
from bacen.simulator.admin_routes import AdminProblem, AdminRoute, json_body, json_response
from bacen.simulator.clock import BankClock, rate_text
from bacen.simulator.counterparties import (
    OFFICE,
    Dismiss,
    Enlist,
    ListCounterparties,
    counterparty_of_json,
)
from bacen.simulator.durations import duration_ms, duration_text
from bacen.simulator.errors import NOT_JSON, InvalidControl
from bacen.simulator.faults import KINDS, FaultPlan, order_of_json

OFFICE_TIMEOUT_MS = 10_000


class FaultControl:
    """Adds, lists and removes faults.

    Args:
        plan: Of the bank.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", "/admin/faults", self.all, "lists faults, and the kinds there are"),
            AdminRoute("POST", "/admin/faults", self.add, "puts a fault into force"),
            AdminRoute("DELETE", "/admin/faults/{id}", self.remove, "takes a fault out of force"),
        ]

    async def all(self, _: web.Request) -> web.Response:
        """List every fault that was not removed, with its strikes."""
        faults = [self._plan.shown(each) for each in self._plan.all()]
        return json_response(
            {"faults": faults, "kinds": {name: kind.does for name, kind in KINDS.items()}}
        )

    async def add(self, request: web.Request) -> web.Response:
        """Put a fault into force; its window begins now."""
        fault = self._plan.add(order_of_json(await json_body(request)))
        return json_response(self._plan.shown(fault), status=201)

    async def remove(self, request: web.Request) -> web.Response:
        """Take a fault out of force."""
        fault_id = request.match_info["id"]
        if not self._plan.remove(fault_id):
            raise AdminProblem(404, f"there is no fault {fault_id}")
        return web.Response(status=204)


class ClockOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to move the clock: by a length of time, or from now on at another rate, or both."""

    advance: str | None = None
    rate: int | None = None


class ClockControl:
    """Shows and moves the clock.

    Args:
        clock: Of the node; only a `BankClock` can be moved.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", "/admin/clock", self.show, "shows the bank's time"),
            AdminRoute("POST", "/admin/clock", self.move, "advances the clock or sets its rate"),
        ]

    async def show(self, _: web.Request) -> web.Response:
        """Show what time it is for the bank, and how it passes."""
        return json_response(self._shown())

    async def move(self, request: web.Request) -> web.Response:
        """Set the rate, then advance; answers when what fell due has fired."""
        try:
            order = msgspec.json.decode(await json_body(request), type=ClockOrder)
        except NOT_JSON as error:
            raise InvalidControl("body", str(error)) from None
        if not isinstance(self._clock, BankClock):
            raise AdminProblem(409, "this bank was started with a clock that cannot be moved")
        if order.advance is None and order.rate is None:
            raise InvalidControl("body", "advance or rate is needed")
        advance_ms = None if order.advance is None else duration_ms(order.advance)
        if order.rate is not None:
            self._clock.set_rate(order.rate)
        if advance_ms is not None:
            await self._clock.advance(advance_ms)
        return json_response(self._shown())

    def _shown(self) -> dict[str, Any]:
        now = self._clock.now().isoformat(timespec="milliseconds")
        if not isinstance(self._clock, BankClock):
            return {"now": now, "rate": 1, "clock": "real", "ahead": "0s", "movable": False}
        return {
            "now": now,
            "rate": self._clock.rate,
            "clock": rate_text(self._clock.rate),
            "ahead": duration_text(max(0, self._clock.ahead_ms())),
            "movable": True,
        }


class CounterpartyControl:
    """Starts, lists and stops counterparties.

    Args:
        node: Where their office runs.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def routes(self) -> list[AdminRoute]:
        path = "/admin/counterparties"
        return [
            AdminRoute("GET", path, self.all, "lists counterparties and what they did"),
            AdminRoute("POST", path, self.enlist, "starts a counterparty, or changes one"),
            AdminRoute("DELETE", path + "/{ispb}", self.dismiss, "stops a counterparty"),
        ]

    async def all(self, _: web.Request) -> web.Response:
        """List them with their counts since each one's start."""
        rows = await self._node.call(OFFICE, ListCounterparties(), timeout_ms=OFFICE_TIMEOUT_MS)
        return json_response(
            {
                "counterparties": [
                    {"config": msgspec.to_builtins(config), "counts": msgspec.to_builtins(counts)}
                    for config, counts in rows
                ]
            }
        )

    async def enlist(self, request: web.Request) -> web.Response:
        """Start a counterparty; one that runs goes on with these settings and new counts."""
        config = counterparty_of_json(await json_body(request))
        await self._node.call(OFFICE, Enlist(config), timeout_ms=OFFICE_TIMEOUT_MS)
        return json_response(msgspec.to_builtins(config), status=201)

    async def dismiss(self, request: web.Request) -> web.Response:
        """Stop a counterparty; afterwards it answers by account number again."""
        ispb = request.match_info["ispb"]
        if not await self._node.call(OFFICE, Dismiss(ispb), timeout_ms=OFFICE_TIMEOUT_MS):
            raise AdminProblem(404, f"{ispb} is no counterparty")
        return web.Response(status=204)
