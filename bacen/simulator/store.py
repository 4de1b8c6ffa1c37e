"""The bank's memory on disk: SQLite in WAL mode, one writer thread, one transaction a batch.

`synchronous=NORMAL`: what was committed survives the death of the process, not a power cut; it is
a simulator. Rows are few and fat on purpose: each step of SQLite gives the interpreter lock away
and has to get it back from a busy event loop, so a batch is one statement a table, its rows
one JSON argument, and all messages for one participant are one row. `bench/simulator.py` measures.

Every transaction checks the epoch that this bank took at its start: the writer thread of a bank
that was killed inside its process can commit nothing more once the next one has opened.
"""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from bacen.simulator.accounts import PiAccount
from bacen.simulator.changes import FileRequest, Move, OwnData, ReceivedMessage, Supply
from bacen.simulator.errors import StoreFenced
from bacen.simulator.participants import Participant
from bacen.simulator.payments import PENDING, SETTLED, Payment
from bacen.wire import Modification

BUSY_TIMEOUT_MS = 10_000
WAL_PAGES_MAX = 4_000  # a checkpoint every 16 MB
PRUNE_ROWS_MAX = 2_000  # messages; ten times that of payments: bounds the time of one prune

SCHEMA = """
CREATE TABLE IF NOT EXISTS bank (epoch INTEGER NOT NULL);
INSERT INTO bank SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM bank);
CREATE TABLE IF NOT EXISTS accounts (
    ispb TEXT PRIMARY KEY, balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payments (
    instruction_id TEXT PRIMARY KEY,
    end_to_end_id TEXT,  -- of a return only; of a payment it is the instruction_id
    message_id TEXT NOT NULL,
    payer TEXT NOT NULL,
    receiver TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    received_ms INTEGER NOT NULL DEFAULT 0,
    deadline_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL,
    details TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS payments_pending ON payments (instruction_id) WHERE status = 'PENDING';
CREATE INDEX IF NOT EXISTS payments_finished ON payments (finished_ms) WHERE finished_ms > 0;
CREATE INDEX IF NOT EXISTS returns ON payments (end_to_end_id) WHERE end_to_end_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS supplies (
    control_number TEXT PRIMARY KEY,
    ispb TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,  -- below zero: to the STR
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS supplies_at ON supplies (at_ms);
CREATE TABLE IF NOT EXISTS participants (
    ispb TEXT PRIMARY KEY, short_name TEXT NOT NULL, kind TEXT NOT NULL, settled_by TEXT NOT NULL,
    cnpj TEXT NOT NULL, name TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT 'PDCT'
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moves (
    indirect_ispb TEXT PRIMARY KEY, direct_ispb TEXT NOT NULL, message_id TEXT NOT NULL,
    cnpj TEXT NOT NULL, until_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own_data (
    ispb TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, modifications TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS received (
    message_id TEXT PRIMARY KEY,
    ispb TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    instruction_ids TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS received_at ON received (at_ms);
CREATE TABLE IF NOT EXISTS file_requests (
    message_id TEXT PRIMARY KEY, ispb TEXT NOT NULL, first_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY, ispb TEXT NOT NULL, messages BLOB NOT NULL
);
"""

UPGRADE = """
BEGIN IMMEDIATE;
ALTER TABLE payments RENAME COLUMN end_to_end_id TO instruction_id;
ALTER TABLE payments ADD COLUMN end_to_end_id TEXT;
ALTER TABLE payments ADD COLUMN received_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE received RENAME COLUMN end_to_end_ids TO instruction_ids;
COMMIT;
"""
UPGRADE_PARTICIPANTS = """
BEGIN IMMEDIATE;
ALTER TABLE participants ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE participants ADD COLUMN role TEXT NOT NULL DEFAULT 'PDCT';
COMMIT;
"""

