"""One element of a layout: how it is written, and by which pattern it is read."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from bacen.wire.grammar import TEXT, element, optional
from bacen.wire.kinds import Kind
from bacen.wire.schema import UNBOUNDED

ONCE: Final = (1, 1)
_PLAIN: Final = r"[^<>\r]*"  # inside a repeated part nothing is captured


class PartText(Protocol):
    """What stands in an element that holds a struct (`bacen.wire.layout.PartLayout`)."""

    def write(self, part: Any) -> str:
        """Write it."""
        ...

    def pattern(self, *, captures: bool) -> str:
        """Pattern of it."""
        ...

    def read(self, groups: Sequence[str | None], place: str) -> Any:
        """Build the struct out of the groups of the pattern."""
        ...


@dataclass(frozen=True)
class Element:
    """One element of a message.

    Attributes:
        name: Local name.
        attributes: Those that it always has, as text.
        times: Fewest and most, -1 for no end.
        path: Where it stands, from the element of the layout's struct.
        text: What always stands in it; None where something else does.
        kind: Of the value of a field that stands in it.
        part: Layout of the struct that stands in it, where there may be several.
        children: What stands in it otherwise.
        slots: Paths, here and below, at which fields stand.
    """

    name: str
    attributes: str
    times: tuple[int, int]
    path: str
    text: str | None = None
    kind: Kind | None = None
    part: "PartText | None" = None
    children: tuple["Element", ...] = ()
    slots: tuple[str, ...] = ()

    @property
    def is_many(self) -> bool:
        return self.times[1] != 1

    @property
    def is_slot(self) -> bool:
        return self.kind is not None or self.part is not None

    def pieces(self) -> Iterator["str | Element"]:
        """Give the texts that always stand there, and the elements that are written one by one."""
        if self.is_slot or self.times != ONCE:
            yield self
        elif self.text is not None:
            yield self._wrapped(self.text)
        else:
            yield f"<{self.name}>"
            for child in self.children:
                yield from child.pieces()
            yield f"</{self.name}>"

    def write(self, values: Mapping[str, Any]) -> str:
        """Write the element with the values at its paths; nothing where it is absent."""
        if self.kind is not None and not self.is_many:
            value = values[self.path]
            return "" if value is None else self._wrapped(self.kind.write(value))
        if self.is_slot:
            return "".join(map(self._written, values[self.path]))
        if all(values[slot] in (None, ()) for slot in self.slots):
            return ""
        return self._wrapped(self._inside.write(values))

    @cached_property
    def _inside(self) -> "Pieces":
        return Pieces(self.children)

    def pattern(self, *, captures: bool) -> str:
        """Pattern of the canonical text; what stands at a slot is a group where it captures."""
        if self.text is not None:
            inner = re.escape(self.text)
        elif self.part is not None:
            inner = self.part.pattern(captures=False)
        elif self.kind is not None:
            inner = TEXT if captures and not self.is_many else _PLAIN
        else:
            inner = "".join(child.pattern(captures=captures) for child in self.children)
        one = element(self.name, inner, attributes=self.attributes)
        if not self.is_many:
            return one if self.times[0] else optional(one)
        least, most = self.times
        many = f"(?:{one}){{{least},{'' if most == UNBOUNDED else most}}}"
        return f"({many})" if captures else many

    def reader(self) -> Callable[[str, str], Any]:
        """Give what reads that which a group of the pattern captured."""
        if self.is_many:
            return self._read_many
        assert self.kind is not None  # parts are always many
        return self.kind.read

    def _read_many(self, raw: str, path: str) -> Any:
        found = list(self._each.finditer(raw))
        several = len(found) > 1
        places = [f"{path}[{number + 1}]" if several else path for number in range(len(found))]
        each_at = zip(found, places, strict=True)
        if self.part is not None:
            read_part = self.part.read
            return tuple([read_part(each.groups(), place) for each, place in each_at])
        assert self.kind is not None  # else it is a part
        read = self.kind.read
        return tuple([read(each[1], place) for each, place in each_at])

    @cached_property
    def _each(self) -> re.Pattern[str]:
        inner = TEXT if self.part is None else self.part.pattern(captures=True)
        return re.compile(element(self.name, inner, attributes=self.attributes))

    def _written(self, value: Any) -> str:
        if self.part is not None:
            return self._wrapped(self.part.write(value))
        assert self.kind is not None  # a slot holds values or parts
        return self._wrapped(self.kind.write(value))

    def _wrapped(self, inner: str) -> str:
        return f"<{self.name}{self.attributes}>{inner}</{self.name}>"


class Pieces:
    """Elements in a row, the texts between their values joined."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._rows: list[tuple[str, Element]] = []
        text = ""
        for piece in (piece for each in elements for piece in each.pieces()):
            if isinstance(piece, str):
                text += piece
            else:
                self._rows.append((text, piece))
                text = ""
        self._end = text

    def write(self, values: Mapping[str, Any]) -> str:
        written = [f"{text}{each.write(values)}" for text, each in self._rows]
        return f"{''.join(written)}{self._end}"
