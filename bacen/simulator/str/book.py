"""What the STR keeps: accounts, orders, and answers that nobody has fetched, in SQLite.

An order is written before its money moves in the PI account, with the control number under which
that movement happens once; whoever opens the book again finishes what stands there as `moving`.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bacen.simulator.store import open_database
from bacen.str import StrMessage, write_message

RESERVES: Final = "RL"
"""Reservas Bancárias or Conta de Liquidação."""

E_MONEY: Final = "ME"
"""Conta Correspondente a Moeda Eletrônica."""

MOVING: Final = "moving"
SETTLED: Final = "settled"
REJECTED: Final = "rejected"

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS str_accounts (
    ispb TEXT NOT NULL,
    kind TEXT NOT NULL,
    balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0),
    PRIMARY KEY (ispb, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY,
    control_number TEXT NOT NULL UNIQUE,
    direction INTEGER NOT NULL CHECK (direction IN (1, -1)),
    pi_owner TEXT NOT NULL,
    str_owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_moving ON orders (number) WHERE state = 'moving';
CREATE TABLE IF NOT EXISTS operations (
    number TEXT PRIMARY KEY, body BLOB NOT NULL, answers TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mail (
    number INTEGER PRIMARY KEY, ispb TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS automatic (ispb TEXT PRIMARY KEY, rule TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


class StrOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way between an account at the STR and a PI account.

    Attributes:
        control_number: `NumCtrlSTR`.
        direction: 1 into the PI account, -1 out of it.
        pi_owner: ISPB whose PI account moves.
        str_owner: ISPB whose account at the STR moves.
        kind: Of the account at the STR: `RL` or `ME`.
        message: The request; an LPI0006 that is to be sent where nobody asked.
    """

    control_number: str
    direction: int
    pi_owner: str
    str_owner: str
    kind: str
    amount_cents: int
    message: StrMessage


class AutomaticRule(msgspec.Struct, frozen=True):
    """What is moved into the PI account after the STR has closed: the fields of an LPI0005.

    Attributes:
        shares: Percentage or amount by its tag, such as `PercSldRB_CL` or `VlrCCME`.
    """

    shares: Mapping[str, str]


