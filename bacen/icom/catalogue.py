"""The catalogue of ICOM: which versions of messages the bank takes and sends at the moment.

Versions change on a day that the Banco Central announces; a participant that speaks another one
gets admi.002 for all it sends, so it had better not start.
"""

from collections.abc import Iterable, Mapping

from lxml import etree

from bacen import CatalogueMismatch, IcomUnknown, MalformedXml
from bacen.wire import parse_xml


def parse_catalogue(body: bytes) -> frozenset[str]:
    """Read `<Catalog><Message>pacs.008.spi.1.16</Message>…`.

    Raises:
        IcomUnknown: It is no catalogue.
    """
    try:
        root = parse_xml(body)
    except MalformedXml as error:
        raise IcomUnknown("the catalogue is no XML") from error
    names = [(message.text or "").strip() for message in root.iterfind("{*}Message")]
    if etree.QName(root).localname != "Catalog" or not all(names):
        raise IcomUnknown("the answer is no catalogue")
    return frozenset(names)


def check_catalogue(
    *, sends: Iterable[str], takes: Iterable[str], reads: Iterable[str], gives: Iterable[str]
) -> None:
    """Check that both sides speak the same versions.

    Args:
        sends: Definitions we send, such as `pacs.008.spi.1.16`.
        takes: Definitions the bank takes (`/in/catalog`).
        reads: Definitions we read.
        gives: Definitions the bank sends (`/out/catalog`); kinds we do not read are no matter.

    Raises:
        CatalogueMismatch: One kind of message, with the versions of both sides.
    """
    taken, read = _versions(takes), _versions(reads)
    for kind, ours in _versions(sends).items():
        theirs = taken.get(kind, frozenset())
        if not ours <= theirs:
            raise CatalogueMismatch(kind, tuple(sorted(ours)), tuple(sorted(theirs)))
    for kind, theirs in _versions(gives).items():
        ours = read.get(kind, theirs)
        if not theirs <= ours:
            raise CatalogueMismatch(kind, tuple(sorted(ours)), tuple(sorted(theirs)))


def _versions(definitions: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Versions by kind: `pacs.008.spi.1.16` is version `1.16` of `pacs.008`."""
    found: dict[str, frozenset[str]] = {}
    for definition in definitions:
        kind, _, version = definition.partition(".spi.")
        found[kind] = found.get(kind, frozenset()) | {version}
    return found
