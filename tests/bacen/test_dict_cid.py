"""CID and VSync: those of DICT, whatever order entries come and go in, and silent about them."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import Node
from bacen import InvalidMessage
from bacen.dict import (
    Account,
    Cid,
    ContentAttributes,
    Entry,
    Person,
    VSync,
    content_id,
    is_content_id,
    new_request_id,
    parse_cid,
)
from tests.bacen.wire_messages import patient

REQUEST = UUID("01020304-0506-0708-090a-0b0c0d0e0f10")
ATTRIBUTES = ContentAttributes(
    key_type="EMAIL",
    key="fulano@exemplo.com.br",
    owner_tax_id="52998224725",
    owner_name="José Fulano",
    participant="12345678",
    branch="0001",
    account_number="1000001",
    account_type="CACC",
)
CIDS = st.binary(min_size=32, max_size=32).map(lambda data: Cid(data.hex()))
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def vectors(reference_folder: Path) -> Any:
    return json.loads((reference_folder / "dict" / "vectors.json").read_text())


def test_cid_is_that_of_the_dict(vectors: Any) -> None:
    names = ContentAttributes.__slots__
    for vector in vectors["cid"]["vectors"]:
        values = vector["message"].split("&")
        attributes = ContentAttributes(**dict(zip(names, values, strict=True)))

        assert content_id(attributes, UUID(hex=vector["request_id_hex"])) == vector["cid"]


def test_vsync_is_that_of_the_dict(vectors: Any) -> None:
    for vector in vectors["vsync"]["vectors"]:
        assert str(VSync.of(map(parse_cid, vector["cids"]))) == vector["vsync"]


@pytest.mark.parametrize("name", ContentAttributes.__slots__)
def test_every_attribute_and_the_request_change_the_cid(name: str) -> None:
    cid = content_id(ATTRIBUTES, REQUEST)
    other = replace(ATTRIBUTES, **{name: getattr(ATTRIBUTES, name) + "0"})

    assert content_id(other, REQUEST) != cid
    assert content_id(ATTRIBUTES, UUID(int=REQUEST.int + 1)) != cid


def test_cid_of_an_entry_is_that_of_its_attributes() -> None:
    entry = Entry(
        key="fulano@exemplo.com.br",
        key_type="EMAIL",
        account=Account(
            participant="12345678",
            branch="0001",
            account_number="1000001",
            account_type="CACC",
            opening_date=AT,
        ),
        owner=Person(type="NATURAL_PERSON", tax_id_number="52998224725", name="José Fulano"),
        creation_date=AT,
        key_ownership_date=AT,
    )

    assert ContentAttributes.of(entry) == ATTRIBUTES


def test_request_ids_are_of_version_4_and_never_the_same() -> None:
    node = Node("test")

    drawn = [new_request_id(node.ids) for _ in range(1_000)]

    assert {each.version for each in drawn} == {4}
    assert len(set(drawn)) == len(drawn)


def test_request_ids_of_a_seeded_node_repeat() -> None:
    one, other = (new_request_id(Node("test", seed=7).ids) for _ in range(2))

    assert one == other


def test_cid_is_recognised_and_another_is_not() -> None:
    cid = content_id(ATTRIBUTES, REQUEST)

    assert is_content_id(cid, ATTRIBUTES, REQUEST)
    assert not is_content_id(Cid("0" * 64), ATTRIBUTES, REQUEST)


def test_cid_is_read_in_its_one_form() -> None:
    assert parse_cid("AB" * 32) == "ab" * 32


@pytest.mark.parametrize(
    "text", ["", "ab" * 31, "ab" * 33, "g" * 64, "\u0660" * 64, "ab" * 32 + " "]
)
def test_text_that_is_no_cid_is_refused_without_repeating_it(text: str) -> None:
    for read in (parse_cid, VSync.parse, VSync().added, lambda cid: VSync.of([cid])):
        with pytest.raises(InvalidMessage) as refused:
            read(text)

        assert not text or text not in str(refused.value)


@pytest.mark.parametrize("value", [None, 7, "\ud800"])
def test_attribute_without_bytes_is_refused(value: Any) -> None:
    with pytest.raises(InvalidMessage) as refused:
        replace(ATTRIBUTES, owner_name=value)

    assert refused.value.path == "owner_name"


def test_attributes_show_the_kind_of_the_key_only() -> None:
    assert repr(ATTRIBUTES) == str(ATTRIBUTES) == "ContentAttributes(EMAIL)"


@given(st.sets(CIDS, min_size=1), st.randoms(use_true_random=False))
@patient
def test_verifier_kept_entry_by_entry_is_that_of_the_set(
    cids: set[Cid], order: random.Random
) -> None:
    gone = set(order.sample(sorted(cids), k=len(cids) // 2))
    vsync = VSync()
    for cid in order.sample(sorted(cids), k=len(cids)):
        vsync = vsync.added(cid)
    for cid in gone:
        vsync = vsync.removed(cid)

    assert vsync == VSync.of(cids - gone)
    assert VSync.parse(str(vsync).upper()) == vsync
    assert len(str(vsync)) == 64


@given(CIDS, CIDS, CIDS)
@patient
def test_update_takes_the_old_content_out(kept: Cid, old: Cid, new: Cid) -> None:
    before = VSync().added(kept).added(old)

    assert before.replaced(old, new) == VSync().added(new).added(kept)


def test_verifier_of_nothing_is_zero() -> None:
    cid = content_id(ATTRIBUTES, REQUEST)

    assert str(VSync()) == str(VSync.of([])) == "0" * 64
    assert VSync.of([cid]).removed(cid) == VSync()


def test_set_in_which_a_cid_comes_twice_is_refused() -> None:
    with pytest.raises(InvalidMessage):
        VSync.of([Cid("0" * 64), Cid("0" * 64)])


@pytest.mark.parametrize("bits", [-1, 1 << 256, True, "0"])
def test_number_that_is_no_verifier_is_refused(bits: Any) -> None:
    with pytest.raises(InvalidMessage):
        VSync(bits)
