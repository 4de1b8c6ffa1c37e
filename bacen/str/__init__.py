"""Messages to the STR for the liquidity of a PI account: LPI0001 to LPI0006, and GEN0004.

Deposits into the PI account, withdrawals from it, and the automatic transfer after the STR has
closed (catalogue of the SFN 5.11).
"""

from bacen import StrRefused
from bacen.str.message import (
    MESSAGE_BYTES_MAX,
    STR_ISPB,
    StrMessage,
    control_number,
    operation_number,
    read_message,
    write_message,
)
from bacen.str.tables import REFUSABLE

__all__ = [
    "MESSAGE_BYTES_MAX",
    "REFUSABLE",
    "STR_ISPB",
    "StrMessage",
    "StrRefused",
    "control_number",
    "operation_number",
    "read_message",
    "write_message",
]
