"""Answers of the interface as text: the whole listing, or as much as fits a terminal."""

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corrente.observe.rates import Answer
from corrente.observe.view import View

FRAME_LINES = 4  # title, heading, and two lines below the rows
KEYS = "↑ ↓ select   enter open   k kill   s sort   q quit"
KEYS_OPENED = "enter back   k kill   q quit"
ABSENT = "-"

_COLORS = {
    "running": "green",
    "waiting": "dim",
    "starting": "yellow",
    "restarting": "red",
    "down": "red",
}


def listing(answer: Answer) -> RenderableType:
    """Every row of an answer, for a file or a terminal that scrolls."""
    return Group(_title(answer, ""), _table(answer["processes"], None))


def frame(all_of_them: Answer, opened: Answer | None, view: View, height: int) -> RenderableType:
    """What fits a terminal of `height` lines: the opened process, or the rows around the selected.

    Args:
        all_of_them: The latest listing.
        opened: The process that is looked at alone, if any.
        view: Order, selection, question.
        height: Lines there are.
    """
    if opened is not None:
        return Group(*_details(opened)[: max(1, height - 2)], _bottom(view, KEYS_OPENED))
    room = max(1, height - FRAME_LINES)
    first = max(0, min(view.index - room // 2, len(view.rows) - room))
    rows = view.rows[first : first + room]
    table = _table(rows, view.index - first)
    return Group(_title(all_of_them, f"   sorted by {view.sort.value}"), table, _bottom(view, KEYS))


def _title(answer: Answer, more: str) -> Text:
    shown, total = len(answer["processes"]), answer["total"]
    count = f"{total} processes" if shown == total else f"{shown} of {total} processes"
    return _line(f"node {answer['node']}   {count}{more}", "bold")


def _bottom(view: View, keys: str) -> Text:
    if view.asked is not None:
        return _line(f"kill {view.asked}? y/n", "bold red")
    return _line(view.note, "yellow") if view.note else _line(keys, "dim")


def _table(rows: Iterable[Answer], selected: int | None) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, header_style="bold")
    table.add_column("process", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("server", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("pid", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for heading in ("mailbox", "msg/s", "time %", "restarts", "links"):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, row in enumerate(rows):
        table.add_row(*_cells(row), style="reverse" if number == selected else "")
    return table


def _cells(row: Answer) -> list[Text]:
    mailbox, mailbox_max = row["mailbox_length"], row["mailbox_max"]
    is_full = mailbox > mailbox_max // 2
    rate, share = row["messages_per_second"], row["handler_share"]
    return [
        _line("  " * row["depth"] + _label(row)),
        _line(row["server"]),
        _line(row["pid"] or ABSENT),
        _line(row["state"], _COLORS.get(row["state"], "")),
        _line(str(mailbox), "yellow" if is_full else ""),
        _line(ABSENT if rate is None else f"{rate:,.1f}"),
        _line(ABSENT if share is None else f"{share * 100:.1f}"),
        _line(str(row["restarts"]), "yellow" if row["restarts"] else ""),
        _line(str(len(row["links"]))),
    ]


def _label(row: Answer) -> str:
    return str(row["name"] or row["child"] or row["server"] or row["pid"] or ABSENT)


def _details(answer: Answer) -> list[Text]:
    row = answer["process"]
    rate, share = row["messages_per_second"], row["handler_share"]
    shown: dict[str, object] = {
        "pid": row["pid"],
        "server": row["server"] or ABSENT,
        "state": row["state"],
        "child": row["child"] or ABSENT,
        "restarts": row["restarts"],
        "mailbox": f"{row['mailbox_length']} of {row['mailbox_max']}, {row['dropped']} dropped",
        "calls waiting": answer["calls"],
        "messages": f"{row['handled']} handled, {_number(rate)}/s",
        "time": ABSENT if share is None else f"{share * 100:.1f} %",
        "last message": answer["last_message"] or ABSENT,
        "ancestors": _joined(answer["ancestors"]),
        "links": _joined(row["links"]),
        "monitors": _joined(row["monitors"]),
        "monitored by": _joined(answer["watchers"]),
    }
    lines = [_line(_label(row), "bold"), *_pairs(shown)]
    lines += [_line("state of the server", "bold"), *_pairs(answer["status"])]
    crash = answer["crash"]
    if crash is not None:
        lines += [_line("last crash", "bold"), *_pairs(_crash(crash))]
        lines += [_line(text, "dim") for text in (crash["traceback"] or "").splitlines()]
    return lines


def _crash(crash: Answer) -> dict[str, object]:
    return {
        "at": crash["at"],
        "pid": crash["pid"],
        "reason": crash["reason"],
        "last message": crash["last_message"] or ABSENT,
        "mailbox": crash["mailbox_length"],
    }


def _pairs(values: Mapping[str, object]) -> list[Text]:
    return [_line(f"  {name:<16}{value}") for name, value in values.items()]


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names) or ABSENT


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:,.1f}"


def _line(text: str, style: str = "") -> Text:
    """One line; what is no character, such as an escape sequence in a name, is shown as `?`."""
    safe = "".join(one if one.isprintable() else "?" for one in text)
    return Text(safe, style, no_wrap=True, overflow="ellipsis")
