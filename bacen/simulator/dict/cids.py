"""Synchronism: VSyncs kept with every change, the events of CIDs, and files of them."""

import hashlib
from datetime import datetime
from typing import Final

from bacen.dict import (
    Cid,
    CidSetEvent,
    CidSetFile,
    CidSetFileResponse,
    CreateCidSetFileRequest,
    CreateSyncVerificationRequest,
    CreateSyncVerificationResponse,
    GetCidSetFileRequest,
    ListCidSetEventsRequest,
    ListCidSetEventsResponse,
    SyncVerification,
    VSync,
)
from bacen.simulator.dict.errors import DictRefusal, not_found
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.store import Row
from bacen.simulator.payments import from_ms, to_ms

ADDED: Final = "ADDED"
REMOVED: Final = "REMOVED"
REQUESTED: Final = "REQUESTED"
PROCESSING: Final = "PROCESSING"
AVAILABLE: Final = "AVAILABLE"
UNAVAILABLE: Final = "UNAVAILABLE"

EVENT = """
INSERT INTO cid_events (participant, key_type, kind, cid, at_ms, before, after)
VALUES (?, ?, ?, ?, ?, ?, ?)"""
FILE_COLUMNS = """number, status, participant, key_type, requested_ms, created_ms, token,
length(content), sha256"""
VERIFICATIONS = "sync_verifications"


