"""What can go wrong inside the bank; what a participant did wrong is an answer, not an error.

```
BankError
├── InvalidBankSettings  the bank cannot start with this
├── HomeInUse            another bank runs on the same home
├── StoreFenced          a newer bank has opened the same database
├── BankFault            the bank's own code failed on a request; nothing was changed
├── TooManyStreams       a participant already reads with the most streams allowed
└── StreamGone           the stream was closed, abandoned or never existed
```
"""

from dataclasses import dataclass

from bacen import BacenError


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
class TooManyStreams(BankError):
    """A participant already reads with the most streams allowed (Manual das Interfaces: 6).

    Attributes:
        streams_max: The limit.
    """

    streams_max: int


@dataclass(eq=False)
class StreamGone(BankError):
    """The stream was closed, abandoned or never existed; start a new one."""
