"""The judge: one walk over a message, every breach of its schema named by its place."""

from functools import cache
from typing import Any, Final

from lxml import etree

from bacen.wire.reference import MESSAGE_BYTES_MAX, is_crowded
from bacen.wire.schema.automatic_tables import (
    CAMT_029,
    CAMT_055,
    PAIN_009,
    PAIN_011,
    PAIN_012,
    PAIN_013,
    PAIN_014,
)
from bacen.wire.schema.book_tables import CAMT_025, TRCK_002
from bacen.wire.schema.camt_tables import CAMT_052, CAMT_053, CAMT_054, CAMT_060
from bacen.wire.schema.content import State
from bacen.wire.schema.lexical import WHITE, collapse
from bacen.wire.schema.notice_tables import ADMI_002, ADMI_004, PIBR_001, PIBR_002
from bacen.wire.schema.pacs_tables import PACS_002, PACS_004, PACS_008
from bacen.wire.schema.participant_tables import (
    CAMT_014,
    REDA_014,
    REDA_016,
    REDA_017,
    REDA_022,
    REDA_031,
    REDA_041,
)
from bacen.wire.schema.schema import (
    ANY,
    ComplexType,
    Kind,
    Schema,
    Table,
    built_in_schema,
    compile_table,
    wildcard_admits,
)
from bacen.wire.schema.signature_table import SIGNATURE
from bacen.wire.schema.simple import SimpleType
from bacen.wire.schema.violation import VIOLATIONS_MAX, SchemaViolation

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XSI_START = f"{{{XSI}}}"
_XSI_TYPE = f"{_XSI_START}type"
_XSI_NIL = f"{_XSI_START}nil"
# Hints that libxml2 reads over.
_XSI_HINTS = frozenset(
    f"{_XSI_START}{name}" for name in ("schemaLocation", "noNamespaceSchemaLocation")
)

_TABLES = {
    "pacs.008.spi.1.16": PACS_008,
    "pacs.002.spi.1.17": PACS_002,
    "pacs.004.spi.1.5": PACS_004,
    "camt.060.spi.1.9": CAMT_060,
    "camt.052.spi.1.3": CAMT_052,
    "camt.053.spi.1.4": CAMT_053,
    "camt.054.spi.1.16": CAMT_054,
    "pibr.001.spi.1.3": PIBR_001,
    "pibr.002.spi.1.3": PIBR_002,
    "admi.002.spi.1.5": ADMI_002,
    "admi.004.spi.1.2": ADMI_004,
    "camt.014.spi.1.6": CAMT_014,
    "camt.025.spi.1.0": CAMT_025,
    "camt.029.spi.1.2": CAMT_029,
    "camt.055.spi.1.1": CAMT_055,
    "pain.009.spi.1.1": PAIN_009,
    "pain.011.spi.1.3": PAIN_011,
    "pain.012.spi.1.4": PAIN_012,
    "pain.013.spi.2.2": PAIN_013,
    "pain.014.spi.2.4": PAIN_014,
    "reda.014.spi.1.3": REDA_014,
    "reda.016.spi.1.5": REDA_016,
    "reda.017.spi.1.2": REDA_017,
    "reda.022.spi.1.4": REDA_022,
    "reda.031.spi.1.2": REDA_031,
    "reda.041.spi.1.7": REDA_041,
    "trck.002.spi.1.1": TRCK_002,
}
_MESSAGES = {table.namespace: name for name, table in _TABLES.items()}
MESSAGES: Final = frozenset(_TABLES)

_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    collect_ids=True,  # the same xml:id twice is not well-formed for libxml2
    remove_comments=True,  # the text around them is one text, as in a schema
    remove_pis=True,
)


def judge(xml: bytes) -> list[SchemaViolation]:
    """Judge a message by the schema of its namespace.

    The verdict is libxml2's with the bank's schema and the W3C's schema of signatures, so an
    empty `Sgntr` is a violation. Nothing is fetched; a DOCTYPE, more than `MESSAGE_BYTES_MAX`
    bytes, and a tag with more than 1,100 attributes are refused unread. Signature and business
    rules are not looked at.

    Args:
        xml: The message in any encoding that it declares.

    Returns:
        The violations in the order of the document, at most 100; empty when the message is valid.
    """
    return examine(xml)[1]


