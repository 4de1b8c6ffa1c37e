"""What the inputs begin as: right messages of every kind, signed by keys that a run keeps."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from bacen.wire import LocalAuthority, Message, Signer, Verifier, encode
from bacen.wire.schema import MESSAGES
from tests.bacen.schema_documents import DS, Drawer
from tests.bacen.wire_messages import (
    admi002,
    drawn_messages,
    pacs002,
    pacs004,
    pacs008,
    payment_return,
    report,
    transfer,
)

OURS = "12345678"
T = TypeVar("T")


@dataclass(frozen=True)
class Keys:
    """A participant's and the bank's keys; the same folder gives the same signatures.

    Attributes:
        home: Where they are, and the bait.
        bait: A file that nothing may open.
    """

    home: Path
    bait: Path
    ours: Signer
    spi: Signer
    verifier: Verifier


def load_keys(home: Path) -> Keys:
    """Load the keys of a folder; make them when there are none."""
    home.mkdir(parents=True, exist_ok=True)
    authority = LocalAuthority.create(home, now=datetime.now(UTC))
    ours, spi = authority.participant(OURS).signing, authority.spi_signing()
    bait = home / "bait.txt"
    if not bait.exists():
        bait.write_text("nobody opens this\n")
    trusted = [ours.certificate.read_bytes(), spi.certificate.read_bytes()]
    return Keys(home, bait, ours.signer(), spi.signer(), Verifier(trusted))


def examples(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """Draw the same examples in each run."""
    found: list[T] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(each: T) -> None:
        found.append(each)

    collect()
    return found


@cache
def drawn_spi_messages() -> list[Message]:
    """Draw messages of all kinds, once in a process."""
    return examples(drawn_messages, 80)


def spi_messages(keys: Keys) -> list[bytes]:
    """Signed messages: chosen ones that go far in their readers, and drawn ones of all kinds."""
    chosen: list[Any] = [
        pacs008(count=2),
        pacs008(transfers=(transfer(remittance=None, creditor_key=None),)),
        pacs002(count=2),
        pacs002(reports=(report(status="RJCT", reasons=("AB03", "AC03"), additional=("a", "b")),)),
        pacs004(returns=(payment_return(additional="a", remittance="b"),)),
        admi002(description="x", additional_data="y"),
    ]
    return [
        encode(each, keys.spi if each.sender == keys.spi.ispb else keys.ours)
        for each in (*chosen, *drawn_spi_messages())
    ]


def spi_documents() -> list[bytes]:
    """Documents of every kind that a schema is known of, drawn from its table."""
    rng = random.Random("documents")
    return [
        etree.tostring(Drawer(name, rng).envelope()) for name in sorted(MESSAGES) for _ in range(2)
    ]


def without_signature(message: bytes) -> bytes:
    """Take the signature out, as `corrente bacen sign` wants it."""
    root = etree.fromstring(message)
    for place in root.iter("{*}Sgntr"):
        place.clear()
    return etree.tostring(root)


def without_dict_signature(document: bytes) -> bytes:
    """Take the signature out of a document of DICT."""
    root = etree.fromstring(document)
    for place in root.findall(f"{{{DS}}}Signature"):
        root.remove(place)
    return etree.tostring(root)


def hostile(bait: Path) -> list[bytes]:
    """Documents that ask a careless parser to open the bait, or to grow."""
    entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{bait.as_uri()}">]><a>&x;</a>'
    parameter = f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{bait.as_uri()}">%x;]><a/>'
    subset = f'<!DOCTYPE a SYSTEM "{bait.as_uri()}"><a/>'
    include = (
        '<a xmlns:xi="http://www.w3.org/2001/XInclude">'
        f'<xi:include href="{bait.as_uri()}" parse="text"/></a>'
    )
    style = f'<?xml-stylesheet href="{bait.as_uri()}" type="text/xsl"?><a/>'
    names = zip("abcdefgh", "bcdefghi", strict=True)
    levels = "".join(f'<!ENTITY {n} "{f"&{p};" * 8}">' for p, n in names)
    bomb = f'<!DOCTYPE a [<!ENTITY a "0123456789">{levels}]><a>&i;</a>'
    network = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>'
    return [each.encode() for each in (entity, parameter, subset, include, style, bomb, network)]
