"""A whole platform as a newcomer starts it, under the test's hand."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from corrente.client import Client

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
STOP_SECONDS = 60
FINAL_SECONDS = 60


class PlatformProcess:
    """`corrente up` on a home of its own; started again on the same home as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.output = folder / "output.txt"
        self._ready_file = folder / "ready.json"
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        self._ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "corrente", "up", "--home", str(self.home)]
        command += ["--port", "0", "--ready-file", str(self._ready_file)]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._ready_file.exists():
            assert self._process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.05)
        self.ready = json.loads(self._ready_file.read_text())

    def client(self) -> Client:
        """A client with the demo token; close it."""
        return Client(self.ready["url"], self.ready["token"])

    def signal(self, part: str, number: signal.Signals) -> None:
        """Send a signal to one of the processes named in the ready file."""
        os.kill(self.ready["pids"][part], number)

    def kill(self) -> None:
        """Kill -9 of the platform itself."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        code = self._process.wait(STOP_SECONDS)
        wait_gone([pid for name, pid in self.ready["pids"].items() if name != "platform"])
        return code

    def metric(self, name: str) -> float:
        """One value of the metrics page, 0 where it is not there yet."""
        with urllib.request.urlopen(self.ready["url"] + "/metrics") as page:
            lines = page.read().decode().splitlines()
        values = [line.rsplit(" ", 1)[1] for line in lines if line.startswith(name + " ")]
        return float(values[0]) if values else 0.0

    def wait_final(self) -> None:
        """Wait until no payment is without an outcome."""
        deadline = time.monotonic() + FINAL_SECONDS
        while self.metric("corrente_pix_open_payments"):
            assert time.monotonic() < deadline, "payments stay without an outcome"
            time.sleep(0.1)

    def statuses(self, payment_ids: list[str]) -> dict[str, int]:
        """How many of these payments have which status, asked one by one as a client would."""
        client = self.client()
        counts: dict[str, int] = {}
        for payment_id in payment_ids:
            status = client.request("GET", f"/api/v1/payments/{payment_id}")["status"]
            counts[status] = counts.get(status, 0) + 1
        client.close()
        return counts

    def verify(self) -> "subprocess.CompletedProcess[str]":
        """`corrente ledger verify` on this home."""
        command = [sys.executable, "-m", "corrente", "ledger", "verify", "--home", str(self.home)]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=START_SECONDS
        )


def wait_gone(pids: list[int]) -> None:
    """Wait until none of these processes is left; processes of a killed parent take a moment."""
    deadline = time.monotonic() + STOP_SECONDS
    while any(psutil.pid_exists(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still there: {pids}"
        time.sleep(0.05)
