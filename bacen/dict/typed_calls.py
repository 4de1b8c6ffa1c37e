"""A method for each operation of the DICT API: its structs by name, nothing else."""

from abc import ABC, abstractmethod

from bacen.dict.claims import (
    ClaimDecisionRequest,
    ClaimRequest,
    ClaimResponse,
    CompleteClaimRequest,
    CompleteClaimResponse,
    CreateClaimRequest,
    GetClaimRequest,
    ListClaimsRequest,
    ListClaimsResponse,
)
from bacen.dict.entries import (
    CheckKeysRequest,
    CheckKeysResponse,
    CreateEntryRequest,
    DeleteEntryRequest,
    DeleteEntryResponse,
    EntryResponse,
    GetEntryRequest,
    GetEntryResponse,
    UpdateEntryRequest,
)
from bacen.dict.fraud_markers import (
    CancelFraudMarkerRequest,
    CreateFraudMarkerRequest,
    FraudMarkerResponse,
    GetFraudMarkerRequest,
    ListFraudMarkersRequest,
    ListFraudMarkersResponse,
)
from bacen.dict.infractions import (
    CloseInfractionReportRequest,
    CreateInfractionReportRequest,
    GetInfractionReportRequest,
    InfractionReportRequest,
    InfractionReportResponse,
    ListInfractionReportsRequest,
    ListInfractionReportsResponse,
    UpdateInfractionReportRequest,
)
from bacen.dict.notifications import ListEventNotificationsRequest, ListEventNotificationsResponse
from bacen.dict.operation import Operation, Q, R
from bacen.dict.operations import (
    ACKNOWLEDGE_CLAIM,
    ACKNOWLEDGE_INFRACTION_REPORT,
    BLOCK_FUNDS_RECOVERY,
    CANCEL_CLAIM,
    CANCEL_FRAUD_MARKER,
    CANCEL_FUNDS_RECOVERY,
    CANCEL_INFRACTION_REPORT,
    CANCEL_REFUND,
    CHECK_KEYS,
    CLOSE_INFRACTION_REPORT,
    CLOSE_REFUND,
    COMPLETE_CLAIM,
    CONFIRM_CLAIM,
    CREATE_CID_SET_FILE,
    CREATE_CLAIM,
    CREATE_ENTRY,
    CREATE_FRAUD_MARKER,
    CREATE_FUNDS_RECOVERY,
    CREATE_INFRACTION_REPORT,
    CREATE_REFUND,
    CREATE_SYNC_VERIFICATION,
    CREATE_TRACKING_GRAPH,
    DELETE_ENTRY,
    GET_CID_SET_FILE,
    GET_CLAIM,
    GET_ENTRY,
    GET_ENTRY_BY_CID,
    GET_ENTRY_STATISTICS,
    GET_FRAUD_MARKER,
    GET_FUNDS_RECOVERY,
    GET_INFRACTION_REPORT,
    GET_PERSON_STATISTICS,
    GET_POLICY,
    GET_REFUND,
    GET_TRACKING_GRAPH,
    LIST_CID_SET_EVENTS,
    LIST_CLAIMS,
    LIST_EVENT_NOTIFICATIONS,
    LIST_FRAUD_MARKERS,
    LIST_FUNDS_RECOVERY_INFRACTION_REPORTS,
    LIST_FUNDS_RECOVERY_REFUNDS,
    LIST_INFRACTION_REPORTS,
    LIST_POLICIES,
    LIST_REFUNDS,
    REFUND_FUNDS_RECOVERY,
    UPDATE_ENTRY,
    UPDATE_FUNDS_RECOVERY,
    UPDATE_INFRACTION_REPORT,
)
from bacen.dict.policies import (
    GetPolicyRequest,
    GetPolicyResponse,
    ListPoliciesRequest,
    ListPoliciesResponse,
)
from bacen.dict.recoveries import (
    BlockFundsRecoveryRequest,
    CreateFundsRecoveryRequest,
    CreateFundsRecoveryResponse,
    CreateTrackingGraphRequest,
    FundsRecoveryRequest,
    FundsRecoveryResponse,
    GetFundsRecoveryRequest,
    ListFundsRecoveryInfractionReportsResponse,
    ListFundsRecoveryRefundsResponse,
    TrackingGraphResponse,
    UpdateFundsRecoveryRequest,
)
from bacen.dict.refunds import (
    CancelRefundRequest,
    CloseRefundRequest,
    CreateRefundRequest,
    GetRefundRequest,
    ListRefundsRequest,
    ListRefundsResponse,
    RefundResponse,
)
from bacen.dict.statistics import (
    GetEntryStatisticsRequest,
    GetEntryStatisticsResponse,
    GetPersonStatisticsRequest,
    GetPersonStatisticsResponse,
)
from bacen.dict.synchronism import (
    CidSetFileResponse,
    CreateCidSetFileRequest,
    CreateSyncVerificationRequest,
    CreateSyncVerificationResponse,
    GetCidSetFileRequest,
    GetEntryByCidRequest,
    GetEntryByCidResponse,
    ListCidSetEventsRequest,
    ListCidSetEventsResponse,
)


