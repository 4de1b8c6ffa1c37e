"""The payments and returns that really ran in the SPI, as DICT looks at them.

DICT keeps an index of its own, because it asks by account and by person, and for longer than the
SPI remembers. It is filled from the SPI's database, read only: so nothing is lost between the two,
whichever of them dies. `read_on` says whether more waits: until then an answer may not know a
payment yet, as with the real one (FundsRecoveryTransactionNotIndexed).
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.store import DictStore
from bacen.simulator.payments import DAY_MS, SETTLED
from bacen.wire import AccountId

PAGE = 1_000  # payments read at once: bounds the time for which the bank stands still
RETENTION_DAYS = 100  # longer than any payment can be refunded
READ_UP_TO = "transactions"
LATEST_MS = 1 << 62
# The details are JSON; SQLite takes the few fields out faster than we could.
READ = """
WITH settled AS (
    SELECT instruction_id, end_to_end_id, finished_ms, amount_cents, NULLIF(details, '') AS details
    FROM payments WHERE status = 'SETTLED' AND finished_ms BETWEEN ? AND ? AND finished_ms > 0
    ORDER BY finished_ms LIMIT ?
)
SELECT instruction_id, end_to_end_id, finished_ms, amount_cents,
       details ->> '$.transfer.local_instrument', details ->> '$.transfer.debtor_ispb',
       details -> '$.transfer.debtor_account', details ->> '$.transfer.debtor_tax_id',
       details ->> '$.transfer.creditor_ispb', details -> '$.transfer.creditor_account',
       details ->> '$.transfer.creditor_tax_id', details ->> '$.transfer.creditor_key'
