"""Infraction reports: made by a funds recovery, judged by who was credited (DICT API 2.12.1)."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec

from bacen.dict import (
    CloseInfractionReportRequest,
    FraudType,
    FundsRecovery,
    GetInfractionReportRequest,
    InfractionReport,
    InfractionReportRequest,
    InfractionReportResponse,
    ListInfractionReportsRequest,
    ListInfractionReportsResponse,
    NewFraudMarker,
    SummarizedInfractionReport,
)
from bacen.simulator.dict.cases import ASKED, ASKER, Case, Cases, filters_of
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.markers import Markers
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.tracking import Traced
from bacen.simulator.dict.transactions import number_in

OPEN: Final = "OPEN"
ACKNOWLEDGED: Final = "ACKNOWLEDGED"
CLOSED: Final = "CLOSED"
CANCELLED: Final = "CANCELLED"
UNFINISHED = (OPEN, ACKNOWLEDGED)
AGREED: Final = "AGREED"
DISAGREED: Final = "DISAGREED"


class Reports:
    """The reports of all participants.

    Args:
        office: Of the directory.
        markers: An agreed report makes one.
        finished: Called with the id of the recovery whose report is finished.
    """

    def __init__(self, office: Office, markers: Markers, finished: Callable[[UUID], None]) -> None:
        self._office = office
        self._markers = markers
        self._finished = finished
        self.cases = Cases(office, "report", InfractionReport)

    def open(self, recovery: FundsRecovery, traced: Traced) -> None:
        """Report one payment of a recovery to the participant that was credited."""
        one = traced.transaction
        now = self._office.now()
        report = InfractionReport(
            transaction_id=one.id,
            reason="REFUND_REQUEST",
            situation_type=recovery.situation_type,
            report_details=recovery.report_details,
            contact_information=recovery.contact_information,
            id=self._office.new_id(),
            funds_recovery_id=recovery.id,
            status=OPEN,
            reporter_participant=recovery.reporter_participant,
            counterparty_participant=one.creditor_ispb,
            creation_time=now,
            last_modified=now,
            infraction_amount=one.amount_cents,
        )
        is_silent = number_in(one.creditor_account).startswith("SILENT")
        answers = self._office.is_virtual(one.creditor_ispb) and not is_silent
        case = Case(
            id=report.id,
            status=OPEN,
            asker=recovery.reporter_participant,
            asked=one.creditor_ispb,
            kind=one.creditor_tax_id,
            subject=one.id,
            document=report,
            parent=str(recovery.id),
            memo=one.creditor_key,
            due_ms=self._office.now_ms() if answers else None,
        )
        self.cases.save(case)

    def listed(self, asked: Asked) -> ListInfractionReportsResponse:
        request: ListInfractionReportsRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        role = None
        if bool(request.is_reporter) is not bool(request.is_counterparty):
            role = ASKER if request.is_reporter else ASKED
        participants = self._office.speaking(
            request.participant, include_indirect=request.include_indirect_participants
        )
        found, has_more = self.cases.listed(participants, role, filters_of(request), request.limit)
        reports = [case.document for case in found]
        if not request.include_details:
            reports = [without_details(each) for each in reports]
        return ListInfractionReportsResponse(
            **asked.head, has_more_elements=has_more, infraction_reports=tuple(reports)
        )

    def get(self, asked: Asked) -> InfractionReportResponse:
        request: GetInfractionReportRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.infraction_report_id, request.participant)
        return InfractionReportResponse(**asked.head, infraction_report=case.document)

    def acknowledge(self, asked: Asked) -> InfractionReportResponse:
        case = self._of_counterparty(asked)
        if case.status != OPEN:
            raise operation_invalid(case.status)
        case = self.cases.save(case, status=ACKNOWLEDGED)
        return InfractionReportResponse(**asked.head, infraction_report=case.document)

    def close(self, asked: Asked) -> InfractionReportResponse:
        request: CloseInfractionReportRequest = asked.request
        case = self._of_counterparty(asked)
        if case.status != ACKNOWLEDGED:
            raise operation_invalid(case.status)
        if (request.analysis_result == AGREED) is (request.fraud_type is None):
            raise DictRefusal(
                "InfractionReportOperationInvalid", "with AGREED and only then", "FraudType"
            )
        report = self._close(case, request.analysis_result, request.fraud_type, request)
        return InfractionReportResponse(**asked.head, infraction_report=report)

    def cancel(self, asked: Asked) -> InfractionReportResponse:
        request: InfractionReportRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.infraction_report_id, request.participant)
        if case.asker != request.participant:
            raise DictRefusal("Forbidden", "the reporter cancels")
        if case.status not in UNFINISHED:
            raise operation_invalid(case.status)
        return InfractionReportResponse(**asked.head, infraction_report=self._cancel(case))

    def agreed(self, transaction_id: str, reporter: str) -> InfractionReport | None:
        """Find a report that was agreed to."""
        for case in self.cases.about(transaction_id, (CLOSED,)):
            if case.asker == reporter and case.document.analysis_result == AGREED:
                return case.document
        return None

    def cancel_all(self, recovery: UUID) -> None:
        """Take back the reports of a recovery that is given up."""
        for case in self.cases.of_parent(recovery):
            if case.status in UNFINISHED:
                case.due_ms = None
                self.cases.save(case, status=CANCELLED)

    def revise(self, recovery: FundsRecovery) -> None:
        """Bring what a recovery says anew into its open reports."""
        for case in self.cases.of_parent(recovery.id):
            if case.status in UNFINISHED:
                self.cases.save(
                    case,
                    situation_type=recovery.situation_type,
                    report_details=recovery.report_details,
                    contact_information=recovery.contact_information,
                )

    def advance(self, number: UUID) -> None:
        """Judge as a virtual participant does: it agrees."""
        case = self.cases.save(self.cases.existing(number), status=ACKNOWLEDGED)
        self._close(case, AGREED, "MULE_ACCOUNT")

    def _close(
        self,
        case: Case[InfractionReport],
        result: str,
        fraud_type: FraudType | None,
        request: CloseInfractionReportRequest | None = None,
    ) -> InfractionReport:
        marker_id = None
        if fraud_type is not None:
            wanted = NewFraudMarker(tax_id_number=case.kind, key=case.memo, fraud_type=fraud_type)
            report = SummarizedInfractionReport(id=case.id, reporter_participant=case.asker)
            marker_id = self._markers.register(case.asked, wanted, report).id
        case.due_ms = None
        case = self.cases.save(
            case,
            status=CLOSED,
            analysis_result=result,
            analysis_details=request.analysis_details if request else None,
            fraud_marker_id=marker_id,
        )
        self._is_finished(case)
        return case.document

    def _cancel(self, case: Case[InfractionReport]) -> InfractionReport:
        case.due_ms = None
        case = self.cases.save(case, status=CANCELLED)
        self._is_finished(case)
        return case.document

    def _is_finished(self, case: Case[InfractionReport]) -> None:
        if case.parent is not None:
            self._finished(UUID(case.parent))

    def _of_counterparty(self, asked: Asked) -> Case[InfractionReport]:
        request: InfractionReportRequest | CloseInfractionReportRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.infraction_report_id, request.participant)
        if case.asked != request.participant:
            raise DictRefusal("Forbidden", "the counterparty judges")
        return case


def without_details(report: InfractionReport) -> InfractionReport:
    return msgspec.structs.replace(
        report, report_details=None, contact_information=None, analysis_details=None
    )


def operation_invalid(status: str) -> DictRefusal:
    return DictRefusal("InfractionReportOperationInvalid", f"the report is {status}")
