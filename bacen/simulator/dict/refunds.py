"""Refunds: asked for by who was debited, closed by who was credited (DICT API 2.12.1, Refund)."""

from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

import msgspec

from bacen.dict import (
    CancelRefundRequest,
    CloseRefundRequest,
    CreateRefundRequest,
    FundsRecovery,
    GetRefundRequest,
    InfractionReport,
    ListRefundsRequest,
    ListRefundsResponse,
    NewRefund,
    Refund,
    RefundAccount,
    RefundResponse,
)
from bacen.simulator.dict.cases import ASKED, ASKER, Case, Cases, filters_of
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.refund_rules import (
    FRAUD,
    OPEN,
    OPERATIONAL_FLAW,
    PARTIALLY_ACCEPTED,
    REJECTED,
    TOTALLY_ACCEPTED,
    operation_invalid,
    require_closable,
    require_paid,
    require_refundable,
)
from bacen.simulator.dict.transactions import (
    Transaction,
    Transactions,
    number_in,
    parts_of,
)
from bacen.simulator.payments import DAY_MS, SETTLED, to_ms
from bacen.simulator.virtual_returner import ReturnOrder

CLOSED: Final = "CLOSED"
CANCELLED: Final = "CANCELLED"

# What a virtual participant does: it gives back at most so often, until somebody takes it.
ATTEMPTS_MAX = 3
RETURN_TIMEOUT_MS = 60_000
RETURN_REASONS = {FRAUD: "FR01", OPERATIONAL_FLAW: "BE08"}
NO_BALANCE = "NOBALANCE"
PAID_BY = """
SELECT 1 FROM cases WHERE family = 'refund' AND document ->> '$.refund_transaction_id' = ?"""


