"""What the SPI says about a PI account: camt.052 1.3, camt.053 1.4, camt.054 1.16.

No official schema at hand: they follow reconstructions from a public implementation of catalogue
5.13.
"""

from datetime import date, datetime
from typing import Annotated

from bacen.wire import fields
from bacen.wire.layout import Layout
from bacen.wire.messages import AccountId, CashOut, TaxRecord
from bacen.wire.part import At, Message, Part
from bacen.wire.schema import table_of

_OWNER = At("Acct/Id/Othr/Id")
SPONTANEOUS = "0" * 32  # in place of the id of a question that nobody asked


class AccountFile(Part, frozen=True, kw_only=True):
    """A file that is ready to be fetched (`Rpt`); it does not come with the message.

    Attributes:
        request_id: `message_id` of the camt.060.
        owner_ispb: Whose PI account.
        entries_count: Lines of the file.
        file_hash: 1 to 500 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    request_id: Annotated[str, At("Id")]
    owner_ispb: Annotated[str, _OWNER]
    entries_count: Annotated[int, At("TxsSummry/TtlNtries/NbOfNtries")]
    file_hash: Annotated[str, At("AddtlRptInf")]


class Camt052(Message, frozen=True, kw_only=True):
    """A file is ready, SPI to participant (`camt.052.spi.1.3`).

    Attributes:
        files: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    files: Annotated[tuple[AccountFile, ...], At("Rpt")]


class Balance(Part, frozen=True, kw_only=True):
    """A balance of a PI account (`Bal`); it is never below zero.

    Attributes:
        type: `SADP` available (what is blocked is taken off), `SABK` blocked, `PSSR` basis of the
            remuneration, `REMN` remuneration, `VSME`, `VVSR`.
        amount_cents: Centavos from 0.
        at: When it stood so.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    type: Annotated[str, At("Tp/CdOrPrtry/Prtry")]
    amount_cents: Annotated[int, At("Amt")]
    at: Annotated[datetime, At("Dt/DtTm")]


class Statement(Part, frozen=True, kw_only=True):
    """Balances of one account (`Stmt`).

    Attributes:
        request_id: `message_id` of the camt.060, or `SPONTANEOUS`.
        owner_ispb: Whose PI account.
        balances: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    request_id: Annotated[str, At("Id")]
    owner_ispb: Annotated[str, _OWNER]
    balances: Annotated[tuple[Balance, ...], At("Bal")]


class Camt053(Message, frozen=True, kw_only=True):
    """Balances, SPI to participant (`camt.053.spi.1.4`).

    Attributes:
        statements: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    statements: Annotated[tuple[Statement, ...], At("Stmt")]


class EntryParties(Part, frozen=True, kw_only=True):
    """Payer and receiver of the payment behind an entry (`RltdPties`).

    Attributes:
        debtor_name: 1 to 140 characters.
        debtor_tax_id: CPF or CNPJ, as `creditor_tax_id`.
        debtor_account: Account of the payer, as `creditor_account` of the receiver.
        creditor_key: Pix key.
        initiator_cnpj: Payment initiator.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    debtor_name: Annotated[str, At("Dbtr/Pty/Nm")]
    debtor_tax_id: Annotated[str, At("Dbtr/Pty/Id/PrvtId/Othr/Id")]
    debtor_account: Annotated[AccountId, At("DbtrAcct")]
    creditor_tax_id: Annotated[str, At("Cdtr/Pty/Id/PrvtId/Othr/Id")]
    creditor_account: Annotated[AccountId, At("CdtrAcct")]
    creditor_key: Annotated[str | None, At("CdtrAcct/Prxy/Id")] = None
    initiator_cnpj: Annotated[str | None, At("InitgPty/Pty/Id/OrgId/Othr/Id")] = None


