"""Faults on demand: what a participant is told wrongly, late, twice or not at all.

Asked for over the control API, by a command, or by a scenario file (`docs/bank-control.md`); never
by anything that a participant can reach. The books stay right under all of them.
"""

from bacen.simulator.faults.certificate import watch_handshakes
from bacen.simulator.faults.http import request_faults
from bacen.simulator.faults.kinds import DICT, ICOM, KINDS, FaultKind
from bacen.simulator.faults.letters import Delivery, Late, LetterFaults
from bacen.simulator.faults.order import (
    FaultOrder,
    order_of_json,
    order_of_words,
    read_scenario,
)
from bacen.simulator.faults.plan import FAULT_APPLIED, Fault, FaultPlan

__all__ = [
    "DICT",
    "FAULT_APPLIED",
    "ICOM",
    "KINDS",
    "Delivery",
    "Fault",
    "FaultKind",
    "FaultOrder",
    "FaultPlan",
    "Late",
    "LetterFaults",
    "order_of_json",
    "order_of_words",
    "read_scenario",
    "request_faults",
    "watch_handshakes",
]
