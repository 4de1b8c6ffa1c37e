"""What may be refunded, and how a refund may be closed (DICT API 2.12.1, Refund): no state."""

from typing import Final

from bacen.dict import CloseRefundRequest, NewRefund, Refund
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.transactions import Transaction

OPEN: Final = "OPEN"
FRAUD: Final = "FRAUD"
OPERATIONAL_FLAW: Final = "OPERATIONAL_FLAW"
PIX_AUTOMATICO: Final = "PIX_AUTOMATICO"
REASONS = (FRAUD, OPERATIONAL_FLAW, PIX_AUTOMATICO)  # REFUND_CANCELLED is deprecated
TOTALLY_ACCEPTED: Final = "TOTALLY_ACCEPTED"
PARTIALLY_ACCEPTED: Final = "PARTIALLY_ACCEPTED"
REJECTED: Final = "REJECTED"
AUTOMATIC: Final = "AUTO"


def require_refundable(wanted: NewRefund, one: Transaction, refundable_cents: int) -> None:
    """Refuse a refund that the payment does not allow.

    Raises:
        DictRefusal: RefundInvalid, RefundTransactionInvalid, TransactionTypeInvalid,
            TransactionNotRefundable.
    """
    if wanted.refund_reason not in REASONS:
        raise DictRefusal("RefundInvalid", "deprecated", "Refund/RefundReason")
    if one.original_id is not None or not one.debtor_account:
        raise DictRefusal("RefundTransactionInvalid", "a return", "Refund/TransactionId")
    if wanted.refund_reason == PIX_AUTOMATICO and one.local_instrument != AUTOMATIC:
        raise DictRefusal("TransactionTypeInvalid", "no Pix Automatico", "Refund/TransactionId")
    if refundable_cents == 0:
        raise DictRefusal("TransactionNotRefundable", "all of it went back", "Refund/TransactionId")
    if not 0 < wanted.refund_amount <= refundable_cents:
        raise DictRefusal("RefundInvalid", "more than is left, or nothing", "Refund/RefundAmount")


def require_closable(refund: Refund, request: CloseRefundRequest) -> None:
    """Refuse an answer whose parts do not fit.

    Raises:
        DictRefusal: RefundOperationInvalid.
    """
    if refund.status != OPEN:
        raise operation_invalid(f"the refund is {refund.status}")
    is_rejected = request.refund_analysis_result == REJECTED
    if is_rejected is (request.refund_rejection_reason is None):
        raise operation_invalid("with REJECTED and only then", "RefundRejectionReason")
    if is_rejected is (request.refund_transaction_id is not None):
        raise operation_invalid("of what was accepted, and only then", "RefundTransactionId")
    reason = request.refund_rejection_reason
    if reason == "INVALID_REQUEST" and refund.refund_reason != OPERATIONAL_FLAW:
        raise operation_invalid("only for OPERATIONAL_FLAW", "RefundRejectionReason")
    if reason == "OTHER" and request.refund_analysis_details is None:
        raise operation_invalid("compulsory with OTHER", "RefundAnalysisDetails")
    is_recovery = refund.funds_recovery_id is not None
    if is_recovery and not is_rejected and request.effective_refunded_amount is None:
        raise operation_invalid("compulsory in a funds recovery", "EffectiveRefundedAmount")


def require_paid(refund: Refund, request: CloseRefundRequest, paid: Transaction | None) -> None:
    """Refuse an acceptance of which nothing went back in the SPI.

    Raises:
        DictRefusal: RefundOperationInvalid.
    """
    if request.refund_transaction_id is None:
        return
    if paid is None:
        raise operation_invalid("did not settle", "RefundTransactionId")
    is_return = paid.original_id == refund.transaction_id
    sides = refund.contested_participant, refund.requesting_participant
    if not is_return and (paid.debtor_ispb, paid.creditor_ispb) != sides:
        raise operation_invalid("is no refund of this payment", "RefundTransactionId")
    told = request.effective_refunded_amount
    if told is not None and told != paid.amount_cents:
        raise operation_invalid("is not what was paid", "EffectiveRefundedAmount")
    is_total = paid.amount_cents >= refund.refund_amount
    if is_total is not (request.refund_analysis_result == TOTALLY_ACCEPTED):
        raise operation_invalid("does not fit what was paid", "RefundAnalysisResult")


def operation_invalid(reason: str, name: str = "") -> DictRefusal:
    return DictRefusal("RefundOperationInvalid", reason, name)