FROM settled ORDER BY finished_ms, instruction_id"""
NEXT_MS = "SELECT min(finished_ms) FROM payments WHERE status = 'SETTLED' AND finished_ms > ?"
WRITE = "INSERT OR IGNORE INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
COUNT = """
INSERT INTO settlements VALUES (?, ?, ?)
ON CONFLICT (subject, day) DO UPDATE SET count = count + excluded.count"""
COLUMNS = """id, original_id, settled_ms, amount_cents, local_instrument, debtor_ispb,
debtor_account, debtor_tax_id, creditor_ispb, creditor_account, creditor_tax_id, creditor_key"""

decode_account = msgspec.json.Decoder(AccountId).decode


class Transaction(msgspec.Struct, frozen=True):
    """A payment that settled, or a return of one (`original_id` is then its EndToEndId).

    Accounts are in the form of `account_name`; a return has no parties of its own.
    """

    id: str
    original_id: str | None
    settled_ms: int
    amount_cents: int
    local_instrument: str
    debtor_ispb: str
    debtor_account: str
    debtor_tax_id: str
    creditor_ispb: str
    creditor_account: str
    creditor_tax_id: str
    creditor_key: str | None


class Transactions:
    """The index.

    Args:
        store: Of the directory.
        spi: The SPI's database.
    """

    def __init__(self, store: DictStore, spi: Path) -> None:
        self._store = store
        self._is_behind = True
        self._spi = sqlite3.connect(
            f"{spi.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None
        )

    def close(self) -> None:
        self._spi.close()

    def read_on(self) -> tuple[list[Transaction], bool]:
        """Take in what settled since the last time, one page; inside a batch of the store.

        Returns:
            What is new, and whether more waits.
        """
        found = self._store.row("SELECT value FROM counters WHERE name = ?", READ_UP_TO)
        since_ms = found[0] if found else 0
        # The last millisecond is read once more: what settled in it may have come in two batches.
        rows = self._spi.execute(READ, (since_ms, LATEST_MS, PAGE)).fetchall()
        is_page, read_up_to_ms = len(rows) == PAGE, rows[-1][2] if rows else since_ms
        if is_page and read_up_to_ms == since_ms:  # a page would never get beyond it
            rows = self._spi.execute(READ, (since_ms, since_ms, -1)).fetchall()
            # Time does not go back: where something is later, nothing more comes of this one.
            (next_ms,) = self._spi.execute(NEXT_MS, (since_ms,)).fetchone()
            is_page, read_up_to_ms = next_ms is not None, next_ms or since_ms
        new = [row for row in map(transaction_of, rows) if not self._has(row.id)]
        for each in new:
            self._store.run(WRITE, *msgspec.structs.astuple(each))
        self._count(new)
        if read_up_to_ms > since_ms:
            sql = "INSERT OR REPLACE INTO counters VALUES (?, ?)"
            self._store.run(sql, READ_UP_TO, read_up_to_ms)
        self._is_behind = is_page
        return new, is_page

    def forget_before(self, before_ms: int) -> None:
        """Forget single payments that are too old for anything; the counts stay."""
        self._store.run("DELETE FROM transactions WHERE settled_ms < ?", before_ms)

    def get(self, transaction_id: str) -> Transaction | None:
        sql = f"SELECT {COLUMNS} FROM transactions WHERE id = ?"  # noqa: S608 (ours)
        row = self._store.row(sql, transaction_id)
        return None if row is None else Transaction(*row)

    def known(self, transaction_id: str) -> Transaction | None:
        """Find a payment, sure that what is not found did not settle, or long ago.

        Raises:
            DictRefusal: ServiceUnavailable: the index is behind; ask again.
        """
        found = self.get(transaction_id)
        if found is None and self._is_behind and self.status(transaction_id) == SETTLED:
            raise DictRefusal("ServiceUnavailable", "the payment is not indexed yet")
        return found

    def status(self, transaction_id: str) -> str | None:
        """Ask the SPI how a payment stands, whether or not it is in the index."""
        sql = "SELECT status FROM payments WHERE instruction_id = ?"
        row = self._spi.execute(sql, (transaction_id,)).fetchone()
        return None if row is None else str(row[0])

    def refundable_cents(self, transaction: Transaction) -> int:
        """Say how much of a payment was not given back by returns."""
        sql = "SELECT coalesce(sum(amount_cents), 0) FROM transactions WHERE original_id = ?"
        row = self._store.row(sql, transaction.id)
        assert row is not None  # an aggregate always has a row
        return max(0, transaction.amount_cents - int(row[0]))

    def spent(
        self, account: str, window: tuple[int, int], cents_min: int, most: int
    ) -> list[Transaction]:
        """Find what an account paid in `window` (ms, from and to), the largest first."""
        sql = f"""SELECT {COLUMNS} FROM transactions
        WHERE debtor_account = ? AND settled_ms BETWEEN ? AND ? AND amount_cents >= ?
        ORDER BY amount_cents DESC, settled_ms, id LIMIT ?"""  # noqa: S608 (ours)
        rows = self._store.rows(sql, (account, *window, cents_min, most))
        return [Transaction(*row) for row in rows]

    def settlements(self, subject: str, since_ms: int) -> int:
        """Count what a person (CPF, CNPJ) or a key received since then, by whole days."""
        sql = "SELECT coalesce(sum(count), 0) FROM settlements WHERE subject = ? AND day >= ?"
        row = self._store.row(sql, subject, since_ms // DAY_MS)
        assert row is not None  # an aggregate always has a row
        return int(row[0])

    def _has(self, transaction_id: str) -> bool:
        sql = "SELECT 1 FROM transactions WHERE id = ?"
        return self._store.row(sql, transaction_id) is not None

    def _count(self, new: Sequence[Transaction]) -> None:
        counts: Counter[tuple[str, int]] = Counter()
        for each in new:
            if each.original_id is not None:
                continue
            day = each.settled_ms // DAY_MS
            counts[each.creditor_tax_id, day] += 1
            if each.creditor_key is not None:
                counts[each.creditor_key, day] += 1
        for (subject, day), count in counts.items():
            self._store.run(COUNT, subject, day, count)


def account_name(ispb: str, branch: str | None, number: str, kind: str) -> str:
    """Write an account as one text: the same account is the same text."""
    return f"{ispb}/{(branch or '').zfill(4)}/{number}/{kind}"


def transaction_of(row: Sequence[Any]) -> Transaction:
    """Read a row of the SPI. A return has no parties, nor has what an older bank settled."""
    number, original_id, settled_ms, amount_cents, instrument, *parties, key = row
    debtor_ispb, debtor, debtor_tax_id, creditor_ispb, creditor, creditor_tax_id = parties
    return Transaction(
        id=number,
        original_id=original_id,
        settled_ms=settled_ms,
        amount_cents=amount_cents,
        local_instrument=instrument or "",
        debtor_ispb=debtor_ispb or "",
        debtor_account=account_in(debtor_ispb, debtor),
        debtor_tax_id=debtor_tax_id or "",
        creditor_ispb=creditor_ispb or "",
        creditor_account=account_in(creditor_ispb, creditor),
        creditor_tax_id=creditor_tax_id or "",
        creditor_key=key,
    )


def account_in(ispb: str | None, json: str | None) -> str:
    if ispb is None or json is None:
        return ""
    account = decode_account(json)
    return account_name(ispb, account.branch, account.number, account.type)


def number_in(account: str) -> str:
    """Take the number out of an account's name."""
    return account.split("/")[2] if account else ""


def parts_of(account: str) -> list[str]:
    """Take an account's name apart: ISPB, branch, number, type."""
    return account.split("/")
