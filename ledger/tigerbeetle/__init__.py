"""TigerBeetle through its official client, as a server of the runtime.

`TigerBeetle` merges what its callers ask for into few requests, and tells an answer from an unknown
outcome: a request whose deadline passed may still be carried out. Import from here.
"""

from ledger.tigerbeetle.backend import TigerBeetle
from ledger.tigerbeetle.client import BackendSettings, Client, connect
from ledger.tigerbeetle.conversion import (
    LINKED,
    account_from,
    account_to,
    account_to_open,
    result_from,
    transfer_from,
    transfer_to,
)
from ledger.tigerbeetle.errors import (
    OpenChain,
    OutOfRange,
    TigerBeetleUnknown,
    UnexpectedAnswer,
    UnknownLedger,
)
from ledger.tigerbeetle.messages import (
    CreateAccounts,
    CreateTransfers,
    DropRetired,
    FoundAccount,
    FoundTransfer,
    LookUpAccounts,
    LookUpTransfers,
    NewAccount,
    Renew,
)
from ledger.tigerbeetle.numbers import ledger_numbers

__all__ = [
    "LINKED",
    "BackendSettings",
    "Client",
    "CreateAccounts",
    "CreateTransfers",
    "DropRetired",
    "FoundAccount",
    "FoundTransfer",
    "LookUpAccounts",
    "LookUpTransfers",
    "NewAccount",
    "OpenChain",
    "OutOfRange",
    "Renew",
    "TigerBeetle",
    "TigerBeetleUnknown",
    "UnexpectedAnswer",
    "UnknownLedger",
    "account_from",
    "account_to",
    "account_to_open",
    "connect",
    "ledger_numbers",
    "result_from",
    "transfer_from",
    "transfer_to",
]
