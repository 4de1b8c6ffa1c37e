"""What goes wrong in a simulation.

ActorError
└── SimulationError
    ├── Deadlock, TooManySteps, Broken      the simulated program is wrong
    ├── NotSimulated, NotRepeatable         the program reaches out of its simulation
    └── InvalidChoices                      a schedule that cannot be read
"""

from dataclasses import dataclass

from actors.errors import ActorError


@dataclass(eq=False)
class SimulationError(ActorError):
    """Root of the errors of simulations."""


@dataclass(eq=False)
class Deadlock(SimulationError):
    """Nothing is ready, no timer is set, and the program has not ended.

    Attributes:
        waiting: Who waits, and for what: one line each.
        idle: Servers that wait for a message.
    """

    waiting: tuple[str, ...]
    idle: tuple[str, ...]

    def __str__(self) -> str:
        idle = f"; idle: {', '.join(self.idle)}" if self.idle else ""
        return "; ".join(self.waiting) + idle


@dataclass(eq=False)
class TooManySteps(SimulationError):
    """The program is still busy after this many steps; it may turn in a circle.

    Attributes:
        steps_max: The bound.
        last: Who ran last.
        waiting: Who waits, and for what: one line each.
    """

    steps_max: int
    last: str
    waiting: tuple[str, ...]

    def __str__(self) -> str:
        return f"after {self.steps_max} {self.last} still runs; {'; '.join(self.waiting)}"


@dataclass(eq=False)
class Broken(SimulationError):
    """A property or an invariant answered False.

    Attributes:
        promise: Name of the function.
    """

    promise: str


@dataclass(eq=False)
class NotSimulated(SimulationError):
    """The program tried to reach the real world: its clock, a socket, a thread, a child process.

    Attributes:
        operation: What it tried.
        process: Who.
    """

    operation: str
    process: str


@dataclass(eq=False)
class NotRepeatable(SimulationError):
    """Two runs of one schedule differ: something in the program does not come from the seed.

    Attributes:
        seed: The seed.
        line: Number of the first line of the trace that differs, from 1.
        first: That line in the first run; "" after its end.
        second: And in the second.
    """

    seed: int
    line: int
    first: str
    second: str


@dataclass(eq=False)
class InvalidChoices(SimulationError):
    """The text is no list of choices.

    Attributes:
        text: The part that cannot be read.
    """

    text: str
