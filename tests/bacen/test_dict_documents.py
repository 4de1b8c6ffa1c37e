"""Every request and answer of the DICT API goes to XML and back; what breaks the schema does not.

The strategies are made from the structs, so a field that is added is tested at once.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from bacen import InvalidMessage, MalformedXml, SignatureInvalid, WireError
from bacen.dict import (
    OPERATIONS,
    Arrival,
    CreateEntryRequest,
    Entry,
    Part,
    Person,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
    forms,
)
from bacen.dict.document import write_part
from bacen.dict.part import slots_of
from bacen.wire import Signer, Verifier, sign_dict
from tests.bacen.conftest import OUR_ISPB
from tests.bacen.dict_documents import arrive, parts, smallest

AT = datetime(2026, 1, 10, tzinfo=UTC)


def parts_within(part: type[Part]) -> Iterator[type[Part]]:
    """A struct and all that it is made of."""
    yield part
    for slot in slots_of(part):
        if slot.part is not None:
            yield from parts_within(slot.part)


PARTS = {
    each
    for operation in OPERATIONS.values()
    for root in (operation.request, operation.response)
    for each in parts_within(root)
}
MANY = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
FEW = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", OPERATIONS)
@FEW
@given(data=st.data())
def test_every_request_is_read_as_it_was_written(
    name: str, data: st.DataObject, our_signer: Signer, verifier: Verifier
) -> None:
    operation = OPERATIONS[name]
    request = data.draw(parts(operation.request))

    arrival = arrive(operation, encode_request(operation, request), our_signer)

    read = decode_request(operation, arrival, verifier, ispb=OUR_ISPB)
    assert read == request


@pytest.mark.parametrize("name", OPERATIONS)
@FEW
@given(data=st.data())
def test_every_answer_is_read_as_it_was_written(
    name: str, data: st.DataObject, spi_signer: Signer, verifier: Verifier
) -> None:
    operation = OPERATIONS[name]
    response = data.draw(parts(operation.response))

    octets = encode_response(operation, response, spi_signer)

    assert decode_response(operation, octets, verifier) == response
    assert etree.fromstring(octets)[0].tag == "{http://www.w3.org/2000/09/xmldsig#}Signature"


def body_of(name: str) -> bytes:
    """The unsigned body of the smallest request of an operation."""
    operation = OPERATIONS[name]
    body = encode_request(operation, smallest(operation.request)).body
    assert body is not None
    return body


def read_bent(
    name: str, bend: Callable[[bytes], bytes], signer: Signer, verifier: Verifier
) -> object:
    """Read the smallest request of an operation after its signer bent it."""
    operation = OPERATIONS[name]
    wire = encode_request(operation, smallest(operation.request))
    arrival = arrive(operation, replace(wire, body=bend(wire.body or b"")), signer)
    return decode_request(operation, arrival, verifier)


def test_what_bends_nothing_is_read(our_signer: Signer, verifier: Verifier) -> None:
    for name, operation in OPERATIONS.items():
        assert read_bent(name, lambda body: body, our_signer, verifier) == smallest(
            operation.request
        )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"<Reason>", b"<More/><Reason>", "unknown element"),
        (b"<Reason>", b"words<Reason>", "holds text"),
        (b"<Reason>", b'<Reason kind="a">', "unknown attribute"),
        (b"<DeleteEntryRequest>", b'<DeleteEntryRequest a="b">', "unknown attribute"),
        (b"<Participant>", b"<Participant>12345678</Participant><Participant>", "stands twice"),
        (b"<Participant>", b"<Participant><b/>", "must be text"),
        (b"12345678", b"1234<?go?>5678", "must be text"),
        (b"12345678", b"123456789", "must be an ISPB"),
        (b"<Participant>12345678</Participant>", b"", "must be there"),
        (b"DeleteEntryRequest", b"UpdateEntryRequest", "must be the root"),
        (b"<DeleteEntryRequest>", b'<DeleteEntryRequest xmlns="urn:a">', "must be the root"),
        (b"<Reason>", b'<Reason xmlns="urn:a">', "unknown element"),
        (b"+5511999887766", b"+5511999887767", "is not the same in the path"),
        (b"USER_REQUESTED", b"BECAUSE", "must be one of"),
    ],
)
def test_request_that_breaks_the_schema_is_refused_by_its_rule(
    old: bytes, new: bytes, problem: str, our_signer: Signer, verifier: Verifier
) -> None:
    def bend(body: bytes) -> bytes:
        assert old in body
        return body.replace(old, new)

    with pytest.raises(InvalidMessage, match=problem):
        read_bent("deleteEntry", bend, our_signer, verifier)


def test_comment_cuts_no_text_in_two(
    our_signer: Signer, spi_signer: Signer, verifier: Verifier
) -> None:
    def bend(body: bytes) -> bytes:
        return body.replace(b"+5511999887766", b"+5511<!-- -->999887766")

    # Signed, it is no part of what was signed; unsigned, it is refused.
    read_bent("deleteEntry", bend, our_signer, verifier)
    with pytest.raises(InvalidMessage, match="must be text"):
        read_bent("checkKeys", bend, our_signer, verifier)
    with pytest.raises(InvalidMessage, match="comment"):
        read_bent(
            "checkKeys",
            lambda body: body.replace(b"<Keys>", b"<!-- --><Keys>"),
            spi_signer,
            verifier,
        )


def test_refusal_names_the_way_to_the_field(our_signer: Signer, verifier: Verifier) -> None:
    with pytest.raises(InvalidMessage) as refused:
        read_bent(
            "createClaim",
            lambda body: body.replace(b"<Name>Fulano", b"<Name>"),
            our_signer,
            verifier,
        )

    assert refused.value.path == "Claim/Claimer/Name"


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        (forms.INSTANT, "2026-01-10T10:00:00Z", datetime(2026, 1, 10, 10, tzinfo=UTC)),
        (forms.INSTANT, "2026-01-10T07:00:00.0-03:00", datetime(2026, 1, 10, 10, tzinfo=UTC)),
        (forms.INSTANT, "2026-01-10T10:00:00", None),
        (forms.INSTANT, "2026-01-10 10:00:00Z", None),
        (forms.INSTANT, "20260110T100000Z", None),
        (forms.INSTANT, "2026-02-30T10:00:00Z", None),
        (forms.INSTANT, "0001-01-01T00:00:00+12:00", None),
        (forms.ISPB, "9999a04x", "9999A04X"),
        (forms.ISPB, "9999\u017f041", None),
        (forms.TAX_ID, "12abc34501de35", "12ABC34501DE35"),
        (forms.TAX_ID, "5299822472\u0665", None),
        (forms.KEY, "ANA@EXAMPLE.COM", "ana@example.com"),
        (forms.KEY, "\u212aate@example.com", None),
        (forms.KEY, "12abc34501de35", "12ABC34501DE35"),
        (forms.KEY, "123E4567-E89B-12D3-A456-426655440000", "123e4567-e89b-12d3-a456-426655440000"),
        (forms.CENTS, "10.5", 1050),
        (forms.CENTS, "10.505", None),
        (forms.CENTS, "-1.00", None),
        (forms.FLAG, "1", True),
        (forms.FLAG, "True", None),
        (forms.DURATION, "PT2H", timedelta(hours=2)),
        (forms.DURATION, "P1DT1M1S", timedelta(days=1, minutes=1, seconds=1)),
        (forms.DURATION, "PT", None),
        (forms.DURATION, "P", None),
        (forms.DURATION, "PT1.5S", None),
        (forms.UUID_FORM, "{a946d533-7f22-42a5-9a9b-e87cd55c0f4d}", None),
        (forms.UUID_FORM, "a946d5337f2242a59a9be87cd55c0f4d", None),
    ],
)
def test_value_is_read_in_its_one_form(form: forms.Form, text: str, value: object) -> None:
    if value is not None:
        assert form.value_of(text, "Field") == value
        return
    with pytest.raises(InvalidMessage) as refused:
        form.require(form.value_of(text, "Field"), "Field")
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a",
        b'<!DOCTYPE a [<!ENTITY b "c">]><DeleteEntryRequest/>',
        b"<DeleteEntryRequest>" + b"<a>" * 100_000,
        "<DeleteEntryRequest/>".encode("utf-16"),
    ],
)
def test_bytes_that_are_no_xml_of_ours_are_refused(body: bytes, verifier: Verifier) -> None:
    operation = OPERATIONS["deleteEntry"]
    arrival = Arrival(path={"Key": "+5511999887766"}, headers={}, body=body)

    with pytest.raises((MalformedXml, SignatureInvalid)):
        decode_request(operation, arrival, verifier)


def test_write_without_signature_or_by_another_is_refused(
    our_signer: Signer, spi_signer: Signer, verifier: Verifier
) -> None:
    operation = OPERATIONS["deleteEntry"]
    body = body_of("deleteEntry")
    path = {"Key": "+5511999887766"}

    for bad in (body, sign_dict(body, our_signer).replace(b"USER_REQUESTED", b"FRAUD")):
        with pytest.raises(SignatureInvalid):
            decode_request(operation, Arrival(path=path, headers={}, body=bad), verifier)
    arrival = Arrival(path=path, headers={}, body=sign_dict(body, our_signer))
    with pytest.raises(SignatureInvalid):
        decode_request(operation, arrival, verifier, ispb="87654321")


def test_answer_with_elements_of_a_later_version_is_read(
    spi_signer: Signer, verifier: Verifier
) -> None:
    operation = OPERATIONS["getPolicy"]
    response = smallest(operation.response)
    octets = etree.tostring(write_part(response, operation.response_tag))
    later = octets.replace(b"<Policy>", b'<Mood a="b"><c/></Mood><Policy new="1"><New>1</New>')

    assert decode_response(operation, sign_dict(later, spi_signer), verifier) == response


@pytest.mark.parametrize(
    ("query", "headers", "path"),
    [
        ((), {}, "Participant"),
        ((("Participant", "12345678"), ("Participant", "12345678")), {}, "Participant"),
        ((("Participant", "12345678"), ("Nothing", "1")), {}, "Nothing"),
        ((("Participant", "12345678"), ("Limit", "201")), {}, "Limit"),
        ((("Participant", "12345678"), ("Limit", "0")), {}, "Limit"),
        ((("Participant", "12345678"), ("Limit", "ten")), {}, "Limit"),
        ((("Participant", "12345678"), ("Status", "OPEN"), ("Status", "SHUT")), {}, "Status"),
        (
            (("Participant", "12345678"), ("ModifiedAfter", "2026-01-10T10:00:00")),
            {},
            "ModifiedAfter",
        ),
        ((("Participant", "12345678"), ("IsDonor", "yes")), {}, "IsDonor"),
    ],
)
def test_question_with_wrong_parameters_is_refused_by_its_name(
    query: tuple[tuple[str, str], ...], headers: dict[str, str], path: str, verifier: Verifier
) -> None:
    arrival = Arrival(path={}, query=query, headers=headers)

    with pytest.raises(InvalidMessage) as refused:
        decode_request(OPERATIONS["listClaims"], arrival, verifier)

    assert refused.value.path == path


def test_header_of_a_question_is_compulsory_in_any_case(verifier: Verifier) -> None:
    operation = OPERATIONS["getPolicy"]
    path = {"Policy": "EVENT_LIST"}

    with pytest.raises(InvalidMessage, match="PI-RequestingParticipant"):
        decode_request(operation, Arrival(path=path, headers={}), verifier)
    arrival = Arrival(path=path, headers={"pi-requestingparticipant": "12345678"})
    assert decode_request(operation, arrival, verifier).participant == "12345678"


@pytest.mark.parametrize("part", sorted(PARTS, key=lambda part: part.__name__))
def test_struct_with_a_field_of_another_type_is_refused(part: type[Part]) -> None:
    whole = smallest(part)

    for slot in slots_of(part):
        for wrong in (object(), "\x00", b"", [], "a\ud800"):
            with pytest.raises(InvalidMessage):
                msgspec.structs.replace(whole, **{slot.name: wrong})
        if not slot.is_optional:
            with pytest.raises(InvalidMessage):
                msgspec.structs.replace(whole, **{slot.name: None})


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("Person", {"tax_id_number": "12ABC34501DE35"}),
        ("Person", {"type": "LEGAL_PERSON"}),
        ("Entry", {"key_type": "EMAIL"}),
        ("NewEntry", {"key": None}),
        ("NewClaim", {"key_type": "CPF"}),
        ("Claim", {"key_type": "CPF"}),
        ("CreateEntryRequest", {"request_id": UUID("a946d533-7f22-12a5-9a9b-e87cd55c0f4d")}),
        ("CompleteClaimRequest", {"request_id": UUID(int=7)}),
        ("CreateFraudMarkerRequest", {"request_id": UUID(int=7)}),
        ("CheckKeysRequest", {"keys": ()}),
        ("CheckKeysRequest", {"keys": ("+5511999887766",) * 201}),
        ("CloseInfractionReportRequest", {"fraud_type": "OTHER"}),
        ("UpdateInfractionReportRequest", {"situation_type": "OTHER"}),
        ("UpdateFundsRecoveryRequest", {"situation_type": "OTHER"}),
        ("BlockFundsRecoveryRequest", {"transactions": ("E" * 32,)}),
        ("BlockFundsRecoveryRequest", {"prioritization_strategy": "TRANSACTION_LIST"}),
        ("ListClaimsRequest", {"limit": 201}),
        ("Entry", {"creation_date": AT.replace(tzinfo=None)}),
    ],
)
def test_fields_that_do_not_go_together_are_refused(kind: str, changes: dict[str, object]) -> None:
    part = next(each for each in PARTS if each.__name__ == kind)

    with pytest.raises(InvalidMessage):
        msgspec.structs.replace(smallest(part), **changes)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": "Fulano 2"}, "Entry/Owner/Name"),
        ({"trade_name": "Loja"}, "Entry/Owner/TradeName"),
        (
            {"type": "LEGAL_PERSON", "tax_id_number": "12ABC34501DE35", "name": "漢字"},
            "Entry/Owner/Name",
        ),
        (
            {"type": "LEGAL_PERSON", "tax_id_number": "12ABC34501DE35", "trade_name": "***"},
            "Entry/Owner/TradeName",
        ),
    ],
)
def test_name_that_dict_takes_no_more_is_read_and_not_written(
    changes: dict[str, object], path: str
) -> None:
    owner = msgspec.structs.replace(smallest(Person), **changes)
    request = smallest(CreateEntryRequest)

    msgspec.structs.replace(smallest(Entry), owner=owner)
    new = msgspec.structs.replace(request.entry, owner=owner)
    with pytest.raises(InvalidMessage) as refused:
        msgspec.structs.replace(request, entry=new)

    assert refused.value.path == path


def test_key_with_wrong_check_digits_is_read_and_not_written() -> None:
    entry = msgspec.structs.replace(smallest(Entry), key="11122233300", key_type="CPF")
    request = smallest(CreateEntryRequest)

    new = msgspec.structs.replace(request.entry, key=entry.key, key_type="CPF")
    with pytest.raises(InvalidMessage, match="check digits"):
        msgspec.structs.replace(request, entry=new)


PIECES = (b"<", b">", b"</", b"/>", b"<a>", b"&", b"&lt;", b"&#0;", b"<!--", b"]]>", b"\x00", b"'")


def bent(data: st.DataObject, original: bytes) -> bytes:
    """Cut, double and overwrite pieces of bytes."""
    body = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        start, other = (data.draw(st.integers(0, len(body))) for _ in range(2))
        end = min(len(body), start + data.draw(st.integers(0, 60)))
        body[start:end] = data.draw(
            st.sampled_from(PIECES) | st.binary(max_size=6) | st.just(bytes(body[other:][:80]))
        )
    return bytes(body)


@MANY
@given(data=st.data())
def test_bent_document_that_was_signed_is_read_or_refused_with_a_typed_error(
    data: st.DataObject, our_signer: Signer, verifier: Verifier
) -> None:
    name = data.draw(st.sampled_from([name for name in OPERATIONS if OPERATIONS[name].has_body]))

    with contextlib.suppress(WireError):
        read_bent(name, lambda body: bent(data, body), our_signer, verifier)
    operation = OPERATIONS[name]
    root = write_part(smallest(operation.response), operation.response_tag)
    with contextlib.suppress(WireError):
        signed = sign_dict(bent(data, etree.tostring(root)), our_signer)
        decode_response(operation, signed, verifier)


@MANY
@given(
    query=st.lists(
        st.tuples(
            st.sampled_from(["Participant", "Status", "Limit", "ModifiedAfter", "IsDonor", "Typo"]),
            st.sampled_from(["12345678", "OPEN", "7", "2026-01-10T10:00:00Z", "true"]) | st.text(),
        ),
        max_size=6,
    )
)
def test_any_question_is_read_or_refused_with_a_typed_error(
    query: list[tuple[str, str]], verifier: Verifier
) -> None:
    arrival = Arrival(path={}, query=query, headers={})

    with contextlib.suppress(InvalidMessage):
        decode_request(OPERATIONS["listClaims"], arrival, verifier)
