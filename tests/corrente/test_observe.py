"""What `corrente observe` shows and how it obeys keys; the terminal itself is in tests/e2e."""

import io
import os
import pty
import signal
import termios
from typing import Any

import pytest
from rich.console import Console, RenderableType

from corrente.observe import Key, Keyboard, Sort, View, frame, listing, parse_keys, with_rates

ROW: dict[str, Any] = {
    "depth": 0,
    "pid": "n.1",
    "name": None,
    "child": None,
    "server": "Writer",
    "is_supervisor": False,
    "state": "waiting",
    "parent": None,
    "restarts": 0,
    "mailbox_length": 0,
    "mailbox_max": 10,
    "dropped": 0,
    "handled": 0,
    "handler_us": 0,
    "messages_per_second": None,
    "handler_share": None,
    "links": [],
    "monitors": [],
    "monitored_by": 0,
}
CRASH: dict[str, Any] = {
    "at": "2026-01-01T00:00:00.000Z",
    "pid": "n.1",
    "reason": "Crash(KeyError at writer.py:7)",
    "traceback": '  File "writer.py", line 7, in handle_call\nKeyError\n',
    "last_message": "Post",
    "mailbox_length": 3,
}


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {**ROW, "pid": f"n.{number}", **changes}


def answer(*rows: dict[str, Any], at_us: int = 0) -> dict[str, Any]:
    return {"node": "n", "monotonic_us": at_us, "total": len(rows), "processes": list(rows)}


def text(shown: RenderableType, width: int = 120) -> str:
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(shown)
    return file.getvalue()


def pids(view: View) -> list[str]:
    return [shown["pid"] for shown in view.rows]


def test_rates_are_differences_of_two_looks_over_the_time_between_them() -> None:
    before = answer(row(1, handled=10, handler_us=0), at_us=1_000_000)
    now = answer(row(1, handled=40, handler_us=750_000), row(2, handled=9), at_us=2_500_000)

    old, new = with_rates(before, now)["processes"]

    assert (old["messages_per_second"], old["handler_share"]) == (20, 0.5)
    assert new["messages_per_second"] is None


def test_the_first_look_and_one_at_the_same_moment_have_no_rates() -> None:
    now = answer(row(1))

    assert with_rates(None, now) is now
    assert with_rates(now, now) is now


def test_listing_shows_the_tree_and_what_each_process_does() -> None:
    busy = row(2, depth=1, name="writer", restarts=3, mailbox_length=7, messages_per_second=1234.5)
    shown = text(
        listing(answer(row(1, name="root"), busy, row(3, depth=1, pid=None, child="gone")))
    )

    assert "node n   3 processes" in shown
    assert "\nroot " in shown
    assert "\n  writer " in shown
    assert "\n  gone " in shown
    (line,) = [line for line in shown.splitlines() if "writer" in line]
    assert line.split() == ["writer", "Writer", "n.2", "waiting", "7", "1,234.5", "-", "3", "0"]


def test_a_name_cannot_reach_the_terminal_as_an_escape_sequence() -> None:
    shown = text(listing(answer(row(1, name="\x1b]0;title\x07[red]x"))))

    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "?]0;title?[red]x" in shown


@pytest.mark.parametrize("height", [1, 5, 8, 24])
def test_a_frame_fits_the_terminal_and_shows_the_selected_row(height: int) -> None:
    rows = [row(number, name=f"name-{number}") for number in range(100)]
    view = View()
    view.show(answer(*rows))
    for _ in range(57):
        view.press(Key.DOWN)

    shown = text(frame(answer(*rows), None, view, height)).rstrip("\n")

    assert "name-57" in shown
    assert shown.count("\n") < max(height, 4)


def test_an_opened_process_shows_its_state_by_shape_and_its_latest_crash() -> None:
    opened = {
        "process": row(1, name="writer", links=["n.2"]),
        "calls": 2,
        "last_message": "Post",
        "ancestors": ["root"],
        "watchers": ["relay"],
        "status": {"_balances": "dict, 2 items"},
        "crash": CRASH,
    }
    view = View()
    view.show(answer(row(1)))

    shown = text(frame(answer(row(1)), opened, view, 40))

    for part in ("dict, 2 items", "KeyError at writer.py:7", "relay", "n.2", "handle_call"):
        assert part in shown


def test_keys_of_both_cursor_modes_are_read_and_others_are_ignored() -> None:
    typed = "\x1b[A\x1bOB\x1b[5~\x1b[11~xk\rq\x1b"

    keys = parse_keys(typed)

    assert keys == [
        *(Key.UP, Key.DOWN, Key.PAGE_UP, Key.KILL),
        *(Key.ENTER, Key.QUIT, Key.BACK),
    ]


