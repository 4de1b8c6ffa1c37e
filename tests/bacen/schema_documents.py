"""Documents drawn from the tables of the schemas, and libxml2's verdict on any document."""

import random
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from lxml import etree

from bacen.wire.schema.judge import schema_of
from bacen.wire.schema.notation import Wildcard
from bacen.wire.schema.schema import ANY, ComplexType, Kind, Schema, wildcard_admits
from bacen.wire.schema.simple import SimpleType

DS = "http://www.w3.org/2000/09/xmldsig#"
XS = "http://www.w3.org/2001/XMLSchema"
DEPTH_MAX = 12
TEXT = "abcXYZ 019.,-&<>\"'é€😀\t\n"
_CLASS = re.compile(r"(\[[^\]]*\]|\\.|[^\\\[{|])(?:\{(\d+)(?:,(\d+))?\})?")

VALUES: Mapping[str, tuple[str, ...]] = {
    "dateTime": (
        *("2026-09-28T14:35:12.345Z", "2024-02-29T00:00:00.000Z", "2026-12-31T24:00:00.000Z"),
        *("0001-01-01T00:00:00.000Z", " 2026-09-28T14:35:12.345Z\n", "9999-12-31T23:59:59.999Z"),
    ),
    "date": (
        *("2026-09-28", "2026-09-28Z", "2024-02-29-14:00", "-0004-02-29", "12026-01-01+13:59"),
        "0999-12-31",
    ),
    "time": ("00:00:00.000Z", "24:00:00.000Z", " 23:59:59.999Z"),
    "decimal": (
        *("10.50", "0.00", "+1", ".5", "7.", "-0.0", " 1.10 ", "0000000000000000000001.00"),
        *("9999999999999999.99", "999999999999999999", "1.1000"),
    ),
    "integer": ("0", "1", " 12\n", "-7", "+123456789012345678901234567890"),
    "base64Binary": ("", "AAAA", "AQ==", "AAE=", "QUJD\nREVG", "A A A A", "AA-AA"),
    "anyURI": ("", "#key-info-id", "http://www.w3.org/2001/10/xml-exc-c14n#", "a b", "urn:x:é"),
    "ID": ("key-info-id", "a1", "_x.y-z"),
    "boolean": ("true", "0"),
}


def value_of(kind: SimpleType, rng: random.Random) -> str:
    """Draw a text that is most often a value of the type."""
    if kind.values:
        return rng.choice(sorted(kind.values[0]))
    if kind.patterns and kind.built_in in {"string", "integer"}:
        return text_of(kind.patterns[0].pattern, rng)
    if kind.built_in in VALUES:
        return rng.choice(VALUES[kind.built_in])
    least = next((each.least for each in kind.facets if each.least is not None), 0)
    most = next((each.most for each in kind.facets if each.most is not None), 40)
    length = rng.choice([least, most, rng.randint(least, most)])
    return "".join(rng.choice(TEXT) for _ in range(length))


def text_of(pattern: str, rng: random.Random) -> str:
    """Draw a text of one of the simple patterns that the tables have."""
    alternatives = re.split(r"\|(?![^\[]*\])", pattern)
    made = []
    for part, least, most in _CLASS.findall(rng.choice(alternatives)):
        count = rng.randint(int(least or 1), int(most or least or 1))
        made += [_sign_of(part, rng) for _ in range(count)]
    return "".join(made)


def _sign_of(part: str, rng: random.Random) -> str:
    if part.startswith("\\"):
        return part[1]
    if not part.startswith("["):
        return part
    signs = []
    for first, last in re.findall(r"(.)(?:-(.))?", part[1:-1]):
        signs += [chr(code) for code in range(ord(first), ord(last or first) + 1)]
    return rng.choice(signs)


