"""The limit beside the figures: the same HTTP server and generator, with nothing behind them.

Run as a program it serves and prints its port; `bare_http_per_s` measures it from outside.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import uvloop
from aiohttp import web

ANSWER = b'{"payment_id":"pay-0"}' + b" " * 600  # as long as an answer of the platform


async def answer(request: web.Request) -> web.Response:
    """Read the order, accept it."""
    await request.read()
    return web.Response(status=201, body=ANSWER, content_type="application/json")


async def serve() -> None:
    """Serve on a free port until the parent closes standard input."""
    app = web.Application()
    app.router.add_post("/api/v1/payments", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


def bare_http_per_s(run: Callable[[str], Any]) -> float:
    """Requests a second that `run(url)` gets out of a server process that does nothing else."""
    server = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with server:
        assert server.stdout is not None
        assert server.stdin is not None
        result = run(f"http://127.0.0.1:{int(server.stdout.readline())}")
        server.stdin.close()
    return float(len(result.accepted) / result.elapsed_seconds)


if __name__ == "__main__":
    uvloop.run(serve())
