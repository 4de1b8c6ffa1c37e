"""Lists of DICT, page after page, and from where to go on the next time (DICT API 2.12.1).

DICT sorts by LastModified and says whether there is more; only refunds and events have a cursor.
Elsewhere the next page begins where the last one ended, a millisecond early, for the API does not
say whether ModifiedAfter takes the moment itself; and whoever comes back later begins `LOOK_BACK`
early, for a change may become visible after a newer one. What came before is left out by its id and
time.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec

from bacen import DictUnavailable
from bacen.dict.claims import Claim, ListClaimsRequest, ListClaimsResponse
from bacen.dict.fraud_markers import FraudMarker, ListFraudMarkersRequest, ListFraudMarkersResponse
from bacen.dict.infractions import (
    InfractionReport,
    ListInfractionReportsRequest,
    ListInfractionReportsResponse,
)
from bacen.dict.notifications import (
    EventNotification,
    ListEventNotificationsRequest,
    ListEventNotificationsResponse,
)
from bacen.dict.operation import Operation, Q, R
from bacen.dict.operations import (
    LIST_CID_SET_EVENTS,
    LIST_CLAIMS,
    LIST_EVENT_NOTIFICATIONS,
    LIST_FRAUD_MARKERS,
    LIST_INFRACTION_REPORTS,
    LIST_REFUNDS,
)
from bacen.dict.refunds import ListRefundsRequest, ListRefundsResponse, Refund
from bacen.dict.synchronism import CidSetEvent, ListCidSetEventsRequest, ListCidSetEventsResponse
from bacen.dict.typed_calls import TypedCalls

T = TypeVar("T")

PAGE_MAX = 200
LOOK_BACK = timedelta(seconds=10)

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Listing(Generic[Q, R, T]):
    """How to walk through one list.

    Attributes:
        operation: That reads a page.
        items: What a page holds.
        identity: Id of an item.
        changed_at: Its place in the order of the list.
        after: Field of the request for a time to begin after; None where there is none.
        has_cursor: Pages follow each other by a cursor.
        keeps_cursor: The cursor of the last page is where to begin the next time.
    """

    operation: Operation[Q, R]
    items: Callable[[R], tuple[T, ...]]
    identity: Callable[[T], object]
    changed_at: Callable[[T], datetime]
    after: str | None = "modified_after"
    has_cursor: bool = False
    keeps_cursor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Up to where a list was read; the beginning of what DICT keeps by default.

    Attributes:
        cursor: Of the next page.
        changed_at: Time of the last item.
        seen: Id and time of the items that could come again.
    """

    cursor: str | None = None
    changed_at: datetime | None = None
    seen: frozenset[tuple[str, datetime]] = frozenset()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What was new, where to go on, and whether there is more now."""

    items: tuple[T, ...]
    position: Position
    has_more: bool


CLAIMS: Listing[ListClaimsRequest, ListClaimsResponse, Claim] = Listing(
    LIST_CLAIMS, lambda page: page.claims, lambda each: each.id, lambda each: each.last_modified
)
INFRACTION_REPORTS: Listing[
    ListInfractionReportsRequest, ListInfractionReportsResponse, InfractionReport
] = Listing(
    LIST_INFRACTION_REPORTS,
    lambda page: page.infraction_reports,
    lambda each: each.id,
    lambda each: each.last_modified,
)
FRAUD_MARKERS: Listing[ListFraudMarkersRequest, ListFraudMarkersResponse, FraudMarker] = Listing(
    LIST_FRAUD_MARKERS,
    lambda page: page.fraud_markers,
    lambda each: each.id,
    lambda each: each.last_modified,
)
REFUNDS: Listing[ListRefundsRequest, ListRefundsResponse, Refund] = Listing(
    LIST_REFUNDS,
    lambda page: page.refunds,
    lambda each: each.id,
    lambda each: each.last_modified,
    has_cursor=True,
)
EVENT_NOTIFICATIONS: Listing[
    ListEventNotificationsRequest, ListEventNotificationsResponse, EventNotification
] = Listing(
    LIST_EVENT_NOTIFICATIONS,
    lambda page: page.event_notifications,
    lambda each: each.id,
    lambda each: each.timestamp,
    after=None,
    has_cursor=True,
    keeps_cursor=True,
)
CID_SET_EVENTS: Listing[ListCidSetEventsRequest, ListCidSetEventsResponse, CidSetEvent] = Listing(
    LIST_CID_SET_EVENTS,
    lambda page: page.cid_set_events,
    lambda each: (each.type, each.cid),
    lambda each: each.timestamp,
    after="start_time",
)


async def read_page(
    client: TypedCalls,
    listing: Listing[Q, R, T],
    request: Q,
    position: Position,
    *,
    early: timedelta = _MILLISECOND,
) -> Page[T]:
    """Read the page at a position; it holds only what was not seen before it.

    Args:
        client: Who asks.
        listing: One of this module.
        request: Filters; its times, limit and cursor are those of the position, once it has some.
        position: `Position()` for the beginning.
        early: How much before the position to begin, at most `LOOK_BACK`.

    Raises:
        DictError: As `DictClient.call`.
    """
    response = await client.call(listing.operation, _at(listing, request, position, early))
    items = listing.items(response)
    marks = [_mark(listing, item) for item in items]
    fresh = tuple(
        item for item, mark in zip(items, marks, strict=True) if mark not in position.seen
    )
    changed_at = max((mark[1] for mark in marks), default=position.changed_at)
    seen = frozenset(marks)
    if not listing.keeps_cursor and changed_at is not None:
        oldest = changed_at - LOOK_BACK
        seen = frozenset(mark for mark in seen | position.seen if mark[1] >= oldest)
    has_more = bool(getattr(response, "has_more_elements", False))
    cursor = getattr(response, "next_cursor", None)
    if not has_more:
        cursor = (cursor or position.cursor) if listing.keeps_cursor else None
    return Page(fresh, Position(cursor=cursor, changed_at=changed_at, seen=seen), has_more)


async def walk(
    client: TypedCalls, listing: Listing[Q, R, T], request: Q, position: Position | None = None
) -> AsyncIterator[Page[T]]:
    """Read pages until there are no more.

    Args:
        client: Who asks.
        listing: One of this module.
        request: Filters.
        position: Where an earlier walk ended; the beginning by default.

    Raises:
        DictError: As `DictClient.call`.
        DictUnavailable: The list says that there is more and does not go on.
    """
    here = Position() if position is None else position
    early = LOOK_BACK
    while True:
        page = await read_page(client, listing, request, here, early=early)
        yield page
        if not page.has_more:
            return
        if page.position == here and early == _MILLISECOND:
            raise DictUnavailable(f"{listing.operation.name} does not go on")
        here, early = page.position, _MILLISECOND


def _mark(listing: Listing[Q, R, T], item: T) -> tuple[str, datetime]:
    return str(listing.identity(item)), listing.changed_at(item)


def _at(listing: Listing[Q, R, T], request: Q, position: Position, early: timedelta) -> Q:
    changes: dict[str, Any] = {}
    if "limit" in request.__struct_fields__:
        changes["limit"] = PAGE_MAX
    if position.cursor is not None:
        changes["cursor"] = position.cursor
    elif listing.after is not None and position.changed_at is not None:
        changes[listing.after] = position.changed_at - early
    return msgspec.structs.replace(request, **changes) if changes else request
