"""`corrente brcode`, `dict`, `pix` and `bacen explain`: the toolbox for texts of Pix.

No platform runs for them. Exit codes: 0 valid, 1 invalid, 2 wrong usage.
"""

import secrets
import string
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NoReturn, TypeVar

import typer

from bacen.identifiers import FORMS, IdentifierKind, make

if TYPE_CHECKING:
    from corrente.verdicts import Judge, Verdict

# Commands import what they need when they run: `corrente --help` must not load it.
# ruff: noqa: PLC0415

CID_LINE_BYTES_MAX = 200
IDENTIFIERS_MAX = 10_000
ALPHANUMERIC = string.ascii_letters + string.digits

T = TypeVar("T")

brcode_app = typer.Typer(help="BR Codes: the text behind QR codes of Pix.", no_args_is_help=True)
dict_app = typer.Typer(help="CID and VSync: are our entries those of DICT?", no_args_is_help=True)
pix_app = typer.Typer(help="Identifiers of Pix.", no_args_is_help=True)


FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE|-]",
        help="What is judged; default standard input.",
        show_default=False,
    ),
]
TextOption = Annotated[str | None, typer.Option("--text", help="Judge this text instead.")]
LinesOption = Annotated[
    bool,
    typer.Option("--lines", help="One JSON object a line: id and text in, id and verdict out."),
]


def add_toolbox(app: typer.Typer, bacen_app: typer.Typer) -> None:
    """Add the groups to the command line and `explain` to the group of the central bank."""
    app.add_typer(brcode_app, name="brcode")
    app.add_typer(dict_app, name="dict")
    app.add_typer(pix_app, name="pix")
    bacen_app.command(
        "explain",
        epilog="Examples:  corrente bacen explain AB03   |   "
        "corrente bacen explain EntryLockedByClaim   |   "
        "corrente bacen explain --lines < codes.jsonl",
    )(explain)


@brcode_app.command(
    "parse",
    epilog="Examples:  corrente brcode parse --text 000201…   |   "
    "corrente brcode parse code.txt --strict   |   corrente brcode parse --lines < codes.jsonl",
)
def brcode_parse(
    file: FileArgument = None,
    text: TextOption = None,
    lines: LinesOption = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Rules that codes in use bend count as broken.")
    ] = False,
) -> None:
    """Judge a BR Code and show what it says.

    `deviations` are rules that codes in use bend and that a payer's bank lets pass.
    """
    from corrente.toolbox import brcode_judge

    _judge(file, text, lines, brcode_judge(is_strict=strict))


@brcode_app.command(
    "make",
    epilog="Examples:  corrente brcode make --name 'Fulano de Tal' --city BRASILIA "
    "--key fulano@exemplo.com.br --amount 10.50   |   corrente brcode make --name Loja --city "
    "RECIFE --location pix.example.com/qr/v2/abc --once   |   "
    "corrente brcode make --lines < orders.jsonl",
)
def brcode_make(  # noqa: PLR0913, PLR0917 # an argument is an option of the command
    name: Annotated[str | None, typer.Option("--name", help="Who is paid, at most 25.")] = None,
    city: Annotated[str | None, typer.Option("--city", help="At most 15 characters.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Static: Pix key.")] = None,
    amount: Annotated[str | None, typer.Option("--amount", help="Static: BRL as 10.50.")] = None,
    txid: Annotated[str | None, typer.Option("--txid", help="Static: 1 to 25.")] = None,
    information: Annotated[
        str | None, typer.Option("--information", help="Static: text for the payer.")
    ] = None,
    withdrawal_ispb: Annotated[
        str | None, typer.Option("--withdrawal-ispb", help="Static: who serves a withdrawal.")
    ] = None,
    location: Annotated[
        str | None, typer.Option("--location", help="Dynamic: address without https://.")
    ] = None,
    recurrence: Annotated[
        str | None, typer.Option("--recurrence", help="Pix Automático: address of the recurrence.")
    ] = None,
    postal_code: Annotated[str | None, typer.Option("--postal-code", help="Eight digits.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Must not be paid twice.")] = False,
    lines: Annotated[
        bool,
        typer.Option("--lines", help="One JSON object a line; text holds these options by name."),
    ] = False,
) -> None:
    """Write a BR Code: static, dynamic, of a recurrence, or two of them in one.

    With --lines each text is an object such as {"name", "city", "key", "amount"}, and the message
    of its verdict is the code.
    """
    from corrente.toolbox import judge_code_order
    from corrente.verdicts import judge_lines, show

    order = {
        "name": name,
        "city": city,
        "key": key,
        "amount": amount,
        "txid": txid,
        "information": information,
        "withdrawal_ispb": withdrawal_ispb,
        "location": location,
        "recurrence": recurrence,
        "postal_code": postal_code,
    }
    given = {field: value for field, value in order.items() if value is not None}
    if lines:
        if given or once:
            raise typer.BadParameter("--lines takes everything from standard input")
        sys.exit(judge_lines(sys.stdin.buffer, judge_code_order))
    if name is None or city is None:
        raise typer.BadParameter("--name and --city are needed")
    sys.exit(show(judge_code_order({**given, "single_use": once})))


