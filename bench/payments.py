"""Payments accepted and final per second, and CPU per payment, on this machine.

Everything runs here: platform, PostgreSQL, NATS, the simulated central bank, and the generator, a
process of its own (64 and 256 payers in a closed loop, paying by account; ``--by-key`` asks DICT
for each payment). The central bank is our simulator; the real one limits a participant to 750
messages a second on the primary channel.

    python bench/payments.py [--seconds 15] [--payers 64,256] [--by-key] [--json]
"""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import uvloop
from bare_http import bare_http_per_s

from corrente.demo import customers, debtor_body
from loadtest import ClosedLoop, LoadResult, machine_line, run_closed_loop

START_SECONDS = 90
DRAIN_SECONDS = 60
CALIBRATION_SECONDS = 3.0
ROOT = Path(__file__).resolve().parents[1]
CREDITOR = {
    "creditor_account": {
        "ispb": "00000000",
        "branch": "0001",
        "account_number": "998877",
        "account_type": "CACC",
        "tax_id": "52998224725",
    }
}


class Running:
    """A platform of our own, started for the measurement and stopped after it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        ready_file = folder / "ready.json"
        arguments = ["up", "--home", self.home, "--port", "0", "--ready-file", ready_file]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "corrente", *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while not ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                sys.exit("the platform did not start")
            time.sleep(0.1)
        self.ready: dict[str, Any] = json.loads(ready_file.read_text())

    def metric(self, name: str) -> float:
        """One value of the metrics page."""
        with urllib.request.urlopen(self.ready["url"] + "/metrics") as page:  # noqa: S310 # our own
            for line in page.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.rsplit(" ", 1)[1])
        return 0

    def finals(self) -> float:
        """Payments that reached a final state."""
        states = ("confirmed", "rejected", "failed")
        return sum(
            self.metric(f'corrente_pix_payments_total{{state="{state}"}}') for state in states
        )

    def cpu_seconds(self) -> dict[str, float]:
        """CPU used so far by each part, children included."""
        return {
            name: sum(map(_cpu, [psutil.Process(pid), *_children(name, pid)]))
            for name, pid in self.ready["pids"].items()
        }

    def verify(self) -> bool:
        """Whether the ledger adds up."""
        command = [sys.executable, "-m", "corrente", "ledger", "verify", "--home", str(self.home)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        return done.returncode == 0

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=START_SECONDS)


def _children(name: str, pid: int) -> list[psutil.Process]:
    """PostgreSQL's processes belong to it; the platform's children are counted by name."""
    return psutil.Process(pid).children(recursive=True) if name != "platform" else []


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def order_from(url: str, token: str, arguments: argparse.Namespace, payers: int) -> ClosedLoop:
    """The load of one run."""
    return ClosedLoop(
        url=url,
        token=token,
        debtors=[debtor_body(one) for one in customers("12345678")],
        creditor=CREDITOR,
        payers=payers,
        seconds=arguments.seconds,
        run=secrets.token_hex(6),
    )


def bare_http(arguments: argparse.Namespace) -> float:
    """What this machine gives to HTTP alone, just now: it is shared, and its speed changes."""

    def run(url: str) -> LoadResult:
        load = replace(order_from(url, "token", arguments, 64), seconds=CALIBRATION_SECONDS)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as generator:
            return generator.submit(generate, load).result()[0]

    return bare_http_per_s(run)


def generate(load: ClosedLoop) -> tuple[LoadResult, float]:
    """Run the load in this process; the result and the CPU it took."""
    result = uvloop.run(run_closed_loop(load))
    used = os.times()
    return result, used.user + used.system


def measure(platform: Running, arguments: argparse.Namespace, payers: int) -> dict[str, Any]:
    """One run at one concurrency."""
    load = order_from(platform.ready["url"], platform.ready["token"], arguments, payers)
    if arguments.by_key:
        load = replace(load, creditor={"pix_key": platform.ready["key"]})
    finals_before, cpu_before = platform.finals(), platform.cpu_seconds()
    started = time.monotonic()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as generator:
        result, generator_cpu = generator.submit(generate, load).result()
    in_window = platform.finals() - finals_before
    window_seconds = time.monotonic() - started
    deadline = time.monotonic() + DRAIN_SECONDS
    while platform.metric("corrente_pix_open_payments") and time.monotonic() < deadline:
        time.sleep(0.2)
    total_seconds = time.monotonic() - started
    finals = platform.finals() - finals_before
    cpu = {
        name: (used - cpu_before[name]) / max(finals, 1) * 1e6
        for name, used in platform.cpu_seconds().items()
    }
    cpu["generator"] = generator_cpu / max(finals, 1) * 1e6
    return {
        "payers": payers,
        "accepted_per_s": len(result.accepted) / result.elapsed_seconds,
        "final_per_s": in_window / min(window_seconds, total_seconds),
        "final_per_s_with_drain": finals / total_seconds,
        "accept_p50_ms": result.percentile_ms(0.5),
        "accept_p99_ms": result.percentile_ms(0.99),
        "refused": result.refused,
        "unknown": result.unknown,
        "accepted": len(result.accepted),
        "final": finals,
        "cpu_us_per_payment": cpu,
    }


def show(run: dict[str, Any]) -> None:
    """Print one run for a person."""
    print(
        f"{run['payers']:>4} payers: accepted {run['accepted_per_s']:,.0f}/s, "
        f"final {run['final_per_s']:,.0f}/s "
        f"({run['final_per_s_with_drain']:,.0f}/s counting start and drain), "
        f"accept p50 {run['accept_p50_ms']:.1f} ms, p99 {run['accept_p99_ms']:.1f} ms"
    )
    parts = ", ".join(f"{name} {used:.0f}" for name, used in run["cpu_us_per_payment"].items())
    print(f"     CPU µs a payment: {parts}")
    if run["refused"] or run["unknown"] or run["accepted"] != run["final"]:
        print(
            f"     refused {run['refused']}, unknown {run['unknown']}, "
            f"accepted {run['accepted']}, final {run['final']:.0f}"
        )


def main() -> None:
    """Measure and print; exit 1 when money does not add up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15, help="length of each run")
    parser.add_argument("--payers", default="64,256", help="payers of each run, comma separated")
    parser.add_argument("--by-key", action="store_true", help="pay by key: one DICT look-up each")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    limit_before = bare_http(arguments)
    with tempfile.TemporaryDirectory(prefix="corrente-bench-") as folder:
        platform = Running(Path(folder))
        try:
            runs = [
                measure(platform, arguments, int(payers)) for payers in arguments.payers.split(",")
            ]
            adds_up = platform.verify()
        finally:
            platform.stop()
    limits = sorted([limit_before, bare_http(arguments)])
    if arguments.json:
        found = {"machine": machine_line(), "bare_http_per_s": limits, "runs": runs}
        print(json.dumps(found | {"adds_up": adds_up}))
    else:
        print(f"machine: {machine_line()}")
        print(
            "everything on it, central bank simulated, payments by "
            + ("key" if arguments.by_key else "account")
        )
        print(
            f"bare HTTP, same server and generator, before and after: "
            f"{limits[0]:,.0f} to {limits[1]:,.0f} requests/s"
        )
        for run in runs:
            show(run)
            share = run["final_per_s_with_drain"] / limits[1]
            print(f"     final payments to bare HTTP requests: 1 to {1 / max(share, 1e-9):.1f}")
        print("ledger verify:", "adds up" if adds_up else "DOES NOT ADD UP")
    sys.exit(0 if adds_up else 1)


if __name__ == "__main__":
    main()
