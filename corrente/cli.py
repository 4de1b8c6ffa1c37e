"""`corrente`: the commands.

Exit codes: 0 clean, 1 it could not be done (one clear line says why), 2 wrong usage.
"""

import os
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from config import Profile
from corrente.bacen_signature_commands import add_signatures
from corrente.bacen_validate_command import add_validate
from corrente.bank_control_commands import add_bank_control
from corrente.bank_up_command import add_bank_up
from corrente.homologate_command import add_homologate
from corrente.ledger_cli import ledger_app
from corrente.shell import ConfigOption, HomeOption, fail, run, running_platform, settings_of
from corrente.toolbox_commands import add_toolbox

# Commands import what they need when they run: `corrente --help` must not load a database client.
# ruff: noqa: PLC0415

app = typer.Typer(
    name="corrente",
    help="Brazilian payments, with the central bank in a box beside them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
bacen_app = typer.Typer(help="The central bank in a box.", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")
app.add_typer(bacen_app, name="bacen")
add_toolbox(app, bacen_app)
add_validate(bacen_app)
add_bank_up(bacen_app)
add_bank_control(bacen_app)
add_homologate(bacen_app)
add_signatures(bacen_app)


@app.command(
    epilog="Examples:  corrente up   |   corrente up --home /tmp/c --port 0 --ready-file r.json"
)
def up(
    home: HomeOption = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port of the gateway; 0 picks one; default 4003.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Written as JSON when the platform answers.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="embedded (default) or services.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Start everything, pay one Pix, and serve until Ctrl-C."""
    from corrente.log import configure_log
    from corrente.servers import ServerError
    from corrente.up import up as run_up

    settings = settings_of(config, {"home": home, "profile": profile, "gateway": {"port": port}})
    is_embedded = settings.profile is Profile.EMBEDDED
    configure_log(
        settings.log.level, settings.home / "log" / "platform.log" if is_embedded else None
    )
    try:
        code = run(run_up(settings, ready_file, Console()))
    except (ServerError, OSError) as error:
        fail(str(error))
    sys.exit(code)


@app.command(epilog="Example:  corrente pay --key +5511999887766 --amount 10.50")
def pay(
    key: Annotated[str, typer.Option("--key", help="Pix key of who is paid.")],
    amount: Annotated[str, typer.Option("--amount", help="Amount in BRL, such as 10.50.")],
    description: Annotated[str | None, typer.Option("--description", help="Text for them.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="Repeat an order under its old key.")
    ] = None,
    home: HomeOption = None,
    seconds: Annotated[int, typer.Option("--seconds", help="How long to wait for the end.")] = 60,
) -> None:
    """Pay a Pix with the demonstration account and show each state with its time.

    Exit code 0 when it was CONFIRMED; 1 when it was refused, rejected or is not final yet.
    """
    from corrente.client import PayFailed
    from corrente.pay_command import pay_and_show

    try:
        Decimal(amount)
    except InvalidOperation:
        fail(f"--amount: {amount!r} is no amount", code=2)
    ready = running_platform(home)
    order = {
        "amount": amount,
        "pix_key": key,
        "debtor": ready["debtor"],
        "idempotency_key": idempotency_key or f"cli-{os.urandom(12).hex()}",
    }
    if description:
        order["description"] = description
    try:
        is_confirmed = pay_and_show(ready, order, seconds, Console())
    except PayFailed as error:
        hint = ""
        if error.is_unknown:
            key_of_order = order["idempotency_key"]
            hint = f"; it may have been taken: repeat with --idempotency-key {key_of_order}"
        fail(f"{error}{hint}")
    sys.exit(0 if is_confirmed else 1)


@app.command(
    epilog="Examples:  corrente observe   |   corrente observe --once --sort mailbox   |   "
    "corrente observe --json --interval-ms 2000   |   "
    "CORRENTE_ADMIN_TOKEN=… corrente observe --url https://pix.example"
)
def observe(  # noqa: PLR0913, PLR0917 # an argument is an option of the command
    home: HomeOption = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Another machine's platform; needs a token.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="CORRENTE_ADMIN_TOKEN", help="Token of role admin."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print one listing and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the processes as JSON.")] = False,
    sort: Annotated[str, typer.Option("--sort", help="tree, mailbox, messages or time.")] = "tree",
    interval_ms: Annotated[
        int, typer.Option("--interval-ms", min=100, max=10_000, help="Time between two looks.")
    ] = 1_000,
) -> None:
    """Show the processes of a running platform, live: mailboxes, messages, time, restarts.

    Keys: up and down select, enter opens one process, k kills it, s sorts, q quits. Where there is
    no terminal it prints once. Exit code 1 when the platform refuses or does not answer.
    """
    from corrente.client import PayFailed
    from corrente.observe import Sort
    from corrente.observe_command import ObserveOptions, observe_and_show

    sorts = {one.value: one for one in Sort}
    if sort not in sorts:
        fail(f"--sort: {sort!r} is none of {', '.join(sorts)}", code=2)
    if url is None:
        ready = running_platform(home)
        url, token = str(ready["url"]), token or str(ready.get("admin_token", ""))
    if not token:
        fail("--token or CORRENTE_ADMIN_TOKEN: a token of role admin is needed", code=2)
    options = ObserveOptions(interval_ms, sorts[sort], as_json, once)
    try:
        observe_and_show(url, token, options, Console())
    except PayFailed as error:
        fail(str(error))


def main() -> None:
    """Run the command line."""
    app()
