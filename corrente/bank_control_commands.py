"""`corrente bacen fault add|list|remove`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from corrente.shell import HomeOption, fail, run, settings_of, wide_console

# Commands import what they need when they run: `corrente --help` must not load a web client.
# ruff: noqa: PLC0415

READY_FILE = "ready.json"  # of the bank beside a platform

AdminUrlOption = Annotated[
    str | None,
    typer.Option(
        "--admin-url",
        envvar="CORRENTE_BANK_ADMIN_URL",
        help="Admin address of the bank; without it the one beside the platform of --home.",
    ),
]


def add_bank_control(bacen_app: typer.Typer) -> None:
    """Add the commands to `corrente bacen`."""
    fault_app = typer.Typer(help="Faults on demand of a running bank.", no_args_is_help=True)
    bacen_app.add_typer(fault_app, name="fault")
    fault_app.command(
        "add", epilog="Example:  corrente bacen fault add late by=5s probability=0.3 for=10m"
    )(add)
    fault_app.command("list")(list_all)
    fault_app.command("remove", epilog="Example:  corrente bacen fault remove f1")(remove)


def add(
    words: Annotated[
        list[str],
        typer.Argument(help="Name of the fault, then by= ispb= message= service= probability= …"),
    ],
    admin_url: AdminUrlOption = None,
    home: HomeOption = None,
) -> None:
    """Put a fault into force."""
    from bacen.simulator import InvalidControl
    from bacen.simulator.faults import order_of_words
    from corrente.bank_control import ControlRefused, add_fault

    try:
        order = order_of_words(words)
    except InvalidControl as error:
        fail(str(error), code=2)
    try:
        run(add_fault(admin_of(admin_url, home), order, Console()))
    except ControlRefused as error:
        fail(str(error))


def list_all(admin_url: AdminUrlOption = None, home: HomeOption = None) -> None:
    """Show the faults and how often each has struck."""
    from corrente.bank_control import ControlRefused, list_faults

    try:
        run(list_faults(admin_of(admin_url, home), wide_console()))
    except ControlRefused as error:
        fail(str(error))


def remove(
    fault_id: Annotated[str, typer.Argument(help="As `list` shows it.")],
    admin_url: AdminUrlOption = None,
    home: HomeOption = None,
) -> None:
    """Take a fault out of force."""
    from corrente.bank_control import ControlRefused, remove_fault

    try:
        run(remove_fault(admin_of(admin_url, home), fault_id, Console()))
    except ControlRefused as error:
        fail(str(error))


def admin_of(admin_url: str | None, home: Path | None) -> str:
    """Where the bank is controlled."""
    from corrente.ready import read_ready_file
    from corrente.servers import bank_home

    if admin_url is not None:
        return admin_url.rstrip("/")
    folder = bank_home(settings_of(None, {"home": home}).home)
    try:
        return str(read_ready_file(folder / READY_FILE)["admin_url"])
    except FileNotFoundError:
        fail(f"no bank runs in {folder}: give its --admin-url")
