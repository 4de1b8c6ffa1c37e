"""The table of the operations of DICT API 2.12.1: client and bank are built on it."""

from collections.abc import Mapping
from typing import cast

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
from bacen.dict.operation import Operation, Repeat
from bacen.dict.part import Part
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
from bacen.dict.response import Response
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

CREATE_ENTRY = Operation(
    "createEntry", "POST /entries/", CreateEntryRequest, EntryResponse, "ENTRIES_WRITE", status=201
)
GET_ENTRY = Operation(
    "getEntry",
    "GET /entries/{Key}",
    GetEntryRequest,
    GetEntryResponse,
    "ENTRIES_READ_PARTICIPANT_ANTISCAN",
)
UPDATE_ENTRY = Operation(
    "updateEntry", "PUT /entries/{Key}", UpdateEntryRequest, EntryResponse, "ENTRIES_UPDATE"
)
DELETE_ENTRY = Operation(
    "deleteEntry",
    "POST /entries/{Key}/delete",
    DeleteEntryRequest,
    DeleteEntryResponse,
    "ENTRIES_WRITE",
)
CHECK_KEYS = Operation(
    "checkKeys",
    "POST /keys/check",
    CheckKeysRequest,
    CheckKeysResponse,
    "KEYS_CHECK",
    is_priority=False,
)
CREATE_CLAIM = Operation(
    "createClaim", "POST /claims/", CreateClaimRequest, ClaimResponse, "CLAIMS_WRITE", status=201
)
LIST_CLAIMS = Operation(
    "listClaims",
    "GET /claims/",
    ListClaimsRequest,
    ListClaimsResponse,
    "CLAIMS_LIST_WITH_ROLE",
    roles=("is_donor", "is_claimer"),
)
GET_CLAIM = Operation(
    "getClaim", "GET /claims/{ClaimId}", GetClaimRequest, ClaimResponse, "CLAIMS_READ"
)
ACKNOWLEDGE_CLAIM = Operation(
    "acknowledgeClaim",
    "POST /claims/{ClaimId}/acknowledge",
    ClaimRequest,
    ClaimResponse,
    "CLAIMS_WRITE",
)
CONFIRM_CLAIM = Operation(
    "confirmClaim",
    "POST /claims/{ClaimId}/confirm",
    ClaimDecisionRequest,
    ClaimResponse,
    "CLAIMS_WRITE",
)
CANCEL_CLAIM = Operation(
    "cancelClaim",
    "POST /claims/{ClaimId}/cancel",
    ClaimDecisionRequest,
    ClaimResponse,
    "CLAIMS_WRITE",
)
COMPLETE_CLAIM = Operation(
    "completeClaim",
    "POST /claims/{ClaimId}/complete",
    CompleteClaimRequest,
    CompleteClaimResponse,
    "CLAIMS_WRITE",
)
CREATE_SYNC_VERIFICATION = Operation(
    "createSyncVerification",
    "POST /sync-verifications/",
    CreateSyncVerificationRequest,
    CreateSyncVerificationResponse,
    "SYNC_VERIFICATIONS_WRITE",
    status=201,
)
CREATE_CID_SET_FILE = Operation(
    "createCidSetFile",
    "POST /cids/files/",
    CreateCidSetFileRequest,
    CidSetFileResponse,
    "CIDS_FILES_WRITE",
    status=201,
)
GET_CID_SET_FILE = Operation(
    "getCidSetFile",
    "GET /cids/files/{Id}",
    GetCidSetFileRequest,
    CidSetFileResponse,
    "CIDS_FILES_READ",
)
LIST_CID_SET_EVENTS = Operation(
    "listCidSetEvents",
    "GET /cids/events",
    ListCidSetEventsRequest,
    ListCidSetEventsResponse,
    "CIDS_EVENTS_LIST",
)
GET_ENTRY_BY_CID = Operation(
    "getEntryByCid",
    "GET /cids/entries/{Cid}",
    GetEntryByCidRequest,
    GetEntryByCidResponse,
    "CIDS_ENTRIES_READ",
)
CREATE_INFRACTION_REPORT = Operation(
    "createInfractionReport",
    "POST /infraction-reports/",
    CreateInfractionReportRequest,
    InfractionReportResponse,
    "INFRACTION_REPORTS_WRITE",
    status=201,
    repeat=Repeat.ASK,
    is_deprecated=True,
)
LIST_INFRACTION_REPORTS = Operation(
    "listInfractionReports",
    "GET /infraction-reports/",
    ListInfractionReportsRequest,
    ListInfractionReportsResponse,
    "INFRACTION_REPORTS_LIST_WITH_ROLE",
    roles=("is_reporter", "is_counterparty"),
)
GET_INFRACTION_REPORT = Operation(
    "getInfractionReport",
    "GET /infraction-reports/{InfractionReportId}",
    GetInfractionReportRequest,
    InfractionReportResponse,
    "INFRACTION_REPORTS_READ",
)
UPDATE_INFRACTION_REPORT = Operation(
    "updateInfractionReport",
    "PUT /infraction-reports/{InfractionReportId}",
    UpdateInfractionReportRequest,
    InfractionReportResponse,
    "INFRACTION_REPORTS_WRITE",
    is_deprecated=True,
)
ACKNOWLEDGE_INFRACTION_REPORT = Operation(
    "acknowledgeInfractionReport",
    "POST /infraction-reports/{InfractionReportId}/acknowledge",
    InfractionReportRequest,
    InfractionReportResponse,
    "INFRACTION_REPORTS_WRITE",
    repeat=Repeat.ASK,
)
CANCEL_INFRACTION_REPORT = Operation(
    "cancelInfractionReport",
    "POST /infraction-reports/{InfractionReportId}/cancel",
    InfractionReportRequest,
    InfractionReportResponse,
    "INFRACTION_REPORTS_WRITE",
    repeat=Repeat.ASK,
)
CLOSE_INFRACTION_REPORT = Operation(
    "closeInfractionReport",
    "POST /infraction-reports/{InfractionReportId}/close",
    CloseInfractionReportRequest,
    InfractionReportResponse,
    "INFRACTION_REPORTS_WRITE",
    repeat=Repeat.ASK,
)
CREATE_FUNDS_RECOVERY = Operation(
    "createFundsRecovery",
    "POST /funds-recoveries/",
    CreateFundsRecoveryRequest,
    CreateFundsRecoveryResponse,
    status=201,
    repeat=Repeat.ASK,
)
GET_FUNDS_RECOVERY = Operation(
    "getFundsRecovery",
    "GET /funds-recoveries/{FundsRecoveryId}",
    GetFundsRecoveryRequest,
    FundsRecoveryResponse,
)
UPDATE_FUNDS_RECOVERY = Operation(
    "updateFundsRecovery",
    "PUT /funds-recoveries/{FundsRecoveryId}",
    UpdateFundsRecoveryRequest,
    FundsRecoveryResponse,
)
CREATE_TRACKING_GRAPH = Operation(
    "createTrackingGraph",
    "POST /funds-recoveries/{FundsRecoveryId}/tracking-graph",
    CreateTrackingGraphRequest,
    TrackingGraphResponse,
    repeat=Repeat.ASK,
    is_deprecated=True,
)
GET_TRACKING_GRAPH = Operation(
    "getTrackingGraph",
    "GET /funds-recoveries/{FundsRecoveryId}/tracking-graph",
    GetFundsRecoveryRequest,
    TrackingGraphResponse,
)
BLOCK_FUNDS_RECOVERY = Operation(
    "blockFundsRecovery",
    "POST /funds-recoveries/{FundsRecoveryId}/block",
    BlockFundsRecoveryRequest,
    FundsRecoveryResponse,
    repeat=Repeat.ASK,
    is_deprecated=True,
)
LIST_FUNDS_RECOVERY_INFRACTION_REPORTS = Operation(
    "listFundsRecoveryInfractionReports",
    "GET /funds-recoveries/{FundsRecoveryId}/infraction-reports",
    GetFundsRecoveryRequest,
    ListFundsRecoveryInfractionReportsResponse,
)
REFUND_FUNDS_RECOVERY = Operation(
    "refundFundsRecovery",
    "POST /funds-recoveries/{FundsRecoveryId}/refund",
    FundsRecoveryRequest,
    FundsRecoveryResponse,
    repeat=Repeat.ASK,
)
LIST_FUNDS_RECOVERY_REFUNDS = Operation(
    "listFundsRecoveryRefunds",
    "GET /funds-recoveries/{FundsRecoveryId}/refunds",
    GetFundsRecoveryRequest,
    ListFundsRecoveryRefundsResponse,
)
CANCEL_FUNDS_RECOVERY = Operation(
    "cancelFundsRecovery",
    "POST /funds-recoveries/{FundsRecoveryId}/cancel",
    FundsRecoveryRequest,
    FundsRecoveryResponse,
    repeat=Repeat.ASK,
)
CREATE_FRAUD_MARKER = Operation(
    "createFraudMarker",
    "POST /fraud-markers/",
    CreateFraudMarkerRequest,
    FraudMarkerResponse,
    "FRAUD_MARKERS_WRITE",
    status=201,
)
LIST_FRAUD_MARKERS = Operation(
    "listFraudMarkers",
    "GET /fraud-markers/",
    ListFraudMarkersRequest,
    ListFraudMarkersResponse,
    "FRAUD_MARKERS_LIST",
)
GET_FRAUD_MARKER = Operation(
    "getFraudMarker",
    "GET /fraud-markers/{FraudMarkerId}",
    GetFraudMarkerRequest,
    FraudMarkerResponse,
    "FRAUD_MARKERS_READ",
)
CANCEL_FRAUD_MARKER = Operation(
    "cancelFraudMarker",
    "POST /fraud-markers/{FraudMarkerId}/cancel",
    CancelFraudMarkerRequest,
    FraudMarkerResponse,
    "FRAUD_MARKERS_WRITE",
    repeat=Repeat.ASK,
)
CREATE_REFUND = Operation(
    "createRefund",
    "POST /refunds/",
    CreateRefundRequest,
    RefundResponse,
    "REFUNDS_WRITE",
    status=201,
    repeat=Repeat.ASK,
)
LIST_REFUNDS = Operation(
    "listRefunds", "GET /refunds/", ListRefundsRequest, ListRefundsResponse, "REFUND_LIST_WITH_ROLE"
)
GET_REFUND = Operation(
    "getRefund", "GET /refunds/{RefundId}", GetRefundRequest, RefundResponse, "REFUNDS_READ"
)
CANCEL_REFUND = Operation(
    "cancelRefund",
    "POST /refunds/{RefundId}/cancel",
    CancelRefundRequest,
    RefundResponse,
    "REFUNDS_WRITE",
    repeat=Repeat.ASK,
)
CLOSE_REFUND = Operation(
    "closeRefund",
    "POST /refunds/{RefundId}/close",
    CloseRefundRequest,
    RefundResponse,
    "REFUNDS_WRITE",
    repeat=Repeat.ASK,
)
GET_PERSON_STATISTICS = Operation(
    "getPersonStatistics",
    "GET /persons/{TaxIdNumber}/statistics",
    GetPersonStatisticsRequest,
    GetPersonStatisticsResponse,
    "PERSONS_STATISTICS_READ",
)
GET_ENTRY_STATISTICS = Operation(
    "getEntryStatistics",
    "GET /entries/{Key}/statistics",
    GetEntryStatisticsRequest,
    GetEntryStatisticsResponse,
)
LIST_EVENT_NOTIFICATIONS = Operation(
    "listEventNotifications",
    "GET /event-notifications",
    ListEventNotificationsRequest,
    ListEventNotificationsResponse,
    "EVENT_LIST",
)
LIST_POLICIES = Operation(
    "listPolicies", "GET /policies/", ListPoliciesRequest, ListPoliciesResponse, "POLICIES_LIST"
)
GET_POLICY = Operation(
    "getPolicy", "GET /policies/{Policy}", GetPolicyRequest, GetPolicyResponse, "POLICIES_READ"
)

