"""The rows of a table and how they are found; who may touch them is the table's business.

A key has a list of rows, which only grows until the key goes as a whole. So a walk that stopped in
the middle of a list knows by the identity of the list whether its place is still good.
"""

import bisect
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from actors.keys import strict

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


class Place(NamedTuple):
    """Where a walk goes on.

    Attributes:
        keys: Keys to look at; None: all of an ordered set, which goes on after `key` and needs no
            copy.
        number: Index of `key` in `keys`.
        key: The key whose rows were looked at last.
        rows: Its rows; None: the walk begins.
        offset: How many of them were passed.
    """

    keys: Sequence[Hashable] | None
    number: int = 0
    key: Any = None
    rows: list[Row] | None = None
    offset: int = 0


class TableRows:
    """Rows by key, in the order their keys were first added, or in key order.

    Args:
        kind: Keys and rows.

    Attributes:
        by_key: Rows of each key, never an empty list.
        size: Number of rows.
    """

    __slots__ = ("_is_single", "_kind", "_order", "by_key", "size")

    def __init__(self, kind: TableKind) -> None:
        self._kind = kind
        self._is_single = kind in {TableKind.SET, TableKind.ORDERED_SET}
        self._order: list[Any] | None = [] if kind is TableKind.ORDERED_SET else None
        self.by_key: dict[Hashable, list[Row]] = {}
        self.size = 0

    def key(self, key: Hashable) -> Hashable:
        """What a key is stored under."""
        return strict(key) if self._order is None else key

    def check(self, rows: Iterable[Row]) -> list[tuple[Hashable, Row]]:
        """Rows with their keys, or `TypeError` before the first is added: all or none."""
        checked = [(self.key(row[0]), row) for row in rows]
        for key, _ in checked:
            hash(key)
        if self._order is not None:
            sorted([*self._order[:1], *(row[0] for _, row in checked)])  # they have an order
        return checked

    def add(self, key: Hashable, row: Row) -> None:
        """Add a checked row."""
        known = self.by_key.get(key)
        if known is None:
            self.by_key[key] = [row]
            if self._order is not None:
                bisect.insort(self._order, key)
        elif self._is_single:
            self.by_key[key] = [row]
            return
        elif self._kind is TableKind.DUPLICATE_BAG or row not in known:
            known.append(row)
        else:
            return
        self.size += 1

    def remove(self, key: Hashable) -> bool:
        """Take all rows of a stored key away; False when there are none."""
        rows = self.by_key.pop(key, None)
        if rows is None:
            return False
        self.size -= len(rows)
        if self._order is not None:
            del self._order[bisect.bisect_left(self._order, key)]
        return True

    def clear(self) -> None:
        """Forget everything."""
        self.by_key.clear()
        self.size = 0
        if self._order is not None:
            self._order.clear()

    def first(self) -> Any:
        """Lowest key of an ordered set; None when it is empty."""
        assert self._order is not None
        return self._order[0] if self._order else None

    def after(self, key: Any) -> Any:
        """The key after this one in an ordered set; None at the end."""
        assert self._order is not None
        index = bisect.bisect_right(self._order, key)
        return self._order[index] if index < len(self._order) else None

    def stored_keys(self) -> list[Hashable]:
        """A copy of the keys."""
        return list(self.by_key if self._order is None else self._order)

    def begin(self) -> Place:
        """Where a walk over all rows begins."""
        return Place(self.stored_keys() if self._order is None else None)

    def begin_at(self, key: Hashable) -> Place:
        """Where a walk over the rows of one key begins."""
        return Place((self.key(key),))

    def walk(
        self, fits: Callable[[Row], bool], place: Place, limit: int
    ) -> tuple[list[Row], Place | None]:
        """Up to `limit` rows that fit, and where to go on; no place: all rows were seen."""
        found: list[Row] = []
        for number, key, rows, offset in self._from(place):
            for passed in range(offset, len(rows)):
                if fits(rows[passed]):
                    found.append(rows[passed])
                    if len(found) == limit:
                        return found, Place(place.keys, number, key, rows, passed + 1)
        return found, None

    def every(self, place: Place) -> Iterator[Row]:
        """All rows from a place on, while nothing changes."""
        for _, _, rows, offset in self._from(place):
            yield from rows[offset:] if offset else rows

    def _from(self, place: Place) -> Iterator[tuple[int, Any, list[Row], int]]:
        """Keys that are still there, with their rows and how many of them were passed."""
        is_begun = place.rows is not None
        if place.keys is None:
            assert self._order is not None
            start = bisect.bisect_right(self._order, place.key) if is_begun else 0
            for number in range(start, len(self._order)):
                key = self._order[number]
                yield number, key, self.by_key[key], 0
            return
        if place.rows is not None and self.by_key.get(place.key) is place.rows:
            yield place.number, place.key, place.rows, place.offset
        # Had the key gone meanwhile, its rows would not have been there throughout.
        for number in range(place.number + is_begun, len(place.keys)):
            key = place.keys[number]
            rows = self.by_key.get(key)
            if rows is not None:
                yield number, key, rows, 0
