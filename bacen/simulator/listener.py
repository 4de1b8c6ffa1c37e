"""The process that owns one listening address and serves an aiohttp application on it."""

import ssl
from collections.abc import Callable

from aiohttp import web

from actors import ExitReason, GenServer

LINGERING_SECONDS = 1  # for the rest of a request that was refused before its end
SHUTDOWN_SECONDS = 1  # requests held open are let go of; their readers come again


class Address:
    """Where a listener is found. The port chosen at the first start is kept over restarts."""

    def __init__(self, scheme: str, host: str, port: int) -> None:
        self._scheme = scheme
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self._scheme}://{host}:{self.port}"


class Listener(GenServer):
    """Serves until it is stopped; the socket is open when `init` returns.

    Args:
        build: Makes the application; called at each start.
        address: Port 0 is replaced by the port the system gave.
        tls: None for plain HTTP.
    """

    trap_exit = True  # so that the socket is closed

    def __init__(
        self,
        build: Callable[[], web.Application],
        address: Address,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._build = build
        self._address = address
        self._tls = tls

    async def init(self) -> None:
        # A reader that goes away ends its request; access logs would cost more than the answers.
        # Compressed bodies are left as they are: only we bound them and name what is wrong.
        self._runner = web.AppRunner(
            self._build(),
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            shutdown_timeout=SHUTDOWN_SECONDS,
            lingering_time=LINGERING_SECONDS,
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner,
            self._address.host,
            self._address.port,
            ssl_context=self._tls,
        )
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self._address.port = self._runner.addresses[0][1]

    async def terminate(self, reason: ExitReason) -> None:  # noqa: ARG002 (a callback)
        await self._runner.cleanup()
