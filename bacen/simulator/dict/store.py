"""The directory's memory on disk: one SQLite file in WAL mode, read and written by one process.

A batch is one transaction, each request in it a savepoint. `synchronous=NORMAL`: what was committed
survives the death of the process, not a power cut; so a commit waits for no disk and is done where
the decision is made. What touches the disk, the checkpoint, is a thread's.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bacen.simulator.dict.schema import SCHEMA

BUSY_TIMEOUT_MS = 10_000

Row = tuple[Any, ...]


class DictStore:
    """The database of one directory.

    Args:
        path: The file; made when absent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_database(path)
        self._connection.executescript(SCHEMA)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bacen-dict")
        self._checkpoint: Future[None] | None = None

    def close(self) -> None:
        """Wait for a checkpoint under way and close; a batch that is open is lost."""
        self._thread.shutdown(wait=True)
        self._connection.close()

    def abandon(self) -> None:
        """Close without waiting, from whatever ends the process."""
        self._thread.shutdown(wait=False)
        self._connection.close()

    @property
    def is_open(self) -> bool:
        """Whether a batch is open."""
        return self._connection.in_transaction

    def begin(self) -> None:
        """Open a batch, unless one is open."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Commit the batch, if one is open."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    @contextmanager
    def step(self) -> Iterator[None]:
        """Do something inside the batch whole or, when it raises, not at all."""
        self._connection.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO step")
            raise
        finally:
            self._connection.execute("RELEASE step")

    def checkpoint(self) -> None:
        """Bring the log home, on a thread; one at a time."""
        if self._checkpoint is None or self._checkpoint.done():
            self._checkpoint = self._thread.submit(checkpoint, self._path)

    def run(self, sql: str, *arguments: object) -> int:
        """Execute one statement; gives how many rows it changed."""
        return self._connection.execute(sql, arguments).rowcount

    def insert(self, sql: str, *arguments: object) -> int:
        """Insert one row; gives its number."""
        number = self._connection.execute(sql, arguments).lastrowid
        assert number is not None  # an insert into a table with row numbers
        return number

    def row(self, sql: str, *arguments: object) -> Row | None:
        found: Row | None = self._connection.execute(sql, arguments).fetchone()
        return found

    def rows(self, sql: str, arguments: Sequence[object] = ()) -> list[Row]:
        return self._connection.execute(sql, arguments).fetchall()


def open_database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def checkpoint(path: Path) -> None:
    connection = open_database(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.close()
