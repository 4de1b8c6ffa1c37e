"""`corrente ledger breaker`: how the circuit breaker stands, and what an operator wants of it."""

import getpass
from collections.abc import Callable
from typing import Final, NoReturn

import asyncpg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actors import Clock
from config import Settings
from corrente.ledger_database import CONNECT_TIMEOUT_SECONDS, ledger_database
from ledger.breaker import BreakerReport, Close, Open, Position, make_wish, read_breaker

WAIT_MS: Final = 200
WAITS: Final = 50
NEVER_RUN: Final = "no breaker has run on this ledger: all transfers go to PostgreSQL"


async def show_breaker(
    settings: Settings, console: Console, fail: Callable[[str], NoReturn]
) -> None:
    """Print the position of the tenant's breaker and its latest changes."""
    tenant = settings.institution.ispb
    async with ledger_database(settings, fail) as dsn:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            report = await read_breaker(connection, tenant)
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
    if report is None:
        console.print(NEVER_RUN)
    else:
        _show(report, console)


async def ask_breaker(
    settings: Settings,
    position: Position,
    reason: str,
    console: Console,
    fail: Callable[[str], NoReturn],
) -> bool:
    """Leave a wish for the tenant's breaker and wait until it is obeyed.

    Args:
        settings: Of the platform.
        position: The wish.
        reason: Why; kept as an audit.
        console: For the outcome.
        fail: Ends the command when there is nobody to ask.

    Returns:
        True when the breaker is where it is wanted; False when it is not, or not yet.
    """
    tenant, clock = settings.institution.ispb, Clock()
    wish = (Open if position is Position.OPEN else Close)(reason, getpass.getuser())
    async with ledger_database(settings, fail) as dsn:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            report = await read_breaker(connection, tenant)
            if report is None:
                fail(NEVER_RUN)
            await make_wish(connection, tenant, wish, clock.now())
            for _ in range(WAITS):
                report = await read_breaker(connection, tenant)
                assert report is not None, "a breaker that has run has run"
                if report.position is position and not report.wishes:
                    break
                await clock.sleep_ms(WAIT_MS)
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
    _show(report, console)
    if report.wishes:
        console.print("[red]no breaker has taken the wish yet; the next one that runs will")
    return report.position is position and not report.wishes


def _show(report: BreakerReport, console: Console) -> None:
    held = ", until somebody closes it" if report.is_held else ""
    console.print(
        f"{report.position.value}{held}  epoch {report.epoch}\n"
        f"unknown transfers {report.unknown:,}  not yet in TigerBeetle {report.lag:,}",
        highlight=False,
    )
    if report.events:
        table = Table("at", "epoch", "position", "by", "reason", box=None, pad_edge=False)
        for event in report.events:
            at = event.at.isoformat(timespec="seconds")
            what = f"{event.position.value}{' (held)' if event.is_held else ''}"
            table.add_row(at, str(event.epoch), what, escape(event.made_by), escape(event.reason))
        console.print(table)
