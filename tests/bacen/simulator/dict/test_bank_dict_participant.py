"""What a participant keeps beside DICT, against the DICT of the bank: entries and watches."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID, uuid4

from actors import Clock, Node
from bacen.dict import (
    CLAIMS,
    Cid,
    Claim,
    ContentAttributes,
    DictClient,
    DictWatch,
    Entry,
    GetEntryByCidResponse,
    KeyReconciliation,
    KeyType,
    ListClaimsRequest,
    Position,
    WatchSettings,
    content_id,
    fetch_cid_file,
    parse_cid,
)
from bacen.simulator.clock import BankClock
from tests.bacen.simulator.desk import CONNECTED, PAYER, DeskKeys
from tests.bacen.simulator.dict.member import PHONE, claim, delete, register

EMAILS = tuple(f"ana{number}@example.com" for number in range(5))


class Ours:
    """E-mail keys of a participant, in memory."""

    def __init__(self) -> None:
        self.entries: dict[Cid, Entry] = {}

    async def cids(self, key_type: KeyType) -> AsyncIterator[Cid]:
        assert key_type == "EMAIL"
        for cid in list(self.entries):
            yield cid

    async def put(self, found: GetEntryByCidResponse) -> None:
        self.entries[parse_cid(found.cid)] = found.entry

    async def drop(self, key_type: KeyType, cid: Cid) -> None:
        assert key_type == "EMAIL"
        del self.entries[cid]

    def know(self, entry: Entry, request_id: UUID) -> Cid:
        """Keep an entry that we made ourselves."""
        cid = content_id(ContentAttributes.of(entry), request_id)
        self.entries[cid] = entry
        return cid


class StepClock(Clock):
    """Whoever waits by it moves the bank's clock."""

    def __init__(self, bank: BankClock) -> None:
        super().__init__()
        self._bank = bank

    async def sleep_ms(self, ms: int) -> None:
        await self._bank.advance(ms)


async def made(client: DictClient, ours: Ours, email: str) -> Cid:
    request_id = uuid4()
    return ours.know(await register(client, email, request_id=request_id), request_id)


async def test_entries_are_repaired_by_events_and_by_the_file(
    second: DictClient, desk_keys: dict[str, DeskKeys], clock: BankClock
) -> None:
    ours = Ours()
    fetch = partial(fetch_cid_file, ssl_context=desk_keys[CONNECTED].context)
    keys = KeyReconciliation(second, CONNECTED, ours, fetch, StepClock(clock))
    for email in EMAILS[:3]:
        await made(second, ours, email)
    assert (await keys.repair("EMAIL")).by == "nothing"

    await clock.advance(120_000)
    lost = await register(second, EMAILS[3])
    await delete(second, EMAILS[0])
    by_events = await keys.repair("EMAIL")

    assert (by_events.agrees, by_events.by) == (True, "events")
    assert (len(by_events.put), len(by_events.dropped), by_events.unproven) == (1, 1, ())
    assert ours.entries[by_events.put[0]].key == lost.key

    forgotten, strange = next(iter(ours.entries)), parse_cid("ab" * 32)
    ours.entries[strange] = ours.entries.pop(forgotten)
    by_file = await keys.repair("EMAIL")

    assert (by_file.agrees, by_file.by) == (True, "file")
    assert (by_file.put, by_file.dropped) == ((forgotten,), (strange,))
    assert (await keys.repair("EMAIL")).by == "nothing"


class Kept:
    """A position in memory."""

    def __init__(self) -> None:
        self.position: Position | None = None

    async def load(self) -> Position | None:
        return self.position

    async def save(self, position: Position) -> None:
        self.position = position


async def test_donor_sees_a_claim_by_watching(second: DictClient, first: DictClient) -> None:
    node = Node("participant")
    seen: list[Claim] = []
    arrived = asyncio.Event()

    async def handle(each: Claim) -> None:
        seen.append(each)
        arrived.set()

    await register(second, PHONE)
    request = ListClaimsRequest(participant=CONNECTED, is_donor=True)
    await node.start(DictWatch(second, CLAIMS, request, handle, Kept(), WatchSettings(every_ms=20)))
    opened = await claim(first, PHONE, "PORTABILITY")

    await arrived.wait()

    assert [(each.id, each.status) for each in seen] == [(opened.id, "OPEN")]
    assert seen[0].claimer_account.participant == PAYER
    await node.shutdown()
