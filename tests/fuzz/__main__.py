"""`python -m tests.fuzz`: bent inputs for everything that reads bytes of strangers.

`make fuzz` runs it. Keys and findings are kept in `--home`; `--replay FILE` reads a finding again.
"""

import argparse
import asyncio
import faulthandler
import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from tests.fuzz.asks import doors
from tests.fuzz.corpus import Keys, load_keys
from tests.fuzz.doors import Visit, running_bank, visit
from tests.fuzz.findings import Finding, Findings, read_finding
from tests.fuzz.running import generator, line_of, marked, read_one, run_parsers
from tests.fuzz.targets import parsers
from tests.fuzz.watch import REACH, Growth

PARTS = ("parsers", "doors")
DOORS_SHARE = 20  # one input in so many is a request to a bank, which costs twenty times as much
MARK = "mark"
FINDINGS = "findings"


def main() -> int:
    """Run; the exit code says whether something was found."""
    arguments = _arguments()
    home: Path = arguments.home.absolute()
    if arguments.replay is not None:
        return replay(arguments.replay, load_keys(home), home)
    if arguments.part is None:
        return run_both(arguments.inputs, arguments.seed, home)
    faulthandler.enable()
    keys = load_keys(home)
    findings = Findings(home / FINDINGS)
    if arguments.part == "parsers":
        REACH.bait(keys.bait)
        mark = home / MARK
        run_parsers(
            parsers(keys),
            arguments.inputs,
            arguments.seed,
            findings,
            mark,
            lambda name, tally: print(line_of(name, tally), flush=True),
        )
        REACH.close()
    else:
        asyncio.run(knock(keys, arguments.inputs, arguments.seed, findings))
    for kind, times in findings.counts.items():
        print(f"FOUND {times} times  {kind}", flush=True)
    return 1 if findings.counts else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", default="1", help="the same seed makes the same inputs")
    parser.add_argument("--home", type=Path, default=Path(".corrente/fuzz"))
    parser.add_argument("--replay", type=Path, metavar="FILE", help="read a finding again")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    return parser.parse_args()


def run_both(inputs: int, seed: str, home: Path) -> int:
    """Run parsers and doors beside each other, each in a process of its own."""
    started = time.monotonic()
    shutil.rmtree(home / FINDINGS, ignore_errors=True)
    load_keys(home)
    counts = (inputs - inputs // DOORS_SHARE, inputs // DOORS_SHARE)
    program = [sys.executable, "-m", "tests.fuzz", "--seed", seed, "--home", str(home)]
    running = [
        subprocess.Popen([*program, "--part", part, "--inputs", str(number)])
        for part, number in zip(PARTS, counts, strict=True)
    ]
    codes = [each.wait() for each in running]
    for part, code in zip(PARTS, codes, strict=True):
        if code not in {0, 1}:
            print(f"{part} ended with {code}, before all inputs were read")
    if codes[0] < 0:
        keep_the_deadly(home, seed, codes[0])
    files = sorted((home / FINDINGS).glob("*.json"))
    for path in files:
        print(f"again: {sys.executable} -m tests.fuzz --home {home} --replay {path}")
    took = time.monotonic() - started
    print(f"{inputs:,} inputs, seed {seed}, {took:.0f} s: {len(files)} findings kept")
    return 1 if any(codes) else 0


def keep_the_deadly(home: Path, seed: str, code: int) -> None:
    """Make again the input that ended the process, and keep it."""
    name, number = marked(home / MARK)
    target = parsers(load_keys(home))[name]
    data = target.make(generator(seed, name, number))
    Findings(home / FINDINGS).add(name, [data], f"ended the process with {code}")


async def knock(keys: Keys, inputs: int, seed: str, findings: Findings) -> None:
    """Send requests to each door."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # it tells of each bad request
    all_doors = doors(keys)
    total = sum(each.share for each in all_doors.values())
    for name, door in all_doors.items():
        number = max(1, inputs * door.share // total)
        generators = (generator(seed, name, each) for each in range(number))
        tally = await visit(name, door, keys.home, findings, generators)
        print(line_of(name, tally), flush=True)


def replay(path: Path, keys: Keys, home: Path) -> int:
    """Read a finding again; the exit code says whether it still is one."""
    finding = read_finding(path)
    with TemporaryDirectory(dir=home) as folder:
        findings = Findings(Path(folder) / FINDINGS)
        targets = parsers(keys)
        if finding.target in targets:
            REACH.bait(keys.bait)
            target = targets[finding.target]
            for data in finding.bytes_of_inputs():
                read_one(finding.target, target, data, findings)
            REACH.close()
        else:
            asyncio.run(knock_again(keys, finding, Path(folder), findings))
        for kept in findings.files:
            print(read_finding(kept).problem)
        print("still there" if findings.counts else "gone")
        return 1 if findings.counts else 0


async def knock_again(keys: Keys, finding: Finding, folder: Path, findings: Findings) -> None:
    """Send the requests of a finding to a new bank."""
    shutil.copytree(keys.home / "pki", folder / "pki")
    door = doors(keys)[finding.target]
    async with running_bank(folder) as bank:
        visitor = Visit(bank, finding.target, door, Growth(), findings)
        for data in finding.bytes_of_inputs():
            await visitor.send(data)
        await visitor.look()
        await visitor.close()


if __name__ == "__main__":
    sys.exit(main())
