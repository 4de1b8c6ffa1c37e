"""Our entries and those of DICT: followed, verified, repaired by events or by the file."""

import hashlib
import ssl
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from aiohttp import web

from actors import Clock
from bacen import DictUnavailable, InvalidMessage
from bacen.dict import (
    Cid,
    CidSetEvent,
    CidSetFile,
    CidSetFileResponse,
    ContentAttributes,
    CreateSyncVerificationResponse,
    Entry,
    GetEntryByCidResponse,
    KeyReconciliation,
    KeyType,
    ListCidSetEventsResponse,
    SyncVerification,
    VSync,
    content_id,
    fetch_cid_file,
    parse_cid,
    read_cid_file,
)
from tests.bacen.conftest import OUR_ISPB, Serve
from tests.bacen.dict_documents import smallest
from tests.bacen.dict_server import HEAD, Answered, DictServer, problem

START = datetime(2026, 1, 10, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ZERO = "0" * 64


def request_id(number: int) -> UUID:
    return UUID(int=number << 64 | 0x4000_0000_0000_0000 << 16, version=4)


def entry(number: int) -> Entry:
    return msgspec.structs.replace(smallest(Entry), key=f"+55119998877{number:02}")


def cid_of(number: int) -> Cid:
    return content_id(ContentAttributes.of(entry(number)), request_id(number))


class Directory:
    """The phone keys of one participant at DICT."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = {cid_of(number): number for number in numbers}
        self.events: list[CidSetEvent] = []
        self.now = START
        self.file_states = ["REQUESTED", "PROCESSING", "AVAILABLE"]
        self.after_file: list[int] = []
        self.made: bytes = b""

    def add(self, number: int) -> None:
        self.numbers[cid_of(number)] = number
        self._tell("ADDED", number)

    def remove(self, number: int) -> None:
        del self.numbers[cid_of(number)]
        self._tell("REMOVED", number)

    def _tell(self, kind: Any, number: int) -> None:
        self.now += MINUTE
        self.events.append(CidSetEvent(type=kind, cid=cid_of(number), timestamp=self.now))

    def answer(self, name: str, request: Any) -> Answered:
        answer: Answered = getattr(self, f"_{name}")(request)
        return answer

    def _createSyncVerification(self, request: Any) -> Answered:  # noqa: N802 (named by the API)
        asked = request.sync_verification
        agrees = asked.participant_sync_verifier == str(VSync.of(self.numbers))
        return CreateSyncVerificationResponse(
            response_time=self.now,
            correlation_id="ab" * 16,
            sync_verification=SyncVerification(
                participant=asked.participant,
                key_type=asked.key_type,
                participant_sync_verifier=asked.participant_sync_verifier,
                id=1,
                result="OK" if agrees else "NOK",
            ),
        )

    def _listCidSetEvents(self, request: Any) -> Answered:  # noqa: N802 (named by the API)
        listed = [each for each in self.events if each.timestamp >= request.start_time]
        return ListCidSetEventsResponse(
            **HEAD,
            has_more_elements=len(listed) > 3,
            participant=request.participant,
            key_type=request.key_type,
            start_time=request.start_time,
            end_time=self.now,
            sync_verifier_start=ZERO,
            sync_verifier_end=ZERO,
            cid_set_events=tuple(listed[:3]),
        )

    def _createCidSetFile(self, request: Any) -> Answered:  # noqa: N802 (named by the API)
        del request
        self.made = "".join(f"{cid}\n" for cid in self.numbers).encode()
        for number in self.after_file:
            self.add(number)
        return self._getCidSetFile(None)

    def _getCidSetFile(self, request: Any) -> Answered:  # noqa: N802 (named by the API)
        del request
        file = file_of(self.made, status=self.file_states.pop(0), request_time=self.now)
        return CidSetFileResponse(**HEAD, cid_set_file=file)

    def _getEntryByCid(self, request: Any) -> Answered:  # noqa: N802 (named by the API)
        number = self.numbers.get(parse_cid(request.cid))
        if number is None:
            return problem("NotFound")
        return GetEntryByCidResponse(
            **HEAD, cid=request.cid, entry=entry(number), request_id=request_id(number)
        )


def file_of(octets: bytes, **changes: Any) -> CidSetFile:
    return CidSetFile(
        **{
            "id": 7,
            "status": "AVAILABLE",
            "participant": OUR_ISPB,
            "key_type": "PHONE",
            "request_time": START,
            "url": "https://dict.example/files/7",
            "bytes": len(octets),
            "sha256": hashlib.sha256(octets).hexdigest(),
            **changes,
        }
    )


class Ours:
    """Our entries in memory, by CID."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.entries: dict[Cid, Entry | None] = {cid_of(number): None for number in numbers}

    async def cids(self, key_type: KeyType) -> AsyncIterator[Cid]:
        assert key_type == "PHONE"
        for cid in list(self.entries):
            yield cid

    async def put(self, found: GetEntryByCidResponse) -> None:
        self.entries[parse_cid(found.cid)] = found.entry

    async def drop(self, key_type: KeyType, cid: Cid) -> None:
        assert key_type == "PHONE"
        self.entries.pop(cid, None)


class InstantClock(Clock):
    """Does not wait; counts how long it would have."""

    slept_ms = 0

    async def sleep_ms(self, ms: int) -> None:
        self.slept_ms += ms


class Meeting:
    """Both sides and the reconciliation between them."""

    def __init__(self, server: DictServer, theirs: Iterable[int], ours: Iterable[int]) -> None:
        self.directory, self.ours, self.clock = Directory(theirs), Ours(ours), InstantClock()
        server.answer = self.directory.answer
        self._server = server

        async def fetch(file: CidSetFile) -> set[Cid]:
            return await read_cid_file(file, chunked(self.directory.made))

        self.keys = KeyReconciliation(server.client(), OUR_ISPB, self.ours, fetch, self.clock)

    @property
    def agrees(self) -> bool:
        return set(self.ours.entries) == set(self.directory.numbers)

    def asked(self, name: str) -> int:
        return self._server.names().count(name)


async def chunked(octets: bytes, size: int = 50) -> AsyncIterator[bytes]:
    for start in range(0, len(octets), size):
        yield octets[start : start + size]


async def test_verifier_follows_what_comes_and_goes(dict_server: DictServer) -> None:
    meeting = Meeting(dict_server, [1, 3], [1, 2])
    await meeting.keys.load("PHONE")
    assert not await meeting.keys.verify("PHONE")
    assert meeting.keys.agreed_at("PHONE") is None

    meeting.keys.removed("PHONE", cid_of(2))
    meeting.keys.added("PHONE", cid_of(3))

    assert meeting.keys.vsync("PHONE") == VSync.of([cid_of(1), cid_of(3)])
    assert await meeting.keys.verify("PHONE")
    assert meeting.keys.agreed_at("PHONE") == START


async def test_sets_that_agree_need_one_question(dict_server: DictServer) -> None:
    meeting = Meeting(dict_server, [1, 2], [2, 1])

    repair = await meeting.keys.repair("PHONE")

    assert (repair.agrees, repair.by, repair.put, repair.dropped) == (True, "nothing", (), ())
    assert dict_server.names() == ["createSyncVerification"]


async def test_lost_changes_are_found_in_the_events_since_we_agreed(
    dict_server: DictServer,
) -> None:
    meeting = Meeting(dict_server, [1, 2], [1, 2])
    await meeting.keys.repair("PHONE")
    meeting.directory.add(3)
    meeting.directory.add(4)
    meeting.directory.remove(4)
    meeting.directory.remove(1)
    meeting.directory.add(5)

    repair = await meeting.keys.repair("PHONE")

    assert (repair.agrees, repair.by) == (True, "events")
    assert set(repair.put) == {cid_of(3), cid_of(5)}
    assert repair.dropped == (cid_of(1),)
    assert repair.unproven == ()
    assert meeting.agrees
    assert meeting.ours.entries[cid_of(3)] == entry(3)
    assert meeting.asked("createCidSetFile") == 0


async def test_what_no_event_tells_is_found_in_the_file(dict_server: DictServer) -> None:
    meeting = Meeting(dict_server, [1, 2], [1, 2])
    await meeting.keys.repair("PHONE")
    del meeting.ours.entries[cid_of(2)]
    meeting.ours.entries[cid_of(9)] = None
    meeting.directory.add(3)

    repair = await meeting.keys.repair("PHONE")

    assert (repair.agrees, repair.by) == (True, "file")
    assert set(repair.put) == {cid_of(2), cid_of(3)}
    assert repair.dropped == (cid_of(9),)
    assert meeting.agrees
    assert meeting.clock.slept_ms == 2 * 6_000


async def test_sets_that_never_agreed_are_compared_by_the_file_at_once(
    dict_server: DictServer,
) -> None:
    meeting = Meeting(dict_server, range(10), [0, 50])

    repair = await meeting.keys.repair("PHONE")

    assert (repair.agrees, repair.by, len(repair.put)) == (True, "file", 9)
    assert meeting.agrees
    assert meeting.asked("createSyncVerification") == 2


async def test_entry_that_came_while_the_file_was_made_is_not_dropped(
    dict_server: DictServer,
) -> None:
    meeting = Meeting(dict_server, [1, 2], [1])
    meeting.directory.after_file = [3]
    meeting.ours.entries[cid_of(3)] = None  # our own change, which the file does not know yet

    repair = await meeting.keys.repair("PHONE")

    assert (repair.agrees, repair.dropped) == (True, ())
    assert set(repair.put) == {cid_of(2)}


async def test_entry_that_went_before_it_was_read_is_left_out(dict_server: DictServer) -> None:
    meeting = Meeting(dict_server, [1, 2], [1])
    usual = meeting.directory.answer

    def answer(name: str, request: Any) -> Answered:
        if name == "getEntryByCid":
            meeting.directory.remove(2)
        return usual(name, request)

    dict_server.answer = answer

    repair = await meeting.keys.repair("PHONE")

    assert (repair.agrees, repair.put) == (True, ())


async def test_entry_whose_cid_is_not_of_its_content_is_kept_and_told(
    dict_server: DictServer,
) -> None:
    meeting = Meeting(dict_server, [1], [])
    strange = parse_cid("ab" * 32)
    meeting.directory.numbers[strange] = 2

    repair = await meeting.keys.repair("PHONE")

    assert repair.agrees
    assert repair.unproven == (strange,)
    assert strange in meeting.ours.entries


async def test_what_still_differs_after_the_file_is_told(dict_server: DictServer) -> None:
    meeting = Meeting(dict_server, [1, 2], [1, 2])
    usual = meeting.directory.answer
    meeting.directory.numbers[parse_cid("cd" * 32)] = 3
    meeting.directory.after_file = []

    def answer(name: str, request: Any) -> Answered:
        return problem("NotFound") if name == "getEntryByCid" else usual(name, request)

    dict_server.answer = answer

    repair = await meeting.keys.repair("PHONE")

    assert (repair.agrees, repair.by, repair.put) == (False, "file", ())


@pytest.mark.parametrize("state", ["ERROR", "UNAVAILABLE"])
async def test_file_that_dict_cannot_make_ends_the_repair(
    dict_server: DictServer, state: str
) -> None:
    meeting = Meeting(dict_server, [1, 2], [1])
    meeting.directory.file_states = ["REQUESTED", state]

    with pytest.raises(DictUnavailable, match=state):
        await meeting.keys.repair("PHONE")

    assert not meeting.agrees


CIDS = [cid_of(number) for number in range(4)]
LINES = "".join(f"{cid}\n" for cid in CIDS).encode()


@pytest.mark.parametrize("size", [1, 64, 65, 1000])
async def test_file_is_read_in_pieces_of_any_size(size: int) -> None:
    for octets in (LINES, LINES.removesuffix(b"\n"), b""):
        cids = await read_cid_file(file_of(octets), chunked(octets, size))

        assert cids == (set(CIDS) if octets else set())


@pytest.mark.parametrize(
    ("octets", "changes"),
    [
        (LINES, {"bytes": len(LINES) + 1}),
        (LINES, {"bytes": len(LINES) - 1}),
        (LINES, {"sha256": ZERO}),
        (LINES, {"sha256": None}),
        (LINES + LINES, {}),
        (LINES.replace(b"\n", b"\r\n"), {}),
        (b"\n" + LINES, {}),
        (b"x" * 64 + b"\n", {}),
        ("\u00e9".encode() * 32 + b"\n", {}),
        (b"a" * 100_000, {}),
    ],
)
async def test_file_that_is_not_what_dict_signed_or_no_list_of_cids_is_refused(
    octets: bytes, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidMessage):
        await read_cid_file(file_of(octets, **changes), chunked(octets))


async def test_file_is_fetched_over_https(serve: Serve, our_context: ssl.SSLContext) -> None:
    async def answer(request: web.Request) -> web.Response:
        status = 200 if request.path == "/files/7.cids" else 404
        return web.Response(status=status, body=LINES)

    url = await serve(answer)

    cids = await fetch_cid_file(file_of(LINES, url=f"{url}/files/7.cids"), our_context)
    assert cids == set(CIDS)
    for wrong in (f"{url}/other", "http://localhost/files/7.cids", "https://localhost:1/a"):
        with pytest.raises(DictUnavailable):
            await fetch_cid_file(file_of(LINES, url=wrong), our_context)
