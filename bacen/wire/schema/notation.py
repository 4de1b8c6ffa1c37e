r"""Content of an element as one line of text, and that line as a tree.

`GrpHdr:GroupHeader93 TxInf+(RtrId:_ReturnId Rsn?(Cd:_Code))` is a sequence of two elements: the
first of a named type, the second repeated and written out. The signs:

| Sign | Meaning |
|---|---|
| `Name:Type` | element of a named type |
| `Name(...)` | element with the content in brackets |
| `Name` | element that is declared for the whole namespace |
| `(a \| b)` | one of them; `(a b)` a group |
| `?` `*` `+` `{2}` `{1,2}` | how often, after the name or the group; once without |
| `#other` `#any` `#signature` | any element of another, any, or the signature's namespace |
| `#other~` | the same, and an element that no schema knows is let through |
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

UNBOUNDED: Final = -1

_SIGN = re.compile(r"\s*([A-Za-z_][\w.-]*|#\w+~?|\{\d(?:,\d)?\}|[()|:?*+])")
_TIMES: Final = {"?": (0, 1), "*": (0, UNBOUNDED), "+": (1, UNBOUNDED)}


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element of the content.

    Attributes:
        name: Local name.
        type: Name of its type; None where the whole namespace declares the element.
        content: What is written out instead of a type.
    """

    name: str
    type: str | None
    content: "Particle | None" = None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Any element of some namespaces.

    Attributes:
        namespaces: `other`, `any` or `signature`.
        is_lax: An element that no schema declares is let through.
    """

    namespaces: str
    is_lax: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Parts in a row, or a choice of them."""

    parts: tuple["Particle", ...]
    is_choice: bool


@dataclass(frozen=True, slots=True)
class Repeated:
    """A part that stands there from `least` to `most` times."""

    part: "Particle"
    least: int
    most: int


Particle = Leaf | Wildcard | Group | Repeated


def parse_content(text: str) -> Particle:
    """Read a line of the notation.

    Raises:
        ValueError: It breaks the notation.
    """
    return _Reader(text).group(end="")


class _Reader:
    """One walk over the signs of a line."""

    def __init__(self, text: str) -> None:
        self._signs = list(_signs(text))
        self._at = 0

    def group(self, end: str) -> Particle:
        """Read parts up to the closing sign and over it."""
        parts: list[Particle] = []
        is_choice = False
        while (sign := self._next()) != end:
            if sign == "|":
                is_choice = True
            else:
                parts.append(self._part(sign))
        return Group(tuple(parts), is_choice)

    def _part(self, sign: str) -> Particle:
        if sign == "(":
            return self._times(self.group(end=")"))
        if sign.startswith("#"):
            return self._times(Wildcard(sign.strip("#~"), sign.endswith("~")))
        if not sign or not (sign[0].isalpha() or sign[0] == "_"):
            raise ValueError(f"{sign!r} cannot stand here")
        times = self._peeked_times()
        if self._peek() == ":":
            self._next()
            leaf = Leaf(sign, self._next())
        elif self._peek() == "(":
            self._next()
            leaf = Leaf(sign, None, self.group(end=")"))
        else:
            leaf = Leaf(sign, None)
        return leaf if times == (1, 1) else Repeated(leaf, *times)

    def _times(self, part: Particle) -> Particle:
        times = self._peeked_times()
        return part if times == (1, 1) else Repeated(part, *times)

    def _peeked_times(self) -> tuple[int, int]:
        sign = self._peek()
        if sign in _TIMES:
            return _TIMES[self._next()]
        if sign.startswith("{"):
            least, _, most = self._next().strip("{}").partition(",")
            return int(least), int(most or least)
        return 1, 1

    def _peek(self) -> str:
        return self._signs[self._at] if self._at < len(self._signs) else ""

    def _next(self) -> str:
        if self._at == len(self._signs):
            raise ValueError("the line ends too early")
        sign = self._signs[self._at]
        self._at += 1
        return sign


def _signs(text: str) -> Iterator[str]:
    """Cut a line into its signs and names, and end it with an empty one."""
    at = 0
    while text[at:].strip():
        found = _SIGN.match(text, at)
        if found is None:
            raise ValueError(f"not the notation: {text[at : at + 20]!r}")
        yield found[1]
        at = found.end()
    yield ""
