"""The server in front of TigerBeetle: few requests, each with a deadline, none ever cancelled.

One request of a kind is under way at a time; everything that is asked for meanwhile goes with the
next one. A deadline does not end the request but the wait for it: the request stays with its
client, which is replaced: what follows must not queue behind something that does not answer.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import structlog
import tigerbeetle

from actors import Draining, ExitReason, From, GenServer, NoReply, TimerRef
from ledger.errors import LedgerError
from ledger.tigerbeetle.batches import Caller, Waiting, smaller
from ledger.tigerbeetle.client import BackendSettings, Client, Connect
from ledger.tigerbeetle.conversion import (
    LINKED,
    account_from,
    account_to_open,
    result_from,
    transfer_from,
    transfer_to,
)
from ledger.tigerbeetle.errors import OpenChain, TigerBeetleUnknown, UnexpectedAnswer
from ledger.tigerbeetle.messages import (
    CreateAccounts,
    CreateTransfers,
    DropRetired,
    LookUpAccounts,
    LookUpTransfers,
    Renew,
)

_log = structlog.get_logger("ledger")

Piece = tuple[Caller, int, int]
DEFAULT_SETTINGS: Final = BackendSettings()


class Kind(Enum):
    """Kinds of requests; one request has events of one kind only."""

    CREATE_ACCOUNTS = "create_accounts"
    CREATE_TRANSFERS = "create_transfers"
    LOOKUP_ACCOUNTS = "lookup_accounts"
    LOOKUP_TRANSFERS = "lookup_transfers"


@dataclass(slots=True)
class Request:
    """A request under way.

    Attributes:
        kind: Of its events.
        client: Who carries it.
        pieces: Whose events they are.
        timer: Of its deadline.
    """

    kind: Kind
    client: Client
    pieces: Sequence[Piece]
    timer: TimerRef | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """Message to the server itself: a request has its answer, or an error."""

    request: Request
    outcome: Any


@dataclass(frozen=True, slots=True)
class Overdue:
    """Message to the server itself: the deadline of a request."""

    request: Request


class TigerBeetle(GenServer):
    """Speaks to a TigerBeetle cluster for one tenant.

    Requests: `CreateAccounts`, `CreateTransfers`, `LookUpAccounts`, `LookUpTransfers`. Casts:
    `Renew`, `DropRetired`. A caller whose request got no answer has `TigerBeetleUnknown` raised:
    the deadline passed, or the client was closed or evicted. The next request uses a new client.

    Args:
        connect: Makes a client.
        ledgers: The tenant's TigerBeetle ledger of each currency (`ledger_numbers`).
        settings: Deadline and sizes.
    """

    trap_exit = True

    def __init__(
        self,
        connect: Connect,
        ledgers: Mapping[int, int],
        settings: BackendSettings = DEFAULT_SETTINGS,
    ) -> None:
        self._connect = connect
        self._ledgers = dict(ledgers)
        self._settings = settings
        self._batch_max = settings.batch_max
        self._client: Client | None = None
        self._retired: list[Client] = []
        self._waiting = {kind: Waiting(has_chains=kind is Kind.CREATE_TRANSFERS) for kind in Kind}
        self._under_way: dict[Kind, Request] = {}

    async def init(self) -> None:
        """Start at once; the first request makes the first client."""
        self.node.on_exit(self._let_go)

    async def handle_call(self, request: Any, sender: From) -> NoReply:
        """Queue the events of a request, and send them if nothing of their kind is under way."""
        try:
            asked = self._events_of(request)
        except LedgerError as error:
            self.node.fail(sender, error)
            return NoReply()
        if asked is None:
            await super().handle_call(request, sender)  # raises
            return NoReply()
        kind, events = asked
        if not events:
            self.node.reply(sender, self._answer(kind, []))
            return NoReply()
        self._waiting[kind].add(sender, events)
        self._send(kind)
        return NoReply()

    async def handle_cast(self, message: Any) -> NoReply:
        """Replace the client, or close the replaced ones."""
        if isinstance(message, Renew):
            self._retire(self._client)
        elif isinstance(message, DropRetired):
            self._close(self._retired)
            self._retired = []
        else:
            await super().handle_cast(message)  # raises
        return NoReply()

    async def handle_info(self, message: Any) -> NoReply:
        """Answer the callers of a request that has ended, or whose deadline is over."""
        if isinstance(message, Ended):
            self._end(message.request, message.outcome)
        elif isinstance(message, Overdue):
            self._end(message.request, TigerBeetleUnknown("deadline"))
        else:
            await super().handle_info(message)
        return NoReply()

    async def terminate(self, reason: ExitReason) -> None:
        """Close all clients; who waits for an answer gets none."""
        del reason
        clients, self._retired = [*self._retired, *self._current()], []
        self._client = None
        for client in clients:
            await _see_off(client)

    # Sending

    def _events_of(self, request: Any) -> tuple[Kind, Sequence[Any]] | None:
        match request:
            case CreateTransfers(transfers):
                if transfers and transfers[-1].flags & LINKED:
                    raise OpenChain
                structs = [transfer_to(each, self._ledgers) for each in transfers]
                return Kind.CREATE_TRANSFERS, structs
            case CreateAccounts(accounts):
                opened = [account_to_open(each, self._ledgers) for each in accounts]
                return Kind.CREATE_ACCOUNTS, opened
            case LookUpAccounts(ids):
                return Kind.LOOKUP_ACCOUNTS, [each.int for each in ids]
            case LookUpTransfers(ids):
                return Kind.LOOKUP_TRANSFERS, [each.int for each in ids]
        return None

    def _send(self, kind: Kind) -> None:
        """Send the next request of a kind, unless one is under way or nobody waits."""
        waiting = self._waiting[kind]
        while kind not in self._under_way and waiting:
            pieces, problem = waiting.take(self._batch_max)
            if problem is not None:
                caller = waiting.first()
                waiting.drop(caller)
                self.node.fail(caller.sender, problem)
                continue
            self._submit(kind, pieces)

    def _submit(self, kind: Kind, pieces: Sequence[Piece]) -> None:
        if self._client is None:
            self._client = self._connect()
        self._under_way[kind] = request = Request(kind, self._client, pieces)
        deadline_ms = self._settings.deadline_ms
        request.timer = self.node.send_after(deadline_ms, self.pid, Overdue(request))
        events = [each for caller, first, end in pieces for each in caller.events[first:end]]
        self.node.spawn(lambda: self._ask(request, events), link=False)

    async def _ask(self, request: Request, events: list[Any]) -> None:
        """Body of a process of its own: waits as long as it takes."""
        submit: Callable[[list[Any]], Coroutine[Any, Any, list[Any]]]
        submit = getattr(request.client, request.kind.value)
        outcome: Any
        try:
            outcome = await asyncio.shield(submit(events))  # cancelled, it would break its client
        except Exception as error:  # noqa: BLE001 (whatever the client raises is its answer)
            outcome = error
        self.node.send(self.pid, Ended(request, outcome))

    # Ending

    def _end(self, request: Request, outcome: Any) -> None:
        if self._under_way.get(request.kind) is not request:
            return  # given up before; its late answer tells nobody anything
        del self._under_way[request.kind]
        if request.timer is not None:
            self.node.cancel_timer(request.timer)
        if isinstance(outcome, tigerbeetle.TooMuchDataError):
            self._divide(request)
        elif isinstance(outcome, Exception):
            self._give_up(request, outcome)
        else:
            self._take(request, outcome)
        self._send(request.kind)

    def _divide(self, request: Request) -> None:
        """The client did not send it: it has more events than the server takes."""
        size = sum(end - first for _, first, end in request.pieces)
        if size <= 1:
            self._give_up(request, UnexpectedAnswer("one event is too much data"))
            return
        self._batch_max = smaller(self._batch_max, size)
        self._waiting[request.kind].put_back(request.pieces)

    def _give_up(self, request: Request, error: Exception) -> None:
        if not isinstance(error, LedgerError):
            error = TigerBeetleUnknown(type(error).__name__)
        _log.warning("no answer from TigerBeetle", kind=request.kind.value, problem=str(error))
        for caller, _, _ in request.pieces:
            self._waiting[request.kind].drop(caller)
            self.node.fail(caller.sender, error)
        if request.client is self._client:
            self._retire(self._client)

    def _take(self, request: Request, outcome: list[Any]) -> None:
        if request.kind in (Kind.LOOKUP_ACCOUNTS, Kind.LOOKUP_TRANSFERS):
            found = {each.id: each for each in outcome}
            for caller, first, end in request.pieces:
                wanted = caller.events[first:end]
                caller.answers.extend(found[key] for key in wanted if key in found)
        else:
            sent = sum(end - first for _, first, end in request.pieces)
            if len(outcome) != sent:
                count = f"{len(outcome)} results for {sent} events"
                self._give_up(request, UnexpectedAnswer(count))
                return
            answers = iter(outcome)
            for caller, first, end in request.pieces:
                caller.answers.extend(next(answers).status for _ in range(first, end))
        for caller, _, end in request.pieces:
            if end == len(caller.events):
                self._reply(request.kind, caller)

    def _reply(self, kind: Kind, caller: Caller) -> None:
        try:
            answer = self._answer(kind, caller.answers)
        except LedgerError as error:
            self.node.fail(caller.sender, error)
        else:
            self.node.reply(caller.sender, answer)

    def _answer(self, kind: Kind, answers: Sequence[Any]) -> object:
        match kind:
            case Kind.CREATE_TRANSFERS:
                return tuple(map(result_from, answers))
            case Kind.CREATE_ACCOUNTS:
                return tuple(answers)
            case Kind.LOOKUP_ACCOUNTS:
                accounts = [account_from(each, self._ledgers) for each in answers]
                return {each.account.id: each for each in accounts}
            case Kind.LOOKUP_TRANSFERS:
                transfers = [transfer_from(each, self._ledgers) for each in answers]
                return {each.transfer.id: each for each in transfers}

    # Clients

    def _current(self) -> list[Client]:
        return [] if self._client is None else [self._client]

    def _retire(self, client: Client | None) -> None:
        """Use another client from now on; requests under way with this one may still end well."""
        if client is None:
            return
        self._client = None
        self._retired.append(client)
        surplus = len(self._retired) - self._settings.retired_max
        if surplus > 0:
            self._close(self._retired[:surplus])
            del self._retired[:surplus]

    def _let_go(self) -> None:
        """Run when the server ends without `terminate`: its clients must not outlive it."""
        clients, self._retired = [*self._retired, *self._current()], []
        self._client = None
        with suppress(Draining):
            self._close(clients)

    def _close(self, clients: Sequence[Client]) -> None:
        for client in clients:
            self.node.spawn(lambda client=client: _see_off(client), link=False)  # type: ignore[misc] # the default binds it now


async def _see_off(client: Client) -> None:
    try:
        await asyncio.shield(client.close())
    except Exception as error:  # noqa: BLE001 (there is nobody left whom it could concern)
        _log.warning("a client of TigerBeetle did not close", error=type(error).__name__)
