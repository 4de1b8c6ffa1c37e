"""`corrente bacen fault`: what the commands ask of the admin port of a running bank."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bacen.simulator.faults import KINDS, FaultOrder

TIMEOUT_SECONDS = 10


class ControlRefused(Exception):
    """The bank did not do it; the text says why."""


async def ask_bank(
    admin_url: str, method: str, path: str, body: bytes | None = None
) -> Mapping[str, Any]:
    """Send one request to the admin port; gives the JSON of its answer.

    Raises:
        ControlRefused: The bank refuses, or nobody answers there.
    """
    status, answer = await exchange(admin_url, method, path, body)
    try:
        told: Mapping[str, Any] = msgspec.json.decode(answer) if answer else {}
    except msgspec.DecodeError:
        raise ControlRefused(f"what answers at {admin_url} is no bank") from None
    if status >= 400:
        detail = told.get("detail") or told.get("title") or f"HTTP {status}"
        raise ControlRefused(": ".join(filter(None, (told.get("field"), str(detail)))))
    return told


async def read_bank(admin_url: str, path: str) -> bytes:
    """Fetch a document as it is.

    Raises:
        ControlRefused: The bank refuses, or nobody answers there.
    """
    status, answer = await exchange(admin_url, "GET", path)
    if status >= 400:
        raise ControlRefused(f"{path}: HTTP {status}")
    return answer


async def exchange(
    admin_url: str, method: str, path: str, body: bytes | None = None
) -> tuple[int, bytes]:
    """Send one request; gives status and body.

    Raises:
        ControlRefused: Nobody answers there.
    """
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, admin_url + path, data=body, headers=headers) as response,
        ):
            return response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise ControlRefused(f"no bank answers at {admin_url} ({type(error).__name__})") from None


async def add_fault(admin_url: str, order: FaultOrder, console: Console) -> None:
    """Put a fault into force and print its id."""
    told = await ask_bank(admin_url, "POST", "/admin/faults", msgspec.json.encode(order))
    console.print(f"{told['id']}  {escape(str(told['fault']))}: {told['does']}", highlight=False)


async def list_faults(admin_url: str, console: Console) -> None:
    """Print the faults in force, or which there are when there is none."""
    told = await ask_bank(admin_url, "GET", "/admin/faults")
    faults = told["faults"]
    table = Table("id", "fault", "by", "who", "about", "chance", "left", "state", "strikes")
    if not faults:
        table = Table("fault", "what it does", title="no fault is in force; there are")
        for name, kind in KINDS.items():
            table.add_row(name, kind.does)
    for each in faults:
        cells = (each["id"], each["fault"], each["by"], each["ispb"] or "all")
        about = each["message"] or each["service"]
        rest = (about, each["probability"], each["left"], each["state"], each["hits"])
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in (*cells, *rest)))
    console.print(table)


async def remove_fault(admin_url: str, fault_id: str, console: Console) -> None:
    """Take a fault out of force."""
    await ask_bank(admin_url, "DELETE", f"/admin/faults/{fault_id}")
    console.print(f"{escape(fault_id)} removed", highlight=False)
