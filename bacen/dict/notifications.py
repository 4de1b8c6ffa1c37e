"""Event notifications: structs and operation (DICT API 2.12.1). DICT keeps them for 7 days."""

from typing import Annotated, Literal

from bacen.dict.forms import Count, Cursor, Flag, Instant, Ispb, Word
from bacen.dict.part import Items, Part
from bacen.dict.response import Response

EventType = Literal[
    "FUNDS_RECOVERY_ANALYSED",
    "FUNDS_RECOVERY_COMPLETED",
    "FUNDS_RECOVERY_INFORMATION_UPDATED",
    "FUNDS_RECOVERY_CANCELLED",
]


class EventNotification(Part, frozen=True, kw_only=True):
    """Something happened to an entity.

    Attributes:
        entity_id: Id of the funds recovery.
        participant: Whose event it is, where indirect participants were included.
    """

    id: Count
    event: EventType
    entity_type: Literal["FUNDS_RECOVERY"]
    entity_id: Word
    timestamp: Instant
    participant: Word | None = None


class ListEventNotificationsRequest(Part, frozen=True, kw_only=True):
    """listEventNotifications: up to 200 a page.

    Attributes:
        cursor: `next_cursor` of the page before.
    """

    participant: Ispb
    include_indirect_participants: Flag = False
    cursor: Cursor | None = None


class ListEventNotificationsResponse(Response, frozen=True, kw_only=True):
    """Answer to listEventNotifications."""

    has_more_elements: Flag | None = None
    next_cursor: Cursor | None = None
    event_notifications: Annotated[tuple[EventNotification, ...], Items("EventNotification")] = ()