class TypedCalls(ABC):
    """The operations as methods; each takes its request, answers and raises as `call` does."""

    @abstractmethod
    async def call(
        self, operation: Operation[Q, R], request: Q, *, correlation: str | None = None
    ) -> R:
        """Carry out one operation."""

    async def create_entry(self, request: CreateEntryRequest) -> EntryResponse:
        """Make an entry."""
        return await self.call(CREATE_ENTRY, request)

    async def read_entry(self, request: GetEntryRequest) -> GetEntryResponse:
        """Read an entry, with statistics where asked for; `get_entry` is the short way."""
        return await self.call(GET_ENTRY, request)

    async def update_entry(self, request: UpdateEntryRequest) -> EntryResponse:
        """Change account or names of an entry."""
        return await self.call(UPDATE_ENTRY, request)

    async def delete_entry(self, request: DeleteEntryRequest) -> DeleteEntryResponse:
        """Delete an entry; NotFound after a repeat means that it is gone."""
        return await self.call(DELETE_ENTRY, request)

    async def check_keys(self, request: CheckKeysRequest) -> CheckKeysResponse:
        """Ask which of up to 200 keys have an entry."""
        return await self.call(CHECK_KEYS, request)

    async def create_claim(self, request: CreateClaimRequest) -> ClaimResponse:
        """Claim a key."""
        return await self.call(CREATE_CLAIM, request)

    async def list_claims(self, request: ListClaimsRequest) -> ListClaimsResponse:
        """List claims, one page."""
        return await self.call(LIST_CLAIMS, request)

    async def get_claim(self, request: GetClaimRequest) -> ClaimResponse:
        """Read a claim."""
        return await self.call(GET_CLAIM, request)

    async def acknowledge_claim(self, request: ClaimRequest) -> ClaimResponse:
        """As donor: take notice of a claim."""
        return await self.call(ACKNOWLEDGE_CLAIM, request)

    async def confirm_claim(self, request: ClaimDecisionRequest) -> ClaimResponse:
        """As donor: give the key up."""
        return await self.call(CONFIRM_CLAIM, request)

    async def cancel_claim(self, request: ClaimDecisionRequest) -> ClaimResponse:
        """End a claim."""
        return await self.call(CANCEL_CLAIM, request)

    async def complete_claim(self, request: CompleteClaimRequest) -> CompleteClaimResponse:
        """As claimer: take the key."""
        return await self.call(COMPLETE_CLAIM, request)

    async def create_sync_verification(
        self, request: CreateSyncVerificationRequest
    ) -> CreateSyncVerificationResponse:
        """Compare our VSync with that of DICT."""
        return await self.call(CREATE_SYNC_VERIFICATION, request)

    async def create_cid_set_file(self, request: CreateCidSetFileRequest) -> CidSetFileResponse:
        """Have a file of all CIDs made."""
        return await self.call(CREATE_CID_SET_FILE, request)

    async def get_cid_set_file(self, request: GetCidSetFileRequest) -> CidSetFileResponse:
        """Look whether the file is there."""
        return await self.call(GET_CID_SET_FILE, request)

    async def list_cid_set_events(
        self, request: ListCidSetEventsRequest
    ) -> ListCidSetEventsResponse:
        """List what came and went, one page."""
        return await self.call(LIST_CID_SET_EVENTS, request)

    async def get_entry_by_cid(self, request: GetEntryByCidRequest) -> GetEntryByCidResponse:
        """Read an entry of ours by its CID."""
        return await self.call(GET_ENTRY_BY_CID, request)

    async def create_infraction_report(
        self, request: CreateInfractionReportRequest
    ) -> InfractionReportResponse:
        """Deprecated: make a funds recovery."""
        return await self.call(CREATE_INFRACTION_REPORT, request)

    async def list_infraction_reports(
        self, request: ListInfractionReportsRequest
    ) -> ListInfractionReportsResponse:
        """List infraction reports, one page."""
        return await self.call(LIST_INFRACTION_REPORTS, request)

    async def get_infraction_report(
        self, request: GetInfractionReportRequest
    ) -> InfractionReportResponse:
        """Read an infraction report."""
        return await self.call(GET_INFRACTION_REPORT, request)

    async def update_infraction_report(
        self, request: UpdateInfractionReportRequest
    ) -> InfractionReportResponse:
        """Deprecated: change the funds recovery."""
        return await self.call(UPDATE_INFRACTION_REPORT, request)

    async def acknowledge_infraction_report(
        self, request: InfractionReportRequest
    ) -> InfractionReportResponse:
        """Take notice of a report about us."""
        return await self.call(ACKNOWLEDGE_INFRACTION_REPORT, request)

    async def cancel_infraction_report(
        self, request: InfractionReportRequest
    ) -> InfractionReportResponse:
        """Withdraw a report of ours."""
        return await self.call(CANCEL_INFRACTION_REPORT, request)

    async def close_infraction_report(
        self, request: CloseInfractionReportRequest
    ) -> InfractionReportResponse:
        """Decide a report about us."""
        return await self.call(CLOSE_INFRACTION_REPORT, request)

    async def create_funds_recovery(
        self, request: CreateFundsRecoveryRequest
    ) -> CreateFundsRecoveryResponse:
        """Begin a funds recovery."""
        return await self.call(CREATE_FUNDS_RECOVERY, request)

    async def get_funds_recovery(self, request: GetFundsRecoveryRequest) -> FundsRecoveryResponse:
        """Read a funds recovery."""
        return await self.call(GET_FUNDS_RECOVERY, request)

    async def update_funds_recovery(
        self, request: UpdateFundsRecoveryRequest
    ) -> FundsRecoveryResponse:
        """Change situation, contact or details."""
        return await self.call(UPDATE_FUNDS_RECOVERY, request)

    async def create_tracking_graph(
        self, request: CreateTrackingGraphRequest
    ) -> TrackingGraphResponse:
        """Deprecated: DICT makes the graph."""
        return await self.call(CREATE_TRACKING_GRAPH, request)

    async def get_tracking_graph(self, request: GetFundsRecoveryRequest) -> TrackingGraphResponse:
        """Read where the money went."""
        return await self.call(GET_TRACKING_GRAPH, request)

    async def block_funds_recovery(
        self, request: BlockFundsRecoveryRequest
    ) -> FundsRecoveryResponse:
        """Deprecated: DICT asks for the blocks."""
        return await self.call(BLOCK_FUNDS_RECOVERY, request)

    async def list_funds_recovery_infraction_reports(
        self, request: GetFundsRecoveryRequest
    ) -> ListFundsRecoveryInfractionReportsResponse:
        """Read the reports of a funds recovery."""
        return await self.call(LIST_FUNDS_RECOVERY_INFRACTION_REPORTS, request)

    async def refund_funds_recovery(self, request: FundsRecoveryRequest) -> FundsRecoveryResponse:
        """Ask for the refunds after the analysis."""
        return await self.call(REFUND_FUNDS_RECOVERY, request)

    async def list_funds_recovery_refunds(
        self, request: GetFundsRecoveryRequest
    ) -> ListFundsRecoveryRefundsResponse:
        """Read the refunds of a funds recovery."""
        return await self.call(LIST_FUNDS_RECOVERY_REFUNDS, request)

    async def cancel_funds_recovery(self, request: FundsRecoveryRequest) -> FundsRecoveryResponse:
        """End a funds recovery."""
        return await self.call(CANCEL_FUNDS_RECOVERY, request)

    async def create_fraud_marker(self, request: CreateFraudMarkerRequest) -> FraudMarkerResponse:
        """Mark a person, perhaps with a key."""
        return await self.call(CREATE_FRAUD_MARKER, request)

    async def list_fraud_markers(
        self, request: ListFraudMarkersRequest
    ) -> ListFraudMarkersResponse:
        """List the markers of a person, one page."""
        return await self.call(LIST_FRAUD_MARKERS, request)

    async def get_fraud_marker(self, request: GetFraudMarkerRequest) -> FraudMarkerResponse:
        """Read a marker."""
        return await self.call(GET_FRAUD_MARKER, request)

    async def cancel_fraud_marker(self, request: CancelFraudMarkerRequest) -> FraudMarkerResponse:
        """Take a marker back."""
        return await self.call(CANCEL_FRAUD_MARKER, request)

    async def create_refund(self, request: CreateRefundRequest) -> RefundResponse:
        """Ask for a refund."""
        return await self.call(CREATE_REFUND, request)

    async def list_refunds(self, request: ListRefundsRequest) -> ListRefundsResponse:
        """List refunds, one page."""
        return await self.call(LIST_REFUNDS, request)

    async def get_refund(self, request: GetRefundRequest) -> RefundResponse:
        """Read a refund."""
        return await self.call(GET_REFUND, request)

    async def cancel_refund(self, request: CancelRefundRequest) -> RefundResponse:
        """Withdraw a refund of ours."""
        return await self.call(CANCEL_REFUND, request)

    async def close_refund(self, request: CloseRefundRequest) -> RefundResponse:
        """Decide a refund asked of us."""
        return await self.call(CLOSE_REFUND, request)

    async def get_person_statistics(
        self, request: GetPersonStatisticsRequest
    ) -> GetPersonStatisticsResponse:
        """Read what DICT counts about a person."""
        return await self.call(GET_PERSON_STATISTICS, request)

    async def get_entry_statistics(
        self, request: GetEntryStatisticsRequest
    ) -> GetEntryStatisticsResponse:
        """Read what DICT counts about a key."""
        return await self.call(GET_ENTRY_STATISTICS, request)

    async def list_event_notifications(
        self, request: ListEventNotificationsRequest
    ) -> ListEventNotificationsResponse:
        """Read events, one page."""
        return await self.call(LIST_EVENT_NOTIFICATIONS, request)

    async def list_policies(self, request: ListPoliciesRequest) -> ListPoliciesResponse:
        """Read the balance of all buckets."""
        return await self.call(LIST_POLICIES, request)

    async def get_policy(self, request: GetPolicyRequest) -> GetPolicyResponse:
        """Read the balance of one bucket."""
        return await self.call(GET_POLICY, request)
