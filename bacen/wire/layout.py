"""Reader and writer of a message, made of a struct and its schema's table.

The table (`bacen/wire/schema/*_table*.py`) knows order, number and type of the elements; the struct
knows which field stands where (`bacen.wire.part.At`). Nothing is written twice: an element whose
type has one value only is written by itself, an optional one where a field below it has a value.

Reading is one match of the canonical text against one pattern (`bacen.wire.grammar`), and one more
for each repeated part; what the pattern does not name is refused.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

from bacen import InvalidMessage
from bacen.wire.element import ONCE, Element, Pieces
from bacen.wire.grammar import element
from bacen.wire.header import Header
from bacen.wire.kinds import CURRENCY, kind_of
from bacen.wire.part import CHECKS, Checks, FieldCheck, Message, OneOf, Part, Together
from bacen.wire.places import Place, places_of
from bacen.wire.schema import (
    ComplexType,
    Facets,
    Group,
    Leaf,
    Particle,
    Repeated,
    SimpleType,
    Table,
    TableCompiler,
)

_OWN_ID: Final = "message_id"
_HEADER: Final = frozenset({_OWN_ID, "created_at"})  # some kinds do not repeat them


@dataclass(frozen=True, slots=True)
class _Built:
    """How a struct is built out of the values at their paths.

    Attributes:
        struct: What is built.
        path: Where its element stands.
        fields: Name of a field -> path of its element.
        parts: Name of a field -> the struct in it, and whether it may be absent.
        slots: Paths of all fields of it and of the structs in it.
    """

    struct: type
    path: str
    fields: Mapping[str, str]
    parts: Mapping[str, tuple["_Built", bool]]
    slots: tuple[str, ...]

    def build(self, values: Mapping[str, Any], header: Mapping[str, Any]) -> Any:
        """Build the struct; a refusal names the element."""
        arguments = {name: values[path] for name, path in self.fields.items()}
        for name, (part, is_optional) in self.parts.items():
            is_absent = is_optional and all(values[slot] in (None, ()) for slot in part.slots)
            arguments[name] = None if is_absent else part.build(values, {})
        arguments.update(header)
        try:
            return self.struct(**arguments)
        except InvalidMessage as error:
            name = error.path.rpartition(".")[2]  # some structs name themselves before the field
            raise InvalidMessage(self.fields.get(name, self.path), error.problem) from None


class PartLayout:
    """Layout of a struct that is a message or is repeated in one.

    Args:
        struct: Its annotations say where the fields stand.
        content: What the schema lets stand in its element.
        types: Types of the schema.

    Raises:
        ValueError: Struct and schema do not fit: a field without an element, or the reverse.
    """

    def __init__(self, struct: type, content: Particle, types: TableCompiler) -> None:
        joined = _Joined(struct, content, types)
        self._elements = joined.elements
        self._pieces = Pieces(joined.elements)
        self._readers = [
            (path, each.reader(), () if each.is_many else None)
            for path, (_, each) in joined.slots.items()
        ]
        self._getters = [(path, _getter(place)) for path, (place, _) in joined.slots.items()]
        self._counts = [place for place, _ in joined.slots.values() if place.at.counts is not None]
        self._built = joined.built()

    def write(self, part: Any) -> str:
        """Write what stands in the element of the part."""
        return self._pieces.write({path: get(part) for path, get in self._getters})

    def pattern(self, *, captures: bool) -> str:
        """Pattern of what stands in the element."""
        return "".join(each.pattern(captures=captures) for each in self._elements)

    def read(self, groups: Sequence[str | None], place: str, header: Header | None = None) -> Any:
        """Build the part out of the groups of its pattern.

        Args:
            groups: One for each slot.
            place: Path of the element, for refusals.
            header: Of the message, where the part is one.

        Raises:
            InvalidMessage: A value breaks the schema.
        """
        try:
            return self._read(groups, header)
        except InvalidMessage as error:
            raise InvalidMessage(f"{place}/{error.path}".rstrip("/"), error.problem) from None

    def _read(self, groups: Sequence[str | None], header: Header | None) -> Any:
        values: dict[str, Any] = {
            path: absent if raw is None else read(raw, path)
            for (path, read, absent), raw in zip(self._readers, groups, strict=True)
        }
        for each in self._counts:
            if values[each.path] == len(values[self._built.fields[each.at.counts or ""]]):
                values[each.path] = None
        if header is None:
            return self._built.build(values, {})
        own = self._built.fields.get(_OWN_ID)
        if own is not None and values[own] != header.message_id:
            raise InvalidMessage(own, "differs from BizMsgIdr")
        return self._built.build(values, header.fields())


def _getter(place: Place) -> Callable[[Any], Any]:
    """Give what looks a value up: None where it or a struct around it is absent."""
    counted = place.at.counts
    if len(place.names) == 1 and counted is None:
        return attrgetter(place.name)

    def get(part: Any) -> Any:
        value = part
        for name in place.names:
            value = getattr(value, name)
            if value is None:
                break
        return len(getattr(part, counted)) if value is None and counted is not None else value

    return get


class _Joined:
    """The elements of a schema joined with the fields of a struct, one walk."""

    def __init__(self, struct: type, content: Particle, types: TableCompiler) -> None:
        self.slots: dict[str, tuple[Place, Element]] = {}
        self._struct = struct
        self._types = types
        self._places = {place.path: place for place in places_of(struct)}
        self._optional: set[str] = set()
        self._choices: list[tuple[str, ...]] = []
        self._facets: dict[str, tuple[Facets, ...]] = {}
        self._times: dict[str, tuple[int, int]] = {}
        self.elements = self._children(content, "")
        self._refuse_homeless()
        self._register()

    def built(self, root: str = "", struct: type | None = None) -> _Built:
        """Say how the struct at this path is built."""
        own = [each for each in self._places.values() if each.root == root]
        fields = {each.name: each.path for each in own if each.path in self.slots}
        parts = {
            each.name: (self.built(each.path, each.type), each.is_optional)
            for each in own
            if each.is_mount
        }
        below = [path for part, _ in parts.values() for path in part.slots]
        return _Built(struct or self._struct, root, fields, parts, (*fields.values(), *below))

    def _children(self, content: Particle, path: str) -> tuple[Element, ...]:
        if isinstance(content, Group) and content.is_choice:
            leaves = _leaves(content)
            self._choices.append(tuple(f"{path}/{leaf.name}" for leaf, _ in leaves))
        return tuple(
            self._element(leaf, times, f"{path}/{leaf.name}".lstrip("/"))
            for leaf, times in _leaves(content)
        )

    def _element(self, leaf: Leaf, times: tuple[int, int], path: str) -> Element:
        if times[0] == 0:
            self._optional.add(path)
        self._times[path] = times
        place, content = self._places.get(path), self._types.content(leaf)
        if content is None:
            return self._text(leaf, times, path, place)
        if place is not None and place.is_many:
            part = PartLayout(place.type, content, self._types)
            return self._with_slot(place, Element(leaf.name, "", times, path, part=part))
        children = self._children(content, path)
        slots = tuple(slot for child in children for slot in child.slots)
        return Element(leaf.name, "", times, path, children=children, slots=slots)

    def _text(self, leaf: Leaf, times: tuple[int, int], path: str, place: Place | None) -> Element:
        assert leaf.type is not None  # elements of the whole namespace are in no layout
        kind = self._types.kind(leaf.type)
        attributes = ""
        if isinstance(kind, ComplexType):
            currency = (kind.attributes or {})[CURRENCY]
            attributes = f' {CURRENCY}="{_only_value(currency)}"'
            assert kind.value is not None  # it has attributes and text
            kind = kind.value
        if place is None:
            if times != ONCE:
                raise ValueError(f"{self._struct.__name__}: no field for the element {path}")
            return Element(leaf.name, attributes, times, path, text=_only_value(kind))
        self._facets[path] = kind.facets
        read = kind_of(place.type, kind, place.at.narrower, is_amount=bool(attributes))
        return self._with_slot(place, Element(leaf.name, attributes, times, path, kind=read))

    def _with_slot(self, place: Place, element: Element) -> Element:
        element = replace(element, slots=(place.path,))
        self.slots[place.path] = place, element
        return element

    def _refuse_homeless(self) -> None:
        for path, place in self._places.items():
            if path not in self._times and place.name not in _HEADER:
                raise ValueError(f"{self._struct.__name__}: no element {path}")

    def _register(self) -> None:
        """Give each struct its checks; one that several messages have must fit all of them."""
        roots = {"": self._struct}
        for path, place in self._places.items():
            if place.is_mount:
                roots[path] = place.type
        for root, struct in roots.items():
            if not issubclass(struct, Part):
                continue  # it checks itself
            own = [each for each in self._places.values() if each.root == root]
            checks = tuple(self._check(each) for each in own if each.path in self._times)
            groups: tuple[Together | OneOf, ...] = (
                *self._groups(root, own, roots),
                *self._choices_of(root, own),
            )
            made = Checks(checks, groups)
            if CHECKS.setdefault(struct, made) != made:
                raise ValueError(f"{struct.__name__} means something else in another message")

    def _check(self, place: Place) -> FieldCheck:
        is_optional = bool(self._optional_on(place.path, place.root))
        if is_optional != place.is_optional and not place.is_many and place.at.counts is None:
            raise ValueError(f"{self._struct.__name__}: {place.path} may be absent, or may not")
        return FieldCheck(
            name=place.name,
            is_optional=is_optional or place.is_optional,
            kind=self.slots[place.path][1].kind if place.path in self.slots else None,
            struct=place.type if place.is_struct else None,
            counts=self._times[place.path] if place.is_many else None,
            schema=(self._facets.get(place.path), place.at.narrower),
        )

    def _optional_on(self, path: str, root: str) -> list[str]:
        """Elements that may be absent, from below the root to the path itself."""
        return [
            each
            for each in self._optional
            if f"{path}/".startswith(f"{each}/") and len(each) > len(root)
        ]

    def _groups(self, root: str, own: list[Place], roots: Mapping[str, type]) -> Iterator[Together]:
        """Find the elements that may be absent and hold several fields of this struct."""
        for branch in sorted(self._optional - set(roots)):
            below = [each for each in own if each.path.startswith(f"{branch}/")]
            required = tuple(
                each.name for each in below if not self._optional_on(each.path, branch)
            )
            if required and len(below) > 1 and len(branch) > len(root):
                yield Together(required, tuple(each.name for each in below))

    def _choices_of(self, root: str, own: list[Place]) -> Iterator[OneOf]:
        for paths in self._choices:
            starts = tuple(f"{path}/" for path in paths if len(path) > len(root))
            if names := tuple(each.name for each in own if f"{each.path}/".startswith(starts)):
                yield OneOf(names)


def _leaves(content: Particle) -> Iterator[tuple[Leaf, tuple[int, int]]]:
    """Elements in a row and how often each stands there; of a choice each may be absent."""
    match content:
        case Leaf():
            yield content, (1, 1)
        case Repeated(part=Leaf() as leaf):
            yield leaf, (content.least, content.most)
        case Group(parts, is_choice):
            for part in parts:
                for leaf, (least, most) in _leaves(part):
                    yield leaf, (0 if is_choice else least, most)
        case _:
            raise ValueError("a layout has no wildcards and no repeated groups")


def _only_value(kind: SimpleType) -> str:
    """Give the one value of a type.

    Raises:
        ValueError: It has more than one, so that a field must say which.
    """
    if not kind.values or len(kind.values[0]) != 1:
        raise ValueError(f"a field must stand in an element of {kind.name}")
    (value,) = kind.values[0]
    return value


class Layout:
    """Layout of a message.

    Attributes:
        message: Struct of the message.
        definition: `MsgDefIdr`, such as `camt.053.spi.1.4`.
        namespace: Of the message.

    Args:
        message: Its annotations say where the fields stand.
        definition: `MsgDefIdr`.
        table: Schema of the message.
    """

    def __init__(self, message: type[Message], definition: str, table: Table) -> None:
        self.message = message
        self.definition = definition
        self.namespace = table.namespace
        types = TableCompiler(table)
        envelope = _named(types.content(Leaf("Envelope", table.elements["Envelope"])))
        ((self._root, root),) = _named(types.content(envelope["Document"])).items()
        content = types.content(root)
        assert content is not None  # no message is a text
        self._part = PartLayout(message, content, types)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        inner = self._part.pattern(captures=True)
        return re.compile(element("Document", element(self._root, inner)))

    def write(self, message: Message, created: str) -> str:
        """Write the Document element without its namespace; `created` is `CreDt` as text."""
        del created  # the group header says it by the message's own field
        return f"<Document><{self._root}>{self._part.write(message)}</{self._root}></Document>"

    def read(self, header: Header, document: str) -> Message:
        """Read the canonical Document element, its namespace removed.

        Raises:
            InvalidMessage: It does not follow the schema, or says another id than the header.
        """
        place = f"Document/{self._root}"
        found = self._pattern.fullmatch(document)
        if found is None:
            raise InvalidMessage(place, "does not follow the schema")
        read = self._part.read(found.groups(), place, header)
        assert isinstance(read, self.message)  # that is what the part builds
        return read


def _named(content: Particle | None) -> dict[str, Leaf]:
    assert content is not None  # an envelope is no text
    return {leaf.name: leaf for leaf, _ in _leaves(content)}
