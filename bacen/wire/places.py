"""Where the fields of a struct stand, read off its annotations.

A field that holds one struct is looked through: its fields stand below its own place. A field that
holds a tuple of structs is a place of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from bacen.wire.part import At


@dataclass(frozen=True, slots=True)
class Place:
    """One field that stands at one element.

    Attributes:
        path: Elements from the outermost struct.
        names: Fields to go through, from the outermost struct.
        owner: Struct that the field is of.
        root: Where the element of that struct stands; empty for the outermost.
        type: What it holds, or what the tuple in it holds.
        is_optional: None is allowed.
        is_many: It holds a tuple.
        at: What the annotation says.
    """

    path: str
    names: tuple[str, ...]
    owner: type
    root: str
    type: type
    is_optional: bool
    is_many: bool
    at: At

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def is_struct(self) -> bool:
        return issubclass(self.type, msgspec.Struct)

    @property
    def is_mount(self) -> bool:
        """Whether the fields of a struct stand below, each at a place of its own."""
        return self.is_struct and not self.is_many


def places_of(struct: type, above: Place | None = None) -> Iterator[Place]:
    """Give the place of each field of a struct, a part before its own fields.

    Raises:
        TypeError: A field's type is none that a message can hold.
    """
    for name, hint in get_type_hints(struct, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            continue
        at = next(each for each in hint.__metadata__ if isinstance(each, At))
        for path in (at.path, *at.elsewhere):
            place = _place(struct, name, hint.__origin__, replace(at, path=path), above)
            yield place
            if place.is_mount:
                yield from places_of(place.type, place)


def _place(struct: type, name: str, hint: Any, at: At, above: Place | None) -> Place:
    is_optional = get_origin(hint) in (Union, UnionType)
    if is_optional:
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    is_many = get_origin(hint) is tuple
    if is_many:
        (hint,) = {each for each in get_args(hint) if each is not Ellipsis}
    if not isinstance(hint, type):
        raise TypeError(f"{struct.__name__}.{name} can stand in no message")
    root, names = ("", ()) if above is None else (above.path, above.names)
    path = f"{root}/{at.path}".lstrip("/")
    return Place(path, (*names, name), struct, root, hint, is_optional, is_many, at)
