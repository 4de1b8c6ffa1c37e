"""`corrente bacen validate`: what is wrong with SPI messages, as JSON.

Exit codes: 0 all valid, 1 something is not, 2 wrong usage.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from bacen.validation import Validation
    from bacen.wire import Verifier

# Commands import what they need when they run: `corrente --help` must not load it.
# ruff: noqa: PLC0415

EXAMPLES: Final = (
    "Examples:  corrente bacen validate message.xml   |   "
    "corrente bacen validate --schema-only - < message.xml   |   "
    "corrente bacen validate --trust pki/spi-signing.pem message.xml   |   "
    "corrente bacen validate --lines < messages.jsonl"
)
STANDARD_INPUT: Final = Path("-")


def add_validate(bacen_app: typer.Typer) -> None:
    """Add the command to the group of the central bank."""
    bacen_app.command("validate", epilog=EXAMPLES)(bacen_validate)


def bacen_validate(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE|-]", help="The message; - is standard input.")
    ] = STANDARD_INPUT,
    schema_only: Annotated[
        bool, typer.Option("--schema-only", help="Neither header, signature nor business rules.")
    ] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="JSON lines: id and xml in, a verdict a line out.")
    ] = False,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            "--trust",
            help="Certificate (PEM) of who may sign; may be repeated. Without one the signature "
            "is not verified.",
        ),
    ] = None,
) -> None:
    """Say what is wrong with an SPI message: its schema, header, signature and business rules.

    Exit code 0 when all is valid, 1 when something is not, 2 for wrong usage.
    """
    from bacen.validation import validate
    from corrente.message_verdicts import show_lines, show_one

    verifier = _verifier(trust)

    def judge(xml: bytes) -> "Validation":
        return validate(xml, verifier, schema_only=schema_only)

    show = show_lines if lines else show_one
    if file == STANDARD_INPUT:
        sys.exit(show(sys.stdin.buffer, judge))
    try:
        source = file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None
    with source:
        sys.exit(show(source, judge))


def _verifier(trust: list[Path] | None) -> "Verifier | None":
    if not trust:
        return None
    from bacen import CertificateRefused
    from bacen.wire import Verifier

    verifier = Verifier()
    for path in trust:
        try:
            verifier.add(path.read_bytes())
        except (CertificateRefused, OSError) as error:
            raise typer.BadParameter(f"{path}: {error}", param_hint="--trust") from None
    return verifier
