"""Pix Automático: pain.009 1.1, 011 1.3, 012 1.4, 013 2.2, 014 2.4, camt.055 1.1, camt.029 1.2.

No official schema at hand: they follow reconstructions from a public implementation of catalogue
5.13.
"""

from datetime import date, datetime
from typing import Annotated

from bacen.wire import fields
from bacen.wire.layout import Layout
from bacen.wire.part import At, Message, Part
from bacen.wire.schema import table_of

_MEMBER = "FinInstnId/ClrSysMmbId/MmbId"
_PERSON = "Id/PrvtId/Othr/Id"


class MandateTerms(Part, frozen=True, kw_only=True):
    """What payer and receiver agreed on; always one of the three below.

    Attributes:
        mandate_id: 29 characters: `RR` or `RN`, ISPB, day, 11 characters.
        request_id: 29 characters: `SC` (pain.009), `IC` (011) or `IS` (012), ISPB, day, 11
            characters.
        frequency: `WEEK`, `MNTH`, `QURT`, `MIAN` (half a year), `YEAR`.
        first_on: Day of the first collection.
        may_retry: A collection that failed is tried again.
        creditor_name: 1 to 140 characters.
        creditor_tax_id: CNPJ of who collects.
        creditor_ispb: PSP of who collects, as `debtor_ispb` of who pays.
        debtor_tax_id: CPF or CNPJ of who pays.
        debtor_account: 1 to 20 digits.
        contract: Number of the contract, 1 to 35 characters.
        last_on: Day of the last collection.
        amount_cents: Of each collection, where it is always the same.
        debtor_branch: 1 to 4 digits.
        owner_name: Who owes, where that is not who pays; only with `owner_tax_id`.
        owner_tax_id: CPF or CNPJ of who owes.
        description: Of the contract, 1 to 35 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    mandate_id: Annotated[str, At("MndtId", fields.MANDATE_ID)]
    request_id: Annotated[str, At("MndtReqId")]
    frequency: Annotated[str, At("Ocrncs/Frqcy/Tp")]
    first_on: Annotated[date, At("Ocrncs/FrstColltnDt")]
    may_retry: Annotated[bool, At("TrckgInd")]
    creditor_name: Annotated[str, At("Cdtr/Nm")]
    creditor_tax_id: Annotated[str, At(f"Cdtr/{_PERSON}")]
    creditor_ispb: Annotated[str, At(f"CdtrAgt/{_MEMBER}")]
    debtor_tax_id: Annotated[str, At(f"Dbtr/{_PERSON}")]
    debtor_account: Annotated[str, At("DbtrAcct/Id/Othr/Id")]
    debtor_ispb: Annotated[str, At(f"DbtrAgt/{_MEMBER}")]
    contract: Annotated[str, At("RfrdDoc/Nb")]
    last_on: Annotated[date | None, At("Ocrncs/FnlColltnDt")] = None
    amount_cents: Annotated[int | None, At("ColltnAmt")] = None
    debtor_branch: Annotated[str | None, At("DbtrAcct/Id/Othr/Issr")] = None
    owner_name: Annotated[str | None, At("UltmtDbtr/Nm")] = None
    owner_tax_id: Annotated[str | None, At(f"UltmtDbtr/{_PERSON}")] = None
    description: Annotated[str | None, At("RfrdDoc/CdtrRef")] = None


class MandateStep(Part, frozen=True, kw_only=True):
    """A date in the life of a mandate (`MndtPrcgDtls`); always one of the three below.

    Attributes:
        type: Which one.
        at: When.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    type: Annotated[str, At("MndtPrcgTp")]
    at: Annotated[datetime, At("PrcgDtTm")]


class RequestStep(MandateStep, frozen=True, kw_only=True):
    """Of a pain.009: `CRTN` created, `CRAT` asked for, `EXPR` expires."""


class CancellationStep(MandateStep, frozen=True, kw_only=True):
    """Of a pain.011: `CRTN` created, `CLTN` cancelled."""


class AnswerStep(MandateStep, frozen=True, kw_only=True):
    """Of a pain.012: `CRTN` created, `UPDT` changed, `AUT1` to `AUT4` agreed to by that journey."""