class StrBook:
    """The database of the STR; the caller's thread does the work, a few rows at a time."""

    def __init__(self, path: Path) -> None:
        self._database = open_database(path)
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all that is inside, or nothing of it."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def open_accounts(self, owners: Iterable[str], balance_cents: int) -> None:
        """Give each owner both accounts, where it has none."""
        rows = [(each, kind, balance_cents) for each in owners for kind in (RESERVES, E_MONEY)]
        with self.transaction():
            self._database.executemany("INSERT OR IGNORE INTO str_accounts VALUES (?, ?, ?)", rows)

    def balance(self, ispb: str, kind: str) -> int | None:
        """Balance in centavos; None without such an account."""
        found = self._one(
            "SELECT balance_cents FROM str_accounts WHERE ispb = ? AND kind = ?", ispb, kind
        )
        return None if found is None else int(found[0])

    def move(self, ispb: str, kind: str, cents: int) -> None:
        """Change a balance, within a transaction."""
        self._database.execute(
            "UPDATE str_accounts SET balance_cents = balance_cents + ? WHERE ispb = ? AND kind = ?",
            (cents, ispb, kind),
        )

    def next_number(self, name: str) -> int:
        """Count up, within a transaction."""
        self._database.execute(
            "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            (name,),
        )
        found = self._one("SELECT value FROM counters WHERE name = ?", name)
        assert found is not None  # it was written just now
        return int(found[0])

    def counter(self, name: str) -> int:
        """A counter's value, 0 at the beginning."""
        found = self._one("SELECT value FROM counters WHERE name = ?", name)
        return 0 if found is None else int(found[0])

    def set_counter(self, name: str, value: int) -> None:
        """Set a counter, within a transaction."""
        self._database.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, value))

    def add_order(self, order: StrOrder) -> None:
        """Write an order down as moving, within a transaction."""
        self._database.execute(
            "INSERT INTO orders (control_number, direction, pi_owner, str_owner, kind,"
            " amount_cents, state, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(
                    order.control_number,
                    order.direction,
                    order.pi_owner,
                    order.str_owner,
                    order.kind,
                ),
                *(order.amount_cents, MOVING, msgspec.json.encode(order.message).decode()),
            ),
        )

    def end_order(self, control_number: str, state: str) -> None:
        """Say how an order ended, within a transaction."""
        self._database.execute(
            "UPDATE orders SET state = ? WHERE control_number = ?", (state, control_number)
        )

    def moving_orders(self) -> list[StrOrder]:
        """Orders whose end is not known, the oldest first."""
        return self._orders("WHERE state = 'moving' ORDER BY number")

    def settled_deposit(self, control_number: str) -> StrOrder | None:
        """A deposit that was settled, to be given back."""
        found = self._orders(
            "WHERE control_number = ? AND direction = 1 AND state = 'settled'", control_number
        )
        return found[0] if found else None

    def given_back(self, control_number: str) -> int:
        """What of a deposit has gone back, or is on its way, in centavos."""
        found = self._one(
            "SELECT coalesce(sum(amount_cents), 0) FROM orders WHERE direction = -1"
            " AND state <> 'rejected' AND message ->> '$.fields.NumCtrlSTROr' = ?",
            control_number,
        )
        assert found is not None  # a sum is always one row
        return int(found[0])

    def operation(self, number: str) -> tuple[bytes, list[StrMessage]] | None:
        """The bytes and the answers of a NUOp that was taken."""
        found = self._one("SELECT body, answers FROM operations WHERE number = ?", number)
        return (
            None
            if found is None
            else (found[0], msgspec.json.decode(found[1], type=list[StrMessage]))
        )

    def add_operation(self, number: str, body: bytes) -> None:
        """Take a NUOp, within a transaction; its answers come later."""
        self._database.execute("INSERT INTO operations VALUES (?, ?, '[]')", (number, body))

    def answer(self, number: str, answers: list[StrMessage]) -> None:
        """Keep the answers of a NUOp and put them into the mail, within a transaction."""
        self._database.execute(
            "UPDATE operations SET answers = ? WHERE number = ?",
            (msgspec.json.encode(answers).decode(), number),
        )
        self.mail(answers)

    def mail(self, messages: Iterable[StrMessage]) -> None:
        """Put messages into the mail of their receivers, within a transaction."""
        self._database.executemany(
            "INSERT INTO mail (ispb, body) VALUES (?, ?)",
            [(each.receiver, write_message(each)) for each in messages],
        )

    def first_mail(self, ispb: str) -> tuple[int, bytes] | None:
        """The oldest message for a participant, and its number."""
        found = self._one(
            "SELECT number, body FROM mail WHERE ispb = ? ORDER BY number LIMIT 1", ispb
        )
        return None if found is None else (found[0], found[1])

    def confirm_mail(self, ispb: str, number: int) -> bool:
        """Forget a message that was fetched; False when there is none."""
        done = self._database.execute(
            "DELETE FROM mail WHERE ispb = ? AND number = ?", (ispb, number)
        )
        return done.rowcount == 1

    def set_automatic(self, ispb: str, rule: AutomaticRule) -> None:
        """Keep a participant's rule; the last one counts. Within a transaction."""
        self._database.execute(
            "INSERT OR REPLACE INTO automatic VALUES (?, ?)",
            (ispb, msgspec.json.encode(rule).decode()),
        )

    def automatic(self) -> dict[str, AutomaticRule]:
        """Every participant's rule."""
        rows = self._database.execute("SELECT ispb, rule FROM automatic ORDER BY ispb")
        return {ispb: msgspec.json.decode(rule, type=AutomaticRule) for ispb, rule in rows}

    def _orders(self, condition: str, *values: object) -> list[StrOrder]:
        rows = self._database.execute(
            "SELECT control_number, direction, pi_owner, str_owner, kind, amount_cents, message"  # noqa: S608 - constants
            f" FROM orders {condition}",
            values,
        )
        return [
            StrOrder(
                control_number=number,
                direction=direction,
                pi_owner=pi_owner,
                str_owner=str_owner,
                kind=kind,
                amount_cents=cents,
                message=msgspec.json.decode(message, type=StrMessage),
            )
            for number, direction, pi_owner, str_owner, kind, cents, message in rows
        ]

    def _one(self, statement: str, *values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._database.execute(statement, values).fetchone()
        return row
