"""The cockpit at the admin port: its page, its API, evidence to keep."""

from importlib import resources
from typing import Any

import msgspec
from aiohttp import web

from actors import Node
from bacen.simulator.admin_routes import AdminProblem, AdminRoute, json_body, json_response
from bacen.simulator.cockpit.errors import UnknownRun
from bacen.simulator.cockpit.evidence import evidence_html
from bacen.simulator.cockpit.orders import (
    GetRun,
    ListRuns,
    RepeatStep,
    RunOrder,
    SkipStep,
    StartRun,
    StopRun,
)
from bacen.simulator.cockpit.process import COCKPIT
from bacen.simulator.cockpit.run import PayeeAccount
from bacen.simulator.cockpit.script import STEPS
from bacen.simulator.cockpit.showing import SIMULATED, shown_head, shown_run, shown_script
from bacen.simulator.errors import NOT_JSON, InvalidControl
from bacen.simulator.settings import BankSettings

TIMEOUT_MS = 30_000
TEXT_MAX = 500
RUNS = "/admin/cockpit/runs"
RUN = RUNS + "/{id}"
PAGE = {
    "/cockpit": ("index.html", "text/html"),
    "/cockpit/cockpit.js": ("cockpit.js", "text/javascript"),
    "/cockpit/cockpit.css": ("cockpit.css", "text/css"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
EVIDENCE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class StepOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which step to leave out, and why, or to do again."""

    step: str
    reason: str = ""


class CockpitEndpoint:
    """Routes of the cockpit.

    Args:
        node: Where it runs.
        settings: Of the bank.
    """

    def __init__(self, node: Node, settings: BankSettings) -> None:
        self._node = node
        self._connected = settings.connected

    def routes(self) -> list[AdminRoute]:
        return [
            *(AdminRoute("GET", path, self.page, "serves the cockpit's page") for path in PAGE),
            AdminRoute("GET", "/admin/cockpit", self.script, "shows the script of homologation"),
            AdminRoute("GET", RUNS, self.all, "lists runs of the script"),
            AdminRoute("POST", RUNS, self.start, "begins a run"),
            AdminRoute("GET", RUN, self.show, "shows a run"),
            AdminRoute("POST", RUN + "/skip", self.skip, "leaves a step out"),
            AdminRoute("POST", RUN + "/repeat", self.repeat, "lets a step begin again"),
            AdminRoute("POST", RUN + "/stop", self.stop, "ends a run"),
            AdminRoute("GET", RUN + "/evidence.json", self.evidence, "gives evidence as JSON"),
            AdminRoute("GET", RUN + "/evidence.html", self.document, "gives evidence to read"),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Serve a file of the page."""
        name, kind = PAGE[request.path]
        content = (resources.files(__package__) / "page" / name).read_bytes()
        return web.Response(body=content, content_type=kind, charset="utf-8", headers=HEADERS)

    async def script(self, _: web.Request) -> web.Response:
        """Show the script, and who can be led through it."""
        return json_response(
            {
                "notice": SIMULATED,
                "participants": self._connected,
                "payee": msgspec.to_builtins(PayeeAccount()),
                "steps": [shown_script(each) for each in STEPS.values()],
            }
        )

    async def all(self, _: web.Request) -> web.Response:
        """List the runs, the newest first."""
        runs = await self._ask(ListRuns())
        return json_response({"runs": [shown_head(each) for each in reversed(runs)]})

    async def start(self, request: web.Request) -> web.Response:
        """Begin a run."""
        order = decoded(await json_body(request), RunOrder)
        order.check()
        return json_response(shown_run(await self._ask(StartRun(order))), status=201)

    async def show(self, request: web.Request) -> web.Response:
        """Show a run."""
        return json_response(await self._shown(request))

    async def skip(self, request: web.Request) -> web.Response:
        """Leave a step out; the reason is kept."""
        order = decoded(await json_body(request), StepOrder)
        if not 0 < len(order.reason) <= TEXT_MAX:
            raise InvalidControl("reason", f"1 to {TEXT_MAX} characters")
        asked = SkipStep(request.match_info["id"], order.step, order.reason)
        return json_response(shown_run(await self._ask(asked)))

    async def repeat(self, request: web.Request) -> web.Response:
        """Let a step begin again."""
        order = decoded(await json_body(request), StepOrder)
        asked = RepeatStep(request.match_info["id"], order.step)
        return json_response(shown_run(await self._ask(asked)))

    async def stop(self, request: web.Request) -> web.Response:
        """End a run."""
        await json_body(request)
        return json_response(shown_run(await self._ask(StopRun(request.match_info["id"]))))

    async def evidence(self, request: web.Request) -> web.Response:
        """Give a run with all that was seen, to be kept."""
        shown = await self._shown(request)
        return web.Response(
            body=msgspec.json.format(msgspec.json.encode(shown)),
            content_type="application/json",
            headers=attached(request, "json"),
        )

    async def document(self, request: web.Request) -> web.Response:
        """Give the same to read."""
        return web.Response(
            text=evidence_html(await self._shown(request)),
            content_type="text/html",
            headers={**HEADERS, "Content-Security-Policy": EVIDENCE_POLICY},
        )

    async def _shown(self, request: web.Request) -> dict[str, Any]:
        return shown_run(await self._ask(GetRun(request.match_info["id"])))

    async def _ask(self, question: object) -> Any:
        try:
            return await self._node.call(COCKPIT, question, timeout_ms=TIMEOUT_MS)
        except UnknownRun as error:
            raise AdminProblem(404, str(error)) from None


def attached(request: web.Request, kind: str) -> dict[str, str]:
    name = f"homologation-{request.match_info['id']}.{kind}"
    return {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}


def decoded(body: bytes, kind: type[Any]) -> Any:
    """Read an order.

    Raises:
        InvalidControl: It is none.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except NOT_JSON as error:
        raise InvalidControl("body", str(error)) from None
