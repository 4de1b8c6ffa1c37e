"""Codes of rubrics: nine digits in levels 1-1-1-2-2-2 and a check digit, in use since 2025.

Check digits are computed and compared, never believed: printed lists have misprints.
"""

import re
from dataclasses import dataclass
from typing import Final

from ledger.cosif.errors import InvalidCode, OldStyleCode

DIGITS: Final = 9
LEVEL_ENDS: Final = (1, 2, 3, 5, 7, 9)
WEIGHTS: Final = (3, 7, 1)
GROUPS: Final = "12346789"
"""First digits in use; 5 (deferred results) is gone."""

_DOTTED: Final = re.compile(
    r"([0-9])\.([0-9])\.([0-9])\.([0-9]{2})\.([0-9]{2})\.([0-9]{2})-([0-9])"
)
_PLAIN: Final = re.compile(r"[0-9]{10}")
_OLD: Final = re.compile(r"[0-9]\.[0-9]\.[0-9]\.[0-9]{2}\.[0-9]{2}-[0-9]|[0-9]{8}")


def check_digit(digits: str) -> int:
    """Compute the check digit of a code: weights 3, 7, 1 from right to left, modulo ten."""
    weighed = (
        int(digit) * WEIGHTS[place % len(WEIGHTS)] for place, digit in enumerate(reversed(digits))
    )
    return -sum(weighed) % 10


@dataclass(frozen=True, slots=True, order=True)
class CosifCode:
    """The code of a rubric; `str` writes it as `4.6.4.10.10.00-8`.

    Make one with `parse`, which checks it.

    Attributes:
        digits: The nine digits without the check digit.
    """

    digits: str

    @classmethod
    def parse(cls, text: str) -> "CosifCode":
        """Read `4.6.4.10.10.00-8` or `4641010008`.

        Raises:
            OldStyleCode: It is a code of before 2025.
            InvalidCode: It has another form, an unused group or another check digit.
        """
        dotted = _DOTTED.fullmatch(text)
        if dotted is None and _PLAIN.fullmatch(text) is None:
            if _OLD.fullmatch(text) is not None:
                raise OldStyleCode(text, "codes of seven digits ended in December 2024")
            raise InvalidCode(text, "expected nine digits and a check digit, as 4.6.4.10.10.00-8")
        ten = "".join(dotted.groups()) if dotted is not None else text
        digits, given = ten[:DIGITS], int(ten[DIGITS])
        if digits[0] not in GROUPS:
            raise InvalidCode(text, f"there is no group {digits[0]}")
        if given != check_digit(digits):
            raise InvalidCode(text, f"the check digit is {check_digit(digits)}, not {given}")
        return cls(digits)

    def __str__(self) -> str:
        d = self.digits
        return f"{d[0]}.{d[1]}.{d[2]}.{d[3:5]}.{d[5:7]}.{d[7:]}-{check_digit(d)}"

    @property
    def ten_digits(self) -> str:
        """Digits and check digit without punctuation, as reports carry them."""
        return f"{self.digits}{check_digit(self.digits)}"

    @property
    def group(self) -> int:
        """The first digit."""
        return int(self.digits[0])

    @property
    def level(self) -> int:
        """1 for a group, up to 6 for a second subtitle."""
        used = len(self.digits.rstrip("0"))
        return next(number for number, end in enumerate(LEVEL_ENDS, 1) if used <= end)

    @property
    def parent(self) -> "CosifCode | None":
        """The code one level up that this one is counted in; None for a group."""
        if self.level == 1:
            return None
        kept = self.digits[: LEVEL_ENDS[self.level - 2]]
        return CosifCode(kept.ljust(DIGITS, "0"))
