"""Fraud markers of persons and their keys (DICT API 2.12.1, FraudMarker)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from bacen.dict import (
    CancelFraudMarkerRequest,
    CreateFraudMarkerRequest,
    FraudMarker,
    FraudMarkerResponse,
    GetFraudMarkerRequest,
    ListFraudMarkersRequest,
    ListFraudMarkersResponse,
    NewFraudMarker,
    SummarizedInfractionReport,
)
from bacen.simulator.dict.cases import ASKER, Case, Cases
from bacen.simulator.dict.entries import Entries
from bacen.simulator.dict.errors import DictRefusal, not_found
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.payments import to_ms

REGISTERED: Final = "REGISTERED"
CANCELLED: Final = "CANCELLED"
MARKER = "marker"


class Markers:
    """The markers of all participants. What is in a list is everybody's, a marker its maker's.

    Args:
        office: Of the directory.
        entries: Keeps the RequestIds.
    """

    def __init__(self, office: Office, entries: Entries) -> None:
        self._office = office
        self._entries = entries
        self.cases = Cases(office, MARKER, FraudMarker)

    def create(self, asked: Asked) -> FraudMarkerResponse:
        request: CreateFraudMarkerRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        wanted = request.fraud_marker
        made = self._entries.made_by(request.participant, request.request_id, MARKER)
        if made is not None:
            case = self.cases.get(UUID(made), request.participant)
            if not is_same(case.document, wanted):
                raise DictRefusal("RequestIdAlreadyUsed", "for something else", "RequestId")
            return FraudMarkerResponse(**asked.head, fraud_marker=case.document)
        if wanted.key is not None:
            entry = self._entries.find(wanted.key)
            if entry is not None and entry.owner.tax_id_number != wanted.tax_id_number:
                raise DictRefusal("FraudMarkerInvalid", "another person's", "FraudMarker/Key")
        marker = self.register(request.participant, wanted)
        self._entries.remember(request.participant, request.request_id, MARKER, str(marker.id))
        return FraudMarkerResponse(**asked.head, fraud_marker=marker)

    def register(
        self,
        participant: str,
        wanted: NewFraudMarker,
        report: SummarizedInfractionReport | None = None,
    ) -> FraudMarker:
        """Mark a person, of its own accord or because a report was agreed to."""
        now: datetime = self._office.now()
        marker = FraudMarker(
            tax_id_number=wanted.tax_id_number,
            key=wanted.key,
            fraud_type=wanted.fraud_type,
            id=self._office.new_id(),
            status=REGISTERED,
            creation_time=now,
            last_modified=now,
            infraction_report=report,
        )
        case = Case(
            id=marker.id,
            status=REGISTERED,
            asker=participant,
            asked=participant,
            kind=marker.fraud_type,
            subject=marker.tax_id_number,
            document=marker,
            memo=marker.key,
        )
        return self.cases.save(case).document

    def listed(self, asked: Asked) -> ListFraudMarkersResponse:
        request: ListFraudMarkersRequest = asked.request
        if request.participant is not None:
            self._office.require_own(asked.by, request.participant)
        after, before = request.modified_after, request.modified_before
        found, has_more = self.cases.listed(
            [] if request.participant is None else [request.participant],
            ASKER,
            {
                "statuses": () if request.status is None else (request.status,),
                "subject": request.tax_id_number,
                "memo": request.key,
                "after_ms": None if after is None else to_ms(after),
                "before_ms": None if before is None else to_ms(before),
            },
            request.limit,
        )
        return ListFraudMarkersResponse(
            **asked.head,
            has_more_elements=has_more,
            fraud_markers=tuple(case.document for case in found),
        )

    def get(self, asked: Asked) -> FraudMarkerResponse:
        request: GetFraudMarkerRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.fraud_marker_id, request.participant)
        return FraudMarkerResponse(**asked.head, fraud_marker=case.document)

    def cancel(self, asked: Asked) -> FraudMarkerResponse:
        request: CancelFraudMarkerRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        case = self.cases.get(request.fraud_marker_id, request.participant)
        if case.status == CANCELLED:
            raise not_found()  # the API has no other refusal here
        return FraudMarkerResponse(
            **asked.head, fraud_marker=self.cases.save(case, status=CANCELLED).document
        )


def is_same(marker: FraudMarker, wanted: NewFraudMarker) -> bool:
    """Say whether a marker is the one that is asked for again."""
    names = ("tax_id_number", "key", "fraud_type")
    return all(getattr(marker, name) == getattr(wanted, name) for name in names)