def test_the_selection_stays_with_its_process_when_the_order_changes() -> None:
    view = View()
    view.show(answer(row(1, mailbox_length=1), row(2, mailbox_length=5), row(3)))
    view.press(Key.DOWN)
    view.press(Key.SORT)

    view.show(answer(row(1, mailbox_length=9), row(2, mailbox_length=5), row(3)))

    assert view.sort is Sort.MAILBOX
    assert pids(view) == ["n.1", "n.2", "n.3"]
    assert view.selected is not None
    assert view.selected["pid"] == "n.2"


def test_the_selection_stays_in_its_line_when_its_process_is_gone() -> None:
    view = View()
    view.show(answer(row(1), row(2), row(3)))
    view.press(Key.PAGE_DOWN)

    view.show(answer(row(1), row(2)))

    assert view.index == 1
    view.show(answer())
    assert view.selected is None
    assert view.press(Key.KILL) is None
    view.press(Key.UP)
    view.press(Key.ENTER)
    assert (view.opened, view.asked, view.index) == (None, None, 0)


def test_sorting_goes_round_and_puts_the_busiest_first() -> None:
    view = View()
    rows = [
        row(1, messages_per_second=None, handler_share=0.5),
        row(2, messages_per_second=3.0, handler_share=0.1),
        row(3, pid=None, child="down"),
    ]

    orders = []
    for _ in range(4):
        view.press(Key.SORT)
        view.show(answer(*rows))
        orders.append((view.sort, view.rows[0]["pid"]))

    assert orders == [
        *((Sort.MAILBOX, "n.1"), (Sort.MESSAGES, "n.2")),
        *((Sort.TIME, "n.1"), (Sort.TREE, "n.1")),
    ]


@pytest.mark.parametrize("no", [Key.NO, Key.QUIT, Key.ENTER, Key.KILL])
def test_only_yes_kills(no: Key) -> None:
    view = View()
    view.show(answer(row(1), row(2)))
    view.press(Key.DOWN)

    assert view.press(Key.KILL) is None
    assert view.asked == "n.2"
    assert view.press(no) is None
    assert (view.asked, view.is_over) == (None, False)
    view.press(Key.KILL)
    assert view.press(Key.YES) == "n.2"


def test_the_question_names_the_process_that_is_opened() -> None:
    view = View()
    view.show(answer(row(1)))
    view.press(Key.ENTER)

    view.press(Key.KILL)

    assert "kill n.1? y/n" in text(frame(answer(row(1)), None, view, 24))
    view.press(Key.NO)
    view.press(Key.BACK)
    assert view.opened is None


class Terminal:
    """A pseudo-terminal and its settings."""

    def __init__(self) -> None:
        self.controller, self.descriptor = pty.openpty()
        self.before = self.settings()

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self.descriptor)

    def close(self) -> None:
        os.close(self.controller)
        os.close(self.descriptor)


@pytest.fixture
def terminal() -> Any:
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_keys_arrive_one_by_one_without_return(terminal: Terminal) -> None:
    with Keyboard(terminal.descriptor) as keyboard:
        os.write(terminal.controller, b"k\x1b[B")
        keys = keyboard.read(10)
        while len(keys) < 2:
            keys += keyboard.read(10)
        assert keyboard.read(0) == []

    assert keys == [Key.KILL, Key.DOWN]
    assert terminal.settings() == terminal.before


class Failure(Exception):
    """Raised inside the block."""


def read_and_be_told(terminal: Terminal, number: signal.Signals) -> None:
    with Keyboard(terminal.descriptor) as keyboard:
        assert terminal.settings() != terminal.before
        os.kill(os.getpid(), number)
        keyboard.read(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_that_end_the_program_give_the_terminal_back(
    terminal: Terminal, number: signal.Signals
) -> None:
    before = signal.getsignal(number)

    with pytest.raises(SystemExit) as ended:
        read_and_be_told(terminal, number)

    assert ended.value.code == 128 + number
    assert terminal.settings() == terminal.before
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("error", [KeyboardInterrupt, Failure])
def test_errors_give_the_terminal_back(terminal: Terminal, error: type[BaseException]) -> None:
    with pytest.raises(error), Keyboard(terminal.descriptor):
        raise error

    assert terminal.settings() == terminal.before


def test_ctrl_z_does_not_leave_a_terminal_without_echo(terminal: Terminal) -> None:
    with Keyboard(terminal.descriptor):
        os.kill(os.getpid(), signal.SIGTSTP)  # ignored, or this test would stop here

    assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL


def test_a_terminal_that_is_gone_ends_the_reading() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    controller, descriptor = pty.openpty()
    try:
        with Keyboard(descriptor) as keyboard:
            keyboard._descriptor = reader
            with pytest.raises(EOFError):
                keyboard.read(10)
            keyboard._descriptor = descriptor
    finally:
        for number in (reader, controller, descriptor):
            os.close(number)
