"""Messages that keep every rule of the catalogue, to be changed by those who ask for them."""

from datetime import date, timedelta

import msgspec

from bacen.wire import (
    AccountEntry,
    AccountId,
    AnsweredMandate,
    AnswerStep,
    BookTransfer,
    Camt025,
    Camt029,
    Camt054,
    Camt055,
    CancellationStep,
    CancelledMandate,
    CashOut,
    CashPart,
    Charge,
    ChargeAnswer,
    ChargeTaxRecord,
    Contact,
    Counterparty,
    EntryParties,
    MandateAnswer,
    MandateRequest,
    Message,
    Modification,
    Pacs002,
    Pain009,
    Pain011,
    Pain012,
    Pain013,
    Pain014,
    Receipt,
    Reda016,
    Reda022,
    RequestStep,
    Tax,
    TaxRecord,
    Trck002,
)
from tests.bacen.wire_messages import (
    AT,
    OUR_ISPB,
    header,
    pacs004,
    pacs008,
    payment_return,
    report,
    transfer,
)

OTHER = "99999A04"
CPF, CNPJ = "52998224725", "11444777000161"
TAIL = "20260928" + "a" * 11
E2E = f"E{OUR_ISPB}202609281435{'b' * 11}"
RTR = f"D{OUR_ISPB}202609281435{'b' * 11}"
MESSAGE_ID = f"M{OUR_ISPB}{'9' * 23}"
TERMS = {
    "mandate_id": f"RR{OUR_ISPB}{TAIL}",
    "frequency": "MNTH",
    "first_on": date(2026, 10, 1),
    "may_retry": True,
    "creditor_name": "Luz S.A.",
    "creditor_tax_id": CNPJ,
    "creditor_ispb": OUR_ISPB,
    "debtor_tax_id": CPF,
    "debtor_account": "123",
    "debtor_ispb": OTHER,
    "contract": "c-1",
}
CASH = CashOut("AGTEC", OUR_ISPB, (CashPart("VLCP", 1000), CashPart("VLDN", 50)))
CASH_ONLY = CashOut("AGTEC", OUR_ISPB, (CashPart("VLDN", 1050),))
TAX = Tax("n1", (TaxRecord("CBSSPLIT", 1), TaxRecord("IBSSPLIT", 2)))
COMPANIES = {"debtor_tax_id": CNPJ, "creditor_tax_id": CNPJ}


def payment(**changes: object) -> Message:
    return pacs008(transfers=(transfer(**changes),))


def manual(**changes: object) -> Message:
    values = {"local_instrument": "MANU", "creditor_key": None, "remittance": None}
    return payment(**{**values, **changes})


def returned(**changes: object) -> Message:
    return pacs004(returns=(payment_return(**changes),))


def answered(**changes: object) -> Message:
    """What a participant says to a payment."""
    values = {"status": "ACSP", "settled_at": None, "settlement_date": None}
    return Pacs002(**header(), reports=(report(**{**values, **changes}),))


def request_steps(*types: str) -> tuple[RequestStep, ...]:
    return tuple(RequestStep(type=each, at=AT) for each in types)


def asked(**changes: object) -> Message:
    values = {**TERMS, "request_id": f"SC{OUR_ISPB}{TAIL}"}
    steps = request_steps("CRTN", "CRAT", "EXPR")
    return Pain009(**header(), mandates=(MandateRequest(**{**values, "steps": steps, **changes}),))


def cancelled(mandate: dict[str, object] | None = None, **changes: object) -> Message:
    terms = {**TERMS, "request_id": f"IC{OUR_ISPB}{TAIL}", **(mandate or {})}
    steps = tuple(CancellationStep(type=each, at=AT) for each in ("CRTN", "CLTN"))
    values = {
        "issuer_ispb": OUR_ISPB,
        "originator_tax_id": CPF,
        "reason": "SLDB",
        "mandate": CancelledMandate(**terms),
        "steps": steps,
    }
    return Pain011(**header(), **{**values, **changes})


def mandate_answer(**changes: object) -> Message:
    mandate = AnsweredMandate(**{**TERMS, "request_id": f"IS{OUR_ISPB}{TAIL}"})
    steps = tuple(AnswerStep(type=each, at=AT) for each in ("CRTN", "UPDT"))
    values = {"is_accepted": True, "mandate": mandate, "steps": steps, "status": "CFDB"}
    answer = MandateAnswer(**{**values, **changes})
    return Pain012(**header(), issuer_ispb=OUR_ISPB, answers=(answer,))


def charged(count: int | None = None, **changes: object) -> Message:
    values = {
        "charge_id": "tx1",
        "due_on": AT.date() + timedelta(days=5),
        "debtor_tax_id": CNPJ,
        "debtor_ispb": OTHER,
        "end_to_end_id": E2E,
        "amount_cents": 1050,
        "mandate_id": f"RR{OUR_ISPB}{TAIL}",
        "creditor_ispb": OUR_ISPB,
        "creditor_tax_id": CNPJ,
        "creditor_account": "1",
        "creditor_account_type": "CACC",
        "attempt": "AGND",
        "execute_at": AT,
    }
    charge = Charge(**{**values, **changes})
    return Pain013(**header(), charges=(charge,), declared_count=count)


