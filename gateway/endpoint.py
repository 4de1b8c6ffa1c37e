"""The gateway as a process: an aiohttp server that starts with it and drains with it."""

from aiohttp import web

from actors import GenServer
from gateway import routes
from gateway.context import CONTEXT, GatewayContext
from gateway.guard import guard

DRAIN_SECONDS = 5
BACKLOG = 1024


def application(context: GatewayContext, body_max_bytes: int) -> web.Application:
    """The routes of the interface around `context`."""
    app = web.Application(middlewares=[guard], client_max_size=body_max_bytes)
    app[CONTEXT] = context
    app.add_routes(
        [
            web.post("/api/v1/payments", routes.create_payment),
            web.get("/api/v1/payments/{payment_id}", routes.get_payment),
            web.get("/api/v1/position", routes.get_position),
            web.get("/api/v1/admin/processes", routes.get_processes),
            web.get("/api/v1/admin/processes/{pid}", routes.get_process),
            web.delete("/api/v1/admin/processes/{pid}", routes.kill_process),
            web.get("/api/v1/admin/breaker", routes.get_breaker),
            web.get("/api/v1/admin/breaker/history", routes.get_breaker_history),
            web.post("/api/v1/admin/breaker/open", routes.open_breaker),
            web.post("/api/v1/admin/breaker/close", routes.close_breaker),
            web.get("/health", routes.health),
            web.get("/health/ready", routes.ready),
            web.get("/metrics", routes.metrics),
            web.get("/openapi.json", routes.openapi),
        ]
    )
    return app


class HttpEndpoint(GenServer):
    """Serves an application on one address; stopping finishes what is in flight.

    Attributes:
        port: The port that is served, known once `init` has returned (0 picks one).
    """

    trap_exit = True

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=DRAIN_SECONDS)
        self._host = host
        self.port = port

    async def init(self) -> None:
        """Listen. A port that is taken fails the start."""
        await self._runner.setup()
        assert self._runner.server is not None  # it was set up
        self._listener = await self.node.loop.create_server(
            self._runner.server, self._host, self.port, backlog=BACKLOG
        )
        self.node.on_exit(self._let_go)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def terminate(self, reason: object) -> None:
        """Stop listening, finish requests, close."""
        del reason
        self._listener.close()
        await self._runner.cleanup()

    def _let_go(self) -> None:
        """Free the port, also after a kill: its successor needs it. Requests under way end."""
        self._listener.close()
        if self._runner.server is not None:
            self._runner.server.pre_shutdown()
