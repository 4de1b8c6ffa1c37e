"""`corrente ledger verify`: every sum of the ledger, its journal, and every payment against it."""

from collections.abc import Callable, Sequence
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from bacen.wire import cents_to_text
from config import Settings
from corrente.ledger_database import ledger_database
from corrente.replay_command import replay_with_progress, show_replay
from ledger import Check, LedgerReport, verify
from pix import PaymentsReport, verify_payments


async def verify_and_show(
    settings: Settings, console: Console, fail: Callable[[str], NoReturn]
) -> bool:
    """Verify and print; True when everything adds up."""
    async with ledger_database(settings, fail) as dsn:
        books = await verify(dsn)
        payments = await verify_payments(dsn)
        journal = await replay_with_progress(dsn)
    _show(books, payments, console)
    show_replay(journal, console)
    adds_up = books.ok and payments.ok and journal.ok
    console.print("adds up" if adds_up else "[red]DOES NOT ADD UP")
    return adds_up


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


def _checks(checks: Sequence[Check]) -> Table:
    table = Table("check", "expected", "found", "", box=None, pad_edge=False)
    for check in checks:
        verdict = "ok" if check.ok else "[red]BREACH"
        table.add_row(check.name, f"{check.expected:,}", f"{check.found:,}", verdict)
    return table
