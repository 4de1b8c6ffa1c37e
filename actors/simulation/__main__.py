"""`python -m actors.simulation`: look for a failing schedule, or replay one."""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from actors.simulation.errors import InvalidChoices, NotRepeatable
from actors.simulation.explorer import explore
from actors.simulation.simulation import STEPS_MAX, Faults, has_parent, simulate

FOUND_NOTHING: Final = 0
FOUND: Final = 1
USAGE: Final = 2
BATCH: Final = 500  # schedules between two lines of progress

_EXAMPLES: Final = """
examples:
  look for a failing schedule among 1000
    python -m actors.simulation tests/simulation/planted.py:lost_wake_up --seeds 1000
  with messages up to 20 ms late and one process killed
    python -m actors.simulation FILE.py:TREE --property conserved --delay-ms 20 --crashes 1
  replay what was found
    python -m actors.simulation FILE.py:TREE --seed 17 --choices turn3:1,delay9:2

exit status: 0 nothing found, 1 found, 2 wrong usage
"""


class Unfit(Exception):
    """What the command line names is not there."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return _replay(options) if options.seed is not None else _explore(options)
    except (Unfit, InvalidChoices, NotRepeatable) as error:
        sys.stderr.write(f"{parser.prog}: {type(error).__name__}: {error}\n")
        return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m actors.simulation",
        description="Run a tree of processes under many schedules, and shrink one that fails.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tree", metavar="FILE:FUNCTION", help="async function of a Simulation")
    parser.add_argument("--property", metavar="NAME", help="function of FILE, judges the result")
    parser.add_argument("--seeds", type=_count, default=1000, help="schedules to try (1000)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first (0)")
    parser.add_argument("--seed", type=int, help="run this one only, with its trace")
    parser.add_argument("--choices", help="follow this schedule; needs --seed")
    parser.add_argument("--crashes", type=_count, default=0, help="processes killed, at most (0)")
    parser.add_argument("--may-crash", metavar="NAME", help="function of FILE: which ones")
    parser.add_argument("--delay-ms", type=_count, default=0, help="longest way of a message (0)")
    parser.add_argument("--jitter-ms", type=_count, default=0, help="timers fire so late (0)")
    parser.add_argument("--steps-max", type=_count, default=STEPS_MAX, help="longest run, in turns")
    return parser


def _explore(options: argparse.Namespace) -> int:
    if options.choices is not None:
        raise Unfit("--choices needs --seed")
    tree, property_, faults = _what(options)
    end = options.first_seed + options.seeds
    for first in range(options.first_seed, end, BATCH):
        seeds = range(first, min(first + BATCH, end))
        report = explore(tree, property_, seeds=seeds, faults=faults)
        if report is not None:
            print(report)  # noqa: T201 (a command line prints)
            return FOUND
        sys.stderr.write(f"{seeds.stop - options.first_seed} schedules, nothing found\n")
    return FOUND_NOTHING


def _replay(options: argparse.Namespace) -> int:
    tree, property_, faults = _what(options)
    done = simulate(tree, property_, seed=options.seed, choices=options.choices, faults=faults)
    for line in done.trace:
        print(line)  # noqa: T201 (a command line prints)
    return FOUND_NOTHING if done.error is None else FOUND


def _what(options: argparse.Namespace) -> tuple[Any, Any, Faults]:
    """The program, its property and its faults."""
    file, colon, name = options.tree.rpartition(":")
    if not colon:
        raise Unfit(f"{options.tree} is not FILE:FUNCTION")
    module = _load(Path(file))
    property_ = _named(module, options.property) if options.property else None
    may_crash = _named(module, options.may_crash) if options.may_crash else has_parent
    faults = Faults(
        crashes=options.crashes,
        may_crash=may_crash,
        delay_ms=options.delay_ms,
        jitter_ms=options.jitter_ms,
        steps_max=options.steps_max,
    )
    return _named(module, name), property_, faults


def _load(file: Path) -> object:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise Unfit(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise Unfit(f"{file} cannot be imported: {error!r}") from error
    return module


def _named(module: object, name: str) -> Callable[..., Any]:
    thing = getattr(module, name, None)
    if not callable(thing):
        raise Unfit(f"there is no function {name}")
    return thing  # type: ignore[no-any-return] # getattr knows no types


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


if __name__ == "__main__":
    sys.exit(main())
