"""What all commands share: options, settings, one clear line when something is wrong.

Exit codes: 0 clean, 1 it could not be done (one clear line says why), 2 wrong usage.
"""

import sys
from collections.abc import Coroutine
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from config import ConfigError, Settings, load_settings

# Commands import what they need when they run: `corrente --help` must not load a database client.
# ruff: noqa: PLC0415

T = TypeVar("T")

PIPE_COLUMNS = 200

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Data folder; default .corrente or CORRENTE_HOME.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML file; default corrente.toml in the home.")
]


def fail(problem: str, code: int = 1) -> NoReturn:
    """Say what is wrong in one line, on standard error, and end with `code`."""
    sys.stderr.write(f"corrente: {problem}\n")
    sys.exit(code)


def parse_day(option: str, text: str | None) -> date:
    """The day that an option names, or today in Brasília."""
    from actors import Clock
    from ledger.reports import business_day

    if text is None:
        return business_day(Clock().now())
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"{option}: {text!r} is no day, write it as 2026-01-31", code=2)


def wide_console() -> Console:
    """Fits a terminal; in a file or pipe nothing is folded."""
    return Console() if sys.stdout.isatty() else Console(width=PIPE_COLUMNS)


def quiet_settings(config: Path | None, home: Path | None) -> Settings:
    """Settings of a command whose output may go to another program: no log line comes into it."""
    from corrente.log import configure_log

    configure_log("error", None)
    return settings_of(config, {"home": home})


def settings_of(config: Path | None, overrides: dict[str, object]) -> Settings:
    try:
        return load_settings(config, overrides=overrides)
    except ConfigError as error:
        fail(str(error))


def running_platform(home: Path | None) -> dict[str, object]:
    """What the platform with this home says of itself."""
    from corrente.ready import RUN_FILE, read_ready_file

    settings = settings_of(None, {"home": home})
    try:
        return read_ready_file(settings.home / RUN_FILE)
    except FileNotFoundError:
        fail(f"no platform runs with home {settings.home}: start one with `make up`")


def run(main_coroutine: Coroutine[Any, Any, T]) -> T:
    import uvloop

    return uvloop.run(main_coroutine)
