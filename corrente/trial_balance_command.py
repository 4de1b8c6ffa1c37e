"""`corrente ledger trial-balance`: every rubric of the books, and the monthly file of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from rich.console import Console
from rich.table import Table

from config import Settings
from corrente.ledger_database import ledger_snapshot
from ledger.cosif import CosifError
from ledger.reports import (
    ReportError,
    Submission,
    TrialBalance,
    cadoc_4010,
    signed_text,
    trial_balance,
)


@dataclass(frozen=True, slots=True)
class TrialBalanceOrder:
    """What to show and write.

    Attributes:
        tenant: Whose books; None for the institution of the settings.
        last: Last day; the period begins with its month.
        is_json: JSON on standard output instead of a table.
        cadoc: File for the CADOC 4010, if one is wanted.
        submission: What that file is to the central bank.
    """

    tenant: str | None
    last: date
    is_json: bool
    cadoc: Path | None
    submission: Submission


async def show_trial_balance(
    settings: Settings, order: TrialBalanceOrder, console: Console, fail: Callable[[str], NoReturn]
) -> bool:
    """Write the trial balance; True when it adds up. A file is not written when it does not."""
    tenant = order.tenant or settings.institution.ispb
    try:
        async with ledger_snapshot(settings, fail) as connection:
            balance = await trial_balance(
                connection, order.last.replace(day=1), order.last, tenant=tenant
            )
        if order.is_json:
            console.out(msgspec.json.encode(_body(balance)).decode(), highlight=False)
        else:
            _show(balance, console)
        if order.cadoc is not None:
            order.cadoc.write_bytes(cadoc_4010(balance, order.submission))
    except (ReportError, CosifError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{order.cadoc} cannot be written: {error.strerror}")
    return balance.ok


def _show(balance: TrialBalance, console: Console) -> None:
    console.print(
        f"{balance.tenant}  {balance.first} to {balance.last}, days of Brasília", highlight=False
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("rubric", no_wrap=True)
    table.add_column("name")
    for name in ("opening R$", "debits R$", "credits R$", "closing R$"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in balance.lines:
        amounts = (line.opening_cents, line.debits_cents, line.credits_cents, line.closing_cents)
        indent = " " * (line.rubric.code.level - 1)
        table.add_row(str(line.rubric.code), indent + line.rubric.name, *map(signed_text, amounts))
    console.print(table)
    for check in balance.checks:
        verdict = (
            "ok" if check.ok else f"[red]BREACH[/red] {check.expected:,} is not {check.found:,}"
        )
        console.print(f"{check.name}: {verdict}", highlight=False)


def _body(balance: TrialBalance) -> dict[str, Any]:
    return {
        "tenant": balance.tenant,
        "first": balance.first,
        "last": balance.last,
        "lines": [
            {
                "rubric": str(line.rubric.code),
                "name": line.rubric.name,
                "type": line.rubric.type,
                "nature": line.rubric.nature,
                "level": line.rubric.code.level,
                "is_analytic": line.rubric.is_analytic,
                "opening_cents": line.opening_cents,
                "debits_cents": line.debits_cents,
                "credits_cents": line.credits_cents,
                "closing_cents": line.closing_cents,
            }
            for line in balance.lines
        ],
        "checks": [
            {"name": c.name, "expected": c.expected, "found": c.found, "ok": c.ok}
            for c in balance.checks
        ],
    }