@brcode_app.command(
    "due",
    epilog="Example:  corrente brcode due 2020-12-25 --days-after 4 "
    "--holiday 2020-12-25 --holiday 2021-01-01",
)
def brcode_due(
    due: Annotated[str, typer.Argument(help="Due date of the charge, such as 2026-01-31.")],
    days_after: Annotated[
        int, typer.Option("--days-after", min=0, max=36_500, help="validadeAposVencimento.")
    ] = 30,
    holiday: Annotated[
        list[str] | None, typer.Option("--holiday", help="A national holiday; may be repeated.")
    ] = None,
) -> None:
    """Tell until which day a charge with a due date can be paid."""
    from bacen import InvalidBrCode
    from bacen.brcode import last_payable_day, next_business_day
    from corrente.verdicts import Verdict, refused, show

    day = _parsed("DUE", due, date.fromisoformat)
    holidays = {_parsed("--holiday", each, date.fromisoformat) for each in holiday or ()}
    try:
        last = last_payable_day(day, days_after, holidays)
    except InvalidBrCode as error:
        sys.exit(show(refused(error.path, "due_date", error.problem)))
    moved = next_business_day(day, holidays)
    more: dict[str, object] = {"due_date": moved, "last_payable_day": last}
    sys.exit(show(Verdict(f"payable until {last}", (), more)))


@dict_app.command(
    "cid",
    epilog="Examples:  corrente dict cid entry.json   |   "
    "corrente dict cid --lines < entries.jsonl",
)
def dict_cid(
    file: FileArgument = None, text: TextOption = None, lines: LinesOption = False
) -> None:
    """Compute the CID of an entry, or check the one that it states as `cid`.

    An entry is a JSON object with request_id, key_type, key, owner_tax_id, owner_name,
    owner_trade_name, participant, branch, account_number and account_type, written as DICT has
    them. With --lines it is the text, and the message is the CID.
    """
    from corrente.toolbox import judge_entry_order

    _judge(file, text, lines, judge_entry_order)


@dict_app.command(
    "vsync",
    epilog="Examples:  corrente dict vsync cids.txt   |   "
    "corrente dict vsync --start 28c0… new-cids.txt   |   corrente dict vsync --lines < sets.jsonl",
)
def dict_vsync(
    file: FileArgument = None,
    text: TextOption = None,
    lines: LinesOption = False,
    start: Annotated[
        str | None,
        typer.Option("--start", help="Add to, or take out of, the set of this VSync."),
    ] = None,
) -> None:
    """Compute the VSync of a file of CIDs, one a line, as DICT hands them out.

    A CID that comes twice is refused. With --start each CID comes or goes: the operation is the
    same. With --lines a text is a set of CIDs parted by spaces, and the message is its VSync.
    """
    from bacen import InvalidMessage
    from bacen.dict import VSync
    from corrente.toolbox import judge_cids, vsync_judge
    from corrente.verdicts import show

    try:
        begun = VSync() if start is None else VSync.parse(start)
    except InvalidMessage as error:
        raise typer.BadParameter(f"--start: {error.problem}") from None
    if lines or text is not None:
        _judge(file, text, lines, vsync_judge(begun))
    with _source(file) as source:
        sys.exit(show(judge_cids(_short_lines(source), begun)))


