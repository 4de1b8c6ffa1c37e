"""Errors of the cockpit."""

from dataclasses import dataclass

from bacen.simulator.errors import BankError


@dataclass(eq=False)
class UnknownRun(BankError):
    """There is no such run.

    Attributes:
        run_id: What was asked for.
    """

    run_id: str

    def __str__(self) -> str:
        return f"there is no run {self.run_id}"
