"""Event notifications: what happened to a funds recovery, kept for 7 days (DICT API 2.12.1)."""

from uuid import UUID

from bacen.dict import (
    EventNotification,
    ListEventNotificationsRequest,
    ListEventNotificationsResponse,
)
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.payments import DAY_MS, from_ms

ANALYSED = "FUNDS_RECOVERY_ANALYSED"
COMPLETED = "FUNDS_RECOVERY_COMPLETED"
UPDATED = "FUNDS_RECOVERY_INFORMATION_UPDATED"
CANCELLED = "FUNDS_RECOVERY_CANCELLED"
KEPT_MS = 7 * DAY_MS
PAGE = 200


class Notifications:
    """The events of all participants.

    Args:
        office: Of the directory.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store

    def tell(self, participant: str, event: str, recovery: UUID) -> None:
        """Record an event for a participant."""
        self._store.insert(
            "INSERT INTO notifications (participant, event, entity_id, at_ms) VALUES (?, ?, ?, ?)",
            participant,
            event,
            str(recovery),
            self._office.now_ms(),
        )

    def listed(self, asked: Asked) -> ListEventNotificationsResponse:
        request: ListEventNotificationsRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        cursor = request.cursor or "0"
        if not (cursor.isascii() and cursor.isdecimal()):
            raise DictRefusal("BadRequest", "not one of ours", "Cursor")
        is_wide = request.include_indirect_participants
        participants = self._office.speaking(request.participant, include_indirect=is_wide)
        marks = ", ".join("?" * len(participants))
        rows = self._store.rows(
            f"""SELECT number, participant, event, entity_id, at_ms FROM notifications
            WHERE participant IN ({marks}) AND number > ? AND at_ms >= ?
            ORDER BY number LIMIT ?""",  # noqa: S608 (only marks)
            (*participants, int(cursor), self._office.now_ms() - KEPT_MS, PAGE + 1),
        )
        page = rows[:PAGE]
        return ListEventNotificationsResponse(
            **asked.head,
            has_more_elements=len(rows) > PAGE,
            next_cursor=str(page[-1][0]) if page else request.cursor,
            event_notifications=tuple(
                EventNotification(
                    id=number,
                    event=event,
                    entity_type="FUNDS_RECOVERY",
                    entity_id=entity_id,
                    timestamp=from_ms(at_ms),
                    participant=participant if is_wide else None,
                )
                for number, participant, event, entity_id, at_ms in page
            ),
        )

    def forget(self, now_ms: int) -> None:
        """Forget what nobody is told any more."""
        self._store.run("DELETE FROM notifications WHERE at_ms < ?", now_ms - KEPT_MS)
