"""Errors of the bank's DICT.

```
BankError
└── DictRefusal    becomes a signed problem document
```
"""

from dataclasses import dataclass

from bacen.simulator.errors import BankError


@dataclass(eq=False)
class DictRefusal(BankError):
    """DICT does not do what was asked; nothing was changed, and the question was counted.

    Attributes:
        type: Last segment of the problem's URI, such as `ClaimOperationInvalid`.
        reason: Which rule is broken, for people; never a key or a name.
        property: The field that breaks it; empty where it is none.
    """

    type: str
    reason: str = ""
    property: str = ""


def not_found() -> DictRefusal:
    """Refuse what is not there, or not the asker's to see: nobody learns which."""
    return DictRefusal("NotFound")
