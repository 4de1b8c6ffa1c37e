"""Typed messages of the payment: pacs.008 1.16 and pacs.002 1.17 (BCB catalogue 5.13).

They are most of the traffic, so their checks, readers and writers are written by hand; the other
kinds have layouts. Each struct checks its fields when it is built: what exists can be written.
"""

from datetime import date, datetime
from typing import Annotated

import msgspec

from bacen import InvalidMessage
from bacen.wire import fields, schema
from bacen.wire.part import At, Message

ACCOUNT_TYPES = frozenset({"CACC", "OTHR", "SLRY", "SVGS", "TRAN"})
LOCAL_INSTRUMENTS = frozenset({"APDN", "APES", "AUTO", "DICT", "INIC", "MANU", "QRDN", "QRES"})
PURPOSES = frozenset({"GSCB", "IPAY", "IPRT", "OTHR", "REFU"})
PRIORITIES = frozenset({"HIGH", "NORM"})
SERVICE_LEVELS = frozenset({"PAGAGD", "PAGFRD", "PAGPRI"})
STATUSES = frozenset({"ACCC", "ACSC", "ACSP", "RJCT"})
TAX_TYPES = frozenset({"CBSSPLIT", "IBSSPLIT"})
FACILITATORS = frozenset({"AGFSS", "AGTEC", "AGTOT"})
CASH_PARTS = frozenset({"VLCP", "VLDN"})
STATUS_REASONS = frozenset(schema.STATUS_REASONS.split())
NAME_CHARACTERS_MAX = 140
KEY_CHARACTERS_MAX = 77
REMITTANCE_CHARACTERS_MAX = 140
ADDITIONAL_CHARACTERS_MAX = 105

_TRANSFER_CODES = fields.all_of(
    fields.END_TO_END_ID.pattern,
    "|".join(sorted(LOCAL_INSTRUMENTS)),
    fields.TAX_ID.pattern,
    fields.ISPB.pattern,
    fields.ISPB.pattern,
    fields.TAX_ID.pattern,
    "|".join(sorted(PURPOSES)),
)
_REPORT_CODES = fields.all_of(
    fields.INSTRUCTION_ID.pattern, fields.END_TO_END_ID.pattern, "|".join(sorted(STATUSES))
)


