"""What is wrong with a message beyond its schema: encoding, header, signature, rules of the SPI."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bacen.validation import Signature, Validation, validate
from bacen.wire import SPI_ISPB, Message, Signer, Tax, TaxRecord, Verifier, encode
from tests.bacen.rule_messages import cancellation
from tests.bacen.wire_messages import (
    AT,
    OUR_ISPB,
    admi002,
    camt060,
    indented,
    pacs002,
    pacs004,
    pacs008,
    payment_return,
    pibr001,
    transfer,
)

PAYMENT = "/Envelope/Document/FIToFICstmrCdtTrf"


def found(result: Validation) -> list[tuple[str, str, str | None]]:
    return [(each.path, each.rule, each.code) for each in result.violations]


def text_of(signer: Signer, **changes: object) -> str:
    return encode(pacs008(count=1, **changes), signer).decode()


@pytest.mark.parametrize(
    "message", [pacs008(), pacs002(), admi002(), pacs004(), camt060(), pibr001()]
)
def test_signed_message_of_ours_is_valid_and_verified(
    message: object, our_signer: Signer, spi_signer: Signer, verifier: Verifier
) -> None:
    signer = our_signer if getattr(message, "sender", "") == OUR_ISPB else spi_signer

    result = validate(encode(message, signer), verifier)

    assert result.valid
    assert result.signature is Signature.VERIFIED
    assert result.violations == ()


def test_without_certificates_the_signature_is_unverified(our_signer: Signer) -> None:
    result = validate(encode(pacs008(), our_signer))

    assert (result.valid, result.signature) == (True, Signature.UNVERIFIED)
    assert result.message == "pacs.008.spi.1.16"


def test_changed_amount_breaks_the_signature(our_signer: Signer, verifier: Verifier) -> None:
    data = encode(pacs008(count=1), our_signer).replace(b">10.50<", b">99.50<")

    result = validate(data, verifier)

    assert (result.valid, result.signature) == (False, Signature.INVALID)
    assert found(result) == [("/Envelope/AppHdr/Sgntr", "signature", "admi.002")]


def test_signature_of_somebody_else_is_refused(spi_signer: Signer, verifier: Verifier) -> None:
    result = validate(encode(pacs008(count=1, sender="99999A04"), spi_signer), verifier)

    assert found(result) == [("/Envelope/AppHdr/Sgntr", "signature", "admi.002")]


def test_indented_message_is_read_like_any_other(our_signer: Signer) -> None:
    assert validate(indented(encode(pacs008(), our_signer))).valid


@pytest.mark.parametrize(
    "at",
    [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)],
)
@pytest.mark.parametrize("make", [pacs008, pacs004])
def test_message_of_the_first_or_the_last_day_of_the_calendar_is_judged(
    make: Callable[..., Message], at: datetime, our_signer: Signer
) -> None:
    assert not validate(encode(make(created_at=at), our_signer)).valid


def test_message_that_breaks_its_schema_is_not_looked_at_further(
    our_signer: Signer, verifier: Verifier
) -> None:
    data = text_of(our_signer).replace("SLEV", "DEBT").replace(">10.50<", ">0.00<")

    result = validate(data.encode(), verifier)

    assert [each.rule for each in result.violations] == ["enumeration"]
    assert result.signature is Signature.UNVERIFIED


def test_schema_only_stops_after_the_schema(our_signer: Signer, verifier: Verifier) -> None:
    data = text_of(our_signer, service_level="PAGAGD").encode()

    assert validate(data, verifier, schema_only=True).valid
    assert not validate(data, verifier).valid


def test_encoding_other_than_utf_8_is_right_for_the_schema_and_wrong_for_the_bank(
    our_signer: Signer,
) -> None:
    data = encode(admi002(rejecting_party_reason="inválido"), our_signer).decode()
    latin = data.replace("UTF-8", "ISO-8859-1").encode("iso-8859-1")

    assert validate(latin, schema_only=True).valid
    assert found(validate(latin)) == [("/", "encoding", "admi.002")]


def test_definition_of_another_version_is_refused(our_signer: Signer) -> None:
    data = text_of(our_signer).replace("pacs.008.spi.1.16", "pacs.008.spi.1.15")

    result = validate(data.encode())

    assert found(result) == [("/Envelope/AppHdr/MsgDefIdr", "definition", "admi.002")]


def test_group_header_of_another_message_is_refused(our_signer: Signer) -> None:
    data = text_of(our_signer).replace("<MsgId>M12345678", "<MsgId>M12345679")

    result = validate(data.encode())

    assert found(result) == [(f"{PAYMENT}/GrpHdr/MsgId", "message_id", "admi.002")]


def test_assignment_of_another_message_is_refused(our_signer: Signer) -> None:
    data = encode(cancellation(), our_signer).replace(b"<Assgnmt><Id>M1", b"<Assgnmt><Id>M9")

    path = "/Envelope/Document/CstmrPmtCxlReq/Assgnmt/Id"
    assert found(validate(data)) == [(path, "message_id", "admi.002")]


def test_value_that_the_schema_lets_through_and_nobody_reads_is_named(our_signer: Signer) -> None:
    data = text_of(our_signer).replace("<Purp>", "<!-- x --><Purp>").replace(">10.50<", ">+10.50<")

    result = validate(data.encode())

    assert validate(data.encode(), schema_only=True).valid
    assert [each.rule for each in result.violations] == ["content"]


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"service_level": "PAGAGD"}, f"{PAYMENT}/GrpHdr/PmtTpInf", "CH16"),
        ({"declared_count": 9}, f"{PAYMENT}/GrpHdr/NbOfTxs", "AM18"),
    ],
)
def test_rule_of_a_message_is_answered_with_its_reason(
    changes: dict[str, object], path: str, code: str, our_signer: Signer
) -> None:
    assert found(validate(text_of(our_signer, **changes).encode())) == [(path, "business", code)]


def test_returns_are_counted_and_are_of_money(our_signer: Signer) -> None:
    path = "/Envelope/Document/PmtRtr"
    message = pacs004(returns=(payment_return(), payment_return(1, amount_cents=0)))

    assert found(validate(encode(pacs004(declared_count=9), our_signer))) == [
        (f"{path}/GrpHdr/NbOfTxs", "business", "AM18")
    ]
    assert found(validate(encode(message, our_signer))) == [
        (f"{path}/TxInf[2]", "business", "AM01")
    ]


@pytest.mark.parametrize("name", ["camt.052", "camt.053"])
def test_message_that_is_not_spoken_here_is_judged_by_schema_and_header(
    name: str, reference_folder: Path, our_signer: Signer
) -> None:
    signed = encode(pacs008(), our_signer).decode()
    signature = signed.split("<Sgntr>")[1].split("</Sgntr>")[0]
    path = reference_folder / "spi" / "samples" / f"constructed_{name}.xml"
    text = path.read_text().replace("<Sgntr/>", f"<Sgntr>{signature}</Sgntr>")

    assert validate(text.encode()).valid
    other = text.replace("<MsgDefIdr>camt", "<MsgDefIdr>cama")
    assert [each.rule for each in validate(other.encode()).violations] == ["definition"]


TAX = Tax("1", (TaxRecord("CBSSPLIT", 1), TaxRecord("IBSSPLIT", 1)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_cents": 0}, "AM01"),
        ({"creditor_ispb": OUR_ISPB}, "AG12"),
        ({"local_instrument": "QRDN", "transaction_id": "curto"}, "CH16"),
        ({"tax": TAX}, "RR06"),
        ({"end_to_end_id": f"E{OUR_ISPB}202609261435{'0' * 11}"}, "FF08"),
    ],
)
def test_rule_of_a_payment_is_answered_with_its_reason(
    changes: dict[str, object], code: str, our_signer: Signer
) -> None:
    transfers = (transfer(1), transfer(2, **changes))

    result = validate(encode(pacs008(transfers=transfers), our_signer))

    assert found(result) == [(f"{PAYMENT}/CdtTrfTxInf[2]", "business", code)]


def test_time_of_a_payment_is_measured_from_the_message(our_signer: Signer) -> None:
    """No clock: an old message is as right as on its day."""
    late = AT + timedelta(hours=11)
    assert validate(encode(pacs008(count=1, created_at=late), our_signer)).valid

    later = AT + timedelta(hours=13)
    result = validate(encode(pacs008(count=1, created_at=later), our_signer))
    assert [each.code for each in result.violations] == ["FF08"]


@pytest.mark.parametrize("data", [b"", b"<a/>", b"\xff", b"<!DOCTYPE a><a/>"])
def test_bytes_that_are_no_message_are_a_verdict_too(data: bytes, verifier: Verifier) -> None:
    result = validate(data, verifier)

    assert (result.message, result.valid, len(result.violations)) == (None, False, 1)


def test_part_that_the_schema_takes_for_a_document_is_no_message() -> None:
    part = (
        b'<RfrdDocAmt xmlns="https://www.bcb.gov.br/pi/pacs.008/1.16"><AdjstmntAmtAndRsn>'
        b'<Amt Ccy="BRL">1</Amt><Rsn>VLCP</Rsn></AdjstmntAmtAndRsn></RfrdDocAmt>'
    )

    assert validate(part, schema_only=True).valid
    assert found(validate(part)) == [("/", "envelope", "admi.002")]


def test_receiver_is_not_judged(spi_signer: Signer, verifier: Verifier) -> None:
    """What the bank hands on has the header of the bank."""
    message = pacs008(count=1, sender=SPI_ISPB, receiver=OUR_ISPB)

    assert validate(encode(message, spi_signer), verifier).valid
