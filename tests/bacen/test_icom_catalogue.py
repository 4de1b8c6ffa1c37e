"""Versions of messages: both sides speak the same ones, or the error says which not."""

import pytest

from bacen import CatalogueMismatch, IcomUnknown
from bacen.icom import check_catalogue, parse_catalogue

OURS = ("pacs.008.spi.1.16", "camt.060.spi.1.9")


def check(takes: tuple[str, ...] = OURS, gives: tuple[str, ...] = OURS) -> None:
    check_catalogue(sends=OURS, takes=takes, reads=OURS, gives=gives)


def test_same_versions_are_fine_whatever_else_there_is() -> None:
    check(takes=(*OURS, "pacs.008.spi.1.15", "pain.009.spi.1.1"), gives=("pain.009.spi.1.1",))


def test_version_that_the_bank_does_not_take_is_named_with_those_it_takes() -> None:
    with pytest.raises(CatalogueMismatch) as mismatch:
        check(takes=("pacs.008.spi.1.17", "pacs.008.spi.1.18", "camt.060.spi.1.9"))

    error = mismatch.value
    assert (error.message, error.ours, error.theirs) == ("pacs.008", ("1.16",), ("1.17", "1.18"))
    assert "pacs.008" in str(error)
    assert "1.16" in str(error)
    assert "1.17" in str(error)


def test_message_that_the_bank_does_not_take_at_all_is_a_mismatch() -> None:
    with pytest.raises(CatalogueMismatch) as mismatch:
        check(takes=("pacs.008.spi.1.16",))

    assert (mismatch.value.message, mismatch.value.theirs) == ("camt.060", ())


def test_version_that_we_could_not_read_is_a_mismatch() -> None:
    with pytest.raises(CatalogueMismatch) as mismatch:
        check(gives=("pacs.008.spi.1.16", "pacs.008.spi.1.17"))

    assert mismatch.value.theirs == ("1.16", "1.17")


def test_catalogue_is_read_with_and_without_namespace() -> None:
    listed = b"<Message>a.spi.1</Message><Message> b.spi.2 </Message>"

    assert parse_catalogue(b"<Catalog>" + listed + b"</Catalog>") == {"a.spi.1", "b.spi.2"}
    with_namespace = b'<Catalog xmlns="urn:x">' + listed + b"</Catalog>"
    assert parse_catalogue(with_namespace) == {"a.spi.1", "b.spi.2"}


@pytest.mark.parametrize("body", [b"", b"<<", b"<Other/>", b"<Catalog><Message/></Catalog>"])
def test_what_is_no_catalogue_is_not_read_as_an_empty_one(body: bytes) -> None:
    with pytest.raises(IcomUnknown):
        parse_catalogue(body)
