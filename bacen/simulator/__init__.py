"""The central bank in a box: SPI and DICT with their rules, money and signatures, as one tree.

A process of its own beside the platform, or part of a test's tree. What it promises and where it
differs from the real one: `docs/central-bank.md`.
"""

from bacen.simulator.bank import CentralBank, RunningBank, start_bank
from bacen.simulator.beside import ParticipantBeside
from bacen.simulator.clock import BankClock, rate_of
from bacen.simulator.dict import DictSettings
from bacen.simulator.errors import (
    BankError,
    BankFault,
    ControlNumberTaken,
    HomeInUse,
    InsufficientBalance,
    InvalidBankSettings,
    InvalidControl,
    StoreFenced,
    UnknownAccount,
)
from bacen.simulator.liquidity import fund, withdraw
from bacen.simulator.participants import Participant, load_participants
from bacen.simulator.settings import BankSettings
from bacen.simulator.watching import (
    DICT_ANSWERED,
    FILE_FETCHED,
    LETTERS_CONFIRMED,
    LETTERS_FETCHED,
    LIQUIDITY_MOVED,
    MESSAGE_RECEIVED,
    MESSAGE_SIGNED,
    PAYMENT_FINISHED,
)

__all__ = [
    "DICT_ANSWERED",
    "FILE_FETCHED",
    "LETTERS_CONFIRMED",
    "LETTERS_FETCHED",
    "LIQUIDITY_MOVED",
    "MESSAGE_RECEIVED",
    "MESSAGE_SIGNED",
    "PAYMENT_FINISHED",
    "BankClock",
    "BankError",
    "BankFault",
    "BankSettings",
    "CentralBank",
    "ControlNumberTaken",
    "DictSettings",
    "HomeInUse",
    "InsufficientBalance",
    "InvalidBankSettings",
    "InvalidControl",
    "Participant",
    "ParticipantBeside",
    "RunningBank",
    "StoreFenced",
    "UnknownAccount",
    "fund",
    "load_participants",
    "rate_of",
    "start_bank",
    "withdraw",
]
