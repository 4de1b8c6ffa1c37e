"""`corrente bacen up`: the simulated central bank as a program."""

import asyncio
import os
import signal
from pathlib import Path

from rich.console import Console

from actors import Node
from bacen.simulator import BankClock, BankSettings, start_bank
from corrente.collector import settle
from corrente.ready import write_ready_file

NODE_NAME = "bacen"


async def bank_up(
    settings: BankSettings, rate: int, ready_file: Path | None, console: Console
) -> int:
    """Run the bank until SIGINT or SIGTERM; the exit code.

    Args:
        settings: Of the bank.
        rate: Of its clock: `BankClock`.
        ready_file: Written as JSON when the bank answers.
        console: For its addresses.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    node = Node(NODE_NAME, clock=BankClock(rate))
    try:
        bank = await start_bank(node, settings)
        settle()
        content = {
            "url": bank.url,
            "secondary_url": bank.secondary_url,
            "admin_url": bank.admin_url,
            "home": str(settings.home),
            "pid": os.getpid(),
        }
        console.print(f"bank   {bank.url} (simulated)\nadmin  {bank.admin_url}", highlight=False)
        console.print(f"keys   {settings.home / 'pki'}", highlight=False)
        if ready_file is not None:
            write_ready_file(ready_file, content)

        async def watch() -> None:
            await node.join(bank.pid)
            stopping.set()

        node.spawn(watch, link=False)
        await stopping.wait()
        return 0 if node.is_alive(bank.pid) else 1
    finally:
        await node.shutdown()
