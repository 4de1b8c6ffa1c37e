"""VSync, the synchronism verifier: one number for all entries of a key type (DICT API 2.12.1).

It is the exclusive or of their CIDs, so an entry that comes or goes costs one operation, whatever
their number. Equal verifiers mean equal sets, as good as certainly; different ones mean that an
entry differs, without saying which.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bacen import InvalidMessage
from bacen.dict.cid import Cid, parse_cid

_HEXADECIMAL = 16
_BITS = 256


@dataclass(frozen=True, slots=True)
class VSync:
    """Verifier of one participant's entries of one key type; text is 64 lower-case digits.

    It does not know which CIDs are in it: adding one twice takes it out again. Whoever keeps the
    entries makes sure that each comes and goes once.

    Attributes:
        bits: The 256 bits as a number; 0 for no entry.

    Raises:
        InvalidMessage: Not 256 bits.
    """

    bits: int = 0

    def __post_init__(self) -> None:
        """Check the range."""
        if type(self.bits) is not int or not 0 <= self.bits < 1 << _BITS:
            raise InvalidMessage("vsync", "must be a number of 256 bits")

    @classmethod
    def parse(cls, text: str) -> "VSync":
        """Read the text of a verifier.

        Raises:
            InvalidMessage: Not 64 hexadecimal digits.
        """
        return cls(int(parse_cid(text, "vsync"), _HEXADECIMAL))

    @classmethod
    def of(cls, cids: Iterable[Cid]) -> "VSync":
        """Compute the verifier of a set; the CIDs may come in any order.

        Raises:
            InvalidMessage: A CID came twice, or is none.
        """
        seen: set[Cid] = set()
        bits = 0
        for cid in cids:
            if cid in seen:
                raise InvalidMessage("cid", "came twice")
            seen.add(cid)
            bits ^= _bits(cid)
        return cls(bits)

    def added(self, cid: Cid) -> "VSync":
        """Verifier with one entry more (event ADDED).

        Raises:
            InvalidMessage: Not a CID.
        """
        return VSync(self.bits ^ _bits(cid))

    def removed(self, cid: Cid) -> "VSync":
        """Verifier with one entry less (event REMOVED).

        Raises:
            InvalidMessage: Not a CID.
        """
        return self.added(cid)  # exclusive or is its own inverse

    def replaced(self, old: Cid, new: Cid) -> "VSync":
        """Verifier after an update (events REMOVED and ADDED).

        Raises:
            InvalidMessage: One is not a CID.
        """
        return self.removed(old).added(new)

    def __str__(self) -> str:
        return f"{self.bits:064x}"


def _bits(cid: Cid) -> int:
    return int(parse_cid(cid), _HEXADECIMAL)
