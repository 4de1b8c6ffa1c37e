"""Whole trees in virtual time: every order of events is drawn from a seed, and replays from it.

Import from here; the modules behind it may move. The guide is docs/simulation.md.
"""

from actors.simulation.clock import SimulatedClock
from actors.simulation.errors import (
    Broken,
    Deadlock,
    InvalidChoices,
    NotRepeatable,
    NotSimulated,
    SimulationError,
    TooManySteps,
)
from actors.simulation.explorer import Report, explore
from actors.simulation.simulation import Faults, Run, Simulation, simulate

__all__ = [
    "Broken",
    "Deadlock",
    "Faults",
    "InvalidChoices",
    "NotRepeatable",
    "NotSimulated",
    "Report",
    "Run",
    "SimulatedClock",
    "Simulation",
    "SimulationError",
    "TooManySteps",
    "explore",
    "simulate",
]
