"""Layouts: struct and schema make reader and writer; a refusal names the place."""

import contextlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bacen.wire import (
    AccountEntry,
    AnswerStep,
    Balance,
    Camt029,
    Camt053,
    Camt055,
    Charge,
    ChargeAnswer,
    Contact,
    InvalidMessage,
    MandateAnswer,
    MandateTerms,
    Message,
    Modification,
    Pain011,
    ParticipantChange,
    PaymentReturn,
    Receipt,
    Reda016,
    ReportPeriod,
    Signer,
    Statement,
    Verifier,
    decode,
    encode,
    participants,
    requests,
)
from bacen.wire.codec import LAYOUTS
from bacen.wire.header import Header
from bacen.wire.layout import Layout
from bacen.wire.part import CHECKS, At, Part
from bacen.wire.schema import MESSAGES, judge
from bacen.wire.schema.header_table import with_document
from bacen.wire.schema.schema import Table
from bacen.wire.schema.simple import Facets
from tests.bacen.drawn import drawn
from tests.bacen.wire_messages import AT, OUR_ISPB, header, patient

BY_NAME = {layout.definition: layout for layout in LAYOUTS}
ELEMENT = re.compile(r"<(\w[\w.]*)[^<>]*>[^<>]*</\1>")
EMPTY = re.compile(r"<(\w[\w.]*)></\1>")


def header_of(message: Message, layout: Layout) -> Header:
    return Header(
        message.sender, message.receiver, message.message_id, layout.definition, message.created_at
    )


EACH = pytest.mark.parametrize("name", sorted(BY_NAME))
DRAWN = given(data=st.data())
few_each = settings(patient, max_examples=3)
many_each = settings(patient, max_examples=25)


def read_back(text: str, message: Message, layout: Layout) -> Message:
    return layout.read(header_of(message, layout), text)


def is_valid_comes_back_and_is_written_the_same(
    name: str, data: st.DataObject, our_signer: Signer, verifier: Verifier
) -> None:
    message = data.draw(drawn(BY_NAME[name].message))
    written = encode(message, our_signer)

    assert judge(written) == []
    assert decode(written, verifier) == message
    assert encode(decode(written, verifier), our_signer) == written


test_any_message_is_valid_comes_back_and_is_written_the_same = EACH(
    few_each(DRAWN(is_valid_comes_back_and_is_written_the_same))
)
test_many_messages_are_valid_come_back_and_are_written_the_same = pytest.mark.slow(
    EACH(many_each(DRAWN(is_valid_comes_back_and_is_written_the_same)))
)


def is_refused_or_read_as_it_stands(name: str, data: st.DataObject) -> None:
    """What is read is what was written: nothing is skipped, and nothing is made up."""
    layout = BY_NAME[name]
    message = data.draw(drawn(layout.message))
    text = layout.write(message, "")
    found = data.draw(st.sampled_from(list(ELEMENT.finditer(text))))
    changed = data.draw(
        st.sampled_from(["", found[0] * 2, f"<Wrong>{found[0]}</Wrong>", found[0].lower()])
    )
    changed = text[: found.start()] + changed + text[found.end() :]

    with contextlib.suppress(InvalidMessage):
        read = read_back(changed, message, layout)
        assert without_empty(layout.write(read, "")) == without_empty(changed)


test_changed_message_is_refused_or_read_as_it_stands = EACH(
    few_each(DRAWN(is_refused_or_read_as_it_stands))
)
test_many_changed_messages_are_refused_or_read_as_they_stand = pytest.mark.slow(
    EACH(many_each(DRAWN(is_refused_or_read_as_it_stands)))
)


def without_empty(text: str) -> str:
    """An element that may be empty, and is, says nothing."""
    while EMPTY.search(text) is not None:
        text = EMPTY.sub("", text)
    return text


def statement(*amounts: int) -> Statement:
    balances = tuple(Balance(type="SADP", amount_cents=each, at=AT) for each in amounts)
    return Statement(request_id="0" * 32, owner_ispb=OUR_ISPB, balances=balances)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("2.00", "2.001", "Stmt[2]/Bal[1]/Amt"),
        ("2026-09-28", "2026-02-30", "Stmt[1]/Bal/Dt/DtTm"),
        (OUR_ISPB, "1234567x", "Stmt[1]/Acct/Id/Othr/Id"),
        ("SADP", "SALD", "Stmt[1]/Bal/Tp/CdOrPrtry/Prtry"),
        ("0" * 32, "&amp;", "Stmt[1]/Id"),
    ],
)
def test_refusal_names_the_place_of_the_value(old: str, new: str, place: str) -> None:
    layout = BY_NAME["camt.053.spi.1.4"]
    message = Camt053(**header(), statements=(statement(100), statement(200, 300)))
    text = layout.write(message, "")
    start = text.index("<Stmt>")

    with pytest.raises(InvalidMessage) as refused:
        read_back(text[:start] + text[start:].replace(old, new, 1), message, layout)

    assert refused.value.path == f"Document/BkToCstmrStmt/{place}"
    assert new not in refused.value.problem


