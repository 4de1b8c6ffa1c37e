"""The cockpit: leads a participant through the homologation, judges by what the bank saw.

A script as data, a process that runs it, an API and a page at the admin port, evidence to keep
(`docs/bank-cockpit.md`).
"""

from bacen.simulator.cockpit.endpoint import CockpitEndpoint
from bacen.simulator.cockpit.errors import UnknownRun
from bacen.simulator.cockpit.orders import RunOrder, capacity_step
from bacen.simulator.cockpit.process import COCKPIT, Cockpit
from bacen.simulator.cockpit.run import PayeeAccount
from bacen.simulator.cockpit.script import CAPACITY_STEPS, FUNCTIONAL, STEPS

__all__ = [
    "CAPACITY_STEPS",
    "COCKPIT",
    "FUNCTIONAL",
    "STEPS",
    "Cockpit",
    "CockpitEndpoint",
    "PayeeAccount",
    "RunOrder",
    "UnknownRun",
    "capacity_step",
]
