"""The breaker: closed, open or half open, and never two of them.

One request is worked on at a time, and what is read or sent for it is waited for: so no step can
come between two others. Memory is a cache of the journal; after anything that did not end well it
is thrown away and read again, under a new epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog

from actors import (
    ActorError,
    Call,
    ExitReason,
    From,
    GenStateMachine,
    Info,
    Internal,
    KeepState,
    NamedTimeout,
    NextEvent,
    NextState,
    Postpone,
    StateTimeout,
    Target,
    Transition,
)
from ledger.breaker.batch import Batch, problem_of
from ledger.breaker.errors import BreakerOpen, JournalUnknown, Unsupported
from ledger.breaker.expiry import Endings, without_timeout
from ledger.breaker.healing import Alarm, Away, Healing
from ledger.breaker.messages import (
    AddAccounts,
    AskStatus,
    Close,
    Open,
    Position,
    Status,
    Submit,
)
from ledger.breaker.mirror import Mirror
from ledger.breaker.opening import NO_MONEY, open_in_mirror, open_in_tigerbeetle
from ledger.breaker.rows import Row, RowState
from ledger.breaker.store import Books, Change, Store, Turn
from ledger.errors import LedgerError, OutcomeUnknown
from ledger.tigerbeetle import (
    CreateTransfers,
    DropRetired,
    NewAccount,
    Renew,
)
from ledger.transfers import Transfer, TransferResult

_log = structlog.get_logger("ledger")

NS_PER_MS: Final = 1_000_000
EXPIRY_RETRY_MS: Final = 100
EXPIRY_WAIT_MS_MAX: Final = 3_600_000
"""The wall clock may be set: look again after an hour at the latest."""

OURSELVES: Final = "breaker"
LOAD: Final = "load"
HEAL: Final = "heal"
FLUSH: Final = "flush"
BATCH_MAX: Final = 1_000
"""Transfers of one batch, give or take one `Submit`."""


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When a breaker opens and when it tries to close.

    Attributes:
        failures_max: So many failures in a row open it.
        rest_ms: So long it stays open before it tries TigerBeetle again.
        call_ms: Longest wait for the back end, whose own deadline should be shorter.
        retry_ms: Between two attempts to reach TigerBeetle, while it is closed.
        reload_ms: Between two attempts to reach the journal.
    """

    failures_max: int = 3
    rest_ms: int = 30_000
    call_ms: int = 3_000
    retry_ms: int = 200
    reload_ms: int = 500


DEFAULT_SETTINGS: Final = BreakerSettings()