class Drawer:
    """Draws documents that follow a schema, signature included."""

    def __init__(self, message: str, rng: random.Random) -> None:
        self.schema: Schema = schema_of(message)
        self._rng = rng
        self._ids = 0
        self._root = next(name for name in self.schema.elements if name.endswith("}Envelope"))

    def envelope(self) -> etree._Element:
        """Draw one whole message."""
        namespace = etree.QName(self._root).namespace or ""
        prefix = self._rng.choice([None, None, None, "p"])
        root = etree.Element(self._root, nsmap={prefix: namespace, "ds": DS, "xs": XS})
        self._fill(root, self.schema.elements[self._root], 0)
        return root

    def _fill(self, node: etree._Element, kind: Kind, depth: int) -> None:
        if isinstance(kind, SimpleType):
            node.text = value_of(kind, self._rng)
            return
        for name, simple in sorted((kind.attributes or {}).items()):
            if name in kind.required or self._rng.random() < 0.4:
                node.set(name, self._attribute(simple))
        if kind.value is not None:
            node.text = value_of(kind.value, self._rng)
            return
        if kind.is_mixed and self._rng.random() < 0.2:
            node.text = "mixed text"
        self._children(node, kind, depth)

    def _attribute(self, kind: SimpleType) -> str:
        self._ids += 1
        return f"id-{self._ids}" if kind.built_in == "ID" else value_of(kind, self._rng)

    def _children(self, node: etree._Element, kind: ComplexType, depth: int) -> None:
        state = kind.states[0]
        while True:
            steps: list[tuple[int, Kind, str]] = [
                (position, child, name) for name, (position, child) in state.named.items()
            ]
            wants_wild = not steps if depth >= DEPTH_MAX else self._rng.random() < 0.3
            if not state.may_end or wants_wild:
                steps += [self._wild(wild, at, kind, depth) for wild, at in state.wild]
            if state.may_end and (not steps or depth >= DEPTH_MAX or self._rng.random() < 0.4):
                return
            position, child_kind, name = self._rng.choice(steps)
            child = etree.SubElement(node, name)
            self._fill(child, child_kind, depth + 1)
            state = kind.states[position]

    def _wild(
        self, wildcard: Wildcard, position: int, kind: ComplexType, depth: int
    ) -> tuple[int, Kind, str]:
        elements = self.schema.elements
        if wildcard.namespaces == "signature" and self._rng.random() < 0.8:
            return position, elements[f"{{{DS}}}Signature"], f"{{{DS}}}Signature"
        admitted = [
            name
            for name in sorted(elements)
            if wildcard_admits(
                wildcard.namespaces, etree.QName(name).namespace or "", kind.namespace
            )
        ]
        if depth >= DEPTH_MAX:
            admitted = [name for name in admitted if name == f"{{{DS}}}KeyName"]
        if wildcard.is_lax and (not admitted or self._rng.random() < 0.7):
            return position, ANY, "{urn:example:other}thing"
        name = self._rng.choice(admitted or [f"{{{DS}}}KeyName"])
        return position, elements[name], name


class Oracle:
    """libxml2 with the bank's schemas and the W3C's of signatures."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._schemas = dict(joined(path, scratch) for path in sorted(folder.glob("*.xsd")))

    def is_valid(self, data: bytes) -> bool:
        """Say whether libxml2 reads these bytes and finds nothing against them."""
        try:
            root = etree.fromstring(data, etree.XMLParser(resolve_entities=False))
        except (etree.LxmlError, ValueError):
            return False
        schema = self._schemas.get(etree.QName(root).namespace or "")
        return schema is not None and schema.validate(root)


def joined(path: Path, scratch: Path) -> tuple[str, etree.XMLSchema]:
    """Join a message's schema with the W3C's, which comes with signxml: Sgntr is checked."""
    namespace = str(etree.parse(path).getroot().get("targetNamespace"))
    signature = Path(str(files("signxml").joinpath("schemas/xmldsig-core-schema.xsd")))
    target = scratch / f"joined-{path.name}"
    target.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<xs:import namespace="{namespace}" schemaLocation="{path.as_uri()}"/>'
        f'<xs:import namespace="{DS}" schemaLocation="{signature.as_uri()}"/></xs:schema>'
    )
    return namespace, etree.XMLSchema(etree.parse(target))
