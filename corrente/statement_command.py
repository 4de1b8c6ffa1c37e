"""`corrente ledger statement`: what an account had, what moved it, what is blocked.

Lines are written as they are read: a statement may be longer than the memory.
"""

import csv
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from enum import Enum
from typing import Any, NoReturn

import msgspec
from rich.console import Console
from rich.table import Table

from config import Settings
from corrente.ledger_database import ledger_snapshot
from ledger import LEDGER_BRL, TransferCode, TransferKind
from ledger.cosif import CosifError
from ledger.reports import (
    BRASILIA,
    Funds,
    Period,
    ReportError,
    Statement,
    StatementLine,
    find_account,
    signed_text,
    statement_pages,
)

KINDS = {
    TransferKind.POSTED: "",
    TransferKind.PENDING: "hold",
    TransferKind.POST: "post of a hold",
    TransferKind.VOID: "void of a hold",
    TransferKind.EXPIRED: "end of a hold",
}
CSV_FIELDS = (
    *("sequence", "at", "transfer_id", "code", "kind", "pending_id", "counterpart_id", "side"),
    *("amount_cents", "moved_cents", "balance_cents", "blocked_cents"),
)

Pages = AsyncIterator[Statement]


class Form(Enum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


async def show_statement(
    settings: Settings,
    account: str,
    period: Period,
    form: Form,
    console: Console,
    fail: Callable[[str], NoReturn],
) -> None:
    """Write the statement of one account of the institution in the settings.

    Args:
        settings: Where the ledger is and whose it is.
        account: Id, NUMBER or BRANCH/NUMBER.
        period: Which instants.
        form: How to write it.
        console: Where a table goes; JSON and CSV go to standard output.
        fail: Ends the command with one line.
    """
    tenant = settings.institution.ispb
    try:
        async with ledger_snapshot(settings, fail) as connection:
            account_id = await find_account(connection, account, tenant=tenant)
            async with aclosing(
                statement_pages(connection, account_id, period, tenant=tenant)
            ) as pages:
                await _write(pages, form, console)
    except (ReportError, CosifError) as error:
        fail(str(error))


async def _write(pages: Pages, form: Form, console: Console) -> None:
    try:
        if form is Form.JSON:
            await _write_json(pages)
        elif form is Form.CSV:
            await _write_csv(pages)
        else:
            await _write_table(pages, console)
    except BrokenPipeError:  # whoever read our output has seen enough
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


async def _write_table(pages: Pages, console: Console) -> None:
    is_first = True
    async for page in pages:
        if is_first:
            _write_head(page, console)
        table = Table(box=None, pad_edge=False, show_header=is_first)
        table.add_column("at (Brasília)", width=19)
        table.add_column("what", width=36)
        unit = _unit(page)
        for name in ("moved", "balance", "blocked"):
            table.add_column(f"{name} {unit}", justify="right", width=18)
        for line in page.lines:
            table.add_row(*_cells(line))
        console.print(table)
        if page.next_cursor is None:
            console.print(_funds_line("closing", page.closing, unit), highlight=False)
        is_first = False


def _write_head(page: Statement, console: Console) -> None:
    account = page.account
    number = "/".join(part for part in (account.branch, account.number) if part)
    console.print(
        f"{number or account.id}  {account.code.name}  {account.name or ''}".rstrip(),
        highlight=False,
        markup=False,
    )
    first, last = (at.astimezone(BRASILIA).date() for at in (page.period.start, page.period.end))
    console.print(f"{first} to {last}, days of Brasília", highlight=False)
    console.print(_funds_line("opening", page.opening, _unit(page)), highlight=False)


def _unit(page: Statement) -> str:
    """Reais, or the ISO 4217 number of another currency."""
    ledger = page.account.ledger
    return "R$" if ledger == LEDGER_BRL else f"{ledger:03d}"


def _funds_line(name: str, money: Funds, unit: str) -> str:
    return (
        f"{name} {unit} {signed_text(money.balance_cents)}  "
        f"blocked {unit} {signed_text(money.blocked_cents)}  "
        f"available {unit} {signed_text(money.available_cents)}"
    )


def _cells(line: StatementLine) -> tuple[str, ...]:
    what = f"{_code_name(line.code)} {KINDS[line.kind]}".rstrip()
    if line.kind not in (TransferKind.POSTED, TransferKind.POST):
        what += f" {signed_text(line.amount_cents)}"
    return (
        f"{line.at.astimezone(BRASILIA):%Y-%m-%d %H:%M:%S}",
        what,
        signed_text(line.moved_cents) if line.moved_cents else "",
        signed_text(line.after.balance_cents),
        signed_text(line.after.blocked_cents),
    )


async def _write_json(pages: Pages) -> None:
    separator = ""
    async for page in pages:
        if not separator:
            account = page.account
            head = {
                "account": {
                    "id": account.id,
                    "code": account.code.name,
                    "ledger": account.ledger,
                    "branch": account.branch,
                    "number": account.number,
                    "name": account.name,
                },
                "period": {"start": page.period.start, "end": page.period.end},
                "opening": _funds_body(page.opening),
                "closing": _funds_body(page.closing),
            }
            sys.stdout.write(_json(head)[:-1] + ',"lines":[')
            separator = "\n"
        for line in page.lines:
            sys.stdout.write(separator + _json(_line_body(line)))
            separator = ",\n"
    sys.stdout.write("]}\n")
    sys.stdout.flush()


async def _write_csv(pages: Pages) -> None:
    writer = csv.DictWriter(sys.stdout, CSV_FIELDS, lineterminator="\n")
    writer.writeheader()
    async for page in pages:
        writer.writerows(msgspec.to_builtins(_line_body(line)) for line in page.lines)
    sys.stdout.flush()


def _funds_body(money: Funds) -> dict[str, int]:
    return {
        "balance_cents": money.balance_cents,
        "blocked_cents": money.blocked_cents,
        "available_cents": money.available_cents,
    }


def _line_body(line: StatementLine) -> dict[str, Any]:
    return {
        "sequence": line.sequence,
        "at": line.at,
        "transfer_id": line.transfer_id,
        "code": _code_name(line.code),
        "kind": line.kind.name,
        "pending_id": line.pending_id,
        "counterpart_id": line.counterpart_id,
        "side": "debit" if line.is_debit else "credit",
        "amount_cents": line.amount_cents,
        "moved_cents": line.moved_cents,
        "balance_cents": line.after.balance_cents,
        "blocked_cents": line.after.blocked_cents,
    }


def _code_name(code: int) -> str:
    """The name of a transfer code, or its number where it is not one of ours."""
    try:
        return TransferCode(code).name
    except ValueError:
        return str(code)


def _json(content: object) -> str:
    return msgspec.json.encode(content).decode()