def examine(xml: bytes) -> tuple[str | None, list[SchemaViolation]]:
    """Do as `judge`, and name the kind and version of the message where it has one of ours."""
    root = _parse(xml)
    if isinstance(root, SchemaViolation):
        return None, [root]
    namespace, _, _ = str(root.tag).removeprefix("{").rpartition("}")
    name = _MESSAGES.get(namespace)
    schema = None if name is None else schema_of(name)
    kind = None if schema is None else schema.elements.get(str(root.tag))
    if schema is None or kind is None:
        return None, [SchemaViolation(_path(root), "unknown_message", "no schema has this root")]
    may_have_ids = b"xml:id" in xml or b"\0" in xml  # UTF-16 and the like have zero bytes
    walk = _Walk(schema, _xml_ids(root) if may_have_ids else set())
    walk.element(root, kind)
    return name, walk.found


def judge_element(root: etree._Element, schema: Schema) -> list[SchemaViolation]:
    """Judge an element by a schema of somebody else's, which names its root.

    Args:
        root: Without comments and instructions.
        schema: Compiled from a table.
    """
    kind = schema.elements.get(str(root.tag))
    if kind is None:
        return [SchemaViolation(_path(root), "unknown_message", "no schema has this root")]
    walk = _Walk(schema, set())
    walk.element(root, kind)
    return walk.found


def table_of(message: str) -> Table:
    """Table of one of `MESSAGES`."""
    return _TABLES[message]


@cache
def schema_of(message: str) -> Schema:
    """Schema of one of `MESSAGES`, with what `Sgntr` may hold."""
    return built_in_schema() | _signature_schema() | compile_table(_TABLES[message])


@cache
def _signature_schema() -> Schema:
    return compile_table(SIGNATURE)


def _parse(xml: bytes) -> etree._Element | SchemaViolation:
    if len(xml) > MESSAGE_BYTES_MAX:
        return _malformed(f"must have {MESSAGE_BYTES_MAX} bytes or fewer")
    if b"<!DOCTYPE" in xml:
        return _malformed("a DOCTYPE is never accepted")
    if is_crowded(xml):
        return _malformed("too many attributes in one tag")
    try:
        root = etree.fromstring(xml, _PARSER)
    except (etree.LxmlError, ValueError):
        return _malformed("must be well-formed XML")
    if root.getroottree().docinfo.internalDTD is not None:
        return _malformed("a DOCTYPE is never accepted")
    return root


def _malformed(text: str) -> SchemaViolation:
    return SchemaViolation("/", "well_formed", text)


def _xml_ids(root: etree._Element) -> set[str]:
    """Identities that the parser has given away before the schema is looked at."""
    name = "{http://www.w3.org/XML/1998/namespace}id"
    return {collapse(value) for each in root.iter() if (value := each.get(name)) is not None}