class AccountId(msgspec.Struct, frozen=True):
    """A customer's account: number `[0-9A-Z]{1,20}`, type, branch `[0-9]{1,4}` where it has one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    number: Annotated[str, At("Id/Othr/Id")]
    type: Annotated[str, At("Tp/Cd")] = "CACC"
    branch: Annotated[str | None, At("Id/Othr/Issr")] = None

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require(fields.ACCOUNT_NUMBER, self.number, "account.number")
        fields.require_one_of(ACCOUNT_TYPES, self.type, "account.type")
        if self.branch is not None:
            fields.require(fields.BRANCH, self.branch, "account.branch")


class TaxRecord(msgspec.Struct, frozen=True):
    """One half of a split payment of CBS and IBS: `CBSSPLIT` or `IBSSPLIT`, in centavos."""

    type: Annotated[str, At("Tp")]
    amount_cents: Annotated[int, At("TaxAmt/TtlAmt")]

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_one_of(TAX_TYPES, self.type, "tax.type")
        fields.require_cents(self.amount_cents, "tax.amount_cents")


class Tax(msgspec.Struct, frozen=True):
    """Split payment: number of the fiscal document and its two records, in their order."""

    document_number: str
    records: tuple[TaxRecord, TaxRecord]

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require(fields.FISCAL_DOCUMENT, self.document_number, "tax.document_number")
        if len(self.records) != 2:
            raise InvalidMessage("tax.records", "must be two")


class CashPart(msgspec.Struct, frozen=True):
    """Part of a Pix Troco or Saque: `VLCP` (purchase) or `VLDN` (cash), in centavos."""

    reason: Annotated[str, At("Rsn")]
    amount_cents: Annotated[int, At("Amt")]

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_one_of(CASH_PARTS, self.reason, "cash.reason")
        fields.require_cents(self.amount_cents, "cash.amount_cents")


class CashOut(msgspec.Struct, frozen=True):
    """Structured remittance of Pix Saque and Troco: who hands the cash out, and the parts."""

    facilitator: Annotated[str, At("RfrdDocInf/Tp/CdOrPrtry/Prtry")]
    facilitator_ispb: Annotated[str, At("RfrdDocInf/Tp/Issr")]
    parts: Annotated[tuple[CashPart, ...], At("RfrdDocAmt/AdjstmntAmtAndRsn")]

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_one_of(FACILITATORS, self.facilitator, "cash.facilitator")
        fields.require(fields.ISPB, self.facilitator_ispb, "cash.facilitator_ispb")
        reasons = {part.reason for part in self.parts}
        if not 0 < len(self.parts) <= 2 or len(reasons) != len(self.parts):
            raise InvalidMessage("cash.parts", "must be one or two with different reasons")


class CreditTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """One payment of a pacs.008 (`CdtTrfTxInf`).

    Attributes:
        end_to_end_id: Id of the payment in the whole of Pix.
        amount_cents: Centavos from 0; SPI refuses 0 with AM01.
        accepted_at: When the payer confirmed (t0'); written with milliseconds.
        local_instrument: How it was initiated: `DICT`, `MANU`, `QRES`, ...
        debtor_name: 1 to 140 characters.
        debtor_tax_id: CPF or CNPJ, as `creditor_tax_id`.
        debtor_ispb: PSP of the payer, as `creditor_ispb` of the receiver; may be indirect.
        creditor_key: Pix key; compulsory for some local instruments, forbidden for others.
        purpose: `IPAY` for an ordinary Pix.
        transaction_id: TxId of the charge.
        instruction_id: Root payment of a MED case.
        initiator_cnpj: Payment initiator (`INIC`).
        remittance: Free text, 1 to 140 characters.
        tax: Split payment of CBS and IBS.
        cash: Pix Saque or Troco.

    Raises:
        InvalidMessage: A field has the wrong form. Which fields go together is the business's
            to decide (SPI answers CH16): only the schema's rules hold here.
    """

    end_to_end_id: str
    amount_cents: int
    accepted_at: datetime
    local_instrument: str
    debtor_name: str
    debtor_tax_id: str
    debtor_account: AccountId
    debtor_ispb: str
    creditor_ispb: str
    creditor_tax_id: str
    creditor_account: AccountId
    creditor_key: str | None = None
    purpose: str = "IPAY"
    transaction_id: str | None = None
    instruction_id: str | None = None
    initiator_cnpj: str | None = None
    remittance: str | None = None
    tax: Tax | None = None
    cash: CashOut | None = None

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        fields.require_cents(self.amount_cents, "amount_cents")
        fields.require_instant(self.accepted_at, "accepted_at")
        fields.require_text(self.debtor_name, NAME_CHARACTERS_MAX, "debtor_name")
        codes = (
            self.end_to_end_id,
            self.local_instrument,
            self.debtor_tax_id,
            self.debtor_ispb,
            self.creditor_ispb,
            self.creditor_tax_id,
            self.purpose,
        )
        if not fields.are_all(_TRANSFER_CODES, codes):
            self._check_codes()
        self._check_optional()

    def _check_codes(self) -> None:
        """Find the field that does not fit."""
        fields.require(fields.END_TO_END_ID, self.end_to_end_id, "end_to_end_id")
        fields.require_one_of(LOCAL_INSTRUMENTS, self.local_instrument, "local_instrument")
        fields.require(fields.TAX_ID, self.debtor_tax_id, "debtor_tax_id")
        fields.require(fields.ISPB, self.debtor_ispb, "debtor_ispb")
        fields.require(fields.ISPB, self.creditor_ispb, "creditor_ispb")
        fields.require(fields.TAX_ID, self.creditor_tax_id, "creditor_tax_id")
        fields.require_one_of(PURPOSES, self.purpose, "purpose")

    def _check_optional(self) -> None:
        if self.creditor_key is not None:
            fields.require_text(self.creditor_key, KEY_CHARACTERS_MAX, "creditor_key")
        if self.transaction_id is not None:
            fields.require(fields.TRANSACTION_ID, self.transaction_id, "transaction_id")
        if self.instruction_id is not None:
            fields.require(fields.INSTRUCTION_ID, self.instruction_id, "instruction_id")
        if self.initiator_cnpj is not None:
            fields.require(fields.CNPJ, self.initiator_cnpj, "initiator_cnpj")
        if self.remittance is not None:
            fields.require_text(self.remittance, REMITTANCE_CHARACTERS_MAX, "remittance")


class Pacs008(Message, frozen=True, kw_only=True):
    """Payments, payer to SPI to receiver (`pacs.008.spi.1.16`).

    Attributes:
        transfers: At least one. PAGPRI and PAGFRD: 10 at most, PAGAGD: 500 (AM18 beyond).
        priority: `HIGH` or `NORM`.
        service_level: `PAGPRI`, `PAGFRD` or `PAGAGD`.
        declared_count: `NbOfTxs` where it differs from the number of transfers (AM18).

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    transfers: tuple[CreditTransfer, ...]
    priority: str = "HIGH"
    service_level: str = "PAGPRI"
    declared_count: int | None = None

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        self._check_header()
        _require_some(self.transfers, "transfers")
        fields.require_one_of(PRIORITIES, self.priority, "priority")
        fields.require_one_of(SERVICE_LEVELS, self.service_level, "service_level")
        if self.declared_count is not None:
            fields.require_count(self.declared_count, "declared_count")


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of one payment or return (`TxInfAndSts`).

    Attributes:
        original_instruction_id: EndToEndId of the payment, or RtrId of the return.
        end_to_end_id: EndToEndId of the (returned) payment.
        status: `ACSP` can credit, `ACSC` settled (payer), `ACCC` settled (receiver), `RJCT`.
        reasons: Codes out of `STATUS_REASONS`.
        additional: Texts of 1 to 105 characters. How they spread over the reasons is not kept.
        settled_at: Effective settlement, on ACSC and ACCC.
        settlement_date: Day of settlement, on ACSC and ACCC.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    original_instruction_id: str
    end_to_end_id: str
    status: str
    reasons: tuple[str, ...] = ()
    additional: tuple[str, ...] = ()
    settled_at: datetime | None = None
    settlement_date: date | None = None

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        if not fields.are_all(
            _REPORT_CODES, (self.original_instruction_id, self.end_to_end_id, self.status)
        ):
            self._check_codes()
        for reason in self.reasons:
            fields.require_one_of(STATUS_REASONS, reason, "reasons")
        for text in self.additional:
            fields.require_text(text, ADDITIONAL_CHARACTERS_MAX, "additional")
        if self.settled_at is not None:
            fields.require_instant(self.settled_at, "settled_at")
        if self.settlement_date is not None:
            fields.require_day(self.settlement_date, "settlement_date")

    def _check_codes(self) -> None:
        """Find the field that does not fit."""
        fields.require(
            fields.INSTRUCTION_ID, self.original_instruction_id, "original_instruction_id"
        )
        fields.require(fields.END_TO_END_ID, self.end_to_end_id, "end_to_end_id")
        fields.require_one_of(STATUSES, self.status, "status")


class Pacs002(Message, frozen=True, kw_only=True):
    """Outcomes, receiver to SPI and SPI to both (`pacs.002.spi.1.17`).

    Attributes:
        reports: At least one.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    reports: tuple[StatusReport, ...]

    def __post_init__(self) -> None:
        """Check the fields against the schema."""
        self._check_header()
        _require_some(self.reports, "reports")


def _require_some(items: tuple[object, ...], path: str) -> None:
    if not items:
        raise InvalidMessage(path, "must not be empty")