class MandateRequest(MandateTerms, frozen=True, kw_only=True):
    """A mandate that is asked for (`Mndt`).

    Attributes:
        steps: Three: `CRTN`, `CRAT`, `EXPR`.
        limit_is_floor: What `limit_cents` is; only with it.
        limit_cents: Smallest or largest amount, where the amount changes.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    steps: Annotated[tuple[RequestStep, ...], At("SplmtryData/Envlp/MndtPrcgDtls")]
    limit_is_floor: Annotated[bool | None, At("Adjstmnt/DtAdjstmntRuleInd")] = None
    limit_cents: Annotated[int | None, At("Adjstmnt/Amt")] = None


class Pain009(Message, frozen=True, kw_only=True):
    """Ask the payer for a mandate, receiver's PSP to payer's (`pain.009.spi.1.1`).

    Attributes:
        mandates: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    mandates: Annotated[tuple[MandateRequest, ...], At("Mndt")]


class CancelledMandate(MandateTerms, frozen=True, kw_only=True):
    """The mandate of a pain.011 (`OrgnlMndt`)."""


class Pain011(Message, frozen=True, kw_only=True):
    """Cancel a mandate, either PSP to the other (`pain.011.spi.1.3`).

    Attributes:
        issuer_ispb: Who sends.
        originator_tax_id: CPF or CNPJ of who wants it.
        reason: `SLDB` payer, `SLCR` receiver, `ACCL`, `CPCL`, `DCSD`, `FRUD`, `SJUD`, `ERSL`,
            `NRES`, `PCFD`, `OTHS`.
        mandate: As it was agreed on.
        steps: None, or `CRTN` and `CLTN`.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    issuer_ispb: Annotated[str, At(f"GrpHdr/InstgAgt/{_MEMBER}")]
    originator_tax_id: Annotated[str, At(f"UndrlygCxlDtls/CxlRsn/Orgtr/{_PERSON}")]
    reason: Annotated[str, At("UndrlygCxlDtls/CxlRsn/Rsn/Prtry")]
    mandate: Annotated[CancelledMandate, At("UndrlygCxlDtls/OrgnlMndt/OrgnlMndt")]
    steps: Annotated[
        tuple[CancellationStep, ...], At("UndrlygCxlDtls/SplmtryData/Envlp/MndtPrcgDtls")
    ] = ()


class AnsweredMandate(MandateTerms, frozen=True, kw_only=True):
    """The mandate of a pain.012 (`OrgnlMndt`).

    Attributes:
        municipality: IBGE's number of the payer's, 7 digits.
        original_request_id: `request_id` of the message that is answered.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    municipality: Annotated[str | None, At("Dbtr/PstlAdr/TwnNm")] = None
    original_request_id: Annotated[str | None, At("MndtRef")] = None


class MandateAnswer(Part, frozen=True, kw_only=True):
    """What became of a mandate (`UndrlygAccptncDtls`).

    Attributes:
        is_accepted: Whether what was asked for is done.
        mandate: As it was agreed on.
        reason: Why it is not.
        steps: At most three.
        status: `PDNG` waits for the payer, `CFDB` confirmed by the payer, `CCLD` cancelled.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    is_accepted: Annotated[bool, At("AccptncRslt/Accptd")]
    mandate: Annotated[AnsweredMandate, At("OrgnlMndt/OrgnlMndt")]
    reason: Annotated[str | None, At("AccptncRslt/RjctRsn/Prtry")] = None
    steps: Annotated[tuple[AnswerStep, ...], At("SplmtryData/Envlp/MndtPrcgDtls")] = ()
    status: Annotated[str | None, At("SplmtryData/Envlp/MndtSts")] = None


class Pain012(Message, frozen=True, kw_only=True):
    """Answer to a pain.009 or 011, or the payer's word, PSP to PSP (`pain.012.spi.1.4`).

    Attributes:
        issuer_ispb: Who sends.
        answers: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    issuer_ispb: Annotated[str, At(f"GrpHdr/InstgAgt/{_MEMBER}")]
    answers: Annotated[tuple[MandateAnswer, ...], At("UndrlygAccptncDtls")]


