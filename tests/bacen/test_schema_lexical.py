"""Which text is a value of a type: asked of libxml2 by schemas of one element."""

import random

import pytest
from lxml import etree

from bacen.wire.schema.lexical import BUILT_IN
from bacen.wire.schema.simple import Facets, built_in, restrict

XS = "http://www.w3.org/2001/XMLSchema"
INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
SEEDS = {
    "date": ("2026-09-28", "2026-02-28Z", "-0004-02-29+13:59", "12345-12-31-14:00", "0000-01-01"),
    "base64Binary": ("AAAA", "AQ==", "AAE=", "QUJDREVG", ""),
    "anyURI": ("http://a.b/c?d#e", "urn:x:y", "//u@h:80/p", "http://[::1]:8080/", "a/b%41", "#a"),
    "decimal": ("1.00", "0.001", "-0.00", "+.5", "7.", "123456789012345678901234567890"),
    "boolean": ("true", "false", "1", "0"),
    "string": ("", "a", " a "),
}
NUMBERS = ("0", "-1", "+127", "-128", "255", "32768", "-2147483649", "4294967296", "9" * 40)
NAMES = ("a", "key-info-id", "a:b", "1a", "-a", "pt-BR", "abcdefghi", "é", "\u0e33", "\u0370")
SIGNS = " \t09-+:.ZTaéA=%/[]@#?\u0e33\U00010000"
# White space around them: libxml2 answers by the way it got there, and no schema of ours asks.
UNASKED = {"time", "dateTime"}


def schema(kind: str) -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.fromstring(
            f'<xs:schema xmlns:xs="{XS}"><xs:element name="r">{kind}</xs:element></xs:schema>'
        )
    )


def restriction(base: str, *facets: tuple[str, str]) -> str:
    inner = "".join(f'<xs:{name} value="{value}"/>' for name, value in facets)
    return (
        f'<xs:simpleType><xs:restriction base="xs:{base}">{inner}</xs:restriction></xs:simpleType>'
    )


def asked(judge: etree.XMLSchema, text: str) -> bool:
    root = etree.Element("r")
    root.text = text
    return judge.validate(root)


def texts(seeds: tuple[str, ...], name: str) -> list[str]:
    rng = random.Random(f"lexical {name}")
    drawn = list(seeds)
    for _ in range(400):
        text = rng.choice(seeds)
        for _ in range(rng.choice([1, 1, 2, 3])):
            at = rng.randint(0, len(text))
            text = text[:at] + rng.choice([*SIGNS, ""]) + text[at + rng.randint(0, 1) :]
        drawn.append(text)
    return drawn


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - UNASKED - {"anySimpleType", "ENTITY"}))
def test_value_of_a_built_in_type_is_what_libxml2_takes(name: str) -> None:
    judge = schema(restriction(name))
    is_value = BUILT_IN[name][1]
    seeds = SEEDS.get(name, (*NUMBERS, *NAMES))

    wrong = [text for text in texts(seeds, name) if asked(judge, text) != is_value(text)]

    assert wrong == []


@pytest.mark.parametrize(
    ("facets", "written", "seeds"),
    [
        (
            Facets("dateTime", INSTANT),
            restriction("dateTime", ("pattern", INSTANT)),
            ("2026-09-28T14:35:12.345Z", "2024-02-29T24:00:00.000Z", "0000-01-01T00:00:00.000Z"),
        ),
        (
            Facets("time", r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"),
            restriction("time", ("pattern", r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")),
            ("23:59:59.999Z", "24:00:00.000Z", "23:59:60.000Z"),
        ),
        (
            Facets("decimal", digits=(18, 2)),
            restriction(
                "decimal", ("fractionDigits", "2"), ("totalDigits", "18"), ("minInclusive", "0")
            ),
            ("1.00", "0.001", "-0.00", "9" * 18, "9" * 16 + ".99", "000.10", "1.1000", "-1"),
        ),
        (
            Facets("integer", "[0-9]{1,4}"),
            restriction("integer", ("pattern", "[0-9]{1,4}")),
            ("1", "0001", " 12\n", "+1", "12345"),
        ),
        (
            Facets(least=1, most=5),
            restriction("string", ("minLength", "1"), ("maxLength", "5")),
            ("", "abcde", "éé😀éé", "     ", "abcdef"),
        ),
        (Facets("date"), restriction("date"), (" 2026-09-28", "2026-09-28 ", "2026-09-28Z")),
    ],
    ids=["instant", "time", "amount", "number", "text", "day"],
)
def test_value_of_a_narrowed_type_is_what_libxml2_takes(
    facets: Facets, written: str, seeds: tuple[str, ...]
) -> None:
    judge = schema(written)
    kind = restrict(built_in(facets.base, XS), "_narrowed", facets)

    drawn = texts(seeds, repr(facets))
    wrong = [text for text in drawn if asked(judge, text) != (kind.broken(text) is None)]

    assert wrong == []
