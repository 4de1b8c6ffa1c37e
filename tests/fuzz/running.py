"""Runs inputs against targets and keeps what breaks a promise."""

import mmap
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.findings import Findings, words_of
from tests.fuzz.targets import Target
from tests.fuzz.watch import REACH, Growth, bounded, peak_megabytes, traced

WARM_INPUTS = 500
TRACED_EACH = 1_000
MARK_BYTES = 256


@dataclass
class Tally:
    """What became of the inputs of one target."""

    inputs: int = 0
    seconds: float = 0.0
    slowest_ms: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.inputs += 1
        self.seconds += seconds
        self.slowest_ms = max(self.slowest_ms, seconds * 1000)


def generator(seed: str, target: str, number: int) -> random.Random:
    """Give the generator of one input."""
    return random.Random(f"{seed} {target} {number}")


def share_of(inputs: int, target: Target, targets: Mapping[str, Target]) -> int:
    """Divide inputs among targets by their shares, each at least one."""
    return max(1, inputs * target.share // sum(each.share for each in targets.values()))


class Mark:
    """Tells a parent which input was being read when this process died."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(b"\0" * MARK_BYTES)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), MARK_BYTES)

    def set(self, target: str, number: int) -> None:
        self._map[:] = f"{target} {number}".encode().ljust(MARK_BYTES, b"\0")

    def close(self) -> None:
        self._map.close()


def marked(path: Path) -> tuple[str, int]:
    """Read a mark."""
    target, _, number = path.read_bytes().rstrip(b"\0").decode().partition(" ")
    return target, int(number)


def run_parsers(
    targets: Mapping[str, Target],
    inputs: int,
    seed: str,
    findings: Findings,
    mark: Path,
    told: Callable[[str, Tally], None],
) -> None:
    """Read inputs one after another; `mark` and the bait lie in folders that are there."""
    growth = Growth()
    with closing(Mark(mark)) as place:
        for name, target in targets.items():
            tally = Tally()
            for number in range(share_of(inputs, target, targets)):
                place.set(name, number)
                data = target.make(generator(seed, name, number))
                tally.add(read_one(name, target, data, findings))
                if number % TRACED_EACH == WARM_INPUTS:
                    look_at_memory(name, target, data, growth, findings)
            told(name, tally)


def read_one(name: str, target: Target, data: bytes, findings: Findings) -> float:
    """Read one input under watch; gives the processor seconds."""
    started = time.thread_time()
    try:
        with bounded(), REACH.watched():
            target.read(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        findings.add(name, [data], words_of(error))
    return time.thread_time() - started


def look_at_memory(
    name: str, target: Target, data: bytes, growth: Growth, findings: Findings
) -> None:
    try:
        traced(target.read, data)
        growth.check()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        findings.add(name, [data], words_of(error))


def line_of(name: str, tally: Tally) -> str:
    """One line of a report; a door's tells what was answered, 0 where the line was cut."""
    answered = ", ".join(f"{status}: {times:,}" for status, times in sorted(tally.answers.items()))
    return (
        f"{name:18}{tally.inputs:9,} inputs {tally.seconds:8.1f} s, the slowest"
        f" {tally.slowest_ms:7.1f} ms; {peak_megabytes():5,} MB  {answered}"
    )
