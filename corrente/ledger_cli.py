"""`corrente ledger`: what operators ask of the books."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from corrente.shell import (
    ConfigOption,
    HomeOption,
    fail,
    parse_day,
    quiet_settings,
    run,
    running_platform,
    wide_console,
)

# Commands import what they need when they run: `corrente --help` must not load a database client.
# ruff: noqa: PLC0415

ledger_app = typer.Typer(help="The ledger: does the money add up?", no_args_is_help=True)


@ledger_app.command(epilog="Example:  corrente ledger verify --home .corrente")
def verify(home: HomeOption = None, config: ConfigOption = None) -> None:
    """Check every sum of the ledger and every payment against it; works while the platform runs.

    Exit code 0 when everything adds up, 1 when it does not or the ledger cannot be read.
    """
    from corrente.verify_command import verify_and_show

    settings = quiet_settings(config, home)
    sys.exit(0 if run(verify_and_show(settings, Console(), fail)) else 1)


@ledger_app.command(
    "statement",
    epilog="Examples:  corrente ledger statement --account 1000001   |   "
    "corrente ledger statement --account 0001/1000001 --from 2026-01-01 --to 2026-01-31 --csv",
)
def ledger_statement(  # noqa: PLR0913, PLR0917 # an argument is an option of the command
    account: Annotated[str, typer.Option("--account", help="Id, NUMBER or BRANCH/NUMBER.")],
    first: Annotated[
        str | None, typer.Option("--from", help="First day; default the first of the month.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default today.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, amounts in centavos.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV, amounts in centavos.")] = False,
    home: HomeOption = None,
    config: ConfigOption = None,
) -> None:
    """Show an account's transfers in days of Brasília; works while the platform runs.

    Exit code 1 when there is no such account or the ledger cannot be read.
    """
    from corrente.statement_command import Form, show_statement
    from ledger.reports import InvalidPeriod, Period

    if as_json and as_csv:
        fail("--json and --csv exclude each other", code=2)
    form = Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE
    to_day = parse_day("--to", last)
    from_day = to_day.replace(day=1) if first is None else parse_day("--from", first)
    try:
        period = Period.of_days(from_day, to_day)
    except InvalidPeriod as error:
        fail(f"--from, --to: {error}", code=2)
    settings = quiet_settings(config, home)
    run(show_statement(settings, account, period, form, wide_console(), fail))


@ledger_app.command(
    epilog="Examples:  corrente ledger trial-balance   |   "
    "corrente ledger trial-balance --date 2026-01-31 --cadoc 4010.xml",
)
def trial_balance(  # noqa: PLR0913, PLR0917 # an argument is an option of the command
    day: Annotated[
        str | None, typer.Option("--date", help="Last day; its month is the period. Default today.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, amounts in centavos.")] = False,
    cadoc: Annotated[
        Path | None, typer.Option("--cadoc", help="Write the CADOC 4010 of a whole month here.")
    ] = None,
    is_replacement: Annotated[
        bool, typer.Option("--replacement", help="The CADOC replaces one that was accepted.")
    ] = False,
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="ISPB; default the one in the settings.")
    ] = None,
    home: HomeOption = None,
    config: ConfigOption = None,
) -> None:
    """Show the balances of all COSIF rubrics at the end of a day of Brasília.

    Exit code 0 when they add up, 1 when they do not or the ledger cannot be read.
    """
    from corrente.trial_balance_command import TrialBalanceOrder, show_trial_balance
    from ledger.reports import Submission

    last = parse_day("--date", day)
    submission = Submission.REPLACEMENT if is_replacement else Submission.INCLUSION
    order = TrialBalanceOrder(tenant, last, as_json, cadoc, submission)
    settings = quiet_settings(config, home)
    adds_up = run(show_trial_balance(settings, order, wide_console(), fail))
    sys.exit(0 if adds_up else 1)


@ledger_app.command(epilog="Example:  corrente ledger replay --json")
def replay(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    home: HomeOption = None,
    config: ConfigOption = None,
) -> None:
    """Apply the whole journal to empty books and compare line by line with what is stored.

    Works while the platform runs. Exit code 0 when they are identical, 1 when they are not or the
    ledger cannot be read.
    """
    from corrente.replay_command import replay_and_show

    settings = quiet_settings(config, home)
    is_same = run(replay_and_show(settings, wide_console(), fail, as_json=as_json))
    sys.exit(0 if is_same else 1)


@ledger_app.command(
    epilog="Examples:  corrente ledger bench   |   corrente ledger bench --transfers 100000 --json"
)
def bench(
    transfers: Annotated[
        int, typer.Option("--transfers", min=1_000, max=10_000_000, help="Transfers of one round.")
    ] = 20_000,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, max=100, help="Rounds; the median is printed.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Measure transfers a second on this machine, on a database of its own in a temporary folder.

    Beside the ledger's figures: what COPY and one update of the same rows reach without it, and
    what the pure core does without a database.
    """
    from corrente.ledger_bench_command import BenchOrder, bench_and_show
    from corrente.log import configure_log

    configure_log("error", None)
    run(bench_and_show(BenchOrder(transfers, rounds, as_json), wide_console(), fail))


@ledger_app.command(
    epilog="Examples:  corrente ledger breaker   |   corrente ledger breaker history --json   |   "
    "corrente ledger breaker open --reason 'maintenance of TigerBeetle'"
)
def breaker(  # an argument is an option of the command
    wish: Annotated[str, typer.Argument(help="status, history, open or close.")] = "status",
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why; kept in the audit. For open and close.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    home: HomeOption = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Another machine's platform; needs a token.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="CORRENTE_ADMIN_TOKEN", help="Token of role admin."),
    ] = None,
) -> None:
    """Show how the breaker between TigerBeetle and PostgreSQL stands, open it, or let it close.

    Asks the running platform. Exit code 1 when the breaker is not where it is wanted, when there is
    none, or when the platform refuses or does not answer.
    """
    from corrente.breaker_command import WITHIN_SECONDS, Wish, breaker_and_show
    from corrente.client import Client, PayFailed

    wishes = {each.value: each for each in Wish}
    if wish not in wishes:
        fail(f"{wish!r} is none of {', '.join(wishes)}", code=2)
    if wish in {"open", "close"} and not reason:
        fail(f"{wish} needs a --reason", code=2)
    if url is None:
        ready = running_platform(home)
        url, token = str(ready["url"]), token or str(ready.get("admin_token", ""))
    if not token:
        fail("--token or CORRENTE_ADMIN_TOKEN: a token of role admin is needed", code=2)
    client = Client(url, token, timeout_seconds=WITHIN_SECONDS)
    try:
        is_there = breaker_and_show(
            client, wishes[wish], reason or "", wide_console(), as_json=as_json
        )
    except PayFailed as error:
        fail(str(error))
    finally:
        client.close()
    sys.exit(0 if is_there else 1)
