"""A participant finds out what its list of keys lacks: VSync, events, files of CIDs."""

import hashlib
from datetime import timedelta
from uuid import uuid4

import aiohttp

from bacen.dict import (
    Cid,
    CidSetFile,
    ContentAttributes,
    CreateCidSetFileRequest,
    CreateSyncVerificationRequest,
    DictClient,
    Entry,
    GetCidSetFileRequest,
    ListCidSetEventsRequest,
    ListCidSetEventsResponse,
    NewSyncVerification,
    UpdateEntryRequest,
    VSync,
    content_id,
)
from bacen.simulator.clock import STEPPED, BankClock
from bacen.simulator.dict.settings import DAY_MS
from tests.bacen.simulator.desk import CONNECTED, PAYER, DeskKeys
from tests.bacen.simulator.dict.member import (
    PHONE,
    claim,
    complete,
    confirm,
    delete,
    person,
    refused,
    register,
)

EMAILS = ("ana@example.com", "ana@example.org", "ana@example.net")


async def verify(client: DictClient, verifier: VSync, kind: str = "EMAIL") -> str:
    request = CreateSyncVerificationRequest(
        sync_verification=NewSyncVerification(
            participant=client.ispb, key_type=kind, participant_sync_verifier=str(verifier)
        )
    )
    return (await client.create_sync_verification(request)).sync_verification.result


async def registered(client: DictClient, key: str) -> tuple[Entry, Cid]:
    request_id = uuid4()
    entry = await register(client, key, request_id=request_id)
    return entry, content_id(ContentAttributes.of(entry), request_id)


async def events(
    client: DictClient, kind: str = "EMAIL", **wanted: object
) -> ListCidSetEventsResponse:
    request = ListCidSetEventsRequest(participant=client.ispb, key_type=kind, **wanted)
    return await client.list_cid_set_events(request)


async def test_verifier_kept_with_every_change_is_that_of_dict(second: DictClient) -> None:
    request_id = uuid4()
    mine = VSync()
    assert await verify(second, mine) == "OK"
    entry = await register(second, EMAILS[0], request_id=request_id)
    old = content_id(ContentAttributes.of(entry), request_id)
    assert await verify(second, mine) == "NOK"
    mine = mine.added(old)
    assert await verify(second, mine) == "OK"
    changed = await second.update_entry(
        UpdateEntryRequest(key=EMAILS[0], owner=person(name="Ana Nova"), reason="USER_REQUESTED")
    )
    new = content_id(ContentAttributes.of(changed.entry), request_id)
    mine = mine.replaced(old, new)
    assert await verify(second, mine) == "OK"
    await delete(second, EMAILS[0])

    assert await verify(second, mine.removed(new)) == "OK"
    assert await verify(second, VSync(), "PHONE") == "OK"


async def test_events_tell_each_change_with_the_verifiers_around_them(second: DictClient) -> None:
    _, one = await registered(second, EMAILS[0])
    _, two = await registered(second, EMAILS[1])
    await delete(second, EMAILS[0])

    told = await events(second)
    page = await events(second, limit=2)
    rest = await events(second, start_time=told.cid_set_events[2].timestamp)

    assert [(each.type, each.cid) for each in told.cid_set_events] == [
        ("ADDED", one),
        ("ADDED", two),
        ("REMOVED", one),
    ]
    assert (told.sync_verifier_start, told.has_more_elements) == (str(VSync()), False)
    assert told.sync_verifier_end == str(VSync.of([two]))
    assert page.has_more_elements
    assert page.sync_verifier_end == str(VSync.of([one, two])) == rest.sync_verifier_start
    assert rest.cid_set_events == told.cid_set_events[2:]
    later = told.response_time + timedelta(days=1)
    nothing = await events(second, start_time=later, end_time=later)
    assert nothing.sync_verifier_start == nothing.sync_verifier_end == told.sync_verifier_end
    with refused("BadRequest"):
        await events(second, start_time=later, end_time=told.response_time)


async def test_events_of_one_millisecond_are_told_at_once_and_in_order(
    second: DictClient, clock: BankClock
) -> None:
    clock.set_rate(STEPPED)
    await registered(second, EMAILS[0])
    await second.update_entry(
        UpdateEntryRequest(key=EMAILS[0], owner=person(name="Ana Nova"), reason="USER_REQUESTED")
    )
    await delete(second, EMAILS[0])

    told = await events(second)

    kinds = [each.type for each in told.cid_set_events]
    assert kinds == ["ADDED", "REMOVED", "ADDED", "REMOVED"]
    assert len({each.timestamp for each in told.cid_set_events}) == 1
    assert told.sync_verifier_end == str(VSync())


async def test_claim_removes_at_the_donor_and_adds_at_the_claimer(
    first: DictClient, second: DictClient
) -> None:
    _, cid = await registered(second, PHONE)
    opened = await claim(first, PHONE, "PORTABILITY")
    await confirm(second, opened.id)
    at_donor = await events(second, "PHONE")
    await complete(first, opened.id)
    at_claimer = await events(first, "PHONE")

    assert [(each.type, each.cid) for each in at_donor.cid_set_events] == [
        ("ADDED", cid),
        ("REMOVED", cid),
    ]
    assert at_claimer.cid_set_events[-1].type == "ADDED"


async def test_file_of_cids_is_made_in_its_states_and_served_for_a_day(
    second: DictClient, desk_keys: dict[str, DeskKeys], clock: BankClock
) -> None:
    clock.set_rate(STEPPED)
    cids = {(await registered(second, email))[1] for email in EMAILS}
    answer = await second.create_cid_set_file(
        CreateCidSetFileRequest(participant=CONNECTED, key_type="EMAIL")
    )
    made = answer.cid_set_file

    async def look() -> CidSetFile:
        request = GetCidSetFileRequest(id=made.id, participant=CONNECTED)
        return (await second.get_cid_set_file(request)).cid_set_file

    await clock.advance(600)
    processing = await look()
    await clock.advance(600)
    available = await look()
    assert available.url is not None
    connector = aiohttp.TCPConnector(ssl=desk_keys[CONNECTED].context)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(available.url) as response:
            content = await response.read()
        await clock.advance(DAY_MS)
        async with session.get(available.url) as response:
            status = response.status

    assert (made.status, made.url) == ("REQUESTED", None)
    assert processing.status == "PROCESSING"
    assert available.status == "AVAILABLE"
    assert content.endswith(b"\n")
    assert set(content.decode().split()) == cids
    assert (available.bytes, available.sha256) == (
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    assert (await look()).status == "UNAVAILABLE"
    assert status == 404


async def test_file_of_another_participant_is_not_found(
    first: DictClient, second: DictClient
) -> None:
    answer = await second.create_cid_set_file(
        CreateCidSetFileRequest(participant=CONNECTED, key_type="EMAIL")
    )

    with refused("NotFound"):
        await first.get_cid_set_file(
            GetCidSetFileRequest(id=answer.cid_set_file.id, participant=PAYER)
        )
    with refused("Forbidden"):
        await first.create_cid_set_file(
            CreateCidSetFileRequest(participant=CONNECTED, key_type="EMAIL")
        )