FENCE = "UPDATE bank SET epoch = epoch WHERE epoch = ?"
WRITE_ACCOUNTS = """
INSERT OR REPLACE INTO accounts SELECT value ->> 0, value ->> 1 FROM json_each(?)"""
WRITE_PAYMENTS = """
INSERT OR REPLACE INTO payments (
    instruction_id, end_to_end_id, message_id, payer, receiver, amount_cents, status, reason,
    received_ms, deadline_ms, finished_ms, details
)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
       value ->> 7, value ->> 8, value ->> 9, value ->> 10,
       CAST(substr(?2, value ->> 11, value ->> 12) AS TEXT)
FROM json_each(?1)"""
WRITE_RECEIVED = """
INSERT INTO received SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)"""
WRITE_SUPPLIES = """
INSERT INTO supplies SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)"""
WRITE_PARTICIPANTS = """
INSERT OR REPLACE INTO participants
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
FROM json_each(?)"""
WRITE_MOVES = """
INSERT OR REPLACE INTO moves
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)"""
DELETE_MOVES = "DELETE FROM moves WHERE indirect_ispb IN (SELECT value FROM json_each(?))"
WRITE_OWN_DATA = """
INSERT OR REPLACE INTO own_data
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)"""
WRITE_FILE_REQUESTS = """
INSERT INTO file_requests
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)"""
DELETE_FILE_REQUESTS = """
DELETE FROM file_requests WHERE message_id IN (SELECT value FROM json_each(?))"""
WRITE_OUTBOX = "INSERT INTO outbox (number, ispb, messages) VALUES (?, ?, ?)"
SUPPLIES = "SELECT control_number, ispb, amount_cents, at_ms FROM supplies"
DELETE_OUTBOX = "DELETE FROM outbox WHERE number IN (SELECT value FROM json_each(?))"
PAYMENT_COLUMNS = """instruction_id, COALESCE(end_to_end_id, instruction_id), message_id, payer,
receiver, amount_cents, status, reason, received_ms, deadline_ms, finished_ms,
CAST(details AS BLOB)"""
PRUNE_RECEIVED = """
DELETE FROM received WHERE message_id IN (
    SELECT message_id FROM received WHERE at_ms < ? ORDER BY at_ms LIMIT ?
)"""
PRUNE_PAYMENTS = """
DELETE FROM payments WHERE instruction_id IN (
    SELECT instruction_id FROM payments WHERE finished_ms > 0 AND finished_ms < ?
    ORDER BY finished_ms LIMIT ?
)"""
PRUNE_SUPPLIES = "DELETE FROM supplies WHERE at_ms < ?"

encode_json = msgspec.json.Encoder().encode
decode_ids = msgspec.json.Decoder(list[str]).decode
decode_modifications = msgspec.json.Decoder(tuple[Modification, ...]).decode


PaymentRow = tuple[tuple[str | int | None, ...], bytes]


class StoredMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message for a participant: PI-ResourceId and the signed bytes."""

    resource_id: str
    body: bytes


class OutboxRow(msgspec.Struct, frozen=True):
    """The messages of one batch for one participant; deleted when all are confirmed."""

    number: int
    ispb: str
    messages: list[StoredMessage]


class Prune(msgspec.Struct, frozen=True):
    """What is to be forgotten: messages, and what is booked, from before these times."""

    messages_ms: int
    entries_ms: int


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """All that one transaction writes."""

    accounts: Sequence[tuple[str, int]] = ()
    payments: Sequence[PaymentRow] = ()
    received: Sequence[ReceivedMessage] = ()
    supplies: Sequence[Supply] = ()
    participants: Sequence[Participant] = ()
    moves: Sequence[Move] = ()
    moves_ended: Sequence[str] = ()
    own_data: Sequence[OwnData] = ()
    file_requests: Sequence[FileRequest] = ()
    files_made: Sequence[str] = ()
    outbox: Sequence[OutboxRow] = ()
    confirmed_rows: Sequence[int] = ()
    prune: Prune | None = None


encode_messages = msgspec.msgpack.Encoder().encode
decode_messages = msgspec.msgpack.Decoder(list[StoredMessage]).decode


def open_database(path: Path) -> sqlite3.Connection:
    """Open with our settings; usable from another thread, by one at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX}")
    return connection


def upgrade(writer: sqlite3.Connection) -> None:
    """Bring a home of before returns, or of before changes of names, up to date."""
    columns = {row[1] for row in writer.execute("PRAGMA table_info(payments)")}
    if "end_to_end_id" in columns and "instruction_id" not in columns:
        writer.executescript(UPGRADE)
    columns = {row[1] for row in writer.execute("PRAGMA table_info(participants)")}
    if columns and "role" not in columns:
        writer.executescript(UPGRADE_PARTICIPANTS)


