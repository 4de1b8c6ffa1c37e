"""Shared rows with an owner: the role of ETS (docs/tables.md).

Rows are tuples, the first element is the key. Everybody on the node may read without asking the
owner; who may write is the table's access. A table goes with its owner, before anybody hears of
the end, unless an heir takes it.

Every change passes through `_put` and `_drop`, whole rows by key: that is all a copy on another
node would have to be told.
"""

import sys
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from actors.clock import TimerHandle
from actors.errors import InvalidTable, NotAProcess, NotOwner, TableGone, WrongTableKind
from actors.identity import Pid
from actors.keys import LOOSE
from actors.node import Node
from actors.patterns import ANY, Bindings, Pattern, Template
from actors.table_rows import Place, Row, TableKind, TableRows
from actors.telemetry import Event

SIZE: Final[Event] = ("table", "size")
SIZE_PAUSE_MS: Final = 1_000  # a table reports its size at most this often
SWEEP_KEYS_MAX: Final = 1_000  # expired keys taken away at once: about a millisecond
SWEEP_PAUSE_MS: Final = 100  # between sweeps that have caught up

_NS_PER_MS: Final = 1_000_000


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


class Continuation(NamedTuple):
    """Where `Table.select_more` goes on; made by a selection, and may be used twice."""

    template: Template
    limit: int
    place: Place


class Selection(NamedTuple):
    """Rows that fit a pattern, or one page of them.

    Attributes:
        rows: In key order in an ordered set, else in the order their keys were added.
        more: For `Table.select_more`; None when every row was looked at.
    """

    rows: list[Row]
    more: Continuation | None


