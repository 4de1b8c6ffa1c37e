"""Where a schedule may go one way or another, and which way it went.

A schedule is the list of its choices that are not 0: at choice 7 of its kind, option 2. Option 0 is
always the plain one: first come first served, no delay, no crash. Each kind counts for itself, so
that taking a choice out moves the others as little as possible.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from random import Random  # noqa: TID251 (the type; the numbers come from the seed)
from typing import Final, TypeAlias

from actors.ids import make_rng
from actors.simulation.errors import InvalidChoices

RANKED_SHARE: Final = 0.75  # of the seeds; bench/simulation.py shows what each way finds
DEMOTION_CHANCES: Final = (0.02, 0.1, 0.3)  # at one turn
BOLDNESS: Final = (0.05, 0.3, 1.0)  # a schedule with few surprises finds other things than chaos
CRASH_CHANCES: Final = (0.1, 0.03, 0.01)  # at one step
_CHOICE: Final = re.compile(r"(turn|delay|jitter|crash)(\d+):(\d+)")
_SEED_BITS: Final = 64


class Kind(Enum):
    """What is chosen."""

    TURN = "turn"
    """Which of the ready tasks runs: 0 is the oldest."""
    DELAY = "delay"
    """How many milliseconds late a message is."""
    JITTER = "jitter"
    """How many milliseconds late a timer fires."""
    CRASH = "crash"
    """Which process is killed before this step: 0 is none, 1 the oldest."""


Schedule: TypeAlias = Mapping[tuple[Kind, int], int]
"""Option by kind and number of the choice; what is not in it is 0."""


class Chooser:
    """All choices of one kind in one run.

    Attributes:
        kind: Which.
        made: What was not 0, by number.
    """

    __slots__ = ("_chance", "_given", "_number", "_rng", "kind", "made")

    def __init__(self, kind: Kind, rng: Random, chance: float, given: Schedule | None) -> None:
        self.kind = kind
        self.made: dict[int, int] = {}
        self._rng = rng
        self._chance = chance
        self._given = given
        self._number = 0

    def choose(self, options: int) -> int:
        """One of 0 to `options - 1`."""
        number = self._number
        self._number = number + 1
        if self._given is not None:
            option = min(self._given.get((self.kind, number), 0), options - 1)
        elif self._rng.random() < self._chance:
            option = int(self._rng.random() * options)
        else:
            return 0
        if option:
            self.made[number] = option
        return option

    def choose_seldom(self, count: Callable[[], int]) -> int:
        """As `choose`; `count` gives the options and is only asked when the answer may not be 0."""
        number = self._number
        self._number = number + 1
        wanted = 0
        if self._given is not None:
            wanted = self._given.get((self.kind, number), 0)
        elif self._rng.random() < self._chance:
            wanted = 1 + int(self._rng.random() * (count() - 1))
        option = min(wanted, count() - 1) if wanted else 0
        if option:
            self.made[number] = option
        return option


class TurnChooser(Chooser):
    """The order of turns in one run.

    Some seeds draw each turn for itself. Most give each task a rank, run the highest, and now and
    then send the one that runs to the end: only so is a task kept waiting for long, which is what
    most races take.
    """

    __slots__ = ("_demotion_chance", "_has_ranks", "_lowest", "_ranks")

    def __init__(self, rng: Random, chance: float, given: Schedule | None) -> None:
        super().__init__(Kind.TURN, rng, chance, given)
        self._has_ranks = given is None and rng.random() < RANKED_SHARE
        self._demotion_chance = rng.choice(DEMOTION_CHANCES)
        self._ranks: dict[object, float] = {}
        self._lowest = 0.0

    def choose_among(self, candidates: Sequence[object]) -> int:
        """Index of one of these tasks; None stands for the callbacks of no task."""
        if not self._has_ranks:
            return self.choose(len(candidates))
        ranks, rng = self._ranks, self._rng
        for task in candidates:
            if task not in ranks:
                ranks[task] = rng.random()
        highest = max(candidates, key=ranks.__getitem__)
        if rng.random() < self._demotion_chance:
            self._lowest -= 1
            ranks[highest] = self._lowest
        number, option = self._number, candidates.index(highest)
        self._number = number + 1
        if option:
            self.made[number] = option
        return option


class Choices:
    """All choices of one run.

    Args:
        seed: Draws them.
        given: Take these instead.
    """

    def __init__(self, seed: int, given: Schedule | None = None) -> None:
        # Not the seed itself: the node draws its ids from that one.
        rng = make_rng(seed ^ (1 << _SEED_BITS))
        self.turn = TurnChooser(rng, rng.choice(BOLDNESS), given)
        self.delay = Chooser(Kind.DELAY, rng, rng.choice(BOLDNESS), given)
        self.jitter = Chooser(Kind.JITTER, rng, rng.choice(BOLDNESS), given)
        self.crash = Chooser(Kind.CRASH, rng, rng.choice(CRASH_CHANCES), given)

    def schedule(self) -> dict[tuple[Kind, int], int]:
        """What was chosen so far and was not 0."""
        kinds = (self.turn, self.delay, self.jitter, self.crash)
        return {
            (each.kind, number): option for each in kinds for number, option in each.made.items()
        }


def format_choices(schedule: Schedule) -> str:
    """Text of a schedule: `turn3:1,crash40:2`."""
    return ",".join(f"{kind.value}{number}:{option}" for (kind, number), option in schedule.items())


def parse_choices(text: str) -> dict[tuple[Kind, int], int]:
    """Schedule of a text; "" is the plain schedule.

    Raises:
        InvalidChoices: It is none.
    """
    schedule = {}
    for part in text.split(",") if text else ():
        match = _CHOICE.fullmatch(part.strip())
        if match is None:
            raise InvalidChoices(part)
        schedule[Kind(match[1]), int(match[2])] = int(match[3])
    return schedule
