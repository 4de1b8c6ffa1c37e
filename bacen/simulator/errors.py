"""What can go wrong inside the bank; what a participant did wrong is an answer, not an error.

```
BankError
├── InvalidBankSettings  the bank cannot start with this
├── InvalidControl       an order to the control API, a command or a file cannot be obeyed
├── HomeInUse            another bank runs on the same home
├── StoreFenced          a newer bank has opened the same database
├── BankFault            the bank's own code failed on a request; nothing was changed
├── UnknownAccount       a participant has no PI account
├── InsufficientBalance  more is asked of a PI account than is available
├── ControlNumberTaken   a control number of the STR stands for another movement
├── TooManyStreams       a participant already reads with the most streams allowed
└── StreamGone           the stream was closed, abandoned or never existed
```
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from bacen import BacenError

NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON of the kind that is asked for."""


@dataclass(eq=False)
class BankError(BacenError):
    """Base of every error the bank raises."""


@dataclass(eq=False)
class InvalidBankSettings(BankError):
    """The bank cannot start with these settings.

    Attributes:
        setting: Name of the setting.
        problem: What is wrong with it.
    """

    setting: str
    problem: str


@dataclass(eq=False)
class InvalidControl(BankError):
    """Somebody at the controls of the bank asked for what it cannot do; nothing was changed.

    Attributes:
        field: Which part of the order.
        problem: What is wrong with it.
        place: `file:line` where the order was read from a file.
    """

    field: str
    problem: str
    place: str = ""

    def __str__(self) -> str:
        """Say all of it in one line."""
        return ": ".join(filter(None, (self.place, self.field, self.problem)))


@dataclass(eq=False)
class HomeInUse(BankError):
    """Another bank runs on the same home.

    Attributes:
        home: The folder.
    """

    home: str


@dataclass(eq=False)
class StoreFenced(BankError):
    """A newer bank has opened the same database; nothing of this transaction was written.

    Attributes:
        epoch: Epoch of the bank that was refused.
    """

    epoch: int


@dataclass(eq=False)
class BankFault(BankError):
    """The bank's own code failed on one request; all that it had done for it was taken back.

    Attributes:
        error: Type of what was raised; the log has the frames.
    """

    error: str


@dataclass(eq=False)
class UnknownAccount(BankError):
    """A participant has no PI account: it is indirect or no participant.

    Attributes:
        ispb: The participant.
    """

    ispb: str


@dataclass(eq=False)
class InsufficientBalance(BankError):
    """More is asked of a PI account than is available.

    Attributes:
        ispb: Whose account.
        available_cents: What is available.
    """

    ispb: str
    available_cents: int


@dataclass(eq=False)
class ControlNumberTaken(BankError):
    """A control number of the STR stands for another movement already.

    Attributes:
        control_number: The number.
    """

    control_number: str


@dataclass(eq=False)
class TooManyStreams(BankError):
    """A participant already reads with the most streams allowed (Manual das Interfaces: 6).

    Attributes:
        streams_max: The limit.
    """

    streams_max: int


@dataclass(eq=False)
class StreamGone(BankError):
    """The stream was closed, abandoned or never existed; start a new one."""
