"""Messages for the tests of the wire: fixed ones, drawn ones, and a foreign way to sign them."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from lxml import etree

from bacen.wire import (
    SPI_ISPB,
    STATUS_REASONS,
    AccountId,
    Admi002,
    Camt052,
    Camt053,
    Camt060,
    CreditTransfer,
    KeyPair,
    Message,
    Pacs002,
    Pacs004,
    Pacs008,
    PaymentReturn,
    Pibr001,
    Pibr002,
    StatusReport,
)
from bacen.wire.codec import LAYOUTS
from tests.bacen.drawn import drawn
from tests.bacen.wire_values import (
    OUR_ISPB,
    accounts,
    alphanumerics,
    cash_outs,
    cents,
    days,
    instants,
    ispbs,
    message_ids,
    payment_ids,
    tax_ids,
    taxes,
    texts,
)

AT = datetime(2026, 9, 28, 14, 35, 12, 345000, tzinfo=UTC)
DS = "http://www.w3.org/2000/09/xmldsig#"
# A busy machine is no reason to fail: signing and schema checks take milliseconds.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(patient, max_examples=30)  # of what is drawn again, and more often, by `many`
many = settings(patient, max_examples=300)


def transfer(number: int = 0, **changes: object) -> CreditTransfer:
    values: dict[str, object] = {
        "end_to_end_id": f"E{OUR_ISPB}202609281435{number:011d}",
        "amount_cents": 1050 + number,
        "accepted_at": AT - timedelta(milliseconds=445),
        "local_instrument": "DICT",
        "debtor_name": "José & Filhos <ME>",
        "debtor_tax_id": "52998224725",
        "debtor_account": AccountId("500000", "CACC", "3000"),
        "debtor_ispb": OUR_ISPB,
        "creditor_ispb": "99999A04",
        "creditor_tax_id": "12ABC34501DE35",
        "creditor_account": AccountId("600000", "SVGS"),
        "creditor_key": "recebedor@exemplo.com.br",
        "remittance": "aluguel\r\nde setembro",
    }
    return CreditTransfer(**{**values, **changes})


def pacs008(count: int = 10, **changes: object) -> Pacs008:
    values: dict[str, object] = {
        "sender": OUR_ISPB,
        "receiver": SPI_ISPB,
        "message_id": f"M{OUR_ISPB}{'1' * 23}",
        "created_at": AT,
        "transfers": tuple(transfer(number) for number in range(count)),
    }
    return Pacs008(**{**values, **changes})


def report(number: int = 0, **changes: object) -> StatusReport:
    identifier = f"E{OUR_ISPB}202609281435{number:011d}"
    values: dict[str, object] = {
        "original_instruction_id": identifier,
        "end_to_end_id": identifier,
        "status": "ACSC",
        "settled_at": AT,
        "settlement_date": AT.date(),
    }
    return StatusReport(**{**values, **changes})


def pacs002(count: int = 10, **changes: object) -> Pacs002:
    values: dict[str, object] = {
        "sender": SPI_ISPB,
        "receiver": OUR_ISPB,
        "message_id": f"M{SPI_ISPB}{'2' * 23}",
        "created_at": AT,
        "reports": tuple(report(number) for number in range(count)),
    }
    return Pacs002(**{**values, **changes})


def admi002(**changes: object) -> Admi002:
    values: dict[str, object] = {
        "sender": SPI_ISPB,
        "receiver": OUR_ISPB,
        "message_id": f"M{SPI_ISPB}{'3' * 23}",
        "created_at": AT,
        "related_reference": f"M{OUR_ISPB}{'1' * 23}",
        "rejecting_party_reason": "XML inválido",
        "rejected_at": AT,
        "error_location": "/Envelope/Document",
    }
    return Admi002(**{**values, **changes})


def header(letter: str = "4", **changes: object) -> dict[str, object]:
    return {
        "sender": OUR_ISPB,
        "receiver": SPI_ISPB,
        "message_id": f"M{OUR_ISPB}{letter * 23}",
        "created_at": AT,
        **changes,
    }


def payment_return(number: int = 0, **changes: object) -> PaymentReturn:
    values: dict[str, object] = {
        "return_id": f"D{OUR_ISPB}202609281436{number:011d}",
        "end_to_end_id": f"E99999A04202609281435{number:011d}",
        "amount_cents": 1050,
        "reason": "MD06",
        "debtor_ispb": "99999A04",
        "creditor_ispb": OUR_ISPB,
    }
    return PaymentReturn(**{**values, **changes})


def pacs004(count: int = 2, **changes: object) -> Pacs004:
    returns = tuple(payment_return(number) for number in range(count))
    return Pacs004(**{**header("4"), "returns": returns, **changes})


def camt060(**changes: object) -> Camt060:
    values = {"report": "camt.053", "owner_ispb": OUR_ISPB, "balance_type": "CSA"}
    return Camt060(**{**header("5"), **values, **changes})


def pibr001(**changes: object) -> Pibr001:
    return Pibr001(**{**header("6"), "data": "eco", **changes})


def pibr002(**changes: object) -> Pibr002:
    return Pibr002(**{**header("7"), "original_data": "eco", **changes})


transfers = st.builds(
    CreditTransfer,
    end_to_end_id=payment_ids(),
    amount_cents=cents,
    accepted_at=instants,
    local_instrument=st.sampled_from(
        ["APDN", "APES", "AUTO", "DICT", "INIC", "MANU", "QRDN", "QRES"]
    ),
    debtor_name=texts(140),
    debtor_tax_id=tax_ids,
    debtor_account=accounts,
    debtor_ispb=ispbs,
    creditor_ispb=ispbs,
    creditor_tax_id=tax_ids,
    creditor_account=accounts,
    creditor_key=st.none() | texts(77),
    purpose=st.sampled_from(["GSCB", "IPAY", "IPRT", "OTHR", "REFU"]),
    transaction_id=st.none() | st.text(alphanumerics, min_size=1, max_size=35),
    instruction_id=st.none() | payment_ids("ED"),
    initiator_cnpj=st.none() | st.from_regex(r"[0-9A-Z]{12}[0-9]{2}", fullmatch=True),
    remittance=st.none() | texts(140),
    tax=st.none() | taxes,
    cash=st.none() | cash_outs,
)
drawn_pacs008 = st.builds(
    Pacs008,
    sender=st.just(OUR_ISPB),
    receiver=ispbs,
    message_id=message_ids(),
    created_at=instants,
    transfers=st.lists(transfers, min_size=1, max_size=3).map(tuple),
    priority=st.sampled_from(["HIGH", "NORM"]),
    service_level=st.sampled_from(["PAGAGD", "PAGFRD", "PAGPRI"]),
    declared_count=st.none() | st.integers(4, 10**15 - 1),
)
drawn_pacs002 = st.builds(
    Pacs002,
    sender=st.just(OUR_ISPB),
    receiver=ispbs,
    message_id=message_ids(),
    created_at=instants,
    reports=st.lists(
        st.builds(
            StatusReport,
            original_instruction_id=payment_ids("ED"),
            end_to_end_id=payment_ids(),
            status=st.sampled_from(["ACCC", "ACSC", "ACSP", "RJCT"]),
            reasons=st.lists(st.sampled_from(sorted(STATUS_REASONS)), max_size=3).map(tuple),
            additional=st.lists(texts(105), max_size=3).map(tuple),
            settled_at=st.none() | instants,
            settlement_date=st.none() | days,
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)
drawn_messages: st.SearchStrategy[Message] = st.one_of(
    drawn_pacs008, drawn_pacs002, *(drawn(layout.message) for layout in LAYOUTS)
)

# Kinds that the reference has a schema of.
drawn_with_schema: st.SearchStrategy[Message] = st.one_of(
    drawn_pacs008,
    drawn_pacs002,
    *(drawn(kind) for kind in (Admi002, Camt052, Camt053, Camt060, Pacs004, Pibr001, Pibr002)),
)


def exclusive_c14n(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def sign_again(data: bytes, pair: KeyPair) -> bytes:
    """Sign a changed message anew, as a foreign program does: by lxml, in place, no rule of ours.

    The Signature that stands in the message keeps its shape; only its digests and value change.
    """
    key = load_pem_private_key(pair.key.read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)
    root = etree.fromstring(data)
    signature = next(root.iter(f"{{{DS}}}Signature"))
    values = list(signature.iter(f"{{{DS}}}DigestValue"))
    values[0].text = sha256_text(exclusive_c14n(signature[2]))
    bare = etree.fromstring(data)
    place = next(bare.iter(f"{{{DS}}}Signature")).getparent()
    assert place is not None
    tail = place[0].tail or ""
    place.remove(place[0])
    place.text = (place.text or "") + tail or None
    values[1].text = sha256_text(exclusive_c14n(bare[0]))
    values[2].text = sha256_text(exclusive_c14n(bare[1]))
    signed = key.sign(exclusive_c14n(signature[0]), padding.PKCS1v15(), SHA256())
    signature[1].text = base64.encodebytes(signed).decode()  # lines of 76 characters, as Java does
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def sha256_text(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def indented(data: bytes) -> bytes:
    """Write a message with line breaks and spaces between its elements."""
    root = etree.fromstring(data)
    etree.indent(root)
    return etree.tostring(root)


def prefixed(data: bytes) -> bytes:
    """Write a message with a prefix for its own namespace and none for the signature's."""
    text = data.decode()
    head, rest = text.split("<ds:Signature", 1)
    middle, tail = rest.split("</ds:Signature>", 1)
    for name in ("Envelope", "AppHdr", "Document", "Sgntr"):
        head = head.replace(f"<{name}", f"<p:{name}")
        tail = tail.replace(f"</{name}", f"</p:{name}")
    tail = tail.replace("<Document", "<p:Document")
    head = head.replace("<p:Envelope xmlns=", "<p:Envelope xmlns:p=")
    own = head.split('xmlns:p="')[1].split('"')[0]
    # Inside the parts the default namespace is declared where it is needed first.
    head = head.replace("<Fr>", f'<Fr xmlns="{own}">').replace("<To>", f'<To xmlns="{own}">')
    for name in ("BizMsgIdr", "MsgDefIdr", "CreDt"):
        head = head.replace(f"<{name}>", f'<{name} xmlns="{own}">')
    start = tail.index("<p:Document>") + len("<p:Document>")
    end = tail.index(">", start)
    tail = f'{tail[:end]} xmlns="{own}"{tail[end:]}'
    signature = f"<Signature{middle}</Signature>".replace("ds:", "").replace("xmlns:ds", "xmlns")
    return f"{head}{signature.replace('xmlns:', 'xmlns', 1)}{tail}".encode()