class Table:
    """Rows owned by the process that makes it.

    Args:
        node: Whose processes use it.
        kind: Keys and rows.
        name: For telemetry: a table that has one reports its size as `("table", "size")` at most
            every second, when it has changed.
        access: Who may read and write.
        heir: Process that owns it next when the owner ends; None: the table goes.
        ttl_ms: The rows of a key go together, this long after its last write; None: they stay.
            Exact for readers, by the node's clock.

    Raises:
        InvalidTable: An option is wrong.
        NotAProcess: There is no calling process to own it.
    """

    def __init__(
        self,
        node: Node,
        kind: TableKind = TableKind.SET,
        *,
        name: str = "",
        access: Access = Access.PROTECTED,
        heir: Pid | None = None,
        ttl_ms: int | None = None,
    ) -> None:
        owner = node.current_pid()
        if owner is None:
            raise NotAProcess("Table")
        if ttl_ms is not None and ttl_ms <= 0:
            raise InvalidTable("ttl_ms", "must be more than 0")
        self._node = node
        self._kind = kind
        self._name = name
        self._access = access
        self._heir = heir
        self._owner: Pid | None = None
        self._rows = TableRows(kind)
        self._ttl_ns = None if ttl_ms is None else ttl_ms * _NS_PER_MS
        # When a key goes; oldest write first, as all keys live equally long.
        self._expiries: dict[Hashable, int] = {}
        self._sweeper: TimerHandle | None = None
        self._reporter: TimerHandle | None = None
        # What reading needs, one step away: every step would cost a tenth of a lookup.
        self._by_key = self._rows.by_key
        self._loose = frozenset() if kind is TableKind.ORDERED_SET else LOOSE
        self._is_guarded = False
        self._own(owner)

    def __len__(self) -> int:
        self._check_read()
        self._drop_expired()
        return self._rows.size

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
        for key, row in self._rows.check(rows):
            self._put(key, row)

    def insert_new(self, *rows: Row) -> bool:
        """Add rows if none of their keys is there yet; all or none."""
        self._check_write("insert_new")
        checked = self._rows.check(rows)
        if any(self._find(key) is not None for key, _ in checked):
            return False
        for key, row in checked:
            self._put(key, row)
        return True

    def lookup(self, key: Hashable) -> list[Row]:
        """Rows of a key, in the order they were added."""
        if type(key) in self._loose:
            key = (type(key), key)
        if self._is_guarded:
            self._guard(key)
        rows = self._by_key.get(key)
        return [] if rows is None else rows[:]

    def get(self, key: Hashable) -> Row | None:
        """The oldest row of a key."""
        if type(key) in self._loose:
            key = (type(key), key)
        if self._is_guarded:
            self._guard(key)
        rows = self._by_key.get(key)
        return None if rows is None else rows[0]

    def delete(self, key: Hashable) -> None:
        """Take all rows of a key away."""
        self._check_write("delete")
        self._drop(self._rows.key(key))

    def add_to_counter(
        self, key: Hashable, step: int, *, wrap: tuple[int, int] | None = None, default: int = 0
    ) -> int:
        """Add to the second element of a key's row, which is made when it is not there.

        Args:
            key: Which row.
            step: What to add.
            wrap: Threshold and what the counter becomes when it would pass it.
            default: Value before the first step.

        Raises:
            WrongTableKind: A bag has many rows for a key.
        """
        self._check_write("add_to_counter")
        if self._kind not in {TableKind.SET, TableKind.ORDERED_SET}:
            raise WrongTableKind(self._kind.value, "add_to_counter")
        row = self.get(key) or (key, default)
        value = row[1] + step
        if wrap is not None and (value > wrap[0] if step >= 0 else value < wrap[0]):
            value = wrap[1]
        for stored, counted in self._rows.check([(row[0], value, *row[2:])]):
            self._put(stored, counted)
        return int(value)

    def rows(self) -> Iterator[Row]:
        """Rows that exist throughout are given once, whatever is added or deleted meanwhile."""
        self._check_read()
        for key in self._rows.stored_keys():
            yield from list(self._find(key) or ())

    def match(self, pattern: Pattern) -> list[Bindings]:
        """What the names of a pattern mean in each row that fits.

        `table.match((Var("id"), "open", ANY))` gives `[{"id": 1}, {"id": 7}]`. A pattern without
        `ANY` or `Var` in its key looks at the rows of that key only.
        """
        template = Template(pattern)
        self._check_read()
        self._drop_expired()
        found = map(template.bindings, self._rows.every(self._begin(template)))
        return [bindings for bindings in found if bindings is not None]

    def select(self, pattern: Pattern = ANY, *, limit: int | None = None) -> Selection:
        """Rows that fit a pattern, all of them or the first page.

        Args:
            pattern: What a row must be like.
            limit: Rows of a page; None: all at once. Between pages the table may change: a row
                that exists throughout is given exactly once. The last page may be empty.

        Raises:
            InvalidTable: The limit is not positive.
        """
        if limit is not None and limit <= 0:
            raise InvalidTable("limit", "must be more than 0")
        template = Template(pattern)
        self._check_read()
        if limit is None and pattern is ANY:
            self._drop_expired()
            return Selection(list(self._rows.every(self._rows.begin())), None)
        return self.select_more(Continuation(template, limit or sys.maxsize, self._begin(template)))

    def select_more(self, continuation: Continuation) -> Selection:
        """The next page of a selection."""
        self._check_read()
        self._drop_expired()
        template, limit, place = continuation
        found, next_place = self._rows.walk(template.fits, place, limit)
        more = None if next_place is None else Continuation(template, limit, next_place)
        return Selection(found, more)

    def _begin(self, template: Template) -> Place:
        return self._rows.begin_at(template.key) if template.has_key else self._rows.begin()

    def first(self) -> Any:
        """Lowest key of an ordered set; None when it is empty.

        Raises:
            WrongTableKind: Other tables have no order.
        """
        self._check_order("first")
        return self._rows.first()

    def next(self, key: Any) -> Any:
        """The key after this one, which need not be there; None at the end.

        Raises:
            WrongTableKind: Only an ordered set has an order.
        """
        self._check_order("next")
        return self._rows.after(key)

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

    # Owner and access

    def _own(self, pid: Pid) -> None:
        self._node.on_exit(lambda: self._owner_ended(pid), pid=pid)
        self._owner = pid
        self._is_guarded = self._access is Access.PRIVATE or self._ttl_ns is not None

    def _owner_ended(self, pid: Pid) -> None:
        if self._owner != pid:
            return  # given away since
        self._owner = None
        heir = self._heir
        if heir is not None and self._node.is_alive(heir):
            self._own(heir)
            self._node.notify(heir, TableTransfer(self, pid))
        else:
            self._end()

    def _end(self) -> None:
        self._is_guarded = True
        self._rows.clear()
        self._expiries.clear()
        for timer in (self._sweeper, self._reporter):
            if timer is not None:
                timer.cancel()
        if self._name:
            self._report()

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

    def _check_order(self, operation: str) -> None:
        if self._kind is not TableKind.ORDERED_SET:
            raise WrongTableKind(self._kind.value, operation)
        self._check_read()
        self._drop_expired()

    # Changes

    def _put(self, key: Hashable, row: Row) -> None:
        if self._ttl_ns is not None:
            self._find(key)  # rows of a bag that have expired do not come back with the new one
            self._expiries.pop(key, None)
            self._expiries[key] = self._node.clock.monotonic_ns() + self._ttl_ns
            if self._sweeper is None:
                self._sweep_after(self._ttl_ns)
        self._rows.add(key, row)
        self._changed()

    def _drop(self, key: Hashable) -> None:
        if self._rows.remove(key):
            self._expiries.pop(key, None)
            self._changed()

    # Expiry

    def _guard(self, key: Hashable) -> None:
        self._check_read()
        self._find(key)

    def _find(self, key: Hashable) -> list[Row] | None:
        """Rows of a stored key that have not expired."""
        expires_ns = self._expiries.get(key)
        if expires_ns is not None and expires_ns <= self._node.clock.monotonic_ns():
            self._drop(key)
        return self._by_key.get(key)

    def _drop_expired(self, keys_max: int = sys.maxsize) -> None:
        """Drop expired keys, oldest first."""
        now_ns = self._node.clock.monotonic_ns() if self._expiries else 0
        while self._expiries and keys_max:
            key, expires_ns = next(iter(self._expiries.items()))
            if expires_ns > now_ns:
                return
            self._drop(key)
            keys_max -= 1

    def _sweep(self) -> None:
        self._sweeper = None
        self._drop_expired(SWEEP_KEYS_MAX)
        if self._expiries:
            oldest_ns = next(iter(self._expiries.values()))
            self._sweep_after(oldest_ns - self._node.clock.monotonic_ns())

    def _sweep_after(self, wait_ns: int) -> None:
        """Sweep when the oldest key is due: with a backlog at once, else with a pause between."""
        wait_ms = -(-wait_ns // _NS_PER_MS)
        pause_ms = max(wait_ms, SWEEP_PAUSE_MS) if wait_ms > 0 else 0
        self._sweeper = self._node.clock.call_later(pause_ms, self._sweep)

    # Size

    def _changed(self) -> None:
        if self._name and self._reporter is None:
            self._reporter = self._node.clock.call_later(SIZE_PAUSE_MS, self._report)

    def _report(self) -> None:
        self._reporter = None
        self._node.telemetry.execute(
            SIZE,
            {"rows": self._rows.size, "keys": len(self._by_key)},
            {"table": self._name, "kind": self._kind.value, "owner": self._owner},
        )