OPERATIONS: Mapping[str, Operation[Part, Response]] = {
    operation.name: cast("Operation[Part, Response]", operation)
    for operation in (
        CREATE_ENTRY,
        GET_ENTRY,
        UPDATE_ENTRY,
        DELETE_ENTRY,
        CHECK_KEYS,
        CREATE_CLAIM,
        LIST_CLAIMS,
        GET_CLAIM,
        ACKNOWLEDGE_CLAIM,
        CONFIRM_CLAIM,
        CANCEL_CLAIM,
        COMPLETE_CLAIM,
        CREATE_SYNC_VERIFICATION,
        CREATE_CID_SET_FILE,
        GET_CID_SET_FILE,
        LIST_CID_SET_EVENTS,
        GET_ENTRY_BY_CID,
        CREATE_INFRACTION_REPORT,
        LIST_INFRACTION_REPORTS,
        GET_INFRACTION_REPORT,
        UPDATE_INFRACTION_REPORT,
        ACKNOWLEDGE_INFRACTION_REPORT,
        CANCEL_INFRACTION_REPORT,
        CLOSE_INFRACTION_REPORT,
        CREATE_FUNDS_RECOVERY,
        GET_FUNDS_RECOVERY,
        UPDATE_FUNDS_RECOVERY,
        CREATE_TRACKING_GRAPH,
        GET_TRACKING_GRAPH,
        BLOCK_FUNDS_RECOVERY,
        LIST_FUNDS_RECOVERY_INFRACTION_REPORTS,
        REFUND_FUNDS_RECOVERY,
        LIST_FUNDS_RECOVERY_REFUNDS,
        CANCEL_FUNDS_RECOVERY,
        CREATE_FRAUD_MARKER,
        LIST_FRAUD_MARKERS,
        GET_FRAUD_MARKER,
        CANCEL_FRAUD_MARKER,
        CREATE_REFUND,
        LIST_REFUNDS,
        GET_REFUND,
        CANCEL_REFUND,
        CLOSE_REFUND,
        GET_PERSON_STATISTICS,
        GET_ENTRY_STATISTICS,
        LIST_EVENT_NOTIFICATIONS,
        LIST_POLICIES,
        GET_POLICY,
    )
}
"""All 48 by name."""
