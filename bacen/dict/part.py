"""A struct of the DICT API that checks itself, and the plan of its fields.

The plan is worked out once a class from its type hints; the check here, the XML of `document` and
the parameters of `exchange` all follow it. So a struct is the whole definition of its element.
"""

import types
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from bacen import InvalidMessage
from bacen.dict.forms import Form, choice_form


@dataclass(frozen=True, slots=True)
class Items:
    """The field is a list: an element that wraps one element of this tag for each item."""

    tag: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """The field is an attribute of this name, not an element."""

    name: str


@dataclass(frozen=True, slots=True)
class Header:
    """The field of a request is an HTTP header of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Content:
    """The field is the text of the element itself."""


Place = Items | Attribute | Header | Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One field of a part.

    Attributes:
        name: In Python.
        tag: On the wire.
        place: Where it stands, or None for an element of its own.
        form: Of a single value, or None for a part.
        part: The struct of a nested element, or None for a single value.
        is_optional: None is allowed.
        default: What nothing on the wire gives; `msgspec.NODEFAULT` where it must be there.
    """

    name: str
    tag: str
    place: Place | None
    form: Form | None
    part: "type[Part] | None"
    is_optional: bool
    default: object

    @property
    def is_compulsory(self) -> bool:
        """Whether it must be there on the wire."""
        return self.default is msgspec.NODEFAULT

    def check(self, value: object) -> None:
        """Refuse a value that does not fit.

        Raises:
            InvalidMessage: It does not.
        """
        if value is None and self.is_optional:
            return
        if not isinstance(self.place, Items):
            self._check_one(value)
        elif not isinstance(value, tuple):
            raise InvalidMessage(self.tag, "must be a tuple")
        else:
            for item in value:
                self._check_one(item)

    def _check_one(self, value: object) -> None:
        if self.form is not None:
            self.form.require(value, self.tag)
        elif self.part is not None and type(value) is not self.part:
            raise InvalidMessage(self.tag, f"must be a {self.part.__name__}")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """An element of the DICT API.

    Raises:
        InvalidMessage: A field has not the form that its type names.
    """

    def __post_init__(self) -> None:
        """Check every field; a subclass adds rules between fields in `check_rules`."""
        for slot in slots_of(type(self)):
            slot.check(getattr(self, slot.name))
        self.check_rules()

    def check_rules(self) -> None:
        """Refuse fields that do not go together.

        Raises:
            InvalidMessage: They do not.
        """


@cache
def slots_of(part: type[Part]) -> tuple[Slot, ...]:
    """Work out the plan of a struct, in the order of its fields."""
    hints = get_type_hints(part, include_extras=True)
    return tuple(
        _slot(field.name, hints[field.name], field.default)
        for field in msgspec.structs.fields(part)
    )


def wire_name(name: str) -> str:
    """Turn the name of a field into that of its element: `tax_id_number` is `TaxIdNumber`."""
    return "".join(word.capitalize() for word in name.split("_"))


def require_rule(condition: bool, path: str, rule: str) -> None:
    """Refuse fields that break a rule between them.

    Raises:
        InvalidMessage: `condition` does not hold.
    """
    if not condition:
        raise InvalidMessage(path, rule)


def _slot(name: str, hint: Any, default: object) -> Slot:
    kind, marks, is_optional = _peel(hint)
    place = next((mark for mark in marks if isinstance(mark, Place)), None)
    if isinstance(place, Items):
        kind, item_marks, _ = _peel(get_args(kind)[0])
        marks = (*marks, *item_marks)
    form = next((mark for mark in marks if isinstance(mark, Form)), None)
    if form is None and get_origin(kind) is Literal:
        form = choice_form(get_args(kind))
    is_part = isinstance(kind, type) and issubclass(kind, Part)
    assert (form is None) is is_part, f"{name} names no form"
    tag = place.name if isinstance(place, Attribute | Header) else wire_name(name)
    return Slot(
        name=name,
        tag=tag,
        place=place,
        form=form,
        part=kind if is_part else None,
        is_optional=is_optional,
        default=default,
    )


def _peel(hint: Any) -> tuple[Any, tuple[object, ...], bool]:
    """Take `None` and the marks off a type."""
    is_optional = False
    marks: tuple[object, ...] = ()
    while True:
        origin = get_origin(hint)
        if origin in (Union, types.UnionType):
            hint = next(each for each in get_args(hint) if each is not type(None))
            is_optional = True
        elif origin is Annotated:
            hint, *more = get_args(hint)
            marks = (*marks, *more)
        else:
            return hint, marks, is_optional
