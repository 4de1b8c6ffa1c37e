"""Lists of DICT page by page, and watches that poll them."""

import asyncio
import collections
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import Crash, GenServer, Node
from bacen import DictForbidden, DictUnavailable
from bacen.dict import (
    CID_SET_EVENTS,
    CLAIMS,
    EVENT_NOTIFICATIONS,
    FRAUD_MARKERS,
    INFRACTION_REPORTS,
    REFUNDS,
    Claim,
    DictWatch,
    EventNotification,
    ListClaimsRequest,
    ListClaimsResponse,
    ListEventNotificationsRequest,
    ListEventNotificationsResponse,
    Listing,
    ListRefundsRequest,
    ListRefundsResponse,
    Position,
    Refund,
    TypedCalls,
    WatchSettings,
    walk,
)
from tests.bacen.conftest import OUR_ISPB
from tests.bacen.dict_documents import smallest
from tests.bacen.dict_server import HEAD, DictServer, problem

START = datetime(2026, 1, 10, 10, tzinfo=UTC)
REQUEST = ListClaimsRequest(participant=OUR_ISPB, is_donor=True)
QUICK = WatchSettings(every_ms=1, pause_ms=1, pause_ms_max=4)


def claim(number: int, moment: int) -> Claim:
    """A claim that changed so many milliseconds after the start."""
    return msgspec.structs.replace(
        smallest(Claim),
        id=UUID(int=number),
        last_modified=START + timedelta(milliseconds=moment),
    )


class Claims:
    """A list of claims at DICT, `page` of them at once."""

    def __init__(self, claims: Iterable[Claim], *, page: int, is_inclusive: bool = True) -> None:
        self.claims = list(claims)
        self._page = page
        self._is_inclusive = is_inclusive

    def answer(self, name: str, request: Any) -> ListClaimsResponse:
        assert name == "listClaims"
        after = request.modified_after
        listed = [
            each
            for each in sorted(self.claims, key=lambda each: each.last_modified)
            if after is None
            or each.last_modified > after
            or (self._is_inclusive and each.last_modified == after)
        ]
        page = tuple(listed[: self._page])
        return ListClaimsResponse(**HEAD, has_more_elements=len(listed) > len(page), claims=page)


async def read_all(server: DictServer, listing: Any, request: Any) -> list[Any]:
    return [item async for page in walk(server.client(), listing, request) for item in page.items]


@pytest.mark.parametrize("is_inclusive", [True, False])
@pytest.mark.parametrize(
    "moments", [range(0, 30, 10), range(9), [0, 0, 1, 1, 2, 2, 3], [5, 5, 6, 6, 6, 7], []]
)
async def test_every_item_comes_once_whatever_modified_after_means(
    dict_server: DictServer, moments: list[int], is_inclusive: bool
) -> None:
    claims = [claim(number, moment) for number, moment in enumerate(moments)]
    dict_server.answer = Claims(claims, page=6, is_inclusive=is_inclusive).answer

    assert await read_all(dict_server, CLAIMS, REQUEST) == claims


@pytest.mark.parametrize("page", [2, 3, 200])
async def test_change_that_becomes_visible_after_a_newer_one_is_not_lost(
    dict_server: DictServer, page: int
) -> None:
    listed = Claims([claim(number, number * 1_000) for number in range(9)], page=page)
    dict_server.answer = listed.answer
    client = dict_server.client()
    first = [each async for each in walk(client, CLAIMS, REQUEST)]

    listed.claims.append(claim(50, 4_500))
    second = [each async for each in walk(client, CLAIMS, REQUEST, first[-1].position)]
    third = [each async for each in walk(client, CLAIMS, REQUEST, second[-1].position)]

    assert [item.id.int for each in first for item in each.items] == list(range(9))
    assert [item.id.int for each in second for item in each.items] == [50]
    assert [item for each in third for item in each.items] == []


