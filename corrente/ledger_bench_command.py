"""`corrente ledger bench`: transfers a second, on a database of its own."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NoReturn

import msgspec
from rich.console import Console

from actors import StartFailed
from corrente.ledger_bench import LedgerBench, LedgerFigures
from corrente.servers import ServerError
from corrente.why import why
from loadtest import machine_line

MEANING: Final = {
    "core_apply_per_s": "the pure core alone",
    "limit_batch_500_per_s": "COPY and one update of the same rows, without the ledger",
    "batch_500_per_s": "durable, asked for 500 at a time",
    "hot_account_per_s": "durable, 500 at a time, all crediting one account",
    "single_256_per_s": "durable, 256 callers with one transfer each",
    "single_256_p99_ms": "what such a caller waits, in milliseconds",
}


@dataclass(frozen=True, slots=True)
class BenchOrder:
    """What to measure.

    Attributes:
        transfers: Of one round.
        rounds: Of which the median is told.
        is_json: One object on standard output instead of lines.
    """

    transfers: int
    rounds: int
    is_json: bool


async def bench_and_show(
    order: BenchOrder, console: Console, fail: Callable[[str], NoReturn]
) -> None:
    """Measure and print; progress goes to standard error."""
    told = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="corrente-ledger-bench-") as folder:
        bench = LedgerBench(
            Path(folder),
            order.transfers,
            order.rounds,
            lambda line: told.print(line, highlight=False),
        )
        try:
            figures = await bench.run()
        except ServerError as error:
            fail(str(error))
        except StartFailed as error:
            fail(why(error))
    _show(figures, order, console)


def _show(figures: LedgerFigures, order: BenchOrder, console: Console) -> None:
    if order.is_json:
        found = {
            "machine": machine_line(),
            "transfers": order.transfers,
            "rounds": order.rounds,
            **asdict(figures),
        }
        console.out(msgspec.json.encode(found).decode(), highlight=False)
        return
    console.print(f"machine: {machine_line()}", highlight=False)
    console.print(
        f"transfers a second, median of {order.rounds} rounds of {order.transfers:,}:",
        highlight=False,
    )
    for name, value in asdict(figures).items():
        console.print(f"  {value:>12,}  {MEANING[name]}", highlight=False)
    ratio = figures.batch_500_per_s / figures.limit_batch_500_per_s
    console.print(f"  {ratio:>12.0%}  of COPY and one update alone", highlight=False)
