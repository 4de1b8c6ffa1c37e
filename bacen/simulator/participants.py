"""Who takes part in the SPI: a table of our own with real ISPBs and the virtual participants.

`settled_by` of the indirect participants is made up (COOP VIRTUAL settles for all of them): which
direct participant they really use is not public.
"""

import csv
from collections.abc import Mapping
from importlib import resources

import msgspec

from bacen.simulator.errors import InvalidBankSettings

DATA = "bacen.simulator"


class Participant(msgspec.Struct, frozen=True, array_like=True):
    """An institution of the SPI.

    Attributes:
        ispb: Eight characters.
        short_name: As in the list of participants.
        kind: DRCT or IDRT (camt.014), or SPI for the bank itself.
        settled_by: ISPB of the PI account; the own one but for IDRT, empty for one that left.
        cnpj: Of an indirect one that a reda.014 registered.
        name: Full name, where it is not the short one.
        role: `PDCT` has customers' accounts, `ITUS`, `LESP`, `GOVE` (camt.014).
    """

    ispb: str
    short_name: str
    kind: str
    settled_by: str
    cnpj: str = ""
    name: str = ""
    role: str = "PDCT"

    @property
    def full_name(self) -> str:
        return self.name or self.short_name


def load_participants() -> Mapping[str, Participant]:
    """Read the bank's own table of participants, by ISPB."""
    table = resources.files(DATA) / "data" / "participants.csv"
    with table.open(encoding="utf-8") as lines:
        return {
            row["ispb"]: Participant(
                row["ispb"], row["short_name"], row["kind"], row["settled_by"] or row["ispb"]
            )
            for row in csv.DictReader(lines)
        }


def with_connected(
    table: Mapping[str, Participant], connected: tuple[str, ...]
) -> Mapping[str, Participant]:
    """Add the connected and simulated participants that the table does not name.

    Raises:
        InvalidBankSettings: One of them is the bank or settles through another participant.
    """
    merged = dict(table)
    for ispb in connected:
        known = merged.setdefault(ispb, Participant(ispb, f"PARTICIPANT {ispb}", "DRCT", ispb))
        if known.kind != "DRCT":
            raise InvalidBankSettings("connected", f"{ispb} is no direct participant")
    return merged
