"""The fewest choices with which a schedule still fails.

Delta debugging over the choices: leave out ever smaller parts, keep what still fails in the same
place, until no single choice can be left out. Then make the numbers smaller.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from actors.simulation.choices import Kind

STEPS_MAX: Final = 2_000_000  # of all runs together: some ten seconds

Choice: TypeAlias = tuple[tuple[Kind, int], int]
Trial: TypeAlias = Callable[[dict[tuple[Kind, int], int]], tuple[bool, int]]
"""Runs a schedule; tells whether it fails as the first did, and how many steps it took."""


class Shrinking:
    """One search for a smaller schedule.

    Args:
        fails: Runs a schedule.
        steps_max: Steps after which it takes what it has.

    Attributes:
        runs: Runs so far.
    """

    def __init__(self, fails: Trial, steps_max: int = STEPS_MAX) -> None:
        self._fails = fails
        self._steps_left = steps_max
        self.runs = 0

    def smallest(self, schedule: Mapping[tuple[Kind, int], int]) -> dict[tuple[Kind, int], int]:
        """A schedule of which nothing can be left out, unless the steps are used up before."""
        choices = list(schedule.items())
        if self._still_fails([]):
            return {}
        choices = self._fewer(choices)
        return dict(self._lower(choices))

    def _fewer(self, choices: list[Choice]) -> list[Choice]:
        parts = 2
        while len(choices) > 1:
            size = -(-len(choices) // parts)
            for start in range(0, len(choices), size):
                rest = choices[:start] + choices[start + size :]
                if self._still_fails(rest):
                    choices, parts = rest, max(2, parts - 1)
                    break
            else:
                if size == 1:
                    break
                parts = min(len(choices), parts * 2)
        return choices

    def _lower(self, choices: list[Choice]) -> list[Choice]:
        for number, (key, option) in enumerate(choices):
            low, high = 0, option  # high fails; the least that does, if lower is never worse
            while low + 1 < high:
                middle = (low + high) // 2
                trial = [*choices[:number], (key, middle), *choices[number + 1 :]]
                if self._still_fails(trial):
                    high = middle
                    choices = trial
                else:
                    low = middle
        return choices

    def _still_fails(self, choices: list[Choice]) -> bool:
        if self._steps_left <= 0:
            return False
        self.runs += 1
        fails, steps = self._fails(dict(choices))
        self._steps_left -= steps
        return fails