class InProcess(TypedCalls):
    """A list without a wire, for many cases."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    async def call(self, operation: Any, request: Any, *, correlation: str | None = None) -> Any:
        del correlation
        return self._claims.answer(operation.name, request)


async def walk_rounds(claims: Claims, rounds: list[list[Claim]]) -> list[Claim]:
    """Make changes visible round by round, walk after each, and collect what came."""
    came, position = list[Claim](), Position()
    for changed in rounds:
        claims.claims = [
            each for each in claims.claims if each.id not in {new.id for new in changed}
        ] + changed
        async for page in walk(InProcess(claims), CLAIMS, REQUEST, position):
            came += page.items
            position = page.position
    return came


CHANGES = st.lists(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9_000)), max_size=12), max_size=5
)


def every_change_comes_exactly_once(
    changes: list[list[tuple[int, int]]], spare: int, is_inclusive: bool
) -> None:
    rounds = [[claim(number, moment) for number, moment in dict(each).items()] for each in changes]
    moments = collections.Counter(each.last_modified for part in rounds for each in part)
    crowd = max(
        (count + moments[at + timedelta(milliseconds=1)] for at, count in moments.items()),
        default=0,
    )
    claims = Claims([], page=crowd + spare, is_inclusive=is_inclusive)

    came = asyncio.run(walk_rounds(claims, rounds))

    expected = {(each.id, each.last_modified) for part in rounds for each in part}
    assert sorted((each.id, each.last_modified) for each in came) == sorted(expected)


DRAWN = given(changes=CHANGES, spare=st.integers(1, 5), is_inclusive=st.booleans())
seeded = settings(derandomize=True, database=None, deadline=None)
test_every_change_comes_exactly_once_in_any_order_of_visibility = settings(seeded, max_examples=80)(
    DRAWN(every_change_comes_exactly_once)
)
test_many_changes_come_exactly_once_in_any_order_of_visibility = pytest.mark.slow(
    settings(seeded, max_examples=1_000)(DRAWN(every_change_comes_exactly_once))
)


async def test_filters_stay_and_pages_are_as_large_as_they_may_be(dict_server: DictServer) -> None:
    dict_server.answer = Claims([claim(n, n * 10) for n in range(5)], page=2).answer

    await read_all(dict_server, CLAIMS, REQUEST)

    asked = [request for _, request in dict_server.asked]
    assert {(each.limit, each.is_donor, each.participant) for each in asked} == {
        (200, True, OUR_ISPB)
    }


async def test_list_that_does_not_go_on_is_given_up(dict_server: DictServer) -> None:
    dict_server.answer = Claims([claim(n, 0) for n in range(9)], page=3).answer

    with pytest.raises(DictUnavailable, match="does not go on"):
        await read_all(dict_server, CLAIMS, REQUEST)

    assert len(dict_server.asked) < 4


async def test_refunds_follow_the_cursor_of_dict(dict_server: DictServer) -> None:
    refunds = [
        msgspec.structs.replace(smallest(Refund), id=UUID(int=number)) for number in range(3)
    ]

    def answer(_: str, request: ListRefundsRequest) -> ListRefundsResponse:
        here = int(request.cursor or 0)
        return ListRefundsResponse(
            **HEAD,
            has_more_elements=here < 2,
            next_cursor=str(here + 1) if here < 2 else None,
            refunds=(refunds[here],),
        )

    dict_server.answer = answer
    request = ListRefundsRequest(participant=OUR_ISPB, participant_role="CONTESTED")

    assert await read_all(dict_server, REFUNDS, request) == refunds


@pytest.mark.parametrize("listing", [INFRACTION_REPORTS, FRAUD_MARKERS, CID_SET_EVENTS])
async def test_other_lists_go_on_by_their_own_time(
    dict_server: DictServer, listing: Listing[Any, Any, Any]
) -> None:
    request = smallest(listing.operation.request)
    response = smallest(listing.operation.response)
    field = response.__struct_fields__[-1]
    item = smallest(_item_of(listing))
    dict_server.answer = lambda _, __: msgspec.structs.replace(
        response, has_more_elements=len(dict_server.asked) < 2, **{field: (item,)}
    )

    pages = [page async for page in walk(dict_server.client(), listing, request)]

    assert [page.items for page in pages] == [(item,), ()]
    after = getattr(dict_server.asked[1][1], str(listing.after))
    assert after == listing.changed_at(item) - timedelta(milliseconds=1)


def _item_of(listing: Listing[Any, Any, Any]) -> Any:
    from bacen.dict.part import Items, slots_of

    (slot,) = (
        each for each in slots_of(listing.operation.response) if isinstance(each.place, Items)
    )
    return slot.part


def events(*numbers: int) -> tuple[EventNotification, ...]:
    return tuple(
        msgspec.structs.replace(smallest(EventNotification), id=number) for number in numbers
    )


def event_pages(server: DictServer, *, tells_last: bool) -> Callable[[str, Any], Any]:
    """Events 1 to 5 in pages of two; the last page tells a cursor for later, or none."""
    pages = {None: (1, 2), "a": (3, 4), "b": (5,), "c": ()}
    following = {None: "a", "a": "b", "b": "c" if tells_last else None, "c": "c"}

    def answer(_: str, request: ListEventNotificationsRequest) -> ListEventNotificationsResponse:
        return ListEventNotificationsResponse(
            **HEAD,
            has_more_elements=request.cursor in (None, "a"),
            next_cursor=following[request.cursor],
            event_notifications=events(*pages[request.cursor]),
        )

    del server
    return answer


@pytest.mark.parametrize("tells_last", [True, False])
async def test_events_go_on_where_the_last_page_ended(
    dict_server: DictServer, tells_last: bool
) -> None:
    dict_server.answer = event_pages(dict_server, tells_last=tells_last)
    client = dict_server.client()
    request = ListEventNotificationsRequest(participant=OUR_ISPB)
    position, seen = Position(), list[int]()

    for _ in range(3):
        async for page in walk(client, EVENT_NOTIFICATIONS, request, position):
            seen += [event.id for event in page.items]
            position = page.position

    assert seen == [1, 2, 3, 4, 5]
    assert position.cursor == ("c" if tells_last else "b")


class Kept:
    """A position in memory, which outlives the watch."""

    def __init__(self) -> None:
        self.position: Position | None = None

    async def load(self) -> Position | None:
        return self.position

    async def save(self, position: Position) -> None:
        self.position = position


class Handler:
    """Collects claims, and tells when there are enough."""

    def __init__(self, wanted: int, fails_at: int | None = None) -> None:
        self.seen: list[int] = []
        self.enough = asyncio.Event()
        self._wanted = wanted
        self._fails_at = fails_at

    async def __call__(self, item: Claim) -> None:
        if item.id.int == self._fails_at:
            self._fails_at = None
            raise ZeroDivisionError
        self.seen.append(item.id.int)
        if len(self.seen) >= self._wanted:
            self.enough.set()


class Keeper(GenServer):
    """Waits for the end of a watch."""

    def __init__(self, watched: object) -> None:
        self._watched: Any = watched
        self.ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def init(self) -> None:
        self.node.monitor(self._watched)

    async def handle_info(self, message: Any) -> None:
        self.ended.set_result(message.reason)


async def end_of(node: Node, watch: Any) -> Any:
    keeper = Keeper(watch)
    await node.start(keeper)
    return await keeper.ended


def watch_of(server: DictServer, handler: Handler, kept: Kept) -> DictWatch[Any, Any, Any]:
    return DictWatch(server.client(pause_ms=1), CLAIMS, REQUEST, handler, kept, QUICK)


async def test_watch_hands_on_what_changes_once(dict_server: DictServer, node: Node) -> None:
    listed = Claims([claim(1, 0), claim(2, 10)], page=2)
    dict_server.answer = listed.answer
    handler = Handler(2)
    await node.start(watch_of(dict_server, handler, Kept()))
    await handler.enough.wait()

    handler.enough.clear()
    listed.claims[0] = claim(1, 30)
    listed.claims.append(claim(3, 20))
    handler._wanted = 4
    await handler.enough.wait()

    assert handler.seen == [1, 2, 3, 1]


async def test_watch_goes_on_after_dict_was_away(dict_server: DictServer, node: Node) -> None:
    listed = Claims([claim(1, 0)], page=1)
    troubles: list[Any] = [problem("RateLimited"), problem("NotFound")]
    dict_server.answer = lambda name, request: (
        troubles.pop(0) if len(troubles) > 1 else listed.answer(name, request)
    )
    handler = Handler(1)
    watch = await node.start(watch_of(dict_server, handler, Kept()))

    await handler.enough.wait()

    assert node.is_alive(watch)
    assert len(dict_server.asked) >= 2


async def test_watch_that_may_not_look_ends(dict_server: DictServer, node: Node) -> None:
    released = asyncio.Event()
    dict_server.answer = lambda _, __: problem("Forbidden")
    watch = await node.start(watch_of(dict_server, Handler(1), Kept()), link=False)
    released.set()

    reason = await end_of(node, watch)

    assert isinstance(reason, Crash)
    assert isinstance(reason.error, DictForbidden)


async def test_successor_of_a_watch_begins_at_the_position_that_was_kept(
    dict_server: DictServer, node: Node
) -> None:
    listed = Claims([claim(number, number * 10) for number in range(1, 5)], page=2)
    dict_server.answer = listed.answer
    handler, kept = Handler(4, fails_at=3), Kept()
    watch = await node.start(watch_of(dict_server, handler, kept), link=False)
    reason = await end_of(node, watch)
    assert isinstance(reason, Crash)
    assert handler.seen == [1, 2]

    await node.start(watch_of(dict_server, handler, kept))
    await handler.enough.wait()

    assert handler.seen == [1, 2, 3, 4]
