"""Looking into a running platform: the listing, the live screen, the interface behind them."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corrente.client import Client, PayFailed
from tests.e2e.platform_process import ROOT, PlatformProcess

PROCESSES = "/api/v1/admin/processes"
WAIT_SECONDS = 60
LINES, COLUMNS = 60, 160
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
DOWN = "\x1b[B"


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "corrente", "observe", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def admin(shared_platform: PlatformProcess) -> Iterator[Client]:
    client = Client(shared_platform.ready["url"], shared_platform.ready["admin_token"])
    yield client
    client.close()


def insist(client: Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Repeat a request until it is answered, as a client does while parts start again."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return client.request(method, path, body)
        except PayFailed:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def row_of(client: Client, name: str) -> dict[str, Any]:
    """A process by name or child id; one without pid while its supervisor is busy."""
    rows = insist(client, "GET", PROCESSES)["processes"]
    found = [row for row in rows if name in {row["name"], row["child"]}]
    return dict(found[0]) if found else {"pid": None}


def wait_for_successor(client: Client, name: str, old: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECONDS
    while (row := row_of(client, name))["pid"] in {None, old["pid"]} or row["state"] == "starting":
        assert time.monotonic() < deadline, f"{name} does not come back: {row}"
        time.sleep(0.05)
    return row


def pay(client: Client, platform: PlatformProcess, key: str) -> str:
    """Order a payment; gives its id."""
    order = {
        "amount": "1.00",
        "pix_key": platform.ready["key"],
        "debtor": platform.ready["debtor"],
        "idempotency_key": key,
    }
    return str(insist(client, "POST", "/api/v1/payments", order)["payment_id"])


def test_listing_shows_the_tree_of_the_platform(shared_platform: PlatformProcess) -> None:
    done = command("--once", "--home", str(shared_platform.home), "--interval-ms", "200")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("node corrente ")
    assert any(line.startswith("corrente ") for line in lines)
    assert any(line.startswith("    ledger.writer ") for line in lines)
    assert "\x1b" not in done.stdout


def test_without_a_terminal_it_prints_once(shared_platform: PlatformProcess) -> None:
    done = command("--home", str(shared_platform.home), "--interval-ms", "100")

    assert (done.returncode, done.stderr) == (0, "")
    assert "ledger.writer" in done.stdout


def test_json_has_rates_and_the_order_that_was_asked_for(
    shared_platform: PlatformProcess,
) -> None:
    url, token = shared_platform.ready["url"], shared_platform.ready["admin_token"]

    done = command("--json", "--url", url, "--token", token, "--sort", "messages")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    rates = [row["messages_per_second"] or 0 for row in answer["processes"]]
    assert rates == sorted(rates, reverse=True)
    assert answer["interval_us"] >= 1_000_000


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--url", "http://127.0.0.1:1", "--token", "t"], 1, "no answer from the platform"),
        (["--url", "http://127.0.0.1:1"], 2, "role admin"),
        (["--sort", "name"], 2, "--sort"),
        (["--home", "nowhere"], 1, "no platform runs"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, arguments: list[str], code: int, problem: str
) -> None:
    arguments = [str(tmp_path / "x") if one == "nowhere" else one for one in arguments]

    done = command(*arguments)

    assert done.returncode == code
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_the_token_of_a_payer_is_refused(shared_platform: PlatformProcess) -> None:
    url, token = shared_platform.ready["url"], shared_platform.ready["token"]

    done = command("--once", "--url", url, "--token", token)

    assert done.returncode == 1
    assert done.stderr.startswith("corrente: forbidden:")
    request = urllib.request.Request(url + PROCESSES, headers={"Authorization": f"Bearer {token}"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    refused.value.close()
    assert refused.value.code == 403


def test_every_process_can_be_opened_and_shows_no_secret(
    shared_platform: PlatformProcess, admin: Client
) -> None:
    rows = insist(admin, "GET", PROCESSES)["processes"]
    debtor = shared_platform.ready["debtor"]

    opened = [admin.request("GET", f"{PROCESSES}/{row['pid']}") for row in rows if row["pid"]]

    assert len(opened) > 15
    text = json.dumps(opened)
    for secret in (debtor["tax_id"], debtor["name"], shared_platform.ready["token"]):
        assert secret not in text


@pytest.mark.parametrize(
    "name", ["ledger.writer", "http", "pix.sender.0", "relay", "bacen", "postgres", "shard"]
)
def test_a_killed_process_comes_back_and_payments_become_final(
    shared_platform: PlatformProcess, admin: Client, name: str
) -> None:
    client = shared_platform.client()
    old = row_of(admin, name)
    paid = [pay(client, shared_platform, f"{name}-{number}") for number in range(10)]

    killed = admin.request("DELETE", f"{PROCESSES}/{old['pid']}")

    assert killed["pid"] == old["pid"]
    new = wait_for_successor(admin, name, old)
    assert new["restarts"] == old["restarts"] + 1
    paid.append(pay(client, shared_platform, f"{name}-after"))
    shared_platform.wait_final()
    client.close()
    assert shared_platform.statuses(paid) == {"CONFIRMED": 11}
    verified = shared_platform.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr
    log = (shared_platform.home / "log" / "platform.log").read_text()
    assert f'"pid": "<{old["pid"]}>"' in log


class Screen:
    """`corrente observe` in a terminal of its own."""

    def __init__(self, platform: PlatformProcess) -> None:
        self._controller, self.terminal = pty.openpty()
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(self.terminal)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "corrente", "observe", "--home", str(platform.home)],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "LINES": "", "COLUMNS": ""},
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            start_new_session=True,
        )
        self._text = ""

    def read_until(self, wanted: str) -> str:
        """What came since the last look, to the end of what is wanted."""
        deadline = time.monotonic() + WAIT_SECONDS
        while wanted not in (seen := ESCAPES.sub("", self._text)):
            assert time.monotonic() < deadline, f"{wanted!r} does not come: {seen[-2000:]}"
            if select.select([self._controller], [], [], 0.2)[0]:
                self._text += os.read(self._controller, 65_536).decode(errors="replace")
        self._text = ""
        return seen

    def press(self, keys: str) -> None:
        os.write(self._controller, keys.encode())

    def end(self) -> int:
        """Wait for its end; the exit code. What it still prints is read, or it could not end."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it does not end"
            if select.select([self._controller], [], [], 0.05)[0]:
                self._text += os.read(self._controller, 65_536).decode(errors="replace")
        return self.process.wait()

    @property
    def is_restored(self) -> bool:
        return termios.tcgetattr(self.terminal) == self.before

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._controller)
        os.close(self.terminal)


