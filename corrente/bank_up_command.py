"""`corrente bacen up`: the options of the simulated central bank."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from corrente.shell import fail, run

# Commands import what they need when they run: `corrente --help` must not load a database client.
# ruff: noqa: PLC0415

Home = Annotated[Path, typer.Option("--home", help="Folder of its data and certificates.")]
Port = Annotated[int, typer.Option("--port", help="ICOM and DICT, HTTPS; 0 picks one.")]
SecondaryPort = Annotated[
    int, typer.Option("--secondary-port", help="ICOM's secondary channel; 0 picks one.")
]
AdminPort = Annotated[
    int, typer.Option("--admin-port", help="Health, metrics and controls, HTTP; 0 picks one.")
]
IcomPerSecond = Annotated[
    int, typer.Option("--icom-per-second", help="Tokens of its primary channel; 750 at the SPI.")
]
DictCategory = Annotated[
    str, typer.Option("--dict-category", help="A to H: how many keys a minute may be read.")
]
DictRateFactor = Annotated[
    int, typer.Option("--dict-rate-factor", help="DICT's buckets are so many times larger.")
]
ReadyFile = Annotated[
    Path | None, typer.Option("--ready-file", help="Written as JSON when the bank answers.")
]
Participants = Annotated[
    list[str] | None,
    typer.Option("--participant", help="ISPB that speaks for itself; may be repeated."),
]
PiBalanceCents = Annotated[
    int, typer.Option("--pi-balance-cents", help="PI account of each at the first start.")
]
AcceptanceTimeoutMs = Annotated[
    int, typer.Option("--acceptance-timeout-ms", help="AB03 after this time; 40 s at the SPI.")
]
ClockRate = Annotated[
    str, typer.Option("--clock", help="real, a number of times faster (x60), or stepped.")
]
Scenario = Annotated[Path | None, typer.Option("--scenario", help="File of faults, one a line.")]
Counterparties = Annotated[
    Path | None, typer.Option("--counterparties", help="JSON file of simulated participants.")
]


def add_bank_up(bacen_app: typer.Typer) -> None:
    """Add the command to `corrente bacen`."""
    example = "Example:  corrente bacen up --home /tmp/bank --port 16422"
    bacen_app.command("up", epilog=example)(up)


def up(  # noqa: PLR0913, PLR0917 # an argument is an option of the command
    home: Home,
    port: Port = 0,
    secondary_port: SecondaryPort = 0,
    admin_port: AdminPort = 0,
    icom_per_second: IcomPerSecond = 750,
    dict_category: DictCategory = "A",
    dict_rate_factor: DictRateFactor = 1,
    ready_file: ReadyFile = None,
    participant: Participants = None,
    pi_balance_cents: PiBalanceCents = 1_000_000_000_000,
    acceptance_timeout_ms: AcceptanceTimeoutMs = 40_000,
    clock: ClockRate = "real",
    scenario: Scenario = None,
    counterparties: Counterparties = None,
) -> None:
    """Run the simulated central bank alone: SPI over ICOM, and DICT."""
    from bacen.simulator import (
        BankSettings,
        DictSettings,
        InvalidBankSettings,
        InvalidControl,
        rate_of,
    )
    from bacen.simulator.counterparties import read_counterparties
    from bacen.simulator.faults import read_scenario
    from corrente.bank_command import bank_up
    from corrente.log import configure_log

    configure_log("info", None)
    try:
        settings = BankSettings(
            home=home.absolute(),
            port=port,
            secondary_port=secondary_port,
            admin_port=admin_port,
            primary_per_second=icom_per_second,
            connected=tuple(participant or ("12345678",)),
            pi_balance_cents=pi_balance_cents,
            acceptance_timeout_ms=acceptance_timeout_ms,
            directory=DictSettings(category=dict_category, rate_factor=dict_rate_factor),
            faults=() if scenario is None else read_scenario(scenario),
            counterparties=() if counterparties is None else read_counterparties(counterparties),
        )
        code = run(bank_up(settings, rate_of(clock), ready_file, Console()))
    except (InvalidBankSettings, InvalidControl) as error:
        fail(str(error), code=2)
    except (OSError, UnicodeDecodeError) as error:
        fail(str(error))
    sys.exit(code)