class Cids:
    """The CIDs of every participant and key type.

    Args:
        office: Of the directory.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store

    def record(self, kind: str, participant: str, key_type: str, cid: str) -> None:
        """Record that a CID came or went."""
        before = self.verifier(participant, key_type)
        after = before.added(Cid(cid))  # coming and going are the same to an exclusive or
        at_ms = self._office.now_ms()
        self._store.run(EVENT, participant, key_type, kind, cid, at_ms, str(before), str(after))

    def verifier(self, participant: str, key_type: str) -> VSync:
        """Give the VSync as it is now."""
        row = self._store.row(
            """SELECT after FROM cid_events WHERE participant = ? AND key_type = ?
            ORDER BY number DESC LIMIT 1""",
            participant,
            key_type,
        )
        return VSync.parse(row[0]) if row else VSync()

    def create_verification(self, asked: Asked) -> CreateSyncVerificationResponse:
        request: CreateSyncVerificationRequest = asked.request
        given = request.sync_verification
        self._office.require_own(asked.by, given.participant)
        mine = str(self.verifier(given.participant, given.key_type))
        self._store.run(
            """INSERT INTO counters VALUES (?, 1)
            ON CONFLICT (name) DO UPDATE SET value = value + 1""",
            VERIFICATIONS,
        )
        row = self._store.row("SELECT value FROM counters WHERE name = ?", VERIFICATIONS)
        assert row is not None  # it was just counted
        return CreateSyncVerificationResponse(
            **asked.head,
            sync_verification=SyncVerification(
                participant=given.participant,
                key_type=given.key_type,
                participant_sync_verifier=given.participant_sync_verifier,
                id=row[0],
                result="OK" if given.participant_sync_verifier == mine else "NOK",
            ),
        )

    def create_file(self, asked: Asked) -> CidSetFileResponse:
        request: CreateCidSetFileRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        now_ms = self._office.now_ms()
        number = self._store.insert(
            """INSERT INTO cid_files (participant, key_type, status, requested_ms, due_ms, token)
            VALUES (?, ?, ?, ?, ?, ?)""",
            request.participant,
            request.key_type,
            REQUESTED,
            now_ms,
            now_ms + self._office.settings.cid_file_delay_ms,
            self._office.new_token(),
        )
        return CidSetFileResponse(**asked.head, cid_set_file=self._file(number, asked))

    def get_file(self, asked: Asked) -> CidSetFileResponse:
        request: GetCidSetFileRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        found = self._file(request.id, asked)
        if found.participant != request.participant:
            raise not_found()
        return CidSetFileResponse(**asked.head, cid_set_file=found)

    def content(self, token: str) -> bytes | None:
        """Give a file that is served, by the token in its address."""
        row = self._store.row(
            "SELECT content FROM cid_files WHERE token = ? AND status = ?", token, AVAILABLE
        )
        return row[0] if row else None

    def events(self, asked: Asked) -> ListCidSetEventsResponse:
        request: ListCidSetEventsRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        start = request.start_time or from_ms(0)
        end = request.end_time or self._office.now()
        if start > end:
            raise DictRefusal("BadRequest", "ends before it starts", "EndTime")
        found = self._events(request, start, end)
        page = found[: request.limit]
        if page:
            first, last = page[0][3], page[-1][4]
        else:
            first = last = self._verifier_at(request.participant, request.key_type, end)
        return ListCidSetEventsResponse(
            **asked.head,
            has_more_elements=len(found) > request.limit,
            participant=request.participant,
            key_type=request.key_type,
            start_time=start,
            end_time=end,
            sync_verifier_start=first,
            sync_verifier_end=last,
            cid_set_events=tuple(
                CidSetEvent(type=kind, cid=cid, timestamp=from_ms(at_ms))
                for kind, cid, at_ms, _, _ in page
            ),
        )

    def advance(self, number: int) -> None:
        """Bring a file that is due one state further."""
        row = self._store.row(
            "SELECT status, participant, key_type FROM cid_files WHERE number = ?", number
        )
        assert row is not None  # no file's row is ever deleted
        status, participant, key_type = row
        now_ms = self._office.now_ms()
        if status == REQUESTED:
            self._store.run(
                "UPDATE cid_files SET status = ?, due_ms = ? WHERE number = ?",
                PROCESSING,
                now_ms + self._office.settings.cid_file_delay_ms,
                number,
            )
        elif status == PROCESSING:
            self._publish(number, participant, key_type, now_ms)
        else:
            self._store.run(
                "UPDATE cid_files SET status = ?, due_ms = NULL, content = NULL WHERE number = ?",
                UNAVAILABLE,
                number,
            )

    def _publish(self, number: int, participant: str, key_type: str, now_ms: int) -> None:
        rows = self._store.rows(
            "SELECT cid FROM entries WHERE participant = ? AND key_type = ?",
            (participant, key_type),
        )
        content = "".join(f"{cid}\n" for (cid,) in rows).encode()
        self._store.run(
            """UPDATE cid_files
            SET status = ?, created_ms = ?, due_ms = ?, content = ?, sha256 = ? WHERE number = ?""",
            AVAILABLE,
            now_ms,
            now_ms + self._office.settings.cid_file_lifetime_ms,
            content,
            hashlib.sha256(content).hexdigest(),
            number,
        )

    def _events(
        self, request: ListCidSetEventsRequest, start: datetime, end: datetime
    ) -> list[Row]:
        return self._store.rows(
            """SELECT kind, cid, at_ms, before, after FROM cid_events
            WHERE participant = ? AND key_type = ? AND at_ms BETWEEN ? AND ?
            ORDER BY number LIMIT ?""",
            (
                request.participant,
                request.key_type,
                to_ms(start),
                to_ms(end),
                request.limit + 1,
            ),
        )

    def _verifier_at(self, participant: str, key_type: str, at: datetime) -> str:
        row = self._store.row(
            """SELECT after FROM cid_events WHERE participant = ? AND key_type = ? AND at_ms <= ?
            ORDER BY number DESC LIMIT 1""",
            participant,
            key_type,
            to_ms(at),
        )
        return row[0] if row else str(VSync())

    def _file(self, number: int, asked: Asked) -> CidSetFile:
        sql = f"SELECT {FILE_COLUMNS} FROM cid_files WHERE number = ?"  # noqa: S608 (ours)
        row = self._store.row(sql, number)
        if row is None:
            raise not_found()
        _, status, participant, key_type, requested_ms, created_ms, token, size, sha256 = row
        is_served = status == AVAILABLE
        return CidSetFile(
            id=number,
            status=status,
            participant=participant,
            key_type=key_type,
            request_time=from_ms(requested_ms),
            creation_time=None if created_ms is None else from_ms(created_ms),
            url=f"{asked.files_url}/{token}" if is_served else None,
            bytes=size if is_served else None,
            sha256=sha256 if is_served else None,
        )
