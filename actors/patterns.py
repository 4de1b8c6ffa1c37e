"""Simple patterns for rows: values, a wildcard, and names that must mean the same throughout."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from actors.keys import LOOSE


class Wildcard(Enum):
    """Type of `ANY`."""

    ANY = "any"


ANY: Final = Wildcard.ANY
"""In a pattern: whatever is there. As a pattern: every row."""


@dataclass(frozen=True, slots=True)
class Var:
    """In a pattern: whatever is there, by a name; the same name twice must meet equal values.

    Attributes:
        name: Key of the value in what `Table.match` gives.
    """

    name: str


Pattern: TypeAlias = tuple[Any, ...] | Wildcard
"""A row with wildcards and names in some places, also inside tuples of it; or `ANY`."""

Bindings: TypeAlias = dict[str, Any]


class Template:
    """A pattern, taken apart once, to be held against many rows.

    Args:
        pattern: What rows must be like.

    Attributes:
        has_key: The pattern names one key. It is found, not compared, so that it means the same
            as in a lookup.
        key: That key.
    """

    __slots__ = ("_length", "_names", "_nested", "_values", "has_key", "key")

    def __init__(self, pattern: Pattern) -> None:
        self._values: list[tuple[int, Any]] = []
        self._nested: list[tuple[int, tuple[Any, ...]]] = []
        self._names: list[tuple[int, str]] = []
        parts = () if pattern is ANY else pattern
        self._length = None if pattern is ANY else len(parts)
        self.has_key = bool(parts) and _is_ground(parts[0])
        self.key: Any = parts[0] if self.has_key else None
        for index, part in enumerate(parts):
            if part is ANY or (self.has_key and index == 0):
                continue
            if isinstance(part, Var):
                self._names.append((index, part.name))
            elif isinstance(part, tuple):
                self._nested.append((index, part))
            else:
                self._values.append((index, part))

    def fits(self, row: tuple[Any, ...]) -> bool:
        """The row is like this."""
        return self.bindings(row) is not None

    def bindings(self, row: tuple[Any, ...]) -> Bindings | None:
        """What the names mean in a row; None when it does not fit."""
        bindings: Bindings = {}
        if self._length is None:
            return bindings
        if self._length != len(row):
            return None
        for index, value in self._values:  # what fails most often comes first
            if not _equals(value, row[index]):
                return None
        for index, part in self._nested:
            if not _fits(part, row[index], bindings):
                return None
        for index, name in self._names:
            if not _bind(name, row[index], bindings):
                return None
        return bindings


def _is_ground(pattern: object) -> bool:
    """The pattern stands for one value only."""
    if isinstance(pattern, tuple):
        return all(map(_is_ground, pattern))
    return pattern is not ANY and not isinstance(pattern, Var)


def _fits(pattern: Any, value: Any, bindings: Bindings) -> bool:
    if pattern is ANY:
        return True
    if isinstance(pattern, Var):
        return _bind(pattern.name, value, bindings)
    if isinstance(pattern, tuple) and isinstance(value, tuple):
        return len(pattern) == len(value) and all(
            _fits(part, element, bindings) for part, element in zip(pattern, value, strict=True)
        )
    return _equals(pattern, value)


def _bind(name: str, value: Any, bindings: Bindings) -> bool:
    if name in bindings:
        return _equals(bindings[name], value)
    bindings[name] = value
    return True


def _equals(left: Any, right: Any) -> bool:
    """Equal, and the same kind of number, inside tuples as well."""
    if left != right:
        return False
    if isinstance(left, tuple) and isinstance(right, tuple):
        return all(map(_equals, left, right))
    return type(left) is type(right) or not (type(left) in LOOSE or type(right) in LOOSE)
