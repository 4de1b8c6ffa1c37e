"""Simple types: a built-in type of XML Schema and the facets that narrow it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bacen.wire.schema.lexical import BUILT_IN, collapse, digits_of

Broken = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Facets:
    """One restriction of a simple type, as the tables write it.

    Attributes:
        base: Name of a built-in type or of one in the same table.
        pattern: Whole value; only signs that mean the same to Python and to XML Schema.
        least: Fewest characters.
        most: Most characters.
        values: The only values, parted by spaces.
        digits: Most digits, and most of them in the fraction; no value below zero.
    """

    base: str = "string"
    pattern: str | None = None
    least: int | None = None
    most: int | None = None
    values: str = ""
    digits: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A simple type that is ready to check text.

    Attributes:
        name: Clark name; of a type without one the name in the table.
        built_in: The built-in type at the bottom.
        bases: Clark names of the type and of all it comes from.
        is_value: Says whether text is a value of the built-in type.
        facets: Restrictions, the outermost first.
        patterns: Those that the whole value must match.
        values: Sets that the value must be in.
        is_collapsed: White space around the value does not count. libxml2 takes it away where a
            facet narrows the built-in type, and leaves it to the built-in type where none does.
    """

    name: str
    built_in: str
    bases: frozenset[str]
    is_value: Callable[[str], bool]
    facets: tuple[Facets, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()
    values: tuple[frozenset[str], ...] = ()
    is_collapsed: bool = False

    def is_bare(self, text: str) -> bool:
        """Say whether no white space stands around the text that does not count."""
        return not self.is_collapsed or collapse(text) == text

    def broken(self, text: str) -> Broken | None:
        """Find the first rule that this text breaks; None where it is a value of the type."""
        value = collapse(text) if self.is_collapsed else text
        for pattern in self.patterns:
            if pattern.fullmatch(value) is None:
                return "pattern", f"must match {pattern.pattern}"
        if not self.is_value(value):
            return "value", f"must be a value of xs:{self.built_in}"
        for each in self.facets:
            found = _length_broken(each, value) or _digits_broken(each, value)
            if found is not None:
                return found
        for values in self.values:
            if value not in values:
                return "enumeration", f"must be one of {' '.join(sorted(values))}"
        return None


def built_in(name: str, namespace: str) -> SimpleType:
    """Give a built-in type under its Clark name in the namespace of XML Schema."""
    base, is_value = BUILT_IN[name]
    bases = {name, base}
    while base in BUILT_IN:
        base = BUILT_IN[base][0]
        bases.add(base)
    return SimpleType(
        f"{{{namespace}}}{name}",
        name,
        frozenset(f"{{{namespace}}}{each}" for each in bases),
        is_value,
    )


def restrict(base: SimpleType, name: str, facets: Facets) -> SimpleType:
    """Narrow a type."""
    pattern = () if facets.pattern is None else (re.compile(facets.pattern),)
    values = (frozenset(facets.values.split()),) if facets.values else ()
    return SimpleType(
        name,
        base.built_in,
        base.bases | {name},
        base.is_value,
        (facets, *base.facets),
        pattern + base.patterns,
        values + base.values,
        is_collapsed=base.is_collapsed or _is_collapsed(base, facets),
    )


def _is_collapsed(base: SimpleType, facets: Facets) -> bool:
    return base.built_in != "string" and facets != Facets(facets.base)


def _length_broken(facets: Facets, value: str) -> Broken | None:
    if facets.least is not None and len(value) < facets.least:
        return "min_length", f"must have {facets.least} characters or more"
    if facets.most is not None and len(value) > facets.most:
        return "max_length", f"must have {facets.most} characters or fewer"
    return None


def _digits_broken(facets: Facets, value: str) -> Broken | None:
    if facets.digits is None:
        return None
    digits, fraction_digits, is_negative = digits_of(value)
    if digits > facets.digits[0]:
        return "total_digits", f"must have {facets.digits[0]} digits or fewer"
    if fraction_digits > facets.digits[1]:
        return "fraction_digits", f"must have {facets.digits[1]} decimals or fewer"
    if is_negative:
        return "min_inclusive", "must be 0 or more"
    return None