@pix_app.command(
    "id",
    epilog="Examples:  corrente pix id E --ispb 12345678   |   "
    "corrente pix id M --ispb 12345678 --count 3   |   "
    "corrente pix id E --text E1234567820260131120000000000001 --at now   |   "
    "corrente pix id D --lines < returns.jsonl",
)
def pix_id(  # noqa: PLR0913, PLR0917 # an argument is an option of the command
    kind: Annotated[
        IdentifierKind,
        typer.Argument(
            case_sensitive=False,
            help="E EndToEndId, D RtrId, M MsgId, RR or RN idRec with or without retries, "
            "SC idSolicRec, TXID of a charge.",
        ),
    ],
    file: FileArgument = None,
    text: TextOption = None,
    lines: LinesOption = False,
    ispb: Annotated[
        str | None, typer.Option("--ispb", help="Make one of this participant; no check.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="Made at, or received at and so within 12 hours: a time with offset, or now.",
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", min=1, max=IDENTIFIERS_MAX, help="How many to make.")
    ] = 1,
) -> None:
    """Make identifiers with --ispb, or say what is wrong with one."""
    from corrente.toolbox import identifier_judge
    from corrente.verdicts import show

    if ispb is None:
        received_at = None if at is None else _instant(at)
        _judge(file, text, lines, identifier_judge(kind, received_at))
    if file is not None or text is not None or lines:
        raise typer.BadParameter("--ispb makes identifiers: nothing is read")
    sys.exit(show(_made(kind, ispb, _instant(at or "now"), count)))


def explain(
    code: Annotated[
        str | None, typer.Argument(help="Code, in whatever case.", show_default=False)
    ] = None,
    lines: LinesOption = False,
) -> None:
    """Say what a code of the SPI or DICT means; exit code 1 and near codes for an unknown one.

    It knows status and reasons of pacs.002 and pacs.004, reasons of our admi.002, error types of
    DICT, local instruments, purposes, service levels, account types and message names.
    """
    from corrente.toolbox import code_judge

    if (code is None) != lines:
        raise typer.BadParameter("give a CODE, or --lines and codes on standard input")
    _judge(None, code, lines, code_judge())


def _judge(file: Path | None, text: str | None, lines: bool, judge: "Judge") -> NoReturn:
    """Judge the text, the file or standard input, and end with the exit code."""
    from corrente.verdicts import judge_lines, judge_text, show

    if text is not None:
        if file is not None or lines:
            raise typer.BadParameter("--text is judged alone")
        sys.exit(show(judge(text)))
    with _source(file) as source:
        sys.exit(judge_lines(source, judge) if lines else show(judge_text(source, judge)))


@contextmanager
def _source(file: Path | None) -> Iterator[BinaryIO]:
    if file is None or str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    with opened:
        yield opened


def _short_lines(source: BinaryIO) -> Iterator[str]:
    while line := source.readline(CID_LINE_BYTES_MAX):
        yield line.decode(errors="replace")


def _made(kind: IdentifierKind, ispb: str, at: datetime, count: int) -> "Verdict":
    from bacen import InvalidMessage
    from corrente.verdicts import Verdict, refused

    room = FORMS[kind].suffix_max
    try:
        made = [make(kind, ispb, at, _token(room)) for _ in range(count)]
    except InvalidMessage as error:
        return refused(error.path, "identifier", error.problem)
    return Verdict(made[0], (), {"ids": made})


def _token(length: int) -> str:
    return "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))


def _instant(text: str) -> datetime:
    from actors import Clock

    if text == "now":
        return Clock().now()
    at = _parsed("--at", text, datetime.fromisoformat)
    if at.utcoffset() is None:
        raise typer.BadParameter("--at: write an offset too, such as 2026-01-31T12:00:00Z")
    return at


def _parsed(option: str, text: str, read: Callable[[str], T]) -> T:
    try:
        return read(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: no time such as 2026-01-31") from None