class ChargeTaxRecord(Part, frozen=True, kw_only=True):
    """One amount of a split payment's taxes (`Rcrd`).

    Attributes:
        type: `CBSSPLIT` or `IBSSPLIT`.
        category: `INF` as declared, `COR` as corrected.
        amount_cents: Centavos from 0.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    type: Annotated[str, At("Tp")]
    category: Annotated[str, At("Ctgy")]
    amount_cents: Annotated[int, At("TaxAmt/TtlAmt")]


_PAYMENT = "CdtTrfTx"


class Charge(Part, frozen=True, kw_only=True):
    """One collection (`PmtInf`).

    Attributes:
        charge_id: TxId of the collection, which the answer quotes.
        due_on: Day on which it is due.
        debtor_tax_id: CPF or CNPJ of who pays.
        debtor_ispb: PSP of who pays, as `creditor_ispb` of who collects.
        end_to_end_id: The later pacs.008 has the same.
        amount_cents: Centavos from 0.
        mandate_id: That allows it.
        creditor_tax_id: CNPJ of who collects.
        creditor_account: 1 to 20 digits.
        creditor_account_type: `CACC`, `SVGS`, `TRAN`.
        attempt: `AGND` first, `NTAG` again after it was due, `RIFL` sent anew.
        execute_at: When the receiver's PSP got it; with `AGND`.
        owner_name: Who owes, where that is not who pays; only with `owner_tax_id`.
        owner_tax_id: CPF or CNPJ of who owes.
        creditor_branch: 1 to 4 digits.
        tax_document: Number of the fiscal document; only with the records.
        tax_records: None, or two to four.
        remittance: Free text, 1 to 140 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    charge_id: Annotated[str, At("PmtInfId")]
    due_on: Annotated[date, At("XpryDt/Dt")]
    debtor_tax_id: Annotated[str, At(f"Dbtr/{_PERSON}")]
    debtor_ispb: Annotated[str, At(f"DbtrAgt/{_MEMBER}")]
    end_to_end_id: Annotated[str, At(f"{_PAYMENT}/PmtId/EndToEndId")]
    amount_cents: Annotated[int, At(f"{_PAYMENT}/Amt/InstdAmt")]
    mandate_id: Annotated[str, At(f"{_PAYMENT}/MndtRltdInf/MndtId", fields.MANDATE_ID)]
    creditor_ispb: Annotated[str, At(f"{_PAYMENT}/CdtrAgt/{_MEMBER}")]
    creditor_tax_id: Annotated[str, At(f"{_PAYMENT}/Cdtr/{_PERSON}")]
    creditor_account: Annotated[str, At(f"{_PAYMENT}/CdtrAcct/Id/Othr/Id")]
    creditor_account_type: Annotated[str, At(f"{_PAYMENT}/CdtrAcct/Tp/Cd")]
    attempt: Annotated[str, At(f"{_PAYMENT}/Purp/Prtry")]
    execute_at: Annotated[datetime | None, At("ReqdExctnDt/DtTm")] = None
    owner_name: Annotated[str | None, At("UltmtDbtr/Nm")] = None
    owner_tax_id: Annotated[str | None, At(f"UltmtDbtr/{_PERSON}")] = None
    creditor_branch: Annotated[str | None, At(f"{_PAYMENT}/CdtrAcct/Id/Othr/Issr")] = None
    tax_document: Annotated[str | None, At(f"{_PAYMENT}/Tax/RefNb")] = None
    tax_records: Annotated[tuple[ChargeTaxRecord, ...], At(f"{_PAYMENT}/Tax/Rcrd")] = ()
    remittance: Annotated[str | None, At(f"{_PAYMENT}/RmtInf/Ustrd")] = None


class Pain013(Message, frozen=True, kw_only=True):
    """Collections, receiver's PSP to payer's, 2 to 10 days before (`pain.013.spi.2.2`).

    Attributes:
        charges: At least one.
        declared_count: `NbOfTxs` where it differs from the number of charges.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    charges: Annotated[tuple[Charge, ...], At("PmtInf")]
    declared_count: Annotated[int | None, At("GrpHdr/NbOfTxs", counts="charges")] = None


class ChargeAnswer(Part, frozen=True, kw_only=True):
    """What the payer's PSP says to a collection (`OrgnlPmtInfAndSts`).

    Attributes:
        charge_id: Of the collection.
        end_to_end_id: Of the collection.
        status: `ACSP` scheduled, `RJCT` refused.
        decided_at: When.
        creditor_ispb: PSP of who collects.
        creditor_tax_id: CPF or CNPJ of who collects.
        reason: Why it is refused.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    charge_id: Annotated[str, At("OrgnlPmtInfId")]
    end_to_end_id: Annotated[str, At("TxInfAndSts/OrgnlEndToEndId")]
    status: Annotated[str, At("TxInfAndSts/TxSts")]
    decided_at: Annotated[datetime, At("TxInfAndSts/DbtrDcsnDtTm")]
    creditor_ispb: Annotated[str, At(f"TxInfAndSts/OrgnlTxRef/CdtrAgt/{_MEMBER}")]
    creditor_tax_id: Annotated[str, At(f"TxInfAndSts/OrgnlTxRef/Cdtr/{_PERSON}")]
    reason: Annotated[str | None, At("TxInfAndSts/StsRsnInf/Rsn/Prtry")] = None


