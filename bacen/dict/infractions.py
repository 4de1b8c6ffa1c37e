"""Infraction reports: structs and operations (DICT API 2.12.1).

A report goes OPEN, ACKNOWLEDGED, CLOSED, or ends CANCELLED. Making and changing one is deprecated
since 2.12: a funds recovery makes them.
"""

from typing import Annotated, Literal

from bacen.dict.forms import (
    Cents,
    Email,
    Flag,
    Instant,
    Ispb,
    PageSize,
    Phone,
    ReportedTransactionId,
    Text,
    Uuid,
)
from bacen.dict.part import Header, Items, Part, require_rule
from bacen.dict.response import Response

InfractionReason = Literal["REFUND_REQUEST", "REFUND_CANCELLED"]
SituationType = Literal[
    "SCAM", "ACCOUNT_TAKEOVER", "COERCION", "FRAUDULENT_ACCESS", "OTHER", "UNKNOWN"
]
FraudType = Literal["APPLICATION_FRAUD", "MULE_ACCOUNT", "SCAMMER_ACCOUNT", "OTHER", "UNKNOWN"]
InfractionReportStatus = Literal["OPEN", "ACKNOWLEDGED", "CLOSED", "CANCELLED"]
AnalysisResult = Literal["AGREED", "DISAGREED"]


class ContactInformation(Part, frozen=True, kw_only=True):
    """How to reach who knows about a case."""

    email: Email
    phone: Phone


def require_details(situation: str | None, details: str | None) -> None:
    """Refuse a situation OTHER without words.

    Raises:
        InvalidMessage: There are none.
    """
    is_told = situation != "OTHER" or details is not None
    require_rule(is_told, "ReportDetails", "must be there for OTHER")


class NewInfractionReport(Part, frozen=True, kw_only=True):
    """A report to be made."""

    transaction_id: ReportedTransactionId
    reason: InfractionReason
    situation_type: SituationType
    report_details: Text | None = None
    contact_information: ContactInformation | None = None


class InfractionReport(Part, frozen=True, kw_only=True):
    """A report as DICT has it.

    Attributes:
        transaction_id: EndToEndId or return id of the payment.
        funds_recovery_id: Of the recovery that made it.
        fraud_marker_id: Of the marker that AGREED made.
        infraction_amount: In centavos.
    """

    transaction_id: ReportedTransactionId
    reason: InfractionReason
    situation_type: SituationType
    report_details: Text | None = None
    contact_information: ContactInformation | None = None
    id: Uuid
    funds_recovery_id: Uuid | None = None
    status: InfractionReportStatus
    reporter_participant: Ispb
    counterparty_participant: Ispb
    fraud_marker_id: Uuid | None = None
    analysis_result: AnalysisResult | None = None
    analysis_details: Text | None = None
    creation_time: Instant
    last_modified: Instant
    infraction_amount: Cents | None = None


class CreateInfractionReportRequest(Part, frozen=True, kw_only=True):
    """createInfractionReport; deprecated since 2.12."""

    participant: Ispb
    infraction_report: NewInfractionReport

    def check_rules(self) -> None:
        """Refuse a situation OTHER without words."""
        require_details(
            self.infraction_report.situation_type, self.infraction_report.report_details
        )


class ListInfractionReportsRequest(Part, frozen=True, kw_only=True):
    """listInfractionReports, in the order of LastModified.

    Attributes:
        is_reporter: Those that the participant made.
        is_counterparty: Those about it.
        status: Any of these; all when empty.
        include_details: With the texts and the contact.
        limit: 1 to 200.
    """

    participant: Ispb
    include_indirect_participants: Flag = False
    is_reporter: Flag | None = None
    is_counterparty: Flag | None = None
    status: Annotated[tuple[InfractionReportStatus, ...], Items("Status")] = ()
    include_details: Flag = False
    modified_after: Instant | None = None
    modified_before: Instant | None = None
    limit: PageSize = 20


class GetInfractionReportRequest(Part, frozen=True, kw_only=True):
    """getInfractionReport, by a participant in it."""

    infraction_report_id: Uuid
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class UpdateInfractionReportRequest(Part, frozen=True, kw_only=True):
    """updateInfractionReport; deprecated since 2.12."""

    infraction_report_id: Uuid
    participant: Ispb
    situation_type: SituationType | None = None
    contact_information: ContactInformation | None = None
    report_details: Text | None = None

    def check_rules(self) -> None:
        """Refuse a situation OTHER without words."""
        require_details(self.situation_type, self.report_details)


class InfractionReportRequest(Part, frozen=True, kw_only=True):
    """acknowledgeInfractionReport by the counterparty, cancelInfractionReport by the reporter."""

    infraction_report_id: Uuid
    participant: Ispb


class CloseInfractionReportRequest(Part, frozen=True, kw_only=True):
    """closeInfractionReport by the counterparty.

    Attributes:
        fraud_type: What it was, when AGREED: DICT makes a fraud marker of it.
    """

    infraction_report_id: Uuid
    participant: Ispb
    fraud_type: FraudType | None = None
    analysis_result: AnalysisResult
    analysis_details: Text | None = None

    def check_rules(self) -> None:
        """Refuse a fraud of type OTHER without words."""
        is_told = self.fraud_type != "OTHER" or self.analysis_details is not None
        require_rule(is_told, "AnalysisDetails", "must be there for OTHER")


class InfractionReportResponse(Response, frozen=True, kw_only=True):
    """Answer to every operation on one report."""

    infraction_report: InfractionReport


class ListInfractionReportsResponse(Response, frozen=True, kw_only=True):
    """Answer to listInfractionReports."""

    has_more_elements: Flag
    infraction_reports: Annotated[tuple[InfractionReport, ...], Items("InfractionReport")] = ()
