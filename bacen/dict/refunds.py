"""Refund requests: structs and operations (DICT API 2.12.1).

The participant that was debited asks, the contested one closes: OPEN, then CLOSED or CANCELLED.
"""

from typing import Annotated, Literal

from bacen.dict.forms import (
    AccountNumber,
    AccountType,
    Branch,
    Cents,
    Cursor,
    Flag,
    Instant,
    Ispb,
    PageSize,
    TaxId,
    Text,
    TransactionId,
    Uuid,
)
from bacen.dict.part import Header, Items, Part, require_rule
from bacen.dict.response import Response

RefundStatus = Literal["OPEN", "CLOSED", "CANCELLED"]
RefundRole = Literal["REQUESTING", "CONTESTED"]
RefundReason = Literal["FRAUD", "OPERATIONAL_FLAW", "REFUND_CANCELLED", "PIX_AUTOMATICO"]
RefundAnalysisResult = Literal["TOTALLY_ACCEPTED", "PARTIALLY_ACCEPTED", "REJECTED"]
RefundRejectionReason = Literal[
    "NO_BALANCE", "ACCOUNT_CLOSURE", "INVALID_REQUEST", "OTHER", "PARTICIPANT_EXCLUSION"
]


class NewRefund(Part, frozen=True, kw_only=True):
    """A refund to be asked for.

    Attributes:
        transaction_id: EndToEndId of the payment.
        refund_amount: In centavos.
        refund_details: Compulsory for OPERATIONAL_FLAW.
    """

    transaction_id: TransactionId
    refund_reason: RefundReason
    refund_amount: Cents
    refund_details: Text | None = None


class RefundAccount(Part, frozen=True, kw_only=True):
    """The account that the money goes back to."""

    tax_id_number: TaxId
    participant: Ispb
    branch: Branch | None = None
    account_number: AccountNumber
    account_type: AccountType


class Refund(Part, frozen=True, kw_only=True):
    """A refund as DICT has it.

    Attributes:
        refund_amount: What was asked for, in centavos.
        refund_transaction_id: Id of the pacs.004 or pacs.008 that paid it.
        monitor_account: The contested participant goes on looking for money.
        effective_refunded_amount: What was paid, in centavos.
    """

    transaction_id: TransactionId
    refund_reason: RefundReason
    refund_amount: Cents
    refund_details: Text | None = None
    id: Uuid
    status: RefundStatus
    requesting_participant: Ispb
    contested_participant: Ispb
    creation_time: Instant
    last_modified: Instant
    infraction_report_id: Uuid | None = None
    funds_recovery_id: Uuid | None = None
    analysis_result: RefundAnalysisResult | None = None
    analysis_details: Text | None = None
    refund_rejection_reason: RefundRejectionReason | None = None
    refund_transaction_id: TransactionId | None = None
    refund_account: RefundAccount | None = None
    monitor_account: Flag | None = None
    effective_refunded_amount: Cents | None = None


class CreateRefundRequest(Part, frozen=True, kw_only=True):
    """createRefund, only by the participant that was debited."""

    participant: Ispb
    refund: NewRefund

    def check_rules(self) -> None:
        """Refuse an operational flaw without words."""
        is_told = (
            self.refund.refund_reason != "OPERATIONAL_FLAW"
            or self.refund.refund_details is not None
        )
        require_rule(is_told, "Refund/RefundDetails", "must be there for OPERATIONAL_FLAW")


class ListRefundsRequest(Part, frozen=True, kw_only=True):
    """listRefunds, in the order of LastModified.

    Attributes:
        status: Any of these; all when empty.
        include_details: With the texts.
        limit: 1 to 200.
        cursor: `next_cursor` of the page before.
    """

    participant: Ispb
    include_indirect_participants: Flag = False
    participant_role: RefundRole
    status: Annotated[tuple[RefundStatus, ...], Items("Status")] = ()
    include_details: Flag = False
    modified_after: Instant | None = None
    modified_before: Instant | None = None
    limit: PageSize = 20
    cursor: Cursor | None = None


class GetRefundRequest(Part, frozen=True, kw_only=True):
    """getRefund, by a participant in it."""

    refund_id: Uuid
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class CancelRefundRequest(Part, frozen=True, kw_only=True):
    """cancelRefund by the participant that asked."""

    refund_id: Uuid
    participant: Ispb


class CloseRefundRequest(Part, frozen=True, kw_only=True):
    """closeRefund by the contested participant.

    Attributes:
        refund_rejection_reason: Compulsory for REJECTED.
        refund_transaction_id: Of the payment that went back; compulsory when something did.
        effective_refunded_amount: In centavos; compulsory inside a funds recovery.
    """

    refund_id: Uuid
    participant: Ispb
    refund_analysis_result: RefundAnalysisResult
    refund_analysis_details: Text | None = None
    refund_rejection_reason: RefundRejectionReason | None = None
    refund_transaction_id: TransactionId | None = None
    effective_refunded_amount: Cents | None = None


class RefundResponse(Response, frozen=True, kw_only=True):
    """Answer to every operation on one refund."""

    refund: Refund


class ListRefundsResponse(Response, frozen=True, kw_only=True):
    """Answer to listRefunds.

    Attributes:
        next_cursor: For the next page, where there is one.
    """

    has_more_elements: Flag
    next_cursor: Cursor | None = None
    refunds: Annotated[tuple[Refund, ...], Items("Refund")] = ()