class Pain014(Message, frozen=True, kw_only=True):
    """Answers to collections, payer's PSP to receiver's (`pain.014.spi.2.4`).

    Attributes:
        answers: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    answers: Annotated[tuple[ChargeAnswer, ...], At("OrgnlPmtInfAndSts")]


_CANCELLED = "Undrlyg/OrgnlPmtInfAndCxl"
_PROCESSED = "SplmtryData/Envlp/CxlPrcgDtls"


class Camt055(Message, frozen=True, kw_only=True):
    """Cancel a scheduled collection, either PSP to the other (`camt.055.spi.1.1`).

    Attributes:
        issuer_ispb: Who sends.
        recipient_ispb: Who is to answer.
        cancellation_id: 29 characters: `CA`, ISPB, day, 11 characters.
        charge_id: Of the collection.
        originator_tax_id: CPF or CNPJ of who wants it.
        reason: `SLBD` payer (pain.011 writes `SLDB`), `SLCR` receiver, `ACCT`, `BLCK`, `CCLD`,
            `FAIL`, `OTHR`.
        end_to_end_id: Of the collection.
        type: `DHSR` the receiver's PSP asks, `DHIP` the payer's PSP says that it is done.
        at: When.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    issuer_ispb: Annotated[str, At(f"Assgnmt/Assgnr/Agt/{_MEMBER}")]
    recipient_ispb: Annotated[str, At(f"Assgnmt/Assgne/Agt/{_MEMBER}")]
    cancellation_id: Annotated[str, At(f"{_CANCELLED}/PmtCxlId")]
    charge_id: Annotated[str, At(f"{_CANCELLED}/OrgnlPmtInfId")]
    originator_tax_id: Annotated[str, At(f"{_CANCELLED}/CxlRsnInf/Orgtr/{_PERSON}")]
    reason: Annotated[str, At(f"{_CANCELLED}/CxlRsnInf/Rsn/Prtry")]
    end_to_end_id: Annotated[str, At(f"{_CANCELLED}/TxInf/OrgnlEndToEndId")]
    type: Annotated[str, At(f"{_CANCELLED}/TxInf/{_PROCESSED}/CxlPrcgTp")]
    at: Annotated[datetime, At(f"{_CANCELLED}/TxInf/{_PROCESSED}/PrcgDtTm")]


_OUTCOME = "CxlDtls/OrgnlPmtInfAndSts"


class Camt029(Message, frozen=True, kw_only=True):
    """Answer to a camt.055 (`camt.029.spi.1.2`).

    Attributes:
        issuer_ispb: Who answers.
        recipient_ispb: Who asked.
        cancellation_id: Of the camt.055.
        charge_id: Of the collection.
        status: `ACCR` cancelled, `RJCR` refused.
        end_to_end_id: Of the collection.
        type: `DHAC` with `ACCR`, `DHRC` with `RJCR`.
        at: When.
        reason: Why it is refused.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    issuer_ispb: Annotated[str, At(f"Assgnmt/Assgnr/Agt/{_MEMBER}")]
    recipient_ispb: Annotated[str, At(f"Assgnmt/Assgne/Agt/{_MEMBER}")]
    cancellation_id: Annotated[str, At(f"{_OUTCOME}/OrgnlPmtInfCxlId")]
    charge_id: Annotated[str, At(f"{_OUTCOME}/OrgnlPmtInfId")]
    status: Annotated[str, At(f"{_OUTCOME}/PmtInfCxlSts")]
    end_to_end_id: Annotated[str, At(f"{_OUTCOME}/TxInfAndSts/OrgnlEndToEndId")]
    type: Annotated[str, At(f"{_PROCESSED}/CxlPrcgTp")]
    at: Annotated[datetime, At(f"{_PROCESSED}/PrcgDtTm")]
    reason: Annotated[str | None, At(f"{_OUTCOME}/CxlStsRsnInf/Rsn/Prtry")] = None


LAYOUTS = tuple(
    Layout(kind, name, table_of(name))
    for kind, name in (
        (Pain009, "pain.009.spi.1.1"),
        (Pain011, "pain.011.spi.1.3"),
        (Pain012, "pain.012.spi.1.4"),
        (Pain013, "pain.013.spi.2.2"),
        (Pain014, "pain.014.spi.2.4"),
        (Camt055, "camt.055.spi.1.1"),
        (Camt029, "camt.029.spi.1.2"),
    )
)
