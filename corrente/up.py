"""`corrente up`: everything from an empty folder to a platform that serves, and back.

Shows what it does, pays one Pix through its own front door, prints what to try, and serves until
Ctrl-C or SIGTERM, which finish what is in flight and stop the servers last.
"""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from actors import Node, StartFailed
from config import Profile, Settings
from corrente import demo
from corrente.client import Client, PayFailed, follow
from corrente.collector import settle
from corrente.platform import Platform
from corrente.ready import RUN_FILE, write_ready_file
from corrente.servers import claim_home
from corrente.why import why
from supervisors import GetOsPid

TOKEN_SECONDS = 12 * 3600
FIRST_PIX_AMOUNT = "10.50"
FIRST_PIX_SECONDS = 30
SERVERS = ("postgres", "nats", "bank")
NODE_NAME = "corrente"


class Interrupted:
    """Ctrl-C and SIGTERM: cut the start short, or end the serving."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.is_starting = True
        self._main = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt)

    def _interrupt(self) -> None:
        is_first = not self.event.is_set()
        self.event.set()
        if self.is_starting and is_first and self._main is not None:
            self._main.cancel()


async def up(settings: Settings, ready_file: Path | None, console: Console) -> int:
    """Run a platform until it is told to stop.

    Returns:
        The exit code: 0 after a clean stop, 1 when it could not start or gave up.

    Raises:
        HomeInUse: Another platform holds this home.
    """
    interrupted = Interrupted()
    run_file = settings.home / RUN_FILE
    with claim_home(settings.home):
        run_file.unlink(missing_ok=True)
        node = Node(NODE_NAME)
        try:
            return await _run(settings, node, interrupted, ready_file, console)
        except asyncio.CancelledError:
            if not interrupted.event.is_set():
                raise
            return 0
        except StartFailed as error:
            console.print(f"[red]start failed:[/] {why(error)}", highlight=False)
            return 1
        finally:
            console.print("stopping")
            await node.shutdown()
            run_file.unlink(missing_ok=True)


async def _run(
    settings: Settings,
    node: Node,
    interrupted: Interrupted,
    ready_file: Path | None,
    console: Console,
) -> int:
    started_ns = node.clock.monotonic_ns()
    console.print(f"starting in {settings.home}", highlight=False)
    platform = Platform(settings, node)
    await platform.start()
    settle()
    seconds = (node.clock.monotonic_ns() - started_ns) / 1e9
    console.print(f"ready in {seconds:.1f} s", highlight=False)
    console.print(f"ledger: {platform.ledgers}", highlight=False)
    ready = await _ready(platform)
    write_ready_file(settings.home / RUN_FILE, ready)
    interrupted.is_starting = False
    if settings.profile is Profile.EMBEDDED:
        await asyncio.to_thread(_first_pix, ready, console)
        _show_what_to_try(ready, console)
    if ready_file is not None:
        write_ready_file(ready_file, ready)

    async def watch() -> None:
        await node.join("corrente")
        interrupted.event.set()

    node.spawn(watch, link=False)
    await interrupted.event.wait()
    if node.whereis("corrente") is None:
        console.print("[red]the platform gave up:[/] see the log")
        return 1
    return 0


async def _ready(platform: Platform) -> dict[str, Any]:
    settings, node = platform.settings, platform.node
    assert platform.endpoint is not None  # the start has returned
    roles = ("operator",)
    content: dict[str, Any] = {
        "url": f"http://{settings.gateway.host}:{platform.endpoint.port}",
        "bank_url": platform.bank_url,
        "home": str(settings.home),
        "pids": {"platform": os.getpid()},
    }
    if settings.profile is Profile.EMBEDDED:
        tenant = settings.institution.ispb
        content["token"] = platform.tokens.issue("demo", tenant, roles, TOKEN_SECONDS)
        admin = ("admin",)
        content["admin_token"] = platform.tokens.issue("demo-admin", tenant, admin, TOKEN_SECONDS)
        content["debtor"] = demo.debtor_body(demo.customers(tenant)[0])
        content["key"] = demo.KEY
        for name in SERVERS:
            content["pids"][name] = await node.call(name, GetOsPid())
    return content


def _first_pix(ready: dict[str, Any], console: Console) -> None:
    """Pay one Pix through the front door and print it."""
    client = Client(ready["url"], ready["token"])
    try:
        order = {
            "amount": FIRST_PIX_AMOUNT,
            "pix_key": ready["key"],
            "debtor": ready["debtor"],
            "description": "O primeiro Pix",
            "idempotency_key": f"first-pix-{os.getpid()}-{os.urandom(6).hex()}",
        }
        started = time.monotonic()  # noqa: TID251 # this thread stands outside of the node
        payment = client.request("POST", "/api/v1/payments", order)
        for state in follow(client, payment, FIRST_PIX_SECONDS):
            payment = state
        elapsed_ms = (time.monotonic() - started) * 1000  # noqa: TID251 # see above
    except PayFailed as error:
        console.print(f"[red]the first Pix failed:[/] {error}", highlight=False)
    else:
        console.print(
            f"first Pix: {payment['end_to_end_id']}  R$ {payment['amount']}"
            f"  {payment['status']}  {elapsed_ms:.0f} ms",
            highlight=False,
        )
    finally:
        client.close()


def _show_what_to_try(ready: dict[str, Any], console: Console) -> None:
    order = {
        "amount": "10.50",
        "pix_key": ready["key"],
        "debtor": ready["debtor"],
        "idempotency_key": "try-1",
    }
    body = msgspec.json.encode(order).decode()
    header = '-H "Authorization: Bearer $TOKEN"'
    payments = f"{ready['url']}/api/v1/payments"
    for line in (
        "",
        f"url    {ready['url']}",
        f"bank   {ready['bank_url']} (simulated)",
        f"home   {ready['home']}",
        "",
        f"export TOKEN={ready['token']}",
        f"curl -s {header} -H 'Content-Type: application/json' -d '{body}' {payments}",
        f"curl -s {header} {payments}/PAYMENT_ID",
        f"curl -s {header} {ready['url']}/api/v1/position",
        "",
        "Ctrl-C stops everything.",
    ):
        # Written as it is: a wrapped line could not be copied.
        console.file.write(line + "\n")
    console.file.flush()
