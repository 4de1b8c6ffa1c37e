"""Verification, CID files and CID events: structs and operations (DICT API 2.12.1)."""

from typing import Annotated, Literal

from bacen.dict.entries import Entry
from bacen.dict.forms import Cid64, Count, Flag, Instant, Ispb, KeyKind, PageSize, Url, Uuid
from bacen.dict.part import Header, Items, Part
from bacen.dict.response import Response

FileStatus = Literal["REQUESTED", "PROCESSING", "AVAILABLE", "UNAVAILABLE", "ERROR"]


class NewSyncVerification(Part, frozen=True, kw_only=True):
    """Our VSync of one key type, to be compared.

    Attributes:
        participant_sync_verifier: `str` of a `VSync`.
    """

    participant: Ispb
    key_type: KeyKind
    participant_sync_verifier: Cid64


class SyncVerification(Part, frozen=True, kw_only=True):
    """A verification and its result: OK when DICT has the same VSync."""

    participant: Ispb
    key_type: KeyKind
    participant_sync_verifier: Cid64
    id: Count
    result: Literal["OK", "NOK"]


class CidSetFile(Part, frozen=True, kw_only=True):
    """A file with all CIDs of one participant and key type: one a line, in no order.

    Attributes:
        status: DICT makes it later: look again until AVAILABLE.
        url: Where to fetch it, when AVAILABLE.
        bytes: Its size.
        sha256: Its digest.
    """

    id: Count
    status: FileStatus
    participant: Ispb
    key_type: KeyKind
    request_time: Instant
    creation_time: Instant | None = None
    url: Url | None = None
    bytes: Count | None = None
    sha256: Cid64 | None = None


class CidSetEvent(Part, frozen=True, kw_only=True):
    """An entry that came or went."""

    type: Literal["ADDED", "REMOVED"]
    cid: Cid64
    timestamp: Instant


class CreateSyncVerificationRequest(Part, frozen=True, kw_only=True):
    """createSyncVerification."""

    sync_verification: NewSyncVerification


class CreateCidSetFileRequest(Part, frozen=True, kw_only=True):
    """createCidSetFile: DICT makes it in the background."""

    participant: Ispb
    key_type: KeyKind


class GetCidSetFileRequest(Part, frozen=True, kw_only=True):
    """getCidSetFile by its id."""

    id: Count
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class ListCidSetEventsRequest(Part, frozen=True, kw_only=True):
    """listCidSetEvents, oldest first.

    Attributes:
        limit: 1 to 200.
    """

    participant: Ispb
    key_type: KeyKind
    start_time: Instant | None = None
    end_time: Instant | None = None
    limit: PageSize = 100


class GetEntryByCidRequest(Part, frozen=True, kw_only=True):
    """getEntryByCid, by the participant of the entry."""

    cid: Cid64
    participant: Annotated[Ispb, Header("PI-RequestingParticipant")]


class CreateSyncVerificationResponse(Response, frozen=True, kw_only=True):
    """Answer to createSyncVerification."""

    sync_verification: SyncVerification


class CidSetFileResponse(Response, frozen=True, kw_only=True):
    """Answer to createCidSetFile and getCidSetFile."""

    cid_set_file: CidSetFile


class ListCidSetEventsResponse(Response, frozen=True, kw_only=True):
    """Answer to listCidSetEvents.

    Attributes:
        sync_verifier_start: VSync before the first event of the answer.
        sync_verifier_end: VSync after the last one.
    """

    has_more_elements: Flag
    participant: Ispb
    key_type: KeyKind
    start_time: Instant
    end_time: Instant
    sync_verifier_start: Cid64
    sync_verifier_end: Cid64
    cid_set_events: Annotated[tuple[CidSetEvent, ...], Items("CidSetEvent")] = ()


class GetEntryByCidResponse(Response, frozen=True, kw_only=True):
    """Answer to getEntryByCid.

    Attributes:
        request_id: Of the request that made the entry: with it the CID can be computed.
    """

    cid: Cid64
    entry: Entry
    request_id: Uuid
