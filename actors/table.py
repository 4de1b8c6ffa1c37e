"""Shared rows with an owner: the role of ETS (otp.md section 8).

Rows are tuples, the first element is the key. Everybody on the node may read without asking the
owner; who may write is the table's access. A table goes with its owner, before anybody hears of
the end, unless an heir takes it. There is no eviction: a cache needs its own.
"""

import bisect
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from actors.errors import NotAProcess, NotOwner, TableGone
from actors.identity import Pid
from actors.keys import strict
from actors.node import Node

Row: TypeAlias = tuple[Any, ...]


class TableKind(Enum):
    """How many rows a key has, and how keys compare."""

    SET = "set"
    """One row for each key."""
    ORDERED_SET = "ordered_set"
    """One row for each key, in key order; `1` and `1.0` are one key."""
    BAG = "bag"
    """Many rows for each key, none twice."""
    DUPLICATE_BAG = "duplicate_bag"
    """Many rows for each key."""


class Access(Enum):
    """Who may do what."""

    PUBLIC = "public"
    """Everybody reads and writes."""
    PROTECTED = "protected"
    """Everybody reads, the owner writes."""
    PRIVATE = "private"
    """The owner alone."""


@dataclass(frozen=True, slots=True)
class TableTransfer:
    """To the new owner of a table: it is yours.

    Attributes:
        table: Which one.
        previous: Whose it was.
    """

    table: "Table"
    previous: Pid


class Table:
    """Rows owned by the process that makes it.

    Args:
        node: Whose processes use it.
        kind: Keys and rows.
        access: Who may read and write.
        heir: Process that owns it next when the owner ends; None: the table goes.

    Raises:
        NotAProcess: There is no calling process to own it.
    """

    def __init__(
        self,
        node: Node,
        kind: TableKind = TableKind.SET,
        *,
        access: Access = Access.PROTECTED,
        heir: Pid | None = None,
    ) -> None:
        owner = node.current_pid()
        if owner is None:
            raise NotAProcess("Table")
        self._node = node
        self._kind = kind
        self._access = access
        self._heir = heir
        self._owner: Pid | None = None
        self._rows: dict[Hashable, list[Row]] = {}
        self._ordered: list[Any] = []
        self._own(owner)

    def __len__(self) -> int:
        self._check_read()
        return sum(map(len, self._rows.values()))

    @property
    def owner(self) -> Pid | None:
        """Whose it is; None when it is gone."""
        return self._owner

    def insert(self, *rows: Row) -> None:
        """Add rows, all or none; in a set the row of a known key is replaced.

        Raises:
            NotOwner: The access does not allow it.
            TableGone: The owner has ended.
        """
        self._check_write("insert")
        self._insert(self._check_keys(rows))

    def insert_new(self, *rows: Row) -> bool:
        """Add rows if none of their keys is there yet; all or none."""
        self._check_write("insert_new")
        checked = self._check_keys(rows)
        if any(key in self._rows for key, _ in checked):
            return False
        self._insert(checked)
        return True

    def lookup(self, key: Hashable) -> list[Row]:
        """Rows of a key, in the order they were added."""
        self._check_read()
        return list(self._rows.get(self._key(key), ()))

    def get(self, key: Hashable) -> Row | None:
        """The oldest row of a key."""
        self._check_read()
        rows = self._rows.get(self._key(key))
        return rows[0] if rows else None

    def delete(self, key: Hashable) -> None:
        """Take all rows of a key away."""
        self._check_write("delete")
        if self._rows.pop(self._key(key), None) and self._kind is TableKind.ORDERED_SET:
            del self._ordered[bisect.bisect_left(self._ordered, key)]

    def add_to_counter(
        self, key: Hashable, step: int, *, wrap: tuple[int, int] | None = None, default: int = 0
    ) -> int:
        """Add to the second element of a key's row, which is made when it is not there.

        Args:
            key: Which row.
            step: What to add.
            wrap: Threshold and what the counter becomes when it would pass it.
            default: Value before the first step.
        """
        self._check_write("add_to_counter")
        row = self.get(key) or (key, default)
        value = row[1] + step
        if wrap is not None and (value > wrap[0] if step >= 0 else value < wrap[0]):
            value = wrap[1]
        self._insert(self._check_keys([(row[0], value, *row[2:])]))
        return int(value)

    def rows(self) -> Iterator[Row]:
        """Rows that exist throughout are given once, whatever is deleted meanwhile."""
        self._check_read()
        keys = list(self._ordered or self._rows)
        for key in keys:
            yield from list(self._rows.get(key, ()))

    def first(self) -> Any:
        """Lowest key of an ordered set; None when it is empty."""
        self._check_read()
        return self._ordered[0] if self._ordered else None

    def next(self, key: Any) -> Any:
        """The key after this one, which need not be there; None at the end."""
        self._check_read()
        index = bisect.bisect_right(self._ordered, key)
        return self._ordered[index] if index < len(self._ordered) else None

    def give_away(self, pid: Pid) -> None:
        """Make another process the owner; it gets a `TableTransfer`.

        Raises:
            NotOwner: The caller is not the owner.
            NoProcess: The new one is not alive.
        """
        previous = self._owner
        if previous is None or self._node.current_pid() != previous:
            raise NotOwner(previous, "give_away")
        self._own(pid)
        self._node.notify(pid, TableTransfer(self, previous))

    def _own(self, pid: Pid) -> None:
        self._node.on_exit(lambda: self._owner_ended(pid), pid=pid)
        self._owner = pid

    def _owner_ended(self, pid: Pid) -> None:
        if self._owner != pid:
            return  # given away since
        self._owner = None
        heir = self._heir
        if heir is not None and self._node.is_alive(heir):
            self._own(heir)
            self._node.notify(heir, TableTransfer(self, pid))
        else:
            self._rows.clear()
            self._ordered.clear()

    def _key(self, key: Hashable) -> Hashable:
        return key if self._kind is TableKind.ORDERED_SET else strict(key)

    def _check_keys(self, rows: Iterable[Row]) -> list[tuple[Hashable, Row]]:
        checked = [(self._key(row[0]), row) for row in rows]
        for key, _ in checked:
            hash(key)  # before the first row is added: all or none
        if self._kind is TableKind.ORDERED_SET:
            sorted([*self._ordered[:1], *(row[0] for _, row in checked)])  # they have an order
        return checked

    def _insert(self, rows: list[tuple[Hashable, Row]]) -> None:
        for key, row in rows:
            known = self._rows.get(key)
            if known is None:
                self._rows[key] = [row]
                if self._kind is TableKind.ORDERED_SET:
                    bisect.insort(self._ordered, key)
            elif self._kind in {TableKind.SET, TableKind.ORDERED_SET}:
                self._rows[key] = [row]
            elif self._kind is TableKind.DUPLICATE_BAG or row not in known:
                known.append(row)

    def _check_read(self) -> None:
        if self._owner is None:
            raise TableGone
        if self._access is Access.PRIVATE and self._node.current_pid() != self._owner:
            raise NotOwner(self._owner, "read")

    def _check_write(self, operation: str) -> None:
        if self._owner is None:
            raise TableGone
        writer = self._node.current_pid()  # ends a zombie here
        if self._access is not Access.PUBLIC and writer != self._owner:
            raise NotOwner(self._owner, operation)
