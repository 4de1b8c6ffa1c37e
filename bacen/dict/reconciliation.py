"""Keeping our entries those of DICT: VSync kept by each change, verified, repaired (API 2.12.1).

The repair believes DICT. First the events since the last verification that agreed are played
again: they cost one list. If the verifiers still differ, the whole file of CIDs is compared, with
the events since it was ordered on top, for entries come and go meanwhile. Then what we miss is
read by its CID, what DICT does not have is dropped, and the result is verified.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

import structlog

from actors import Clock
from bacen import DictNotFound, DictUnavailable
from bacen.dict.cid import Cid, ContentAttributes, is_content_id, parse_cid
from bacen.dict.keys import KeyType
from bacen.dict.listing import CID_SET_EVENTS, walk
from bacen.dict.synchronism import (
    CidSetFile,
    CreateCidSetFileRequest,
    CreateSyncVerificationRequest,
    GetCidSetFileRequest,
    GetEntryByCidRequest,
    GetEntryByCidResponse,
    ListCidSetEventsRequest,
    NewSyncVerification,
)
from bacen.dict.typed_calls import TypedCalls
from bacen.dict.vsync import VSync

OVERLAP = timedelta(minutes=1)  # events are read from this much earlier: clocks differ
FILE_POLL_MS = 6_000  # CIDS_FILES_READ: ten a minute
FILE_POLLS_MAX = 600

_log = structlog.get_logger(__name__)


class LocalEntries(Protocol):
    """Our entries, wherever they are kept."""

    def cids(self, key_type: KeyType) -> AsyncIterator[Cid]:
        """Give the CIDs of all entries of a type, each once."""

    async def put(self, found: GetEntryByCidResponse) -> None:
        """Take an entry over as DICT has it, with its CID and RequestId."""

    async def drop(self, key_type: KeyType, cid: Cid) -> None:
        """Forget the entry with this CID; it may be gone already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair did.

    Attributes:
        agrees: The last verification said OK.
        by: What it took: the events, or the file.
        put: Entries that we did not have.
        dropped: Entries that DICT does not have.
        unproven: Of those put, the ones whose CID is not that of their content; DICT's word counts.
    """

    agrees: bool
    by: Literal["nothing", "events", "file"]
    put: tuple[Cid, ...] = ()
    dropped: tuple[Cid, ...] = ()
    unproven: tuple[Cid, ...] = ()


class KeyReconciliation:
    """VSync of one participant's entries, for one owner: a process that makes all their changes.

    Args:
        client: Who asks; give it `DictOptions.token_wait_ms` for repairs of many entries.
        participant: Whose entries.
        entries: Ours.
        fetch: Fetches a file of CIDs; `fetch_cid_file` with the client's TLS context.
        clock: Of the node.
    """

    def __init__(
        self,
        client: TypedCalls,
        participant: str,
        entries: LocalEntries,
        fetch: Callable[[CidSetFile], Awaitable[set[Cid]]],
        clock: Clock,
    ) -> None:
        self._client = client
        self._participant = participant
        self._entries = entries
        self._fetch = fetch
        self._clock = clock
        self._vsyncs: dict[KeyType, VSync] = {}
        self._agreed_at: dict[KeyType, datetime] = {}

    async def load(self, key_type: KeyType, *, agreed_at: datetime | None = None) -> None:
        """Count our entries of a type anew, as after a start.

        Args:
            key_type: Which.
            agreed_at: When a verification last said OK, where somebody kept it.
        """
        vsync = VSync()
        async for cid in self._entries.cids(key_type):
            vsync = vsync.added(cid)
        self._vsyncs[key_type] = vsync
        if agreed_at is not None:
            self._agreed_at[key_type] = agreed_at

    def vsync(self, key_type: KeyType) -> VSync:
        """Tell our verifier; `load` comes first."""
        return self._vsyncs[key_type]

    def agreed_at(self, key_type: KeyType) -> datetime | None:
        """Tell when a verification last said OK, by the time of DICT."""
        return self._agreed_at.get(key_type)

    def added(self, key_type: KeyType, cid: Cid) -> None:
        """Follow an entry that was not there before."""
        self._vsyncs[key_type] = self._vsyncs[key_type].added(cid)

    def removed(self, key_type: KeyType, cid: Cid) -> None:
        """Follow an entry that went."""
        self._vsyncs[key_type] = self._vsyncs[key_type].removed(cid)

    async def verify(self, key_type: KeyType) -> bool:
        """Ask DICT whether its entries are ours.

        Raises:
            DictError: As `DictClient.call`.
        """
        verification = NewSyncVerification(
            participant=self._participant,
            key_type=key_type,
            participant_sync_verifier=str(self._vsyncs[key_type]),
        )
        answer = await self._client.create_sync_verification(
            CreateSyncVerificationRequest(sync_verification=verification)
        )
        agrees = answer.sync_verification.result == "OK"
        if agrees:
            self._agreed_at[key_type] = answer.response_time
        return agrees

    async def repair(self, key_type: KeyType) -> Repair:
        """Verify, and where DICT does not agree, make our entries those of DICT.

        What was done before an error stays done: the next repair goes on from there.

        Raises:
            DictError: As `DictClient.call`; also when DICT makes no file.
            InvalidMessage: The file is not the one that DICT signed.
        """
        await self.load(key_type)
        if await self.verify(key_type):
            return Repair(agrees=True, by="nothing")
        repair = await self._settle(key_type, Repair(agrees=False, by="events"), self._by_events)
        if not repair.agrees:
            repair = await self._settle(key_type, replace(repair, by="file"), self._by_file)
        _log.warning(
            "dict_entries_repaired",
            key_type=key_type,
            by=repair.by,
            agrees=repair.agrees,
            put=len(repair.put),
            dropped=len(repair.dropped),
            unproven=len(repair.unproven),
        )
        return repair

    async def _settle(
        self,
        key_type: KeyType,
        before: Repair,
        compare: Callable[[KeyType], Awaitable[tuple[list[Cid], list[Cid]]]],
    ) -> Repair:
        """Compare one way, put right what differs, verify."""
        missing, surplus = await compare(key_type)
        if not missing and not surplus:
            return replace(before, agrees=before.by == "file" and await self.verify(key_type))
        for cid in surplus:
            await self._entries.drop(key_type, cid)
        proofs = {cid: await self._take_over(cid) for cid in missing}
        await self.load(key_type)
        return Repair(
            agrees=await self.verify(key_type),
            by=before.by,
            put=(*before.put, *(cid for cid, proof in proofs.items() if proof is not None)),
            dropped=(*before.dropped, *surplus),
            unproven=(*before.unproven, *(cid for cid, proof in proofs.items() if proof is False)),
        )

    async def _by_events(self, key_type: KeyType) -> tuple[list[Cid], list[Cid]]:
        """Compare with what came and went since we agreed; with nothing when we never did."""
        agreed_at = self._agreed_at.get(key_type)
        if agreed_at is None:
            return [], []
        came: set[Cid] = set()
        went: set[Cid] = set()
        await self._play(key_type, agreed_at, came, went)
        ours = {cid async for cid in self._entries.cids(key_type) if cid in came or cid in went}
        return sorted(came - ours), sorted(went & ours)

    async def _by_file(self, key_type: KeyType) -> tuple[list[Cid], list[Cid]]:
        """Compare with all that DICT has; only the file is in memory, ours pass by."""
        file = await self._file(key_type)
        theirs = await self._fetch(file)
        await self._play(key_type, file.request_time, theirs, set())
        surplus = []
        async for cid in self._entries.cids(key_type):
            if cid in theirs:
                theirs.remove(cid)
            else:
                surplus.append(cid)
        return sorted(theirs), surplus

    async def _play(
        self, key_type: KeyType, since: datetime, came: set[Cid], went: set[Cid]
    ) -> None:
        """Play the events in their order: the last of each CID counts."""
        request = ListCidSetEventsRequest(
            participant=self._participant, key_type=key_type, start_time=since - OVERLAP
        )
        async for page in walk(self._client, CID_SET_EVENTS, request):
            for event in page.items:
                cid = parse_cid(event.cid)
                here, there = (came, went) if event.type == "ADDED" else (went, came)
                here.add(cid)
                there.discard(cid)

    async def _file(self, key_type: KeyType) -> CidSetFile:
        order = CreateCidSetFileRequest(participant=self._participant, key_type=key_type)
        file = (await self._client.create_cid_set_file(order)).cid_set_file
        look = GetCidSetFileRequest(id=file.id, participant=self._participant)
        for _ in range(FILE_POLLS_MAX):
            if file.status not in ("REQUESTED", "PROCESSING"):
                break
            await self._clock.sleep_ms(FILE_POLL_MS)
            file = (await self._client.get_cid_set_file(look)).cid_set_file
        if file.status != "AVAILABLE":
            raise DictUnavailable(f"the file of CIDs is {file.status}")
        return file

    async def _take_over(self, cid: Cid) -> bool | None:
        """Read an entry and keep it; tell whether its CID proves it, None when it is gone."""
        question = GetEntryByCidRequest(cid=cid, participant=self._participant)
        try:
            found = await self._client.get_entry_by_cid(question)
        except DictNotFound:
            return None
        if found.cid != cid:
            raise DictUnavailable("the answer is about another CID")
        await self._entries.put(found)
        return is_content_id(cid, ContentAttributes.of(found.entry), found.request_id)