class Refunds:
    """The refunds of all participants.

    Args:
        office: Of the directory.
        transactions: The payments that really ran.
        agreed: Gives the agreed report of a payment by a participant, where there is one.
        finished: Called with the id of the recovery whose refund is finished.
    """

    def __init__(
        self,
        office: Office,
        transactions: Transactions,
        agreed: Callable[[str, str], InfractionReport | None],
        finished: Callable[[UUID], None],
    ) -> None:
        self._office = office
        self._store = office.store
        self._transactions = transactions
        self._agreed = agreed
        self._finished = finished
        self.cases = Cases(office, "refund", Refund)
        self.returns_wanted: list[ReturnOrder] = []

    def create(self, asked: Asked) -> RefundResponse:
        request: CreateRefundRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        wanted = request.refund
        one = self._transaction(wanted.transaction_id)
        if request.participant != one.debtor_ispb and one.original_id is None:
            raise DictRefusal("Forbidden", "only who was debited")
        limit_ms = self._office.settings.refund_days * DAY_MS
        if self._office.now_ms() > one.settled_ms + limit_ms:
            raise DictRefusal("RefundPeriodExpired", "too long ago", "Refund/TransactionId")
        self._require_new(wanted)
        require_refundable(wanted, one, self._transactions.refundable_cents(one))
        report = self._agreed(one.id, request.participant)
        if wanted.refund_reason == FRAUD and report is None:
            raise DictRefusal("RefundInfractionReportNotFound", "no report was agreed to")
        refund = self._open(request.participant, wanted, one, report)
        return RefundResponse(**asked.head, refund=refund)

    def open_for(self, recovery: FundsRecovery, report: InfractionReport) -> None:
        """Ask for what a participant agreed to give back in a recovery."""
        one = self._transactions.get(report.transaction_id)
        root = self._transactions.get(recovery.root_transaction_id)
        if one is None or root is None:
            return  # so old that nobody knows it any more
        left_cents = min(self._transactions.refundable_cents(one), root.amount_cents)
        if left_cents == 0:
            return
        wanted = NewRefund(
            transaction_id=one.id,
            refund_reason="FRAUD",
            refund_amount=left_cents,
            refund_details=recovery.report_details,
        )
        self._open(recovery.reporter_participant, wanted, one, report, root)

    def listed(self, asked: Asked) -> ListRefundsResponse:
        request: ListRefundsRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        participants = self._office.speaking(
            request.participant, include_indirect=request.include_indirect_participants
        )
        filters = filters_of(request)
        if request.cursor is not None:
            if not (request.cursor.isascii() and request.cursor.isdecimal()):
                raise DictRefusal("BadRequest", "not one of ours", "Cursor")
            filters["after_ms"] = int(request.cursor)
        role = ASKER if request.participant_role == "REQUESTING" else ASKED
        found, has_more = self.cases.listed(participants, role, filters, request.limit)
        refunds = [case.document for case in found]
        if not request.include_details:
            refunds = [without_details(each) for each in refunds]
        return ListRefundsResponse(
            **asked.head,
            has_more_elements=has_more,
            next_cursor=str(to_ms(refunds[-1].last_modified)) if has_more else None,
            refunds=tuple(refunds),
        )

    def get(self, asked: Asked) -> RefundResponse:
        request: GetRefundRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.refund_id, request.participant)
        return RefundResponse(**asked.head, refund=case.document)

    def cancel(self, asked: Asked) -> RefundResponse:
        request: CancelRefundRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.refund_id, request.participant)
        if case.asker != request.participant:
            raise DictRefusal("Forbidden", "who asked for it cancels")
        if case.status != OPEN:
            raise operation_invalid(f"the refund is {case.status}")
        return RefundResponse(**asked.head, refund=self._finish(case, status=CANCELLED))

    def close(self, asked: Asked) -> RefundResponse:
        request: CloseRefundRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.refund_id, request.participant)
        if case.asked != request.participant:
            raise DictRefusal("Forbidden", "who was credited closes")
        require_closable(case.document, request)
        paid = None
        if request.refund_transaction_id is not None:
            paid = self._transactions.known(request.refund_transaction_id)
        require_paid(case.document, request, paid)
        self._require_unused(request)
        refund = self._finish(
            case,
            status=CLOSED,
            analysis_result=request.refund_analysis_result,
            analysis_details=request.refund_analysis_details,
            refund_rejection_reason=request.refund_rejection_reason,
            refund_transaction_id=request.refund_transaction_id,
            effective_refunded_amount=request.effective_refunded_amount
            or (paid.amount_cents if paid else None),
        )
        return RefundResponse(**asked.head, refund=refund)

    def advance(self, number: UUID) -> None:
        """Let a virtual participant give back what it received, or say that it has no balance."""
        case = self.cases.existing(number)
        one = self._transactions.get(case.subject)
        attempts = int(case.memo or 0)
        if one is None or attempts == ATTEMPTS_MAX or not can_give(case, one):
            self._finish(
                case,
                status=CLOSED,
                analysis_result=REJECTED,
                refund_rejection_reason="NO_BALANCE",
            )
            return
        case.memo, case.due_ms = str(attempts + 1), self._office.now_ms() + RETURN_TIMEOUT_MS
        self.cases.save(case)
        cents = min(case.document.refund_amount, self._transactions.refundable_cents(one))
        reason = RETURN_REASONS.get(case.kind, "MD06")
        self.returns_wanted.append(ReturnOrder(one.id, cents, reason))

    def settled(self, new: Iterable[Transaction]) -> None:
        """Close the refunds of virtual participants whose returns settled."""
        for paid in new:
            for case in self.cases.about(paid.original_id, (OPEN,)) if paid.original_id else ():
                if not self._office.is_virtual(case.asked):
                    continue
                is_total = paid.amount_cents >= case.document.refund_amount
                self._finish(
                    case,
                    status=CLOSED,
                    analysis_result=TOTALLY_ACCEPTED if is_total else PARTIALLY_ACCEPTED,
                    refund_transaction_id=paid.id,
                    effective_refunded_amount=paid.amount_cents,
                )

    def _transaction(self, transaction_id: str) -> Transaction:
        one = self._transactions.known(transaction_id)
        if one is not None:
            return one
        status = self._transactions.status(transaction_id)
        if status in (None, SETTLED):  # settled, and not in the index: long ago
            kind = "RefundTransactionNotFound" if status is None else "RefundPeriodExpired"
            raise DictRefusal(kind, "no such payment", "Refund/TransactionId")
        raise DictRefusal("RefundTransactionNotSettled", "no money moved", "Refund/TransactionId")

    def _require_unused(self, request: CloseRefundRequest) -> None:
        paid_by = request.refund_transaction_id
        if paid_by is not None and self._store.row(PAID_BY, paid_by) is not None:
            raise operation_invalid("has closed another refund", "RefundTransactionId")

    def _require_new(self, wanted: NewRefund) -> None:
        for case in self.cases.about(wanted.transaction_id):
            refund = case.document
            if refund.refund_reason != wanted.refund_reason:
                continue
            if refund.status == OPEN:
                raise DictRefusal("RefundAlreadyBeingProcessedForTransaction", "one is open")
            if refund.analysis_result == TOTALLY_ACCEPTED:
                raise DictRefusal("RefundAlreadyProcessedForTransaction", "it was accepted")

    def _open(
        self,
        requesting: str,
        wanted: NewRefund,
        one: Transaction,
        report: InfractionReport | None,
        root: Transaction | None = None,
    ) -> Refund:
        now = self._office.now()
        is_virtual = self._office.is_virtual(one.creditor_ispb)
        refund = Refund(
            transaction_id=wanted.transaction_id,
            refund_reason=wanted.refund_reason,
            refund_amount=wanted.refund_amount,
            refund_details=wanted.refund_details,
            id=self._office.new_id(),
            status=OPEN,
            requesting_participant=requesting,
            contested_participant=one.creditor_ispb,
            creation_time=now,
            last_modified=now,
            infraction_report_id=report.id if report else None,
            funds_recovery_id=report.funds_recovery_id if report and root else None,
            refund_account=account_of(root) if root else None,
        )
        recovery = refund.funds_recovery_id
        case = Case(
            id=refund.id,
            status=OPEN,
            asker=requesting,
            asked=one.creditor_ispb,
            kind=wanted.refund_reason,
            subject=wanted.transaction_id,
            document=refund,
            parent=None if recovery is None else str(recovery),
            due_ms=self._office.now_ms() if is_virtual else None,
        )
        return self.cases.save(case).document

    def _finish(self, case: Case[Refund], **changed: object) -> Refund:
        case.due_ms = None
        case = self.cases.save(case, **changed)
        if case.parent is not None:
            self._finished(UUID(case.parent))
        return case.document


def can_give(case: Case[Refund], one: Transaction) -> bool:
    """Say whether a virtual participant returns a payment: to its payer only, and if it can."""
    has_balance = not number_in(one.creditor_account).startswith(NO_BALANCE)
    return has_balance and one.debtor_ispb == case.asker


def account_of(root: Transaction) -> RefundAccount:
    """Name the account of the payer, to which the money of a recovery goes back."""
    _, branch, number, kind = parts_of(root.debtor_account)
    return RefundAccount(
        tax_id_number=root.debtor_tax_id,
        participant=root.debtor_ispb,
        branch=branch,
        account_number=number,
        account_type=kind,  # type: ignore[arg-type] # checked by the struct
    )


def without_details(refund: Refund) -> Refund:
    return msgspec.structs.replace(refund, refund_details=None, analysis_details=None)