class Breaker(GenStateMachine):
    """The one door to a tenant's money.

    Requests: `Submit`, `AddAccounts`, `Open`, `Close`, `AskStatus`. Its states are `closed`
    (TigerBeetle decides), `open` (PostgreSQL decides) and `half_open` (nobody does: every unknown
    transfer is made known, what PostgreSQL booked is replayed, balances are compared). `loading`
    comes before each of them after a start or a failure. Requests wait while it loads or heals.

    A transfer is answered when its row says so on disk. A caller who gets `Standing.UNKNOWN`, or
    whose call fails with an error that is not `NothingDone`, asks again with the same id.

    Args:
        tenant: ISPB.
        backend: Name or pid of the `TigerBeetle` server.
        store: Journal and mirror.
        settings: When to open and when to try again.
    """

    def __init__(
        self,
        tenant: str,
        backend: Target,
        store: Store,
        settings: BreakerSettings = DEFAULT_SETTINGS,
    ) -> None:
        self._tenant = tenant
        self._backend = backend
        self._store = store
        self._settings = settings
        self._failures = 0
        self._epoch = 0
        self._sequence = 0
        self._position = Position.CLOSED
        self._is_held = False
        self._reason = ""
        self._mirror = Mirror((), ())
        self._unsettled: dict[UUID, Row] = {}
        self._unknown = 0
        self._lag = 0
        self._pending: list[tuple[Submit, From | None]] = []
        self._endings = Endings()
        self._pending_transfers = 0
        self._closer: From | None = None
        self._wish: Close | None = None

    async def begin(self) -> NextState:
        """Start at once; reading the journal follows."""
        self.node.on_exit(self._store.abort)
        return NextState(self.loading, NextEvent(Internal(LOAD)))

    async def terminate(self, reason: ExitReason) -> None:
        """Part from the journal."""
        del reason
        await self._store.close()

    # States

    async def loading(self, event: Any) -> Transition | None:
        """Read the journal, as often as it takes; all else waits."""
        match event:
            case Internal(content="load") | StateTimeout():
                return await self._load()
            case Call() | Info() | NamedTimeout():
                return KeepState(Postpone())
        return None

    async def closed(self, event: Any) -> Transition | None:
        """TigerBeetle decides; the mirror follows."""
        match event:
            case Call(request=Close()):
                return KeepState(event.reply(self._status()))
        return await self._decide(event)

    async def open(self, event: Any) -> Transition | None:
        """PostgreSQL decides, by its mirror."""
        match event:
            case StateTimeout():
                return self._half_open()
            case Call(request=Close() as wish, sender=sender):
                self._closer, self._wish = sender, wish
                return self._half_open()
        return await self._decide(event)

    async def _decide(self, event: Any) -> Transition | None:
        """What both states do alike."""
        match event:
            case Call(request=Submit() as request, sender=sender):
                return self._queue(request, sender)
            case Call(request=AddAccounts(accounts), sender=sender):
                return await self._add_accounts(accounts, sender)
            case Info(message="flush"):
                return await self._flush()
            case NamedTimeout():
                return self._end_holds()
            case Info():
                return KeepState()
        return await self._govern(event)

    async def _govern(self, event: Any) -> Transition | None:
        """What operators ask for."""
        match event:
            case Call(request=AskStatus()):
                return KeepState(event.reply(self._status()))
            case Call(request=Open() as wish, sender=sender):
                return await self._open(wish, sender)
        return None

    async def half_open(self, event: Any) -> Transition | None:
        """Nobody decides: the two ledgers are made equal first, or it does not close."""
        match event:
            case Internal(content="heal") | StateTimeout():
                return await self._heal()
            case Call() | Info() | NamedTimeout():
                return KeepState(Postpone())
        return None

    # Coming and going

    async def _open(self, wish: Open, sender: From) -> Transition:
        await self._turn(Position.OPEN, wish.reason, wish.made_by, is_held=True)
        return self._reload(sender)

    async def _load(self) -> Transition:
        try:
            books = await self._store.take()
        except JournalUnknown as error:
            _log.warning("waiting for the journal", tenant=self._tenant, problem=error.problem)
            return KeepState(StateTimeout(self._settings.reload_ms))
        self._take(books)
        self._tell()
        if self._position is Position.CLOSED and self._unsettled:
            wait_ms = self._settings.retry_ms if self._failures else 0
            return NextState(self.half_open, StateTimeout(wait_ms))
        self._answer_closer()
        if self._position is Position.CLOSED:
            return NextState(self.closed, self._watch())
        rest_ms = None if self._is_held else self._settings.rest_ms
        return NextState(self.open, StateTimeout(rest_ms), self._watch())

    def _take(self, books: Books) -> None:
        self._epoch, self._sequence = books.epoch, books.last_sequence
        self._position, self._is_held = books.position, books.is_held
        self._reason = books.reason
        self._mirror = Mirror(books.accounts, books.holds, books.lacking)
        self._unsettled = {row.transfer.id: row for row in books.unsettled}
        unknown = [row for row in books.unsettled if row.state is RowState.UNKNOWN]
        for row in unknown:
            self._hold_back(row)
        self._unknown = len(unknown)
        self._lag = sum(row.state is RowState.NEW for row in books.unsettled)

    def _forget_unsettled(self) -> None:
        self._unsettled.clear()
        self._mirror.lacking.clear()
        self._unknown = self._lag = 0

    def _hold_back(self, row: Row) -> None:
        self._mirror.hold_back(row)

    def _half_open(self) -> NextState:
        return NextState(self.half_open, NextEvent(Internal(HEAL)))

    def _reload(self, sender: From | None = None) -> NextState:
        """Trust nothing in memory."""
        if sender is not None:
            self._closer = sender
        return NextState(self.loading, NextEvent(Internal(LOAD)))

    async def _fail(self, problem: str) -> Transition:
        """Count a failure; the last one opens the breaker."""
        self._failures += 1
        _log.warning("TigerBeetle failed", tenant=self._tenant, problem=problem)
        if self._position is Position.CLOSED and self._failures >= self._settings.failures_max:
            await self._turn(Position.OPEN, problem)
        return self._reload()

    async def _alarm(self, problem: str) -> Transition:
        """Something is not as it can be: a person must look."""
        _log.error("the ledgers differ", tenant=self._tenant, problem=problem)
        measured = {"epoch": self._epoch}
        seen = {"tenant": self._tenant, "problem": problem}
        self.node.telemetry.execute(("ledger", "breaker", "alarm"), measured, seen)
        await self._turn(Position.OPEN, problem, is_held=True)
        return self._reload()

    async def _turn(
        self, position: Position, reason: str, made_by: str = OURSELVES, *, is_held: bool = False
    ) -> None:
        is_closed = position is Position.CLOSED
        turn = Turn(position, is_held, reason, made_by, self.node.clock.now())
        await self._store.write(Change(self._epoch, turn=turn, is_verified=is_closed))
        self._epoch += 1
        self._position, self._is_held, self._reason = position, is_held, reason
        if is_closed:
            self._forget_unsettled()

    async def _heal(self) -> Transition:
        self.node.cast(self._backend, Renew())
        try:
            await self._healing().run()
        except Away as away:
            return await self._fail(away.problem)
        except Alarm as alarm:
            return await self._alarm(alarm.problem)
        self._failures = 0
        if self._position is Position.OPEN:
            wish = self._wish or Close("TigerBeetle answers again", OURSELVES)
            await self._turn(Position.CLOSED, wish.reason, wish.made_by)
        else:
            await self._store.write(Change(self._epoch, is_verified=True))
            self._forget_unsettled()
        self.node.cast(self._backend, DropRetired())
        self._tell()
        self._answer_closer()
        return NextState(self.closed, self._watch())

    def _healing(self) -> Healing:
        return Healing(self._ask, self._store, self._epoch, self._mirror, self._unsettled)

    async def _ask(self, request: object) -> Any:
        """Ask the back end; `Away` when the outcome is unknown, or nothing was done."""
        try:
            return await self.node.call(self._backend, request, timeout_ms=self._settings.call_ms)
        except OutcomeUnknown as error:
            raise Away(str(error)) from error
        except ActorError as error:
            raise Away(type(error).__name__) from error
        except LedgerError as error:
            raise Alarm(str(error)) from error

    # Transfers

    def _queue(self, request: Submit, sender: From) -> KeepState:
        problem = problem_of(request.transfers, self._mirror)
        if problem is not None:
            self.node.fail(sender, problem)
            return KeepState()
        return self._take_in(request, sender)

    def _take_in(self, request: Submit, sender: From | None) -> KeepState:
        if not self._pending:
            self.node.send(self.pid, FLUSH)  # behind everything that waits already
        self._pending.append((request, sender))
        self._pending_transfers += len(request.transfers)
        if self._pending_transfers < BATCH_MAX:
            return KeepState()
        return KeepState(NextEvent(Info(FLUSH)))

    async def _flush(self) -> Transition:
        calls, self._pending, self._pending_transfers = self._pending, [], 0
        if not calls:
            return KeepState()
        own = {e.id for request, sender in calls if sender is None for e in request.transfers}
        batch = Batch([each for request, _ in calls for each in request.transfers], own)
        known = await self._find(batch)
        batch.know(known)
        self._mirror.learn(known)
        if self._position is Position.CLOSED:
            after = await self._through_tigerbeetle(batch)
        else:
            after = await self._into_postgresql(batch)
        answers = iter(batch.answers())
        for request, sender in calls:
            theirs = tuple(next(answers) for _ in request.transfers)
            if sender is None:
                self._endings.answered(request.transfers, theirs)
            else:
                self.node.reply(sender, theirs)
        return after

    async def _find(self, batch: Batch) -> Sequence[Row]:
        """What the journal has of these transfers already."""
        return await self._store.find(self._epoch, batch.ids, batch.holds)

    async def _through_tigerbeetle(self, batch: Batch) -> Transition:
        now_ns = self.node.clock.now_ns()
        sent = batch.to_send(self._mirror, self._epoch, self._sequence, now_ns)
        self._sequence += len(batch.rows)
        await self._journal(batch.rows)
        if not sent:
            self._mirror.changes()
            return KeepState(self._watch())
        try:
            results = await self._ask(CreateTransfers(self._outgoing(sent)))
            rows = batch.decided(sent, results)
            for row in rows:
                self._follow(row)
        except Away as away:
            return await self._fail(away.problem)
        except Alarm as alarm:
            batch.undecide(sent)
            return await self._alarm(alarm.problem)
        await self._finish(rows)
        self._failures = 0
        self._tell_mirror()
        return KeepState(self._watch())

    def _outgoing(self, rows: Sequence[Row]) -> tuple[Transfer, ...]:
        """What TigerBeetle is told."""
        return tuple(without_timeout(row.transfer) for row in rows)

    async def _journal(self, rows: Sequence[Row]) -> None:
        """Write down what is about to be sent."""
        if rows:
            await self._store.write(Change(self._epoch, rows))

    async def _finish(self, rows: Sequence[Row]) -> None:
        """Write down what became of it."""
        flags = self._mirror.flags()
        await self._store.write(Change(self._epoch, rows, self._mirror.changes(), flags))

    def _follow(self, row: Row) -> None:
        """Do in the mirror what TigerBeetle has done."""
        if row.is_booked:
            result = self._mirror.book(row.transfer)
            if result is not TransferResult.CREATED:
                raise Alarm(f"the mirror refuses what TigerBeetle has booked: {result.name}")
            self._mirror.watch(row)

    async def _into_postgresql(self, batch: Batch) -> Transition:
        batch.decide(self._mirror, self._epoch, self._sequence, self.node.clock.now_ns())
        self._sequence += len(batch.rows)
        flags, changes = self._mirror.flags(), self._mirror.changes()
        if batch.rows:
            await self._store.write(Change(self._epoch, batch.rows, changes, flags))
            waiting = [row for row in batch.rows if row.state is RowState.NEW]
            self._unsettled.update((row.transfer.id, row) for row in waiting)
            self._lag += len(waiting)
        self._tell_mirror()
        return KeepState(self._watch())

    # Holds that end by themselves

    def _watch(self) -> NamedTimeout:
        """Wake when the next hold is due; one that could not be ended is tried again later."""
        due_ns = self._mirror.next_expiry()
        if due_ns is None:
            return NamedTimeout("expiry", None)
        wait_ms = (due_ns - self.node.clock.now_ns()) // NS_PER_MS + 1
        return NamedTimeout("expiry", min(max(wait_ms, EXPIRY_RETRY_MS), EXPIRY_WAIT_MS_MAX))

    def _end_holds(self) -> Transition:
        """Void the holds whose time is over, like anybody would."""
        due = self._mirror.due(self.node.clock.now_ns())[:BATCH_MAX]
        if not due:
            return KeepState(self._watch())
        return self._take_in(Submit(self._endings.voids(due)), None)

    # Accounts

    async def _add_accounts(self, accounts: tuple[NewAccount, ...], sender: From) -> Transition:
        is_there = self._position is Position.CLOSED
        try:
            if is_there:
                statuses, new = await open_in_tigerbeetle(self._ask, self._mirror, accounts)
            else:
                statuses, new = open_in_mirror(self._mirror, accounts)
        except Unsupported as refusal:
            self.node.fail(sender, refusal)
            return KeepState()
        except Away as away:
            self.node.fail(sender, BreakerOpen(self._tenant, "an account"))
            return await self._fail(away.problem)
        except Alarm as alarm:
            self.node.fail(sender, Unsupported(alarm.problem))
            return KeepState()
        await self._store.write(Change(self._epoch, accounts=new, are_there=is_there))
        for account in new:
            self._mirror.add_account(account, NO_MONEY, is_there=is_there)
        self.node.reply(sender, statuses)
        return KeepState()

    # Telling

    def _status(self) -> Status:
        return Status(
            self._position,
            self._epoch,
            self._is_held,
            self._reason,
            self._unknown,
            self._lag,
        )

    def _answer_closer(self) -> None:
        sender, self._closer, self._wish = self._closer, None, None
        if sender is not None:
            self.node.reply(sender, self._status())

    def _tell(self) -> None:
        status = self._status()
        measured = {"epoch": status.epoch, "failures": self._failures}
        seen = {
            "tenant": self._tenant,
            "position": status.position.value,
            "is_held": status.is_held,
            "reason": status.reason,
        }
        self.node.telemetry.execute(("ledger", "breaker", "state"), measured, seen)
        self._tell_mirror()

    def _tell_mirror(self) -> None:
        measured = {"lag": self._lag, "unknown": self._unknown}
        self.node.telemetry.execute(
            ("ledger", "breaker", "mirror"), measured, {"tenant": self._tenant}
        )
