"""What is asked of the directory."""

from dataclasses import dataclass

from bacen.simulator.dict.office import Asked

DIRECTORY = "bacen.dict"


@dataclass(frozen=True, slots=True)
class Ask:
    """One operation of the API. Replies its response struct, committed, or raises `DictRefusal`."""

    operation: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class GetFile:
    """Replies the bytes of the CID file of this token, or None."""

    token: str


@dataclass(frozen=True, slots=True)
class GetDirectoryStatistics:
    """Replies `DirectoryStatistics`."""


@dataclass(frozen=True, slots=True)
class DirectoryStatistics:
    """Counts since this start: answers by (operation, type or OK), faults; entries now."""

    answers: dict[tuple[str, str], int]
    entries: int
    faults: int
