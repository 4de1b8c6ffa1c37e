"""The table of codes and the search in it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources

NEAR_MAX = 5
_CODE_CHARACTERS_MAX = 100  # longer is no code, and comparing it with all of them takes long


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning of a code; a code may have another elsewhere.

    Attributes:
        code: As the central bank writes it.
        where: The list that it is of, such as `pacs.002 reason`.
        raised_by: Who says it; None where the list does not tell.
        http_status: Status that it comes with; None where it does not come over HTTP.
        text: What it means.
    """

    code: str
    where: str
    raised_by: str | None
    http_status: int | None
    text: str


def load_meanings() -> tuple[Meaning, ...]:
    """Read the whole table, in its order."""
    table = resources.files("bacen.codes") / "meanings.csv"
    with table.open(encoding="utf-8") as lines:
        return tuple(
            Meaning(
                row["code"],
                row["where"],
                row["raised_by"] or None,
                int(row["http_status"]) if row["http_status"] else None,
                row["meaning"],
            )
            for row in csv.DictReader(lines)
        )


def explain(code: str, meanings: Sequence[Meaning]) -> tuple[Meaning, ...]:
    """Find every meaning of a code, in whatever case it is written; none where it is unknown."""
    wanted = code.strip().casefold()
    return tuple(meaning for meaning in meanings if meaning.code.casefold() == wanted)


def near(code: str, meanings: Sequence[Meaning]) -> tuple[str, ...]:
    """Find known codes that look like an unknown one, the likest first, at most five."""
    wanted = code.strip().casefold()
    if len(wanted) > _CODE_CHARACTERS_MAX:
        return ()
    codes = {meaning.code.casefold(): meaning.code for meaning in meanings}
    found = get_close_matches(wanted, codes, NEAR_MAX)
    return tuple(codes[each] for each in found)