def taxes(*records: tuple[str, str, int]) -> tuple[ChargeTaxRecord, ...]:
    return tuple(
        ChargeTaxRecord(type=kind, category=category, amount_cents=cents)
        for kind, category, cents in records
    )


def charge_answer(**changes: object) -> Message:
    values = {
        "charge_id": "tx1",
        "end_to_end_id": E2E,
        "status": "ACSP",
        "decided_at": AT,
        "creditor_ispb": OUR_ISPB,
        "creditor_tax_id": CNPJ,
    }
    return Pain014(**header(), answers=(ChargeAnswer(**{**values, **changes}),))


def cancellation(**changes: object) -> Message:
    values = {
        "issuer_ispb": OUR_ISPB,
        "recipient_ispb": OTHER,
        "cancellation_id": f"CA{OUR_ISPB}{TAIL}",
        "charge_id": "tx1",
        "originator_tax_id": CNPJ,
        "reason": "SLCR",
        "end_to_end_id": E2E,
        "type": "DHSR",
        "at": AT,
    }
    return Camt055(**header(), **{**values, **changes})


def cancellation_answer(**changes: object) -> Message:
    values = {
        "issuer_ispb": OTHER,
        "recipient_ispb": OUR_ISPB,
        "cancellation_id": f"CA{OUR_ISPB}{TAIL}",
        "charge_id": "tx1",
        "status": "ACCR",
        "end_to_end_id": E2E,
        "type": "DHAC",
        "at": AT,
    }
    return Camt029(**header(), **{**values, **changes})


def reported(**changes: object) -> Message:
    values = {
        "end_to_end_id": E2E,
        "local_instrument": "DICT",
        "scenario": "BOK1",
        "amount_cents": 100,
        "settled_at": AT,
        "debtor_tax_id": CPF,
        "debtor_account": AccountId("1"),
        "debtor_ispb": OUR_ISPB,
        "creditor_ispb": OUR_ISPB,
        "creditor_tax_id": CNPJ,
        "creditor_account": AccountId("2"),
        "creditor_key": "a@b",
    }
    return Trck002(**header(), transfers=(BookTransfer(**{**values, **changes}),))


def receipt(**changes: object) -> Message:
    values = {"original_message_id": MESSAGE_ID, "original_id": RTR, "status": "ACPT"}
    return Camt025(**header(), receipts=(Receipt(**{**values, **changes}),))


def status(**changes: object) -> Message:
    values = {
        "original_message_id": MESSAGE_ID,
        "status": "COMP",
        "participant_ispb": OTHER,
    }
    return Reda016(**header(), **{**values, **changes})


CONTACT = {"telephone": "+55-61", "email": "a@b", "responsibility": "CONTATOPSP"}
DIRECTOR = {**CONTACT, "responsibility": "DIRETORPSP", "name": "Ana"}


def modified(
    contact: dict[str, str] = CONTACT, director: dict[str, str] = DIRECTOR, **changes: object
) -> Message:
    parts = [
        Modification(contact=Contact(**contact)),
        Modification(contact=Contact(**director)),
        Modification(keyword="abcd1234"),
        Modification(director_cpf=CPF),
    ]
    left_out, doubled = changes.pop("left_out", None), changes.pop("doubled", None)
    if left_out is not None and doubled is not None:
        parts[left_out] = parts[doubled]
    return Reda022(
        **header(), **{"direct_ispb": OUR_ISPB, "modifications": tuple(parts), **changes}
    )


def entries() -> Message:
    parties = EntryParties(
        debtor_name="José & Filhos",
        debtor_tax_id=CNPJ,
        debtor_account=AccountId("1", "CACC", "1"),
        creditor_tax_id=CNPJ,
        creditor_account=AccountId("2"),
        creditor_key="a@b",
        initiator_cnpj=CNPJ,
    )
    plain = AccountEntry(
        notification_id=MESSAGE_ID,
        owner_ispb=OUR_ISPB,
        amount_cents=1050,
        side="DBIT",
        status="BOOK",
        domain="PMNT",
        family="IRCT",
        sub_family="DMCT",
        source="pacs.008",
        end_to_end_id=E2E,
    )
    whole = msgspec.structs.replace(
        plain,
        booked_on=AT.date(),
        status_at=AT,
        service_level="PAGPRI",
        parties=parties,
        creditor_ispb=OTHER,
        counterparty=Counterparty(type="ContraparteSTR", ispb=OTHER),
        remittance="a <b>",
        cash=CASH,
        tax_records=TAX.records,
        return_reason="MD06",
    )
    return Camt054(**header(), entries=(plain, whole))
