"""Messages survive the wire unchanged, and what breaks a schema cannot be built."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen.wire import (
    SPI_ISPB,
    AccountId,
    CashOut,
    CashPart,
    InvalidMessage,
    Message,
    Signer,
    Tax,
    TaxRecord,
    Verifier,
    cents_to_text,
    decode,
    encode,
    is_end_to_end_id,
    make_end_to_end_id,
    message_id,
    peek_message_id,
    text_to_cents,
)
from tests.bacen.wire_messages import (
    AT,
    OUR_ISPB,
    admi002,
    drawn_messages,
    few,
    many,
    pacs002,
    pacs008,
    patient,
    report,
    transfer,
)


def is_read_as_it_was_written(message: Message, our_signer: Signer, verifier: Verifier) -> None:
    assert decode(encode(message, our_signer), verifier) == message


test_every_message_is_read_as_it_was_written = few(
    given(message=drawn_messages)(is_read_as_it_was_written)
)
test_many_messages_are_read_as_they_were_written = pytest.mark.slow(
    many(given(message=drawn_messages)(is_read_as_it_was_written))
)


def test_same_message_and_signer_give_the_same_bytes(our_signer: Signer) -> None:
    assert encode(pacs008(), our_signer) == encode(pacs008(), our_signer)


def test_time_of_another_zone_is_written_in_utc(our_signer: Signer, verifier: Verifier) -> None:
    brasilia = timezone(timedelta(hours=-3))
    message = pacs008(created_at=AT.astimezone(brasilia))

    data = encode(message, our_signer)

    assert b"<CreDt>2026-09-28T14:35:12.345Z</CreDt>" in data
    assert decode(data, verifier) == message


def test_microseconds_are_cut_off(our_signer: Signer) -> None:
    data = encode(pacs008(created_at=AT.replace(microsecond=999_999)), our_signer)

    assert b"<CreDt>2026-09-28T14:35:12.999Z</CreDt>" in data


def test_count_that_differs_from_the_transfers_is_reported(
    our_signer: Signer, verifier: Verifier
) -> None:
    data = encode(pacs008(count=2, declared_count=3), our_signer)

    assert b"<NbOfTxs>3</NbOfTxs>" in data
    assert getattr(decode(data, verifier), "declared_count", None) == 3


WRONG_TRANSFERS = {
    "end_to_end_id": "D1234567820260928143500000000000",
    "amount_cents": -1,
    "accepted_at": datetime(2026, 1, 1),  # noqa: DTZ001 - without an offset
    "local_instrument": "PIX",
    "debtor_name": "",
    "debtor_tax_id": "5299822472",
    "debtor_ispb": "1234567a",
    "creditor_ispb": "99999A0",
    "creditor_tax_id": "12ABC34501DEXX",
    "creditor_key": "k" * 78,
    "purpose": "ipay",
    "transaction_id": "tx-1",
    "instruction_id": "X" * 32,
    "initiator_cnpj": "52998224725",
    "remittance": "a\x00b",
}


@pytest.mark.parametrize(("field", "value"), WRONG_TRANSFERS.items(), ids=WRONG_TRANSFERS)
def test_transfer_that_breaks_the_schema_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidMessage) as refused:
        transfer(**{field: value})

    assert refused.value.path == field


@pytest.mark.parametrize("value", [None, 5, 1050.0, True, 10**18], ids=repr)
def test_amount_that_is_no_whole_number_of_centavos_is_refused(value: object) -> None:
    if value == 5:
        assert transfer(amount_cents=value).amount_cents == 5
        return
    with pytest.raises(InvalidMessage):
        transfer(amount_cents=value)


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (lambda: AccountId("50-0"), "account.number"),
        (lambda: AccountId("500", "CHQB"), "account.type"),
        (lambda: AccountId("500", "CACC", "12345"), "account.branch"),
        (lambda: report(status="ACCP"), "status"),
        (lambda: report(reasons=("FOCR",)), "reasons"),
        (lambda: report(additional=("x" * 106,)), "additional"),
        (lambda: report(settlement_date=AT), "settlement_date"),
        (lambda: report(original_instruction_id=f"|{'1' * 31}"), "original_instruction_id"),
        (lambda: pacs008(transfers=()), "transfers"),
        (lambda: pacs008(priority="LOW"), "priority"),
        (lambda: pacs008(message_id=f"M{OUR_ISPB}"), "message_id"),
        (lambda: pacs008(declared_count=-1), "declared_count"),
        (lambda: pacs002(reports=()), "reports"),
        (lambda: pacs002(sender="SPI"), "sender"),
        (lambda: admi002(related_reference="x" * 34), "related_reference"),
        (lambda: admi002(rejecting_party_reason="x" * 36), "rejecting_party_reason"),
        (lambda: admi002(error_location="\ud800"), "error_location"),
        (lambda: admi002(description="\uffff"), "description"),
        (lambda: admi002(additional_data="\x0b"), "additional_data"),
        (lambda: Tax("1", (TaxRecord("CBSSPLIT", 1),)), "tax.records"),
        (lambda: CashOut("AGTEC", "12345678", (CashPart("VLDN", 1),) * 2), "cash.parts"),
    ],
)
def test_part_that_breaks_the_schema_is_refused_by_name(build: object, path: str) -> None:
    assert callable(build)

    with pytest.raises(InvalidMessage) as refused:
        build()

    assert refused.value.path == path


def test_refusal_never_repeats_the_value() -> None:
    with pytest.raises(InvalidMessage) as refused:
        transfer(debtor_tax_id="529982247250")

    assert "529982" not in str(refused.value)


@given(st.integers(0, 10**18 - 1))
@patient
def test_amount_is_read_as_it_was_written(cents: int) -> None:
    assert text_to_cents(cents_to_text(cents)) == cents


@pytest.mark.parametrize(
    ("text", "cents"),
    [("0", 0), ("10", 1000), ("10.5", 1050), ("10.50", 1050), ("9999999999999999.99", 10**18 - 1)],
)
def test_amount_text_is_read_in_centavos(text: str, cents: int) -> None:
    assert text_to_cents(text) == cents


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.", ".5", "1.005", "1e3", "1,00", "\u0661", "NaN", "1" * 17, " 1"]
)
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidMessage):
        text_to_cents(text)


def test_identifiers_have_the_form_of_the_catalogue() -> None:
    end_to_end_id = make_end_to_end_id("99999A04", AT, "abcDEF12345")

    assert end_to_end_id == "E99999A04202609281435abcDEF12345"
    assert is_end_to_end_id(end_to_end_id)
    assert not is_end_to_end_id(end_to_end_id + "\n")
    assert message_id(SPI_ISPB, "a" * 23) == f"M00038166{'a' * 23}"


def test_end_to_end_id_counts_in_utc() -> None:
    brasilia = timezone(timedelta(hours=-3))

    made = make_end_to_end_id(OUR_ISPB, datetime(2026, 1, 1, 22, 0, tzinfo=brasilia), "0" * 11)

    assert made.startswith(f"E{OUR_ISPB}202601020100")


@pytest.mark.parametrize(
    ("ispb", "suffix"), [("1234567", "0" * 23), (OUR_ISPB, "0" * 22), (OUR_ISPB, "-" * 23)]
)
def test_identifier_of_wrong_parts_is_refused(ispb: str, suffix: str) -> None:
    with pytest.raises(InvalidMessage):
        message_id(ispb, suffix)
    with pytest.raises(InvalidMessage):
        make_end_to_end_id(ispb, datetime(2026, 1, 1, tzinfo=UTC), suffix[:10])


def test_message_id_can_be_quoted_out_of_broken_bytes(our_signer: Signer) -> None:
    data = encode(pacs008(), our_signer)

    assert peek_message_id(data[:-200]) == pacs008().message_id
    assert peek_message_id(b"\xff\x00 no message") is None