class Store:
    """One bank's database; opening it fences off whoever had it open before.

    Reads are done on the caller's thread (they come from the page cache), commits on the
    writer thread, one at a time.
    """

    def __init__(self, path: Path) -> None:
        self._writer = open_database(path)
        upgrade(self._writer)
        self._writer.executescript(SCHEMA)
        with self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.execute("UPDATE bank SET epoch = epoch + 1")
            (epoch,) = self._writer.execute("SELECT epoch FROM bank").fetchone()
        self._epoch: int = epoch
        self._reader = open_database(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bacen-store")

    @property
    def epoch(self) -> int:
        """Number of this start of the bank, from 1."""
        return self._epoch

    def close(self) -> None:
        """Wait for the commit under way and close."""
        self._thread.shutdown(wait=True)
        self._writer.close()
        self._reader.close()

    def abandon(self) -> None:
        """Let the writer thread end after the commit under way, without waiting for it."""
        self._thread.shutdown(wait=False)

    def submit(self, batch: Batch) -> Future[None]:
        """Commit on the writer thread.

        Raises:
            StoreFenced: (in the future) another bank has opened this home.
            sqlite3.Error: (in the future) the disk; nothing of the batch was written.
        """
        return self._thread.submit(self.commit, batch)

    def commit(self, batch: Batch) -> None:
        """Write a batch whole or not at all."""
        writer = self._writer
        with writer:
            writer.execute("BEGIN IMMEDIATE")
            if writer.execute(FENCE, (self._epoch,)).rowcount != 1:
                raise StoreFenced(self._epoch)
            for statement, rows in (
                (WRITE_ACCOUNTS, batch.accounts),
                (WRITE_RECEIVED, batch.received),
                (WRITE_SUPPLIES, batch.supplies),
                (WRITE_PARTICIPANTS, batch.participants),
                (WRITE_MOVES, batch.moves),
                (DELETE_MOVES, batch.moves_ended),
                (WRITE_OWN_DATA, batch.own_data),
                (WRITE_FILE_REQUESTS, batch.file_requests),
                (DELETE_FILE_REQUESTS, batch.files_made),
                (DELETE_OUTBOX, batch.confirmed_rows),
            ):
                if rows:
                    writer.execute(statement, (encode_json(rows).decode(),))
            if batch.payments:
                writer.execute(WRITE_PAYMENTS, payments_argument(batch.payments))
            for row in batch.outbox:
                writer.execute(WRITE_OUTBOX, (row.number, row.ispb, encode_messages(row.messages)))
            if batch.prune is not None:
                prune(writer, batch.prune)

    def accounts(self) -> dict[str, PiAccount]:
        rows = self._reader.execute("SELECT ispb, balance_cents FROM accounts")
        return {ispb: PiAccount(ispb, balance_cents) for ispb, balance_cents in rows}

    def pending(self) -> list[Payment]:
        return self._payments(f"WHERE status = '{PENDING}'", ())

    def payments(self, instruction_ids: Iterable[str]) -> Mapping[str, Payment]:
        """Look up committed payments and returns; what is not found is absent."""
        ids = encode_json(list(instruction_ids)).decode()
        found = self._payments("WHERE instruction_id IN (SELECT value FROM json_each(?))", (ids,))
        return {each.instruction_id: each for each in found}

    def returns(self, end_to_end_ids: Iterable[str]) -> Mapping[str, Payment]:
        """Look up the committed returns of payments, by RtrId."""
        ids = encode_json(list(end_to_end_ids)).decode()
        found = self._payments("WHERE end_to_end_id IN (SELECT value FROM json_each(?))", (ids,))
        return {each.instruction_id: each for each in found}

    def supply(self, control_number: str) -> Supply | None:
        """Look up what the STR moved under this number."""
        row = self._reader.execute(f"{SUPPLIES} WHERE control_number = ?", (control_number,))
        found = row.fetchone()
        return found and Supply(*found)

    def received(self, message_id: str) -> ReceivedMessage | None:
        """Look up a committed BizMsgIdr."""
        row = self._reader.execute(
            "SELECT ispb, at_ms, instruction_ids FROM received WHERE message_id = ?", (message_id,)
        ).fetchone()
        return row and ReceivedMessage(message_id, row[0], row[1], decode_ids(row[2]))

    def participants(self) -> dict[str, Participant]:
        """Read the participants that came, changed or left since the table was made."""
        rows = self._reader.execute(
            "SELECT ispb, short_name, kind, settled_by, cnpj, name, role FROM participants"
        )
        return {row[0]: Participant(*row) for row in rows}

    def moves(self) -> list[Move]:
        """Read the requests that wait for a confirmation."""
        columns = "indirect_ispb, direct_ispb, message_id, cnpj, until_ms"
        return [Move(*row) for row in self._reader.execute(f"SELECT {columns} FROM moves")]  # noqa: S608

    def own_data(self, ispb: str) -> OwnData | None:
        """Look up what a participant last told of itself."""
        row = self._reader.execute(
            "SELECT at_ms, modifications FROM own_data WHERE ispb = ?", (ispb,)
        ).fetchone()
        return row and OwnData(ispb, row[0], decode_modifications(row[1]))

    def file_requests(self) -> list[FileRequest]:
        """Read what files were asked for and not made yet."""
        rows = self._reader.execute("SELECT message_id, ispb, first_ms, end_ms FROM file_requests")
        return [FileRequest(*row) for row in rows]

    def outbox(self) -> list[OutboxRow]:
        """Read every row with a message that was not confirmed, oldest first."""
        rows = self._reader.execute("SELECT number, ispb, messages FROM outbox ORDER BY number")
        return [OutboxRow(number, ispb, decode_messages(blob)) for number, ispb, blob in rows]

    def _payments(self, where: str, arguments: Sequence[str]) -> list[Payment]:
        return list(read_payments(self._reader, where, arguments))


def read_payments(
    connection: sqlite3.Connection, where: str, arguments: Sequence[str | int]
) -> Iterator[Payment]:
    # The condition is ours, its values are bound.
    sql = f"SELECT {PAYMENT_COLUMNS} FROM payments {where}"  # noqa: S608
    return (Payment(*row) for row in connection.execute(sql, arguments))


def read_entries(
    connection: sqlite3.Connection, ispb: str, first_ms: int, end_ms: int
) -> Iterator[Payment | Supply]:
    """Read what was booked on one account from a time until before another, in its order."""
    where = (
        f"WHERE finished_ms > 0 AND finished_ms >= ? AND finished_ms < ? AND status = '{SETTLED}'"
        " AND (payer = ? OR receiver = ?) ORDER BY finished_ms, instruction_id"
    )
    of_one = f"{SUPPLIES} WHERE ispb = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms"
    found = connection.execute(of_one, (ispb, first_ms, end_ms))
    sources: list[Iterator[Payment | Supply]] = [
        read_payments(connection, where, (first_ms, end_ms, ispb, ispb)),
        (Supply(*row) for row in found),
    ]
    yield from heapq.merge(*sources, key=booked_ms)


def booked_ms(entry: Payment | Supply) -> int:
    return entry.at_ms if isinstance(entry, Supply) else entry.finished_ms


def payment_row(payment: Payment) -> PaymentRow:
    """What the store keeps of a payment, as it is at this moment."""
    row = (
        payment.instruction_id,
        payment.end_to_end_id if payment.is_return else None,
        payment.message_id,
        payment.payer,
        payment.receiver,
        payment.amount_cents,
        payment.status,
        payment.reason,
        payment.received_ms,
        payment.deadline_ms,
        payment.finished_ms,
    )
    return row, payment.details


def payments_argument(payments: Sequence[PaymentRow]) -> tuple[str, bytes]:
    """Lay the details end to end beside the rows, which say where theirs are.

    They are JSON themselves, but SQLite takes twice as long for a row that holds them.
    """
    rows, start = [], 1
    for row, details in payments:
        rows.append((*row, start, len(details)))
        start += len(details)
    return encode_json(rows).decode(), b"".join([details for _, details in payments])


def prune(writer: sqlite3.Connection, before: Prune) -> None:
    """Forget the oldest messages and the oldest entries; what is pending is kept."""
    writer.execute(PRUNE_RECEIVED, (before.messages_ms, PRUNE_ROWS_MAX))
    writer.execute(PRUNE_PAYMENTS, (before.entries_ms, 10 * PRUNE_ROWS_MAX))
    writer.execute(PRUNE_SUPPLIES, (before.entries_ms,))


def seed(store: Store, balances_cents: Mapping[str, int]) -> None:
    """Open a PI account for every participant that has none yet."""
    known = store.accounts()
    new = [(ispb, cents) for ispb, cents in balances_cents.items() if ispb not in known]
    store.commit(Batch(accounts=new))
