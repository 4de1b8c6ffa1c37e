"""Participants of Pix: who can be paid.

A read-mostly table owned by `ParticipantCache`, which loads it from PostgreSQL and keeps it;
readers of the same node look things up without a message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import asyncpg

from actors import Continue, GenServer, NoReply

RELOAD_MS = 60_000
RETRY_MS = 500

_ALL = "SELECT ispb, name, kind, is_active FROM participants"


@dataclass(frozen=True, slots=True)
class Participant:
    """An institution of Pix.

    Attributes:
        ispb: Eight characters; letters occur, never a number.
        name: Short name.
        kind: ``DRCT`` settles in its own PI account, ``IDRT`` through a direct participant.
        is_active: False once it left (camt.014 DLTD).
    """

    ispb: str
    name: str
    kind: str
    is_active: bool = True


class ParticipantTable:
    """The table; written by `ParticipantCache` alone."""

    def __init__(self) -> None:
        self._rows: Mapping[str, Participant] = {}

    def find(self, ispb: str) -> Participant | None:
        """The participant with this ISPB."""
        return self._rows.get(ispb)

    def is_active(self, ispb: str) -> bool:
        """True when the institution exists and takes payments."""
        row = self._rows.get(ispb)
        return row is not None and row.is_active

    def __len__(self) -> int:
        return len(self._rows)

    def replace(self, rows: Mapping[str, Participant]) -> None:
        """Show readers a new set of participants at once."""
        self._rows = rows


class ParticipantCache(GenServer):
    """Owner of the participant table; loads it again every minute."""

    def __init__(
        self, table: ParticipantTable, pool: Callable[[], "asyncpg.Pool[asyncpg.Record]"]
    ) -> None:
        self._table = table
        self._pool = pool

    async def init(self) -> Continue:
        """Load after the start, so that a database that is away does not fail it."""
        return Continue("load")

    async def handle_continue(self, argument: object) -> NoReply:
        """Load the table; when the database is away keep the old one; soon again while empty."""
        del argument
        try:
            rows = await self._pool().fetch(_ALL)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.node.send_after(RETRY_MS, self.pid, "load")
            return NoReply()
        self._table.replace({row["ispb"]: Participant(**dict(row)) for row in rows})
        self.node.send_after(RELOAD_MS if rows else RETRY_MS, self.pid, "load")
        return NoReply()

    async def handle_info(self, message: object) -> NoReply:
        """The timer: load again."""
        return NoReply(Continue(message))
