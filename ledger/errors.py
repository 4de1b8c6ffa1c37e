"""Errors of the ledger, by what may have happened to the money.

    LedgerError
    ├── NothingDone       nothing was written     NotOwner, OverLimit, InvalidText, InvalidProduct,
    │                                             Fenced, OutOfSpace
    ├── OutcomeUnknown    ask before you retry    CommitUnknown
    └── Unfit             the database cannot be trusted with money as it is
                                                  UnsafeDurability, NotMigrated, BrokenBooks

A refused transfer is no error but an answer (`Refused`).
"""

from dataclasses import dataclass, fields


@dataclass(eq=False)
class LedgerError(Exception):
    """Root of all errors of the ledger."""

    def __post_init__(self) -> None:
        # Exception pickles by `args`; a dataclass built with keywords would leave them empty.
        self.args = tuple(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))
        return f"{type(self).__name__}({shown})"


@dataclass(eq=False)
class NothingDone(LedgerError):
    """Nothing was written; another attempt, perhaps elsewhere, is safe."""


@dataclass(eq=False)
class NotOwner(NothingDone):
    """This writer stands by: the shard is assigned to, or was taken over by, another owner."""

    shard_id: int
    owner: str


@dataclass(eq=False)
class OverLimit(NothingDone):
    """A request is larger than its named maximum."""

    what: str
    count: int
    count_max: int


@dataclass(eq=False)
class InvalidText(NothingDone):
    """A text is too long, or has characters that PostgreSQL cannot store (NUL, surrogates)."""

    what: str


@dataclass(eq=False)
class InvalidProduct(NothingDone):
    """A product, or a use of it, that makes no sense."""

    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.what} {self.problem}"


@dataclass(eq=False)
class Fenced(NothingDone):
    """A younger writer took the shard's lease; this writer's epoch is refused for ever."""

    shard_id: int
    epoch: int


@dataclass(eq=False)
class OutOfSpace(NothingDone):
    """PostgreSQL has no space left to write on; the writer tries again by itself."""

    shard_id: int


@dataclass(eq=False)
class OutcomeUnknown(LedgerError):
    """It may have been written: ask with the same ids before anything else moves that money."""


@dataclass(eq=False)
class CommitUnknown(OutcomeUnknown):
    """The connection was lost, or the deadline passed, while a batch was being written."""

    shard_id: int
    problem: str


@dataclass(eq=False)
class Unfit(LedgerError):
    """The database cannot be trusted with money as it is."""


@dataclass(eq=False)
class UnsafeDurability(Unfit):
    """A PostgreSQL setting would let an acknowledged commit get lost."""

    setting: str
    value: str


@dataclass(eq=False)
class NotMigrated(Unfit):
    """The ledger's tables are missing; run the migrations first."""

    problem: str


@dataclass(eq=False)
class BrokenBooks(Unfit):
    """Stored rows contradict each other; the writer will not build on them."""

    shard_id: int
    problem: str