def test_message_that_names_another_id_than_its_header_is_refused() -> None:
    layout = BY_NAME["camt.053.spi.1.4"]
    message = Camt053(**header(), statements=(statement(1),))
    text = layout.write(message, "").replace(message.message_id, f"M{'0' * 31}", 1)

    with pytest.raises(InvalidMessage) as refused:
        read_back(text, message, layout)

    assert refused.value.path == "Document/BkToCstmrStmt/GrpHdr/MsgId"


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (statement, "balances"),
        (lambda: Camt053(**header(), statements=[statement(1)]), "statements"),
        (lambda: Camt053(**header(), statements=(1,)), "statements"),
        (lambda: Balance(type="SADP", amount_cents=1.0, at=AT), "amount_cents"),
        (lambda: Balance(type=None, amount_cents=1, at=AT), "type"),
        (lambda: Balance(type="SADP", amount_cents=1, at=datetime(2026, 1, 1)), "at"),  # noqa: DTZ001
        (lambda: Balance(type="SADP\n", amount_cents=1, at=AT), "type"),
        (lambda: Camt053(**header(sender="1"), statements=(statement(1),)), "sender"),
        (Modification, "contact"),
        (lambda: Modification(keyword="abcd1234", director_cpf="1" * 11), "contact"),
        (lambda: Modification(keyword="abc"), "keyword"),
        (lambda: contact(telephone="+55-1\n2"), "telephone"),
        (lambda: contact(telephone=f"+55-{'1' * 30}"), "telephone"),
        (lambda: contact(email="x"), "email"),
        (lambda: receipt(reason=None, text="x"), "reason"),
        (lambda: receipt(original_id=f"|{OUR_ISPB}202609281435{'0' * 11}"), "original_id"),
        (lambda: AnswerStep(type="EXPR", at=AT), "type"),
    ],
)
def test_part_that_breaks_its_schema_is_never_built(build: Any, path: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        build()

    assert refused.value.path == path


def contact(**changes: object) -> Contact:
    values = {"telephone": "+55-6134141414", "email": "a@b", "responsibility": "CONTATOPSP"}
    return Contact(**{**values, **changes})


def receipt(**changes: object) -> Receipt:
    values = {
        "original_message_id": f"M{OUR_ISPB}{'1' * 23}",
        "original_id": f"E{OUR_ISPB}202609281435{'0' * 11}",
        "status": "RJCT",
        "reason": "AM01",
    }
    return Receipt(**{**values, **changes})


class Item(Part, frozen=True, kw_only=True):
    name: Annotated[str, At("Nm")]
    is_new: Annotated[bool | None, At("New")] = None


class Listed(Message, frozen=True, kw_only=True):
    items: Annotated[tuple[Item, ...], At("Item")]
    count: Annotated[int | None, At("Nb", counts="items")] = None
    notes: Annotated[tuple[str, ...], At("Note")] = ()


def table(document: str) -> Table:
    types = {"_Text": Facets(least=1, most=9), "_Fixed": Facets(values="X"), "_Nb": Facets()}
    return Table("urn:t", {"Envelope": "_Envelope"}, with_document(types, document=document))


LINE = "Root(Nb:_Nb Fix:_Fixed Item{1,2}(Nm:_Text New?:boolean) Note*:_Text)"


def listed(**changes: object) -> Listed:
    return Listed(**header(), **{"items": (Item(name="a"), Item(name="b", is_new=True)), **changes})


def test_layout_writes_constants_counts_and_repetitions_by_itself() -> None:
    layout = Layout(Listed, "t.1", table(LINE))
    text = (
        "<Document><Root><Nb>2</Nb><Fix>X</Fix><Item><Nm>a</Nm></Item>"
        "<Item><Nm>b</Nm><New>true</New></Item><Note>x &amp; y</Note><Note>z</Note></Root>"
        "</Document>"
    )
    message = listed(notes=("x & y", "z"))

    assert layout.write(message, "") == text
    assert read_back(text, message, layout) == message
    assert read_back(text.replace("true", "1"), message, layout) == message
    assert read_back(text.replace(">2<", ">3<"), message, layout) == listed(
        notes=("x & y", "z"), count=3
    )
    for wrong in ("<Fix>Y</Fix>", "", "<Fix></Fix>"):
        with pytest.raises(InvalidMessage):
            read_back(text.replace("<Fix>X</Fix>", wrong), message, layout)
    with pytest.raises(InvalidMessage):
        read_back(text.replace(">true<", ">yes<"), message, layout)
    with pytest.raises(InvalidMessage):
        listed(items=(Item(name="a"),) * 3)


@pytest.mark.parametrize(
    "line",
    [
        "Root(Nb:_Nb Item{1,2}(Nm:_Text New?:boolean))",  # notes have no element
        f"{LINE[:-1]} More:_Text)",  # an element has no field
        LINE.replace("Fix:", "Fix?:"),  # nobody could say whether it is there
        LINE.replace("New?", "New"),  # a field may be absent, its element may not
        LINE.replace("Nm", "Nm?"),  # the reverse
        f"{LINE[:-1]} #any)",
    ],
)
def test_struct_that_does_not_fit_its_schema_makes_no_layout(line: str) -> None:
    with pytest.raises(ValueError, match=r"element|absent|layout"):
        Layout(Listed, "t.1", table(line))


def test_part_that_means_two_things_makes_no_layout() -> None:
    Layout(Listed, "t.1", table(LINE))
    narrowed = table(LINE)
    types = {**narrowed.types, "_Text": Facets(least=1, most=8)}

    with pytest.raises(ValueError, match="another message"):
        Layout(Listed, "t.2", Table("urn:t", narrowed.elements, types))


def codes(struct: type, field: str) -> set[str]:
    facets, _ = next(each for each in CHECKS[struct].each if each.name == field).schema
    return set(facets[0].values.split())


def test_codes_are_those_of_the_catalogue(reference_folder: Path) -> None:
    listed_codes = json.loads((reference_folder / "spi" / "codes.json").read_text())
    automatic = listed_codes["pix_automatico"]
    participant = listed_codes["participant"]
    rejections = {"AC01", "AC04", "AC06", "AM05", "CH16", "MD01", "MD20", "SA01"}
    rejections |= {f"AP{number:02d}" for number in range(1, 16)}
    expected = [
        (PaymentReturn, "reason", listed_codes["pacs004_reason"]),
        (Balance, "type", listed_codes["balance_type_camt053"]),
        (AccountEntry, "domain", listed_codes["camt054_domain"]),
        (AccountEntry, "local_instrument", listed_codes["local_instrument"]),
        (AccountEntry, "purpose", listed_codes["purpose"]),
        (AccountEntry, "service_level", listed_codes["service_level"]),
        (participants.Camt014, "type", participant["type"]),
        (participants.Camt014, "status", participant["status"]),
        (participants.Camt014, "role", participant["role"]),
        (Reda016, "status", listed_codes["reda016_status"]),
        (Reda016, "reason", listed_codes["reda016_reason"]),
        (ParticipantChange, "field", listed_codes["reda041_change"]),
        (Pain011, "reason", automatic["pain011_cancel"]),
        (MandateAnswer, "status", automatic["pain012_status"]),
        (MandateAnswer, "reason", rejections),
        (Charge, "attempt", automatic["pain013_kind"]),
        (ChargeAnswer, "reason", automatic["pain014_reject"]),
        (Camt055, "reason", automatic["camt055_cancel"]),
        (Camt029, "status", automatic["camt029_status"]),
        (Camt029, "reason", automatic["camt029_reject"]),
    ]

    for struct, field, values in expected:
        assert codes(struct, field) == set(values), (struct, field)
    assert codes(requests.Camt060, "balance_type") >= set(listed_codes["camt060_requested_balance"])
    assert codes(MandateTerms.__subclasses__()[0], "frequency") == set(automatic["frequency"])
    assert codes(AnswerStep, "type") >= set(automatic["journey"])


def test_every_kind_of_the_catalogue_is_spoken_in_its_version(reference_folder: Path) -> None:
    listed_codes = json.loads((reference_folder / "spi" / "codes.json").read_text())
    named = {f"{kind}.spi.{version}" for kind, version in listed_codes["versions_5_13"].items()}

    assert named == MESSAGES
    assert named - set(BY_NAME) == {"pacs.008.spi.1.16", "pacs.002.spi.1.17"}


def test_period_without_one_of_its_times_is_never_built() -> None:
    at = datetime(2026, 9, 28, 1, 2, 3, tzinfo=UTC)

    with pytest.raises(InvalidMessage) as refused:
        ReportPeriod(at.date(), None, at.timetz())

    assert refused.value.path == "end"


def test_page_lists_every_kind_with_its_struct() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spi-messages.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z]+\.\d{3}) \| ([\d.]+) \|[^|]*\| `(\w+)` \|", page, re.MULTILINE)
    structs = {layout.definition: layout.message.__name__ for layout in LAYOUTS}
    structs |= {"pacs.008.spi.1.16": "Pacs008", "pacs.002.spi.1.17": "Pacs002"}

    assert {f"{kind}.spi.{version}": struct for kind, version, struct in rows} == structs
