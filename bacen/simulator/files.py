"""Files of entries that a camt.052 speaks of: made on a thread of their own, found by their hash.

A file is gzip; unpacked it has one JSON object a line, in the order of booking:

| Field | What |
|---|---|
| `id` | EndToEndId, RtrId, or the control number of the STR |
| `kind` | `payment`, `return` or `liquidity` |
| `end_to_end_id` | of the payment; null for liquidity |
| `side` | `CRDT` or `DBIT` |
| `amount_cents` | centavos |
| `counterparty` | ISPB of the other PI account; null for liquidity |
| `booked_at`, `value_date` | time in UTC, day in Brasília |
"""

import gzip
import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import msgspec

from bacen.simulator.changes import FileRequest, Supply
from bacen.simulator.payments import Payment, from_ms, settlement_day
from bacen.simulator.store import open_database, read_entries

encode_line = msgspec.json.Encoder().encode


class EntryLine(msgspec.Struct, frozen=True):
    """One line of a file."""

    id: str
    kind: str
    end_to_end_id: str | None
    side: str
    amount_cents: int
    counterparty: str | None
    booked_at: datetime
    value_date: date


class FileMade(msgspec.Struct, frozen=True):
    """A file that is there: how many entries it has, and its name, the SHA-256 of its bytes."""

    request: FileRequest
    entries: int
    sha256: str


class EntryFiles:
    """Makes the files of one bank, one at a time.

    Args:
        home: Of the bank: its database is there, and the files go to `files/<ispb>/`.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bacen-files")

    def submit(self, request: FileRequest) -> Future[FileMade]:
        """Make a file of what is committed."""
        return self._thread.submit(self.make, request)

    def close(self) -> None:
        """Wait for the file under way; those that wait are made at the next start."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def abandon(self) -> None:
        """Let the thread end after the file under way, without waiting for it."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def make(self, request: FileRequest) -> FileMade:
        folder = self._home / "files" / request.ispb
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f"{request.message_id}.draft"
        entries = self._write(request, draft)
        with draft.open("rb") as written:
            sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        draft.replace(file_path(self._home, request.ispb, sha256))
        return FileMade(request, entries, sha256)

    def _write(self, request: FileRequest, draft: Path) -> int:
        count = 0
        reader = open_database(self._home / "bank.sqlite3")
        try:
            # No name and no time inside: the same entries give the same hash.
            with draft.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                for entry in read_entries(reader, request.ispb, request.first_ms, request.end_ms):
                    for line in lines_of(entry, request.ispb):
                        packed.write(encode_line(line) + b"\n")
                        count += 1
        finally:
            reader.close()
        return count


def file_path(home: Path, ispb: str, sha256: str) -> Path:
    """Where the file of this hash is, if it is there."""
    return home / "files" / ispb / f"{sha256}.gz"


def lines_of(entry: Payment | Supply, ispb: str) -> list[EntryLine]:
    """Write an entry as the owner of one account sees it; twice where it paid itself."""
    if isinstance(entry, Supply):
        return [
            EntryLine(
                id=entry.control_number,
                kind="liquidity",
                end_to_end_id=None,
                side="CRDT" if entry.amount_cents > 0 else "DBIT",
                amount_cents=abs(entry.amount_cents),
                counterparty=None,
                booked_at=from_ms(entry.at_ms),
                value_date=settlement_day(entry.at_ms),
            )
        ]
    sides = [("DBIT", entry.payer, entry.receiver), ("CRDT", entry.receiver, entry.payer)]
    return [
        EntryLine(
            id=entry.instruction_id,
            kind="return" if entry.is_return else "payment",
            end_to_end_id=entry.end_to_end_id,
            side=side,
            amount_cents=entry.amount_cents,
            counterparty=other,
            booked_at=from_ms(entry.finished_ms),
            value_date=settlement_day(entry.finished_ms),
        )
        for side, owner, other in sides
        if owner == ispb
    ]
