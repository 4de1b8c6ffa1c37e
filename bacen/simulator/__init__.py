"""The central bank in a box: SPI and DICT with their rules, money and signatures, as one tree.

A process of its own beside the platform, or part of a test's tree. What it promises and where it
differs from the real one: `docs/central-bank.md`.
"""

from bacen.simulator.bank import CentralBank, RunningBank, start_bank
from bacen.simulator.errors import BankError, HomeInUse, InvalidBankSettings, StoreFenced
from bacen.simulator.participants import Participant, load_participants
from bacen.simulator.settings import BankSettings

__all__ = [
    "BankError",
    "BankSettings",
    "CentralBank",
    "HomeInUse",
    "InvalidBankSettings",
    "Participant",
    "RunningBank",
    "StoreFenced",
    "load_participants",
    "start_bank",
]
