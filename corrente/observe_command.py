"""`corrente observe`: the processes of a running platform, live or once."""

import contextlib
import json
import sys
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from rich.console import Console
from rich.live import Live

from actors import Clock
from corrente.client import Client, PayFailed
from corrente.observe import Answer, Keyboard, Sort, View, frame, listing, with_rates

PROCESSES = "/api/v1/admin/processes"
WITHIN_SECONDS = 5
FIRST_LOOK_MS = 300  # the first rates soon, the others in their rhythm
PIPE_COLUMNS = 140
MS_PER_S = 1000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ObserveOptions:
    """What to show and how.

    Attributes:
        interval_ms: Time between two looks.
        sort: Order of the rows.
        as_json: Print the answer of the interface, once.
        is_once: Print one listing.
    """

    interval_ms: int
    sort: Sort
    as_json: bool
    is_once: bool


def observe_and_show(url: str, token: str, options: ObserveOptions, console: Console) -> None:
    """Show processes until the person has had enough; once where there is no terminal.

    Raises:
        PayFailed: The platform refused or did not answer.
    """
    client = Client(url, token, timeout_seconds=WITHIN_SECONDS + options.interval_ms / MS_PER_S)
    try:
        if options.as_json or options.is_once or not _is_terminal(console):
            _show_once(client, options, console)
        else:
            # Ctrl-C, also in the middle of a look, and a terminal that is gone: enough seen.
            with contextlib.suppress(KeyboardInterrupt, EOFError):
                _watch(client, options, console)
    finally:
        client.close()


def _is_terminal(console: Console) -> bool:
    return console.is_terminal and sys.stdin.isatty()


def _show_once(client: Client, options: ObserveOptions, console: Console) -> None:
    query = urlencode({"interval_ms": options.interval_ms, "sort": options.sort.value})
    answer = client.request("GET", f"{PROCESSES}?{query}")
    if options.as_json:
        console.file.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
        return
    if not console.is_terminal:
        console = Console(file=console.file, width=PIPE_COLUMNS)
    console.print(listing(answer))


def _watch(client: Client, options: ObserveOptions, console: Console) -> None:
    clock, view = Clock(), View(options.sort)
    looks = Looks(client, view)
    looks.again()  # a platform that refuses says so before the screen is taken
    due_ns = clock.monotonic_ns() + FIRST_LOOK_MS * NS_PER_MS
    with (
        Keyboard(sys.stdin.fileno()) as keyboard,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        while not view.is_over:
            live.update(frame(looks.listing, looks.process, view, console.height), refresh=True)
            keys = keyboard.read((due_ns - clock.monotonic_ns()) / NS_PER_S)
            shown = view.opened, view.sort
            for key in keys:
                looks.kill(view.press(key))
            if (view.opened, view.sort) != shown or clock.monotonic_ns() >= due_ns:
                looks.try_again()
                due_ns = clock.monotonic_ns() + options.interval_ms * NS_PER_MS


class Looks:
    """What was seen last, with the rates since the look before.

    Attributes:
        listing: All processes.
        process: The opened one, if any.
    """

    def __init__(self, client: Client, view: View) -> None:
        self._client = client
        self._view = view
        self._before: Answer | None = None
        self.listing: Answer = {}
        self.process: Answer | None = None

    def try_again(self) -> None:
        """Look; a platform that does not answer may come back, so the old picture stays."""
        try:
            self.again()
        except PayFailed as error:
            self._view.note = str(error)
            self._view.opened = self.process = None

    def again(self) -> None:
        """Look at the opened process, or at all.

        Raises:
            PayFailed: The platform refused or did not answer.
        """
        opened = self._view.opened
        if opened is None:
            query = urlencode({"sort": self._view.sort.value})
            answer = self._client.request("GET", f"{PROCESSES}?{query}")
        else:
            answer = self._client.request("GET", f"{PROCESSES}/{quote(opened, safe='')}")
            answer["processes"] = [answer["process"]]
        rated = with_rates(self._before, answer)
        self._before = answer
        if opened is None:
            self.listing, self.process = rated, None
            self._view.show(rated)
        else:
            self.process = {**rated, "process": rated["processes"][0]}

    def kill(self, pid: str | None) -> None:
        """Kill what the person has said yes to; None does nothing."""
        if pid is None:
            return
        try:
            self._client.request("DELETE", f"{PROCESSES}/{quote(pid, safe='')}")
        except PayFailed as error:
            self._view.note = str(error)
        else:
            self._view.note = f"killed {pid}"
            self._view.opened = self.process = None
