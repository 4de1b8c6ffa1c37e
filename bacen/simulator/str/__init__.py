"""The STR side of liquidity: deposits into PI accounts and withdrawals from them, by messages."""

from bacen.simulator.str.desk import STR_DESK, GetStrAccounts, StrAccounts, StrDesk
from bacen.simulator.str.endpoint import PREFIX, StrEndpoint
from bacen.simulator.str.hours import StrHours

__all__ = [
    "PREFIX",
    "STR_DESK",
    "GetStrAccounts",
    "StrAccounts",
    "StrDesk",
    "StrEndpoint",
    "StrHours",
]
