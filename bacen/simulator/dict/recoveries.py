"""Funds recoveries, MED 2.0: from the contested payment to the refunds (DICT API 2.12.1)."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from bacen.dict import (
    CreateFundsRecoveryRequest,
    CreateFundsRecoveryResponse,
    FundsRecovery,
    FundsRecoveryRequest,
    FundsRecoveryResponse,
    GetFundsRecoveryRequest,
    InfractionReport,
    ListFundsRecoveryInfractionReportsResponse,
    ListFundsRecoveryRefundsResponse,
    TrackingGraph,
    TrackingGraphResponse,
    UpdateFundsRecoveryRequest,
)
from bacen.simulator.dict import notifications
from bacen.simulator.dict.cases import Case, Cases
from bacen.simulator.dict.errors import DictRefusal, not_found
from bacen.simulator.dict.markers import Markers
from bacen.simulator.dict.notifications import Notifications
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.refunds import Refunds
from bacen.simulator.dict.reports import AGREED, Reports
from bacen.simulator.dict.reports import UNFINISHED as REPORT_UNFINISHED
from bacen.simulator.dict.tracking import Traced, graph_of, parameters_of, trace
from bacen.simulator.dict.transactions import Transaction, Transactions
from bacen.simulator.payments import SETTLED, from_ms, to_ms

CREATED: Final = "CREATED"
TRACKED: Final = "TRACKED"
AWAITING_ANALYSIS: Final = "AWAITING_ANALYSIS"
ANALYSED: Final = "ANALYSED"
REFUNDING: Final = "REFUNDING"
COMPLETED: Final = "COMPLETED"
CANCELLED: Final = "CANCELLED"
CHANGEABLE = (CREATED, TRACKED, AWAITING_ANALYSIS)

encode_graph = msgspec.json.Encoder().encode
decode_graph = msgspec.json.Decoder(TrackingGraph).decode


class Recoveries:
    """The recoveries of all participants, with their reports and refunds.

    Args:
        office: Of the directory.
        transactions: The payments that really ran.
        markers: Agreed reports make some.
        notices: Told of what participants have to look at.
    """

    def __init__(
        self,
        office: Office,
        transactions: Transactions,
        markers: Markers,
        notices: Notifications,
    ) -> None:
        self._office = office
        self._transactions = transactions
        self._notices = notices
        self.cases = Cases(office, "recovery", FundsRecovery)
        self.reports = Reports(office, markers, self._report_finished)
        self.refunds = Refunds(office, transactions, self.reports.agreed, self._refund_finished)

    def create(self, asked: Asked) -> CreateFundsRecoveryResponse:
        request: CreateFundsRecoveryRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        wanted = request.funds_recovery
        parameters = parameters_of(request.tracking_graph_parameters)
        root = self._root(wanted.root_transaction_id, request.participant)
        if any(case.status != CANCELLED for case in self.cases.about(root.id)):
            raise DictRefusal("FundsRecoveryForTransactionAlreadyExists", "one was begun")
        now = self._office.now()
        recovery = FundsRecovery(
            flow_type="AUTOMATED",
            root_transaction_id=root.id,
            situation_type=wanted.situation_type,
            report_details=wanted.report_details,
            contact_information=wanted.contact_information,
            id=self._office.new_id(),
            status=CREATED,
            reporter_participant=request.participant,
            creation_time=now,
            last_modified=now,
        )
        traced = trace(root, parameters, self._transactions)
        graph = graph_of(recovery.id, traced, parameters, now)
        case = Case(
            id=recovery.id,
            status=CREATED,
            asker=request.participant,
            asked=request.participant,
            kind=wanted.situation_type,
            subject=root.id,
            document=recovery,
            memo=encode_graph(graph).decode(),
            due_ms=to_ms(now) + self._office.settings.tracking_delay_ms,
        )
        recovery = self.cases.save(case).document
        return CreateFundsRecoveryResponse(
            **asked.head, funds_recovery=recovery, tracking_graph=graph
        )

    def get(self, asked: Asked) -> FundsRecoveryResponse:
        request: GetFundsRecoveryRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.find(request.funds_recovery_id)
        if case is None or not self._is_party(case, request.participant):
            raise not_found()
        return FundsRecoveryResponse(**asked.head, funds_recovery=case.document)

    def update(self, asked: Asked) -> FundsRecoveryResponse:
        request: UpdateFundsRecoveryRequest = asked.request
        case = self._of_creator(asked)
        if case.status not in CHANGEABLE:
            raise operation_invalid(case.status)
        old = case.document
        case = self.cases.save(
            case,
            situation_type=request.situation_type or old.situation_type,
            contact_information=request.contact_information or old.contact_information,
            report_details=request.report_details or old.report_details,
        )
        self.reports.revise(case.document)
        self._tell_counterparties(case.id, notifications.UPDATED)
        return FundsRecoveryResponse(**asked.head, funds_recovery=case.document)

    def graph(self, asked: Asked) -> TrackingGraphResponse:
        case = self._of_creator(asked)
        assert case.memo is not None  # every recovery is made with its graph
        return TrackingGraphResponse(**asked.head, tracking_graph=decode_graph(case.memo))

    def reports_of(self, asked: Asked) -> ListFundsRecoveryInfractionReportsResponse:
        request: GetFundsRecoveryRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        found = [
            case.document
            for case in self.reports.cases.of_parent(request.funds_recovery_id)
            if request.participant in (case.asker, case.asked)
        ]
        return ListFundsRecoveryInfractionReportsResponse(
            **asked.head, infraction_reports=tuple(found)
        )

    def refunds_of(self, asked: Asked) -> ListFundsRecoveryRefundsResponse:
        request: GetFundsRecoveryRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        found = [
            case.document
            for case in self.refunds.cases.of_parent(request.funds_recovery_id)
            if request.participant in (case.asker, case.asked)
        ]
        return ListFundsRecoveryRefundsResponse(**asked.head, refunds=tuple(found))

    def refund(self, asked: Asked) -> FundsRecoveryResponse:
        """Ask every participant that agreed for the money."""
        case = self._of_creator(asked)
        if case.status != ANALYSED:
            raise operation_invalid(case.status)
        case = self.cases.save(case, status=REFUNDING)
        for report in self.reports.cases.of_parent(case.id):
            if report.document.analysis_result == AGREED:
                self.refunds.open_for(case.document, report.document)
        self._refund_finished(case.id)  # perhaps there is nothing to ask for
        recovery = self.cases.existing(case.id).document
        return FundsRecoveryResponse(**asked.head, funds_recovery=recovery)

    def cancel(self, asked: Asked) -> FundsRecoveryResponse:
        case = self._of_creator(asked)
        if case.status not in (*CHANGEABLE, ANALYSED):
            raise operation_invalid(case.status)
        self._tell_counterparties(case.id, notifications.CANCELLED)
        self.reports.cancel_all(case.id)
        case.due_ms = None
        case = self.cases.save(case, status=CANCELLED)
        return FundsRecoveryResponse(**asked.head, funds_recovery=case.document)

    def advance(self, number: UUID) -> None:
        """Bring a recovery that is due one state further."""
        case = self.cases.existing(number)
        if case.status == CREATED:
            case.due_ms = self._office.now_ms() + self._office.settings.tracking_delay_ms
            self.cases.save(case, status=TRACKED)
        else:
            self._report(case)

    def _report(self, case: Case[FundsRecovery]) -> None:
        assert case.memo is not None  # every recovery is made with its graph
        case.due_ms = None
        case = self.cases.save(case, status=AWAITING_ANALYSIS)
        for drawn in decode_graph(case.memo or "").transactions:
            one = self._transactions.get(drawn.id)
            if one is not None:
                self.reports.open(case.document, Traced(one, drawn.refundable_amount))

    def _root(self, transaction_id: str, participant: str) -> Transaction:
        root = self._transactions.get(transaction_id)
        name = "FundsRecovery/RootTransactionId"
        if root is None:
            status = self._transactions.status(transaction_id)
            if status == SETTLED:
                raise DictRefusal("FundsRecoveryTransactionNotIndexed", "ask again", name)
            if status is not None:
                raise DictRefusal("FundsRecoveryTransactionNotSettled", "no money moved", name)
        if root is None or root.original_id is not None or root.debtor_ispb != participant:
            kind = "FundsRecoveryTransactionNotEligible"
            raise DictRefusal(kind, "no payment of a customer of yours", name)
        days = timedelta(days=self._office.settings.complaint_days)
        if self._office.now() > from_ms(root.settled_ms) + days:
            raise DictRefusal("FundsRecoveryTransactionNotEligible", "too long ago", name)
        return root

    def _report_finished(self, recovery: UUID) -> None:
        case = self.cases.existing(recovery)
        if case.status != AWAITING_ANALYSIS:
            return
        if all(each.status not in REPORT_UNFINISHED for each in self._reports_of(recovery)):
            self.cases.save(case, status=ANALYSED)
            self._notices.tell(case.asker, notifications.ANALYSED, recovery)

    def _refund_finished(self, recovery: UUID) -> None:
        case = self.cases.existing(recovery)
        if case.status != REFUNDING:
            return
        if all(each.status != "OPEN" for each in self.refunds.cases.of_parent(recovery)):
            self.cases.save(case, status=COMPLETED)
            self._notices.tell(case.asker, notifications.COMPLETED, recovery)

    def _tell_counterparties(self, recovery: UUID, event: str) -> None:
        open_reports = (r for r in self._reports_of(recovery) if r.status in REPORT_UNFINISHED)
        for participant in sorted({report.asked for report in open_reports}):
            self._notices.tell(participant, event, recovery)

    def _reports_of(self, recovery: UUID) -> list[Case[InfractionReport]]:
        return self.reports.cases.of_parent(recovery)

    def _is_party(self, case: Case[FundsRecovery], participant: str) -> bool:
        asked = {each.asked for each in self._reports_of(case.id)}
        return participant == case.asker or participant in asked

    def _of_creator(self, asked: Asked) -> Case[FundsRecovery]:
        request: FundsRecoveryRequest | GetFundsRecoveryRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.find(request.funds_recovery_id)
        if case is None or not self._is_party(case, request.participant):
            raise not_found()
        if case.asker != request.participant:
            raise DictRefusal("Forbidden", "the creator's")
        return case


def operation_invalid(status: str) -> DictRefusal:
    return DictRefusal("FundsRecoveryOperationInvalid", f"the recovery is {status}")