class _Walk:
    """One walk over one message.

    Attributes:
        found: Violations so far.

    Args:
        schema: Of the message.
        ids: Identities that are taken.
    """

    def __init__(self, schema: Schema, ids: set[str]) -> None:
        self.found: list[SchemaViolation] = []
        self._schema = schema
        self._ids = ids

    def element(self, node: etree._Element, kind: Kind) -> None:
        """Check an element and all below it against its type."""
        # Names only: lxml looks each value up anew, which takes for ever with very many of them.
        # The stubs allow bytes, which the parser never gives.
        attributes: Any = node.keys()
        is_declared = kind is not ANY
        if attributes:
            kind = self._instance_type(node, kind)
            self._attributes(node, attributes, kind, is_declared=is_declared)
        elif isinstance(kind, ComplexType) and kind.required:
            self._attributes(node, attributes, kind, is_declared=is_declared)
        if isinstance(kind, SimpleType):
            self._value(node, kind)
        elif kind.value is not None:
            self._value(node, kind.value)
        else:
            self._children(node, kind)
            if kind.unique is not None:
                self._unique(node, *kind.unique)

    def _value(self, node: etree._Element, kind: SimpleType) -> None:
        if len(node):
            self._add(node[0], "unexpected_element", "no element may stand in a value")
            return
        broken = kind.broken(node.text or "")
        if broken is not None:
            self._add(node, *broken)

    def _children(self, node: etree._Element, kind: ComplexType) -> None:
        text = node.text
        if text is not None and not kind.is_mixed and text.strip(WHITE):
            self._add_text(node)
        states = kind.states
        state = states[0]
        for child in node:
            if len(self.found) >= VIOLATIONS_MAX:
                return
            step = state.named.get(child.tag) or self._wild(child, state, kind)
            if step is None:
                self._add_unexpected(child, state)
                return
            position, child_kind = step
            self.element(child, child_kind)
            state = states[position]
            text = child.tail
            if text is not None and not kind.is_mixed and text.strip(WHITE):
                self._add_text(node)
        if not state.may_end:
            names = _names(state)
            self._add(node, "missing_element", f"must go on with {names}")

    def _wild(
        self, child: etree._Element, state: State[Kind], kind: ComplexType
    ) -> tuple[int, Kind] | None:
        """Find the wildcard that admits a child, and what the child must be."""
        tag: object = child.tag
        if not isinstance(tag, str):
            return None  # an entity reference
        namespace = etree.QName(tag).namespace or ""
        for wildcard, position in state.wild:
            if wildcard_admits(wildcard.namespaces, namespace, kind.namespace):
                declared = self._schema.elements.get(tag)
                if declared is None and not wildcard.is_lax:
                    return None
                return position, ANY if declared is None else declared
        return None

    def _instance_type(self, node: etree._Element, kind: Kind) -> Kind:
        """Give the type that xsi:type names, which must come from the declared one."""
        name = node.get(_XSI_TYPE)
        if name is None:
            return kind
        prefix, colon, local = name.rpartition(":")  # libxml2 keeps white space here
        namespace = node.nsmap.get(prefix if colon else None)
        if colon and namespace is None:
            named = None
        else:
            named = self._schema.types.get(f"{{{namespace}}}{local}" if namespace else local)
        if named is None or (kind is not ANY and kind.name not in named.bases):
            self._add(node, "type", "xsi:type must name a type that comes from the schema's")
            return kind
        return named

    def _attributes(
        self,
        node: etree._Element,
        attributes: list[str],
        kind: Kind,
        *,
        is_declared: bool,
    ) -> None:
        known = {} if isinstance(kind, SimpleType) else kind.attributes
        required = frozenset[str]() if isinstance(kind, SimpleType) else kind.required
        for name in attributes:
            if name == _XSI_TYPE or name in _XSI_HINTS:
                continue
            if name == _XSI_NIL:
                if is_declared:
                    self._add(node, "nil", "must not be nil", name)
            elif known is not None and name not in known:
                self._add(node, "unexpected_attribute", "does not belong there", name)
            elif known is not None:
                self._attribute_value(node, name, node.get(name) or "", known[name])
        for name in required.difference(attributes):
            self._add(node, "missing_attribute", "must be there", name)

    def _attribute_value(
        self, node: etree._Element, name: str, value: str, kind: SimpleType
    ) -> None:
        broken = kind.broken(value)
        if broken is None and kind.built_in == "ID":
            identity = collapse(value)
            if identity in self._ids:
                broken = "unique", "must differ from every other Id"
            self._ids.add(identity)
        if broken is not None:
            self._add(node, *broken, name)

    def _unique(self, node: etree._Element, child: str, key: str) -> None:
        seen: set[str] = set()
        for each in node.findall(child):
            value = each.findtext(key)
            if value is not None and value in seen:
                self._add(each, "unique", f"{etree.QName(key).localname} must differ")
            seen.add(value or "")

    def _add(
        self, node: etree._Element, rule: str, text: str, attribute: str | None = None
    ) -> None:
        if len(self.found) < VIOLATIONS_MAX:
            path = _path(node)
            if attribute is not None:
                path += f"/@{etree.QName(attribute).localname}"
            self.found.append(SchemaViolation(path, rule, text))

    def _add_text(self, node: etree._Element) -> None:
        self._add(node, "unexpected_text", "no text may stand between the elements")

    def _add_unexpected(self, node: etree._Element, state: State[Kind]) -> None:
        names = _names(state)
        end = "the end" if state.may_end else ""
        expected = " or ".join(part for part in (names, end) if part)
        self._add(node, "unexpected_element", f"instead there must be {expected}")


def _names(state: State[Kind]) -> str:
    """Name what may follow."""
    names = [etree.QName(name).localname for name in state.named]
    for wildcard, _ in state.wild:
        is_signature = wildcard.namespaces == "signature"
        names.append("an element of XML Signature" if is_signature else "an element")
    return " or ".join(names)


def _path(node: etree._Element) -> str:
    """Place of an element: local names, numbered where there are several."""
    parts: list[str] = []
    at: etree._Element | None = node
    while at is not None:
        tag: object = at.tag
        name = etree.QName(tag).localname if isinstance(tag, str) else "&"
        if isinstance(tag, str):
            before = sum(1 for _ in at.itersiblings(tag, preceding=True))
            if before or next(at.itersiblings(tag), None) is not None:
                name += f"[{before + 1}]"
        parts.append(name)
        at = at.getparent()
    return "/" + "/".join(reversed(parts))
