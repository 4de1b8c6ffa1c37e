"""Simulated participants, which pay the connected ones and each other, and receive.

They answer soon, late, with a reason, or not at all, as they were told to
(`docs/bank-control.md`).
"""

from bacen.simulator.counterparties.config import (
    Counterparty,
    Target,
    counterparty_of_json,
    read_counterparties,
)
from bacen.simulator.counterparties.office import (
    COUNTERPARTIES,
    OFFICE,
    CounterpartyOffice,
    Dismiss,
    Enlist,
    ListCounterparties,
    check_place,
)
from bacen.simulator.counterparties.roster import CounterpartyCounts, Roster

__all__ = [
    "COUNTERPARTIES",
    "OFFICE",
    "Counterparty",
    "CounterpartyCounts",
    "CounterpartyOffice",
    "Dismiss",
    "Enlist",
    "ListCounterparties",
    "Roster",
    "Target",
    "check_place",
    "counterparty_of_json",
    "read_counterparties",
]
