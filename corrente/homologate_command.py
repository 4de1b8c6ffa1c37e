"""`corrente bacen homologate`: its options."""

import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corrente.bank_control_commands import admin_of
from corrente.shell import HomeOption, fail, run, wide_console

if TYPE_CHECKING:
    from bacen.simulator.cockpit import PayeeAccount

# Commands import what they need when they run: `corrente --help` must not load a web client.
# ruff: noqa: PLC0415

SECONDS_PER_MINUTE = 60
MINUTES_MAX = 60


def add_homologate(bacen_app: typer.Typer) -> None:
    """Add the command to `corrente bacen`."""
    bacen_app.command(
        "homologate",
        epilog="Examples:  corrente bacen homologate --participant 12345678   |   "
        "corrente bacen homologate --participant 12345678 --steps 1,2a,2b   |   "
        "corrente bacen homologate --participant 12345678 --capacity 17 --minutes 10",
    )(homologate)


def homologate(  # noqa: PLR0913, PLR0917 # an argument is an option of the command
    participant: Annotated[str, typer.Option("--participant", help="ISPB of who is tested.")],
    steps: Annotated[
        str | None, typer.Option("--steps", help="Such as 1,2a,D1; all but capacity without it.")
    ] = None,
    capacity: Annotated[
        int | None, typer.Option("--capacity", help="17, 33 or 67 pacs.008 a second, both ways.")
    ] = None,
    minutes: Annotated[str, typer.Option("--minutes", help="Of the capacity test.")] = "10",
    step_seconds: Annotated[
        int, typer.Option("--step-seconds", help="How long a step may take.")
    ] = 300,
    account: Annotated[
        str, typer.Option("--account", help="To be paid: number/type/CPF or CNPJ[/branch].")
    ] = "1000001/TRAN/13579246828",
    wrong_account: Annotated[
        str, typer.Option("--wrong-account", help="Number of an account to be refused.")
    ] = "AC0300001",
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="Folder for evidence, as JSON and HTML.")
    ] = None,
    admin_url: Annotated[
        str | None,
        typer.Option(
            "--admin",
            "--admin-url",
            envvar="CORRENTE_BANK_ADMIN_URL",
            help="Admin address of the bank; without it the one beside the platform of --home.",
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Run the script of homologation against a participant; the bank judges by what it saw.

    Exit code 0 when all steps passed, 1 when not.
    """
    from bacen.simulator import InvalidControl
    from bacen.simulator.cockpit import FUNCTIONAL, RunOrder, capacity_step
    from corrente.bank_control import ControlRefused
    from corrente.homologation import homologate as follow

    chosen = tuple(filter(None, (steps or "").split(",")))
    try:
        if capacity is not None:
            chosen += (capacity_step(capacity),)
        order = RunOrder(
            participant=participant,
            steps=chosen or FUNCTIONAL,
            payee=payee_of(account, wrong_account),
            step_seconds=step_seconds,
            capacity_seconds=seconds_of(minutes),
        )
        order.check()
    except InvalidControl as error:
        fail(str(error), code=2)
    try:
        has_passed = run(follow(admin_of(admin_url, home), order, evidence, wide_console()))
    except (ControlRefused, OSError) as error:
        fail(str(error))
    sys.exit(0 if has_passed else 1)


def seconds_of(minutes: str) -> int:
    """Read a number of minutes.

    Raises:
        InvalidControl: It is none, or too large.
    """
    from bacen.simulator import InvalidControl

    try:
        length = Decimal(minutes)
    except InvalidOperation:
        length = Decimal("nan")
    if not length.is_finite() or not 0 < length <= MINUTES_MAX:
        raise InvalidControl("--minutes", f"a number up to {MINUTES_MAX}")
    return int(length * SECONDS_PER_MINUTE)


def payee_of(account: str, wrong_account: str) -> "PayeeAccount":
    """Read the account that is to be paid.

    Raises:
        InvalidControl: It is none.
    """
    from bacen.simulator import InvalidControl
    from bacen.simulator.cockpit import PayeeAccount

    parts = account.split("/")
    if len(parts) not in {3, 4} or not all(parts):
        raise InvalidControl("--account", "write it as number/type/CPF, then /branch if it has one")
    return PayeeAccount(
        account_number=parts[0],
        account_type=parts[1],
        tax_id=parts[2],
        branch=parts[3] if len(parts) == 4 else None,
        wrong_account_number=wrong_account,
    )
