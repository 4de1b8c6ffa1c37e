"""Tables of types made into schemas that a judge can walk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from bacen.wire.profile import DS
from bacen.wire.schema.content import State, compile_content
from bacen.wire.schema.lexical import BUILT_IN
from bacen.wire.schema.notation import Leaf, Particle, parse_content
from bacen.wire.schema.simple import Facets, SimpleType, built_in, restrict

XS: Final = "http://www.w3.org/2001/XMLSchema"


@dataclass(frozen=True, slots=True)
class Content:
    """A type that holds elements, as the tables write it.

    Attributes:
        elements: Line of the notation (`bacen/wire/schema/notation.py`).
        attributes: `Name:Type` parted by spaces, `Name!:Type` where it is compulsory.
        is_mixed: Text may stand between the elements.
        unique: `(child, field)`: no two such children have the same text in this field.
    """

    elements: str
    attributes: str = ""
    is_mixed: bool = False
    unique: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A type that holds text of a simple type, and has attributes."""

    base: str
    attributes: str


@dataclass(frozen=True, slots=True)
class Table:
    """All types of one namespace.

    Attributes:
        elements: Elements that may stand at the root or behind a wildcard -> their types.
        types: By name; a plain line is a `Content`. A name that begins with `_` is ours: the
            schema has no name there, so `xsi:type` cannot use it.
    """

    namespace: str
    elements: Mapping[str, str]
    types: Mapping[str, str | Content | Value | Facets]


@dataclass(slots=True)
class ComplexType:
    """A complex type that is ready to be walked.

    Attributes:
        name: Clark name; a name of ours where the schema has none.
        namespace: Where it is declared; wildcards depend on it.
        bases: Clark names of the type and of all it comes from.
        states: Automaton of the content, from state 0.
        attributes: Name -> its type; None where all are let through.
        required: Attributes that must be there.
        value: Type of the text of a type without elements.
    """

    name: str
    namespace: str
    bases: frozenset[str]
    states: "list[State[Kind]]"
    attributes: dict[str, SimpleType] | None = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    is_mixed: bool = False
    value: SimpleType | None = None
    unique: tuple[str, str] | None = None


Kind = SimpleType | ComplexType

ANY: Final[ComplexType] = ComplexType(
    f"{{{XS}}}anyType",
    XS,
    frozenset({f"{{{XS}}}anyType"}),
    [],
    attributes=None,
    is_mixed=True,
)
ANY.states += compile_content(parse_content("#any~*"), lambda leaf: (leaf.name, ANY))


@dataclass(frozen=True, slots=True)
class Schema:
    """What may stand in one kind of message.

    Attributes:
        elements: Clark names that may be a root or stand behind a wildcard.
        types: Clark names that `xsi:type` may use.
    """

    elements: Mapping[str, Kind]
    types: Mapping[str, Kind]

    def __or__(self, other: "Schema") -> "Schema":
        return Schema({**self.elements, **other.elements}, {**self.types, **other.types})


@cache
def built_in_schema() -> Schema:
    """The built-in types by themselves."""
    types: dict[str, Kind] = {f"{{{XS}}}{name}": built_in(name, XS) for name in BUILT_IN}
    return Schema({}, {**types, ANY.name: ANY})


def compile_table(table: Table) -> Schema:
    """Compile all types of a table.

    Raises:
        KeyError: A line names a type that the table does not have.
        ValueError: A line breaks the notation.
    """
    return TableCompiler(table).schema()


class TableCompiler:
    """Compiles each type of a table once, those that it needs first."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._start = f"{{{table.namespace}}}"
        self._kinds: dict[str, Kind] = {}

    def schema(self) -> Schema:
        elements = {
            self._start + name: self.kind(kind) for name, kind in self._table.elements.items()
        }
        named = [name for name in self._table.types if not name.startswith("_")]
        return Schema(elements, {self._start + name: self.kind(name) for name in named})

    def kind(self, name: str) -> Kind:
        """Compile one type.

        Raises:
            KeyError: Neither the table nor XML Schema has it.
        """
        if name not in self._kinds:
            self._kinds[name] = self._compiled(name)
        return self._kinds[name]

    def content(self, leaf: Leaf) -> Particle | None:
        """Give what may stand in an element; None where that is text."""
        definition = None if leaf.type is None else self._table.types.get(leaf.type)
        if isinstance(definition, Content):
            definition = definition.elements
        return parse_content(definition) if isinstance(definition, str) else leaf.content

    def _compiled(self, name: str) -> Kind:
        definition = self._table.types.get(name)
        if definition is None:
            kind = built_in_schema().types[f"{{{XS}}}{name}"]
            assert isinstance(kind, SimpleType)
            return kind
        match definition:
            case Facets():
                return restrict(self._simple(definition.base), self._clark(name), definition)
            case Value():
                return self._with_value(name, definition)
            case Content():
                return self._with_content(name, definition)
            case str():
                return self._with_content(name, Content(definition))

    def _simple(self, name: str) -> SimpleType:
        kind = self.kind(name)
        assert isinstance(kind, SimpleType)
        return kind

    def _clark(self, name: str) -> str:
        return name if name.startswith("_") else self._start + name

    def _with_value(self, name: str, definition: Value) -> ComplexType:
        value = self._simple(definition.base)
        clark = self._clark(name)
        kind = ComplexType(clark, self._table.namespace, value.bases | {clark}, [], value=value)
        self._add_attributes(kind, definition.attributes)
        return kind

    def _with_content(self, name: str, definition: Content) -> ComplexType:
        kind = self._of_particle(self._clark(name), parse_content(definition.elements))
        kind.is_mixed = definition.is_mixed
        if definition.unique is not None:
            child, key = definition.unique
            kind.unique = self._start + child, self._start + key
        self._add_attributes(kind, definition.attributes)
        return kind

    def _of_particle(self, name: str, content: Particle) -> ComplexType:
        states = compile_content(content, self._resolve)
        bases = frozenset({name, ANY.name})
        return ComplexType(name, self._table.namespace, bases, states)

    def _resolve(self, leaf: Leaf) -> tuple[str, Kind]:
        clark = self._start + leaf.name
        if leaf.content is not None:
            return clark, self._of_particle(f"_{leaf.name}", leaf.content)
        return clark, self.kind(leaf.type or self._table.elements[leaf.name])

    def _add_attributes(self, kind: ComplexType, line: str) -> None:
        assert kind.attributes is not None
        for word in line.split():
            name, _, type_name = word.partition(":")
            kind.attributes[name.rstrip("!")] = self._simple(type_name)
            if name.endswith("!"):
                kind.required |= {name.rstrip("!")}


def wildcard_admits(namespaces: str, namespace: str, own: str) -> bool:
    """Say whether a wildcard lets an element of this namespace stand there.

    Args:
        namespaces: `any`, `other` or `signature`.
        namespace: Of the element, empty without one.
        own: Where the wildcard is declared.
    """
    if namespaces == "other":
        return namespace not in ("", own)
    return namespaces == "any" or namespace == DS
