"""The bank's memory on disk: SQLite in WAL mode, one writer thread, one transaction a batch.

`synchronous=NORMAL`: what was committed survives the death of the process, not a power cut; it is
a simulator. Rows are few and fat on purpose: each step of SQLite gives the interpreter lock away
and has to get it back from a busy event loop, so a batch is one statement a table, its rows
one JSON argument, and all messages for one participant are one row. `bench/simulator.py` measures.

Every transaction checks the epoch that this bank took at its start: the writer thread of a bank
that was killed inside its process can commit nothing more once the next one has opened.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from bacen.simulator.accounts import PiAccount
from bacen.simulator.engine import ReceivedMessage
from bacen.simulator.errors import StoreFenced
from bacen.simulator.payments import PENDING, Payment

BUSY_TIMEOUT_MS = 10_000
WAL_PAGES_MAX = 4_000  # a checkpoint every 16 MB
PRUNE_MESSAGES_MAX = 2_000  # bounds the time one prune holds the writer

SCHEMA = """
CREATE TABLE IF NOT EXISTS bank (epoch INTEGER NOT NULL);
INSERT INTO bank SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM bank);
CREATE TABLE IF NOT EXISTS accounts (
    ispb TEXT PRIMARY KEY, balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payments (
    end_to_end_id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    payer TEXT NOT NULL,
    receiver TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    deadline_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS payments_pending ON payments (end_to_end_id) WHERE status = 'PENDING';
CREATE TABLE IF NOT EXISTS received (
    message_id TEXT PRIMARY KEY,
    ispb TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    end_to_end_ids TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS received_at ON received (at_ms);
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY, ispb TEXT NOT NULL, messages BLOB NOT NULL
);
"""

FENCE = "UPDATE bank SET epoch = epoch WHERE epoch = ?"
WRITE_ACCOUNTS = """
INSERT OR REPLACE INTO accounts SELECT value ->> 0, value ->> 1 FROM json_each(?)"""
WRITE_PAYMENTS = """
INSERT OR REPLACE INTO payments
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
       value ->> 7, value ->> 8
FROM json_each(?)"""
WRITE_RECEIVED = """
INSERT INTO received SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)"""
WRITE_OUTBOX = "INSERT INTO outbox (number, ispb, messages) VALUES (?, ?, ?)"
DELETE_OUTBOX = "DELETE FROM outbox WHERE number IN (SELECT value FROM json_each(?))"
PAYMENT_COLUMNS = """end_to_end_id, message_id, payer, receiver, amount_cents, status, reason,
deadline_ms, finished_ms"""
PRUNE = """
SELECT message_id, end_to_end_ids FROM received WHERE at_ms < ? ORDER BY at_ms LIMIT ?"""
PRUNE_PAYMENTS = """
DELETE FROM payments WHERE status <> 'PENDING' AND end_to_end_id IN (SELECT value FROM json_each(?))
"""
PRUNE_RECEIVED = "DELETE FROM received WHERE message_id IN (SELECT value FROM json_each(?))"

encode_json = msgspec.json.Encoder().encode
decode_ids = msgspec.json.Decoder(list[str]).decode


class StoredMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message for a participant: PI-ResourceId and the signed bytes."""

    resource_id: str
    body: bytes


class OutboxRow(msgspec.Struct, frozen=True):
    """The messages of one batch for one participant; deleted when all are confirmed."""

    number: int
    ispb: str
    messages: list[StoredMessage]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """All that one transaction writes."""

    accounts: Sequence[tuple[str, int]] = ()
    payments: Sequence[Sequence[str | int | None]] = ()
    received: Sequence[ReceivedMessage] = ()
    outbox: Sequence[OutboxRow] = ()
    confirmed_rows: Sequence[int] = ()
    prune_before_ms: int | None = None


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


class Store:
    """One bank's database; opening it fences off whoever had it open before.

    Reads are done on the caller's thread (they come from the page cache), commits on the
    writer thread, one at a time.
    """

    def __init__(self, path: Path) -> None:
        self._writer = open_database(path)
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

    def submit(self, batch: Batch) -> Future[Exception | None]:
        """Commit on the writer thread; gives what `commit` gives.

        Raises:
            StoreFenced: (in the future) another bank has opened this home.
            sqlite3.Error: (in the future) the disk; nothing of the batch was written.
        """
        return self._thread.submit(self.commit, batch)

    def commit(self, batch: Batch) -> Exception | None:
        """Write a batch whole or not at all; forgetting old messages is not worth a batch.

        Returns:
            The fault of our own that kept old messages from being forgotten; all else is written.
        """
        writer = self._writer
        with writer:
            writer.execute("BEGIN IMMEDIATE")
            if writer.execute(FENCE, (self._epoch,)).rowcount != 1:
                raise StoreFenced(self._epoch)
            for statement, rows in (
                (WRITE_ACCOUNTS, batch.accounts),
                (WRITE_PAYMENTS, batch.payments),
                (WRITE_RECEIVED, batch.received),
                (DELETE_OUTBOX, batch.confirmed_rows),
            ):
                if rows:
                    writer.execute(statement, (encode_json(rows).decode(),))
            for row in batch.outbox:
                writer.execute(WRITE_OUTBOX, (row.number, row.ispb, encode_messages(row.messages)))
            if batch.prune_before_ms is None:
                return None
            writer.execute("SAVEPOINT prune")
            try:
                prune(writer, batch.prune_before_ms)
            except sqlite3.Error:
                raise
            except Exception as error:  # noqa: BLE001 (our own, whatever it is: the batch goes on)
                writer.execute("ROLLBACK TO prune")
                return error
            return None

    def accounts(self) -> dict[str, PiAccount]:
        rows = self._reader.execute("SELECT ispb, balance_cents FROM accounts")
        return {ispb: PiAccount(ispb, balance_cents) for ispb, balance_cents in rows}

    def pending(self) -> list[Payment]:
        return self._payments(f"WHERE status = '{PENDING}'", ())

    def payments(self, end_to_end_ids: Iterable[str]) -> Mapping[str, Payment]:
        """Look up committed payments; what is not found is absent."""
        ids = encode_json(list(end_to_end_ids)).decode()
        found = self._payments("WHERE end_to_end_id IN (SELECT value FROM json_each(?))", (ids,))
        return {each.end_to_end_id: each for each in found}

    def received(self, message_id: str) -> ReceivedMessage | None:
        """Look up a committed BizMsgIdr."""
        row = self._reader.execute(
            "SELECT ispb, at_ms, end_to_end_ids FROM received WHERE message_id = ?", (message_id,)
        ).fetchone()
        return row and ReceivedMessage(message_id, row[0], row[1], decode_ids(row[2]))

    def outbox(self) -> list[OutboxRow]:
        """Read every row with a message that was not confirmed, oldest first."""
        rows = self._reader.execute("SELECT number, ispb, messages FROM outbox ORDER BY number")
        return [OutboxRow(number, ispb, decode_messages(blob)) for number, ispb, blob in rows]

    def _payments(self, where: str, arguments: Sequence[str]) -> list[Payment]:
        # The condition is ours, its values are bound.
        sql = f"SELECT {PAYMENT_COLUMNS} FROM payments {where}"  # noqa: S608
        return [Payment(*row) for row in self._reader.execute(sql, arguments)]


def prune(writer: sqlite3.Connection, before_ms: int) -> None:
    """Forget the oldest messages, and their payments that are finished."""
    old = writer.execute(PRUNE, (before_ms, PRUNE_MESSAGES_MAX)).fetchall()
    payments = [each for _, ids in old for each in decode_ids(ids)]
    writer.execute(PRUNE_PAYMENTS, (encode_json(payments).decode(),))
    writer.execute(PRUNE_RECEIVED, (encode_json([each for each, _ in old]).decode(),))


def seed(store: Store, balances_cents: Mapping[str, int]) -> None:
    """Open a PI account for every participant that has none yet."""
    known = store.accounts()
    new = [(ispb, cents) for ispb, cents in balances_cents.items() if ispb not in known]
    store.commit(Batch(accounts=new))
