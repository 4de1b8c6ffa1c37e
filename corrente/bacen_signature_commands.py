"""`corrente bacen sign` and `corrente bacen verify`: signatures of messages, without a platform.

Exit codes: 0 signed or valid, 1 not, 2 wrong usage.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

if TYPE_CHECKING:
    from bacen.wire import SignatureReport, Signer, Verifier

# Commands import what they need when they run: `corrente --help` must not load it.
# ruff: noqa: PLC0415

STANDARD_INPUT: Final = Path("-")

FileArgument = Annotated[
    Path, typer.Argument(metavar="[FILE|-]", help="The message; - is standard input.")
]


class Signed(StrEnum):
    """Profiles that `sign` writes."""

    SPI = "spi"
    DICT = "dict"


class Read(StrEnum):
    """Profiles that `verify` reads; `auto` goes by the root: Envelope is of the SPI."""

    AUTO = "auto"
    SPI = "spi"
    DICT = "dict"


def add_signatures(bacen_app: typer.Typer) -> None:
    """Add the commands to the group of the central bank."""
    bacen_app.command(
        "sign",
        epilog="Examples:  corrente bacen sign message.xml --key signing.key --cert signing.pem   |"
        "   corrente bacen sign - --key signing.p12 --password-file secret < message.xml   |   "
        "corrente bacen sign claim.xml --profile dict --key signing.key --cert signing.pem",
    )(bacen_sign)
    bacen_app.command(
        "verify",
        epilog="Examples:  corrente bacen verify message.xml --trust pki/spi-signing.pem   |   "
        "corrente bacen verify --json --trust bank.pem < message.xml   |   "
        "corrente bacen verify --lines --trust bank.pem < messages.jsonl",
    )(bacen_verify)


def bacen_sign(
    key: Annotated[Path, typer.Option("--key", help="Private key (PEM), or PKCS#12 with both.")],
    file: FileArgument = STANDARD_INPUT,
    cert: Annotated[Path | None, typer.Option("--cert", help="Its certificate (PEM).")] = None,
    profile: Annotated[Signed, typer.Option("--profile", help="Of which interface.")] = Signed.SPI,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="Holds the password of the key.")
    ] = None,
) -> None:
    """Sign XML and write the signed bytes to standard output; send them unchanged.

    SPI: an Envelope of any kind and version whose AppHdr/Sgntr is empty. DICT: any root.
    """
    from bacen.wire import SignatureProfile
    from corrente.signatures import sign_one

    signer = _signer(key, cert, password_file)
    with _opened(file) as source:
        sys.exit(sign_one(source, signer, SignatureProfile(profile)))


def bacen_verify(  # noqa: PLR0913, PLR0917 # an argument is an option of the command
    trust: Annotated[
        list[Path],
        typer.Option(
            "--trust", help="Certificates (PEM) of who may sign, one or more; may be repeated."
        ),
    ],
    file: FileArgument = STANDARD_INPUT,
    profile: Annotated[Read, typer.Option("--profile", help="Of which interface.")] = Read.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="JSON lines: id and xml in, what was found out.")
    ] = False,
    ispb: Annotated[
        str | None,
        typer.Option("--ispb", help="DICT: whose certificate it must be, such as 00038166."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Judge certificates by this time with offset; default now."),
    ] = None,
) -> None:
    """Say whether a signature holds, and if not, which part of it fails.

    Each reference, the signature value, the certificate (unknown, expired) and the sender are
    judged apart. Exit code 0 when all holds, 1 when not, 2 for wrong usage.
    """
    from bacen.wire import SignatureProfile, inspect_signature
    from corrente.signatures import verify_lines, verify_one

    verifier = _verifier(trust, _time(at))
    chosen = None if profile is Read.AUTO else SignatureProfile(profile)

    def inspect(xml: bytes) -> "SignatureReport":
        return inspect_signature(xml, verifier, profile=chosen, ispb=ispb)

    with _opened(file) as source:
        if lines:
            sys.exit(verify_lines(source, inspect))
        sys.exit(verify_one(source, inspect, as_json=as_json))


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        source = file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None
    with source:
        yield source


def _signer(key: Path, certificate: Path | None, password_file: Path | None) -> "Signer":
    from actors import Clock
    from bacen import CertificateRefused, SigningUnavailable
    from bacen.signing import KeyFiles

    files = [key] if certificate is None else [certificate, key]
    try:
        password = None if password_file is None else password_file.read_bytes().strip()
        return KeyFiles(files, password).load().active(Clock().now())
    except (CertificateRefused, SigningUnavailable, OSError) as error:
        raise typer.BadParameter(str(error), param_hint="--key") from None


def _verifier(trust: list[Path], at: datetime) -> "Verifier":
    from bacen import CertificateRefused
    from bacen.wire import Verifier

    verifier = Verifier(now=lambda: at)
    for path in trust:
        try:
            verifier.add(path.read_bytes())
        except (CertificateRefused, OSError) as error:
            raise typer.BadParameter(f"{path}: {error}", param_hint="--trust") from None
    return verifier


def _time(text: str | None) -> datetime:
    from actors import Clock

    if text is None:
        return Clock().now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "no time such as 2026-01-31T12:00:00Z", param_hint="--at"
        ) from None
    if at.utcoffset() is None:
        raise typer.BadParameter("write an offset too, such as Z", param_hint="--at")
    return at
