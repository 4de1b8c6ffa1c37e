"""A source that reads an outbox table of PostgreSQL in order and keeps its place.

The place moves over a row when it and all before it are done. What failed is emitted again after a
pause, and so is what nobody acknowledged in time: a stage that is killed takes its messages along.
After a restart reading goes on behind the saved place. So each row is delivered at least once.
"""

import re
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import asyncpg

from actors import Answer, Continue, ExitReason, Node, Pid
from pipelines.errors import InvalidPipeline
from pipelines.message import Message
from pipelines.source import Source

READ_MAX: Final = 500
UNSETTLED_MAX: Final = 10_000
POLL_MS: Final = 500
RETRY_MS: Final = 1_000
SAVE_MS: Final = 100
ACKNOWLEDGE_WITHIN_MS: Final = 60_000
FAILED: Final = ("pipeline", "outbox", "failed")

_IDENTIFIER: Final = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
_NS_PER_MS: Final = 1_000_000
_TROUBLE: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class _Step(Enum):
    POLL = "poll"
    SAVE = "save"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of rows.

    Attributes:
        done: Sequence numbers that need not be delivered again.
        failed: Sequence numbers that must be.
    """

    done: tuple[int, ...]
    failed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeliverAgain:
    """The pause after a failure is over."""

    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxTable:
    """Names of the tables and columns: lower case, perhaps with a schema.

    A row may not become visible after one with a higher sequence number of its shard.

    Attributes:
        table: Rows that are only ever added.
        shard: Column by which the rows are split among writers.
        sequence: Column that orders the rows of a shard; a bigint.
        columns: What a message carries.
        positions: Table of the places of all readers, unique by `reader` and `position_shard`.
        reader: Column of `positions`: name of a reader.
        position_shard: Column of `positions`: the shard.
        position: Column of `positions`: last sequence number that is done.

    Raises:
        InvalidPipeline: From the constructor.
    """

    table: str
    shard: str
    sequence: str
    columns: tuple[str, ...]
    positions: str
    reader: str
    position_shard: str
    position: str

    def __post_init__(self) -> None:
        names = (self.table, self.shard, self.sequence, self.positions, self.reader)
        for name in (*names, self.position_shard, self.position, *self.columns):
            if _IDENTIFIER.fullmatch(name) is None:
                raise InvalidPipeline("outbox", f"{name!r} is no name of a table or column")

    # Names cannot be parameters; they were checked when this was made.
    @property
    def select_position(self) -> str:
        """The place of a reader: $1 reader, $2 shard."""
        return (
            f"SELECT {self.position} FROM {self.positions} "  # noqa: S608 (see above)
            f"WHERE {self.reader} = $1 AND {self.position_shard} = $2"
        )

    @property
    def select_rows(self) -> str:
        """The next rows: $1 shard, $2 behind which sequence number, $3 how many."""
        return (
            f"SELECT {self.sequence} AS outbox_sequence, {', '.join(self.columns)} "  # noqa: S608
            f"FROM {self.table} WHERE {self.shard} = $1 AND {self.sequence} > $2 "
            f"ORDER BY {self.sequence} LIMIT $3"
        )

    @property
    def save_position(self) -> str:
        """Move the place of a reader forward: $1 reader, $2 shard, $3 sequence number."""
        return (
            f"INSERT INTO {self.positions} AS p ({self.reader}, {self.position_shard}, "  # noqa: S608
            f"{self.position}) VALUES ($1, $2, $3) "
            f"ON CONFLICT ({self.reader}, {self.position_shard}) DO UPDATE "
            f"SET {self.position} = EXCLUDED.{self.position} "
            f"WHERE p.{self.position} < EXCLUDED.{self.position}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxReader:
    """Who reads what.

    Attributes:
        pool: Gives the open pool, which belongs to somebody else.
        table: Where from.
        reader: Whose place it is.
        shard: Whose rows.
        poll_ms: Pause before looking again when all was read.
        retry_ms: Pause before a failed row is delivered again, and after trouble.
        acknowledge_within_ms: A row nobody acknowledged for so long is delivered again.
        unsettled_max: Rows delivered and not done; nothing is read beyond them.
    """

    pool: Callable[[], "asyncpg.Pool[asyncpg.Record]"]
    table: OutboxTable
    reader: str
    shard: int
    poll_ms: int = POLL_MS
    retry_ms: int = RETRY_MS
    acknowledge_within_ms: int = ACKNOWLEDGE_WITHIN_MS
    unsettled_max: int = field(default=UNSETTLED_MAX)


class _Acknowledgements:
    """Tells the source, which keeps the place."""

    def __init__(self, node: Node, source: Pid) -> None:
        self._node = node
        self._source = source

    async def acknowledge(
        self, ref: Hashable, successful: Sequence[Message], failed: Sequence[Message]
    ) -> None:
        del ref
        done = [message.ack_data for message in successful]
        done += [message.ack_data for message in failed if message.is_final]
        again = [message.ack_data for message in failed if not message.is_final]
        self._node.cast(self._source, Settled(tuple(done), tuple(again)))


@dataclass(slots=True, eq=False)
class _Unsettled:
    row: asyncpg.Record
    since_ns: int
    attempts: int = 1
    is_out: bool = True


class OutboxSource(Source):
    """Reads as much as is asked for. `data` is the row, `metadata["attempt"]` counts from 1.

    A row that fails is delivered again and again, and the place stays before it, until it succeeds
    or fails with `is_final`.
    Trouble is told by the event `("pipeline", "outbox", "failed")` and tried again.

    Args:
        reader: Who reads what.
    """

    def __init__(self, reader: OutboxReader) -> None:
        self._reader = reader
        self._wanted = 0
        self._rows: deque[asyncpg.Record] = deque()  # read, not emitted
        self._again: deque[int] = deque()  # to be emitted again
        self._unsettled: dict[int, _Unsettled] = {}  # emitted, in the order of the table
        self._read = -1  # last sequence number read; negative: not known yet
        self._emitted = 0
        self._saved = 0
        self._is_polling = False
        self._is_saving = False

    async def init(self) -> Continue:
        """Look after the start: the database may be away."""
        self._acknowledgements = _Acknowledgements(self.node, self.pid)
        self._look_later()
        return Continue("read")

    async def handle_continue(self, argument: object) -> None:
        """Find the place."""
        del argument
        await self._serve()

    async def handle_demand(self, count: int) -> None:
        """Emit what is there, and read what is missing."""
        self._wanted += count
        await self._serve()

    async def handle_cast(self, message: Settled) -> None:
        """Take what became of rows."""
        for sequence in message.done:
            self._unsettled.pop(sequence, None)
        if message.failed:
            pause_ms = self._reader.retry_ms
            self.node.send_after(pause_ms, self.pid, DeliverAgain(message.failed))
        if self._place() > self._saved:
            self._save_after(SAVE_MS)
        await self._serve()

    async def handle_info(self, message: Any) -> Answer:
        """Poll, save the place, deliver again."""
        if message is _Step.POLL:
            self._is_polling = False
            await self._serve()
        elif message is _Step.SAVE:
            self._is_saving = False
            await self._save()
        elif message is _Step.LOOK:
            self._look_for_lost()
            self._look_later()
            await self._serve()
        elif isinstance(message, DeliverAgain):
            for sequence in message.sequences:
                self._deliver_again(sequence)
            await self._serve()
        else:
            return await super().handle_info(message)
        return None

    async def terminate(self, reason: ExitReason) -> None:
        """Save the place."""
        del reason
        await self._save()

    async def _serve(self) -> None:
        if self.is_draining:
            return
        self._emit_again()
        while self._wanted and len(self._unsettled) < self._reader.unsettled_max:
            if not self._rows and (self._is_polling or not await self._fetch()):
                return
            self._emit_rows()

    async def _fetch(self) -> bool:
        """Read ahead; False when nothing new is there, or cannot be read: look again later."""
        reader, table = self._reader, self._reader.table
        try:
            pool = reader.pool()
            if self._read < 0:
                saved = await pool.fetchval(table.select_position, reader.reader, reader.shard)
                self._read = self._emitted = self._saved = saved or 0
            rows = await pool.fetch(table.select_rows, reader.shard, self._read, READ_MAX)
        except _TROUBLE as error:
            self._report(error)
            self._poll_after(reader.retry_ms)
            return False
        if not rows:
            self._poll_after(reader.poll_ms)
            return False
        self._rows.extend(rows)
        self._read = rows[-1]["outbox_sequence"]
        return True

    def _emit_rows(self) -> None:
        room = self._reader.unsettled_max - len(self._unsettled)
        count = min(self._wanted, len(self._rows), room)
        now_ns = self.node.clock.monotonic_ns()
        taken = [self._rows.popleft() for _ in range(count)]
        for row in taken:
            self._emitted = row["outbox_sequence"]
            self._unsettled[self._emitted] = _Unsettled(row, now_ns)
        self._wanted -= count
        self.emit([self._message(row, 1) for row in taken])

    def _emit_again(self) -> None:
        now_ns = self.node.clock.monotonic_ns()
        messages: list[Message] = []
        while self._again and len(messages) < self._wanted:
            waiting = self._unsettled.get(self._again.popleft())
            if waiting is not None:  # it may have been acknowledged meanwhile
                waiting.since_ns, waiting.is_out = now_ns, True
                waiting.attempts += 1
                messages.append(self._message(waiting.row, waiting.attempts))
        self._wanted -= len(messages)
        self.emit(messages)

    def _message(self, row: asyncpg.Record, attempt: int) -> Message:
        sequence = row["outbox_sequence"]
        about = {"attempt": attempt}
        return Message(row, self._acknowledgements, ack_data=sequence, metadata=about)

    def _deliver_again(self, sequence: int) -> None:
        waiting = self._unsettled.get(sequence)
        if waiting is not None and waiting.is_out:
            waiting.is_out = False
            self._again.append(sequence)

    def _look_for_lost(self) -> None:
        limit_ns = self._reader.acknowledge_within_ms * _NS_PER_MS
        oldest_ns = self.node.clock.monotonic_ns() - limit_ns
        for sequence, waiting in self._unsettled.items():
            if waiting.since_ns <= oldest_ns:
                self._deliver_again(sequence)

    def _place(self) -> int:
        """Last sequence number up to which everything is done."""
        first = next(iter(self._unsettled), None)
        return self._emitted if first is None else first - 1

    async def _save(self) -> None:
        place, reader = self._place(), self._reader
        if place <= self._saved:
            return
        try:
            await reader.pool().execute(
                reader.table.save_position, reader.reader, reader.shard, place
            )
        except _TROUBLE as error:
            self._report(error)
            self._save_after(reader.retry_ms)
            return
        self._saved = place

    def _poll_after(self, pause_ms: int) -> None:
        if not self._is_polling:
            self._is_polling = True
            self.node.send_after(pause_ms, self.pid, _Step.POLL)

    def _save_after(self, pause_ms: int) -> None:
        if not self._is_saving:
            self._is_saving = True
            self.node.send_after(pause_ms, self.pid, _Step.SAVE)

    def _look_later(self) -> None:
        self.node.send_after(self._reader.acknowledge_within_ms // 4, self.pid, _Step.LOOK)

    def _report(self, error: Exception) -> None:
        about = {"shard": self._reader.shard, "problem": type(error).__name__}
        self.node.telemetry.execute(FAILED, {"count": 1}, about)
