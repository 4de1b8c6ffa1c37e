"""Fraud markers: structs and operations (DICT API 2.12.1)."""

from typing import Annotated, Literal

from bacen.dict.entries import require_version_4
from bacen.dict.forms import Count, Flag, Instant, Ispb, Key, PageSize, TaxId, Uuid
from bacen.dict.infractions import FraudType
from bacen.dict.part import Header, Items, Part
from bacen.dict.response import Response

FraudMarkerStatus = Literal["REGISTERED", "CANCELLED"]


class NewFraudMarker(Part, frozen=True, kw_only=True):
    """A person, perhaps with a key, to be marked."""

    tax_id_number: TaxId
    key: Key | None = None
    fraud_type: FraudType


class SummarizedInfractionReport(Part, frozen=True, kw_only=True):
    """The report that made a marker.

    Attributes:
        reporter_participant: Left out in lists.
    """

    id: Uuid
    reporter_participant: Ispb | None = None


class FraudMarker(Part, frozen=True, kw_only=True):
    """A marker as DICT has it."""

    tax_id_number: TaxId
    key: Key | None = None
    fraud_type: FraudType
    id: Uuid
    status: FraudMarkerStatus
    creation_time: Instant
    last_modified: Instant
    infraction_report: SummarizedInfractionReport | None = None


class CreateFraudMarkerRequest(Part, frozen=True, kw_only=True):
    """createFraudMarker.

    Attributes:
        request_id: UUID version 4; the same again is the same request.
    """

    participant: Ispb
    fraud_marker: NewFraudMarker
    request_id: Uuid

    def check_rules(self) -> None:
        """Refuse another version."""
        require_version_4(self.request_id)


class ListFraudMarkersRequest(Part, frozen=True, kw_only=True):
    """listFraudMarkers of a person, in the order of LastModified.

    Attributes:
        limit: 1 to 200.
    """

    participant: Ispb | None = None
    tax_id_number: TaxId
    key: Key | None = None
    modified_after: Instant | None = None
    modified_before: Instant | None = None
    limit: PageSize = 20
    status: FraudMarkerStatus | None = None


class GetFraudMarkerRequest(Part, frozen=True, kw_only=True):
    """getFraudMarker, by the participant that made it."""

    fraud_marker_id: Uuid
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class CancelFraudMarkerRequest(Part, frozen=True, kw_only=True):
    """cancelFraudMarker, by the participant that made it."""

    fraud_marker_id: Uuid
    participant: Ispb


class FraudMarkerResponse(Response, frozen=True, kw_only=True):
    """Answer to every operation on one marker."""

    fraud_marker: FraudMarker


class ListFraudMarkersResponse(Response, frozen=True, kw_only=True):
    """Answer to listFraudMarkers."""

    has_more_elements: Flag
    total: Count | None = None
    fraud_markers: Annotated[tuple[FraudMarker, ...], Items("FraudMarker")] = ()
