"""`corrente ledger replay`: the journal once more through the core, against what is stored."""

from collections.abc import Callable
from typing import NoReturn

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config import Settings
from corrente.ledger_database import ledger_database
from ledger import ReplayReport, replay

PROGRESS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeRemainingColumn(),
)


async def replay_with_progress(dsn: str) -> ReplayReport:
    """Replay with a progress bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    with Progress(
        *PROGRESS, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("replaying transfers", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return await replay(dsn, advance)


async def replay_and_show(
    settings: Settings, console: Console, fail: Callable[[str], NoReturn], *, as_json: bool
) -> bool:
    """Replay and print; True when the journal comes to the stored books."""
    async with ledger_database(settings, fail) as dsn:
        report = await replay_with_progress(dsn)
    if as_json:
        console.out(msgspec.json.encode(report).decode(), highlight=False)
    else:
        show_replay(report, console)
    return report.ok


def show_replay(report: ReplayReport, console: Console) -> None:
    """Print what a replay found, each difference in a line."""
    console.print(
        f"{report.transfers:,} transfers replayed, {report.accounts:,} accounts compared: "
        + ("identical" if report.ok else f"{report.difference_count:,} differences"),
        highlight=False,
    )
    for difference in report.differences:
        console.print(
            f"shard {difference.shard_id}  {difference.subject}  {difference.what}",
            highlight=False,
        )