class Counterparty(Part, frozen=True, kw_only=True):
    """Other side of a funding or withdrawal (`RltdAgts/Prtry`).

    Attributes:
        type: `ContraparteSTR` or `ContraparteSelic`.
        ispb: Who it is.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    type: Annotated[str, At("Tp")]
    ispb: Annotated[str, At("Agt/FinInstnId/ClrSysMmbId/MmbId")]


_DETAILS = "Ntry/NtryDtls/TxDtls"
_AGENTS = f"{_DETAILS}/RltdAgts"
_BANK_CODE = "Ntry/BkTxCd/Domn"
_MEMBER = "FinInstnId/ClrSysMmbId/MmbId"


class AccountEntry(Part, frozen=True, kw_only=True):
    """One entry of a PI account (`Ntfctn`).

    Attributes:
        notification_id: `message_id` of the camt.060, or a new id where nobody asked.
        owner_ispb: Whose PI account.
        amount_cents: Centavos from 0.
        side: `CRDT` or `DBIT`, as the owner sees it.
        status: `BOOK` settled, `INFO` not settled.
        domain: `PMNT` payment, `CAMT` funding or withdrawal.
        family: `IRCT` debit or `RRCT` credit by a payment, `MCOP` funding, `MDOP` withdrawal.
        sub_family: `DMCT` payment, `RRTN` return, `NTAV` neither.
        source: Message behind the entry, such as `pacs.008`.
        end_to_end_id: Of the payment; one with `L` of a movement of liquidity.
        booked_on: Day of the books.
        status_at: Since when the status is so.
        instruction_id: `InstrId` of the payment.
        transaction_id: TxId of the charge, 1 to 35 characters.
        str_number: Control number of the STR, where it took part.
        service_level: `PAGPRI`, `PAGFRD`, `PAGAGD`.
        parties: Payer and receiver.
        debtor_ispb: PSP of the payer, as `creditor_ispb` of the receiver.
        counterparty: Other side of a funding or withdrawal.
        local_instrument: How the payment was initiated.
        purpose: Of the payment.
        remittance: Free text, 1 to 140 characters.
        cash: Pix Saque or Troco.
        accepted_at: When the payer confirmed.
        tax_document: Number of the fiscal document; only with the records.
        tax_records: The two halves of a split payment, or none.
        return_reason: Of a return.
        return_text: 1 to 105 characters about it.
        priority: `HIGH` or `NORM`.
        error_code: Why a question had no answer, 1 to 4 characters.
        error_text: The same in words, 1 to 105 characters.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    notification_id: Annotated[str, At("Id")]
    owner_ispb: Annotated[str, _OWNER]
    amount_cents: Annotated[int, At("Ntry/Amt")]
    side: Annotated[str, At("Ntry/CdtDbtInd")]
    status: Annotated[str, At("Ntry/Sts/Cd")]
    domain: Annotated[str, At(f"{_BANK_CODE}/Cd")]
    family: Annotated[str, At(f"{_BANK_CODE}/Fmly/Cd")]
    sub_family: Annotated[str, At(f"{_BANK_CODE}/Fmly/SubFmlyCd")]
    source: Annotated[str, At("Ntry/AddtlInfInd/MsgNmId")]
    end_to_end_id: Annotated[str, At(f"{_DETAILS}/Refs/EndToEndId", fields.ENTRY_END_TO_END_ID)]
    booked_on: Annotated[date | None, At("Ntry/BookgDt/Dt")] = None
    status_at: Annotated[datetime | None, At("Ntry/ValDt/DtTm")] = None
    instruction_id: Annotated[str | None, At(f"{_DETAILS}/Refs/InstrId", fields.INSTRUCTION_ID)] = (
        None
    )
    transaction_id: Annotated[str | None, At(f"{_DETAILS}/Refs/TxId")] = None
    str_number: Annotated[str | None, At(f"{_DETAILS}/Refs/ClrSysRef")] = None
    service_level: Annotated[str | None, At(f"{_DETAILS}/Refs/Prtry/Ref")] = None
    parties: Annotated[EntryParties | None, At(f"{_DETAILS}/RltdPties")] = None
    debtor_ispb: Annotated[str | None, At(f"{_AGENTS}/DbtrAgt/{_MEMBER}")] = None
    creditor_ispb: Annotated[str | None, At(f"{_AGENTS}/CdtrAgt/{_MEMBER}")] = None
    counterparty: Annotated[Counterparty | None, At(f"{_AGENTS}/Prtry")] = None
    local_instrument: Annotated[str | None, At(f"{_DETAILS}/LclInstrm/Prtry")] = None
    purpose: Annotated[str | None, At(f"{_DETAILS}/Purp/Cd")] = None
    remittance: Annotated[str | None, At(f"{_DETAILS}/RmtInf/Ustrd")] = None
    cash: Annotated[CashOut | None, At(f"{_DETAILS}/RmtInf/Strd")] = None
    accepted_at: Annotated[datetime | None, At(f"{_DETAILS}/RltdDts/AccptncDtTm")] = None
    tax_document: Annotated[str | None, At(f"{_DETAILS}/Tax/RefNb")] = None
    tax_records: Annotated[tuple[TaxRecord, ...], At(f"{_DETAILS}/Tax/Rcrd")] = ()
    return_reason: Annotated[str | None, At(f"{_DETAILS}/RtrInf/Rsn/Cd")] = None
    return_text: Annotated[str | None, At(f"{_DETAILS}/RtrInf/AddtlInf")] = None
    priority: Annotated[str | None, At(f"{_DETAILS}/AddtlTxInf")] = None
    error_code: Annotated[str | None, At("Ntry/AddtlNtryInf")] = None
    error_text: Annotated[str | None, At("AddtlNtfctnInf")] = None


class Camt054(Message, frozen=True, kw_only=True):
    """Entries in detail, SPI to participant (`camt.054.spi.1.16`).

    Attributes:
        entries: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    entries: Annotated[tuple[AccountEntry, ...], At("Ntfctn")]


LAYOUTS = tuple(
    Layout(kind, name, table_of(name))
    for kind, name in (
        (Camt052, "camt.052.spi.1.3"),
        (Camt053, "camt.053.spi.1.4"),
        (Camt054, "camt.054.spi.1.16"),
    )
)
