"""`corrente ledger verify`: every sum of the ledger, and every payment against it."""

from collections.abc import Callable, Sequence
from typing import NoReturn

import asyncpg
from rich.console import Console
from rich.table import Table

from actors import Node, StartFailed
from bacen.wire import cents_to_text
from config import Profile, Settings
from corrente.servers import HomeInUse, ServerError, claim_home, postgres_child
from corrente.why import why
from ledger import Check, LedgerReport, verify
from pix import PaymentsReport, verify_payments
from supervisors import Strategy, Supervisor


async def verify_and_show(
    settings: Settings, console: Console, fail: Callable[[str], NoReturn]
) -> bool:
    """Verify and print; True when everything adds up.

    While no platform runs on an embedded home, its database is started for the time of the check.
    """
    if settings.profile is not Profile.EMBEDDED:
        assert settings.postgres.dsn is not None  # the settings were checked
        return await _verify(settings.postgres.dsn.get_secret_value(), console, fail)
    if not (settings.home / "postgres").exists():
        fail(f"{settings.home} has no ledger: start a platform with `make up`")
    node = Node("verify")
    try:
        child, endpoint = postgres_child(settings.home, node.clock)
        try:
            with claim_home(settings.home):
                root = Supervisor([child], strategy=Strategy.ONE_FOR_ONE)
                await node.start(root)
                return await _verify(endpoint.dsn, console, fail)
        except HomeInUse:
            return await _verify(endpoint.dsn, console, fail)
    except ServerError as error:
        fail(str(error))
    except StartFailed as error:
        fail(why(error))
    finally:
        await node.shutdown()


async def _verify(dsn: str, console: Console, fail: Callable[[str], NoReturn]) -> bool:
    try:
        books = await verify(dsn)
        payments = await verify_payments(dsn)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        fail(f"the ledger cannot be read: {error}")
    _show(books, payments, console)
    return books.ok and payments.ok


def _show(books: LedgerReport, payments: PaymentsReport, console: Console) -> None:
    console.print(_checks([*books.checks, *payments.checks]))
    totals = Table("payments", "count", "R$", box=None, pad_edge=False)
    for total in payments.totals:
        totals.add_row(total.status, f"{total.payments:,}", cents_to_text(total.amount_cents))
    console.print(totals)
    console.print(
        f"accounts {books.accounts:,}  transfers {books.transfers:,}  "
        f"open holds {books.open_holds:,}  events {books.events:,}\n"
        f"posted R$ {cents_to_text(books.posted_cents)}  "
        f"held R$ {cents_to_text(books.pending_cents)}",
        highlight=False,
    )
    console.print("adds up" if books.ok and payments.ok else "[red]DOES NOT ADD UP")


def _checks(checks: Sequence[Check]) -> Table:
    table = Table("check", "expected", "found", "", box=None, pad_edge=False)
    for check in checks:
        verdict = "ok" if check.ok else "[red]BREACH"
        table.add_row(check.name, f"{check.expected:,}", f"{check.found:,}", verdict)
    return table
