"""What is asked of the cockpit."""

from dataclasses import dataclass

import msgspec

from bacen.simulator.cockpit.capacity import FULL_SECONDS
from bacen.simulator.cockpit.run import PayeeAccount
from bacen.simulator.cockpit.script import FUNCTIONAL, LEVELS, STEPS
from bacen.simulator.errors import InvalidControl

STEP_SECONDS_MAX = 7 * 24 * 3_600
CAPACITY_SECONDS_MAX = 3_600


class RunOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run is to be.

    Attributes:
        participant: ISPB of a connected participant.
        steps: In this order; without any, all but the capacity tests.
        payee: The account that the bank pays.
        step_seconds: How long a step may take, by the bank's clock.
        capacity_seconds: How long a capacity test lasts.
    """

    participant: str
    steps: tuple[str, ...] = FUNCTIONAL
    payee: PayeeAccount = PayeeAccount()
    step_seconds: int = 300
    capacity_seconds: int = FULL_SECONDS

    def check(self) -> None:
        """Refuse what cannot work.

        Raises:
            InvalidControl: Names the field.
        """
        unknown = [each for each in self.steps if each not in STEPS]
        if unknown:
            raise InvalidControl("steps", f"there is no step {unknown[0]!r}")
        if not self.steps or len(set(self.steps)) < len(self.steps):
            raise InvalidControl("steps", "at least one, each once")
        if not 1 <= self.step_seconds <= STEP_SECONDS_MAX:
            raise InvalidControl("step_seconds", f"from 1 to {STEP_SECONDS_MAX}")
        if not 1 <= self.capacity_seconds <= CAPACITY_SECONDS_MAX:
            raise InvalidControl("capacity_seconds", f"from 1 to {CAPACITY_SECONDS_MAX}")


@dataclass(frozen=True, slots=True)
class StartRun:
    """Begin a run. Replies the `Run`, or raises `InvalidControl` at the caller."""

    order: RunOrder


@dataclass(frozen=True, slots=True)
class ListRuns:
    """Replies all runs, the oldest first."""


@dataclass(frozen=True, slots=True)
class GetRun:
    """Replies the `Run`, or raises `UnknownRun` at the caller."""

    run_id: str


@dataclass(frozen=True, slots=True)
class SkipStep:
    """Leave a step out; the run cannot pass any more. Replies and raises as `StartRun`."""

    run_id: str
    step_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RepeatStep:
    """Let a step that has ended begin again. Replies and raises as `StartRun`."""

    run_id: str
    step_id: str


@dataclass(frozen=True, slots=True)
class StopRun:
    """End a run. Replies the `Run`."""

    run_id: str


def capacity_step(level: int) -> str:
    """Name the step of a size of the capacity test.

    Raises:
        InvalidControl: There is no such size.
    """
    if level not in LEVELS:
        raise InvalidControl("capacity", f"one of {', '.join(map(str, LEVELS))}")
    return f"C{level}"