@pytest.fixture
def screen(shared_platform: PlatformProcess) -> Iterator[Screen]:
    screen = Screen(shared_platform)
    yield screen
    screen.close()


def test_the_screen_opens_sorts_and_gives_the_terminal_back(screen: Screen) -> None:
    screen.read_until("sorted by tree")
    assert not screen.is_restored

    screen.press("s")
    screen.read_until("sorted by mailbox")
    screen.press("\r")
    shown = screen.read_until("enter back")
    assert "state of the server" in shown
    screen.press("\r")
    screen.read_until("enter open")
    screen.press("q")

    assert screen.end() == 0
    assert screen.is_restored


def test_the_screen_kills_what_is_selected_after_a_yes(screen: Screen, admin: Client) -> None:
    rows = insist(admin, "GET", PROCESSES)["processes"]
    index = next(number for number, row in enumerate(rows) if row["child"] == "relay")
    old = rows[index]
    screen.read_until("sorted by tree")

    screen.press(DOWN * index)
    screen.press("k")
    screen.read_until(f"kill {old['pid']}? y/n")
    screen.press("n")
    screen.read_until("enter open")
    assert row_of(admin, "relay")["pid"] == old["pid"]
    screen.press("k")
    screen.read_until(f"kill {old['pid']}? y/n")
    screen.press("y")
    screen.read_until(f"killed {old['pid']}")

    assert wait_for_successor(admin, "relay", old)["restarts"] == old["restarts"] + 1
    screen.press("q")
    assert screen.end() == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_terminal_is_given_back_however_the_screen_ends(
    screen: Screen, number: signal.Signals, code: int
) -> None:
    screen.read_until("sorted by tree")

    screen.process.send_signal(number)

    assert screen.end() == code
    assert screen.is_restored
