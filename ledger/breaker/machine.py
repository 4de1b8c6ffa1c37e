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
import tigerbeetle

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
from ledger.accounts import Balance
from ledger.breaker.batch import Batch, problem_of
from ledger.breaker.errors import BreakerOpen, JournalUnknown, Unsupported
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
from ledger.breaker.poison import COUNTERPART, NEVER_CREATED
from ledger.breaker.rows import Row, RowState
from ledger.breaker.store import Books, Change, Store, Turn
from ledger.errors import LedgerError, OutcomeUnknown
from ledger.tigerbeetle import (
    CreateAccounts,
    CreateTransfers,
    DropRetired,
    LookUpAccounts,
    NewAccount,
    Renew,
)
from ledger.transfers import TransferResult

_log = structlog.get_logger("ledger")

NO_MONEY: Final = Balance(0, 0, 0, 0)
OURSELVES: Final = "breaker"
LOAD: Final = "load"
HEAL: Final = "heal"
FLUSH: Final = "flush"
BATCH_MAX: Final = 1_000
"""Transfers of one batch, give or take one `Submit`."""

OPENED: Final = (tigerbeetle.CreateAccountStatus.CREATED, tigerbeetle.CreateAccountStatus.EXISTS)
RESERVED: Final = (NEVER_CREATED, COUNTERPART)


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When a breaker opens and when it tries to close.

    Attributes:
        failures_max: So many failures in a row open it.
        rest_ms: So long it stays open before it tries TigerBeetle again.
        call_ms: Longest wait for the back end, whose own deadline should be shorter.
        retry_ms: Between two attempts to reach TigerBeetle, while it is closed.
        reload_ms: Between two attempts to reach the journal.
        wish_ms: Between two looks whether an operator wants something; None: never.
    """

    failures_max: int = 3
    rest_ms: int = 30_000
    call_ms: int = 3_000
    retry_ms: int = 200
    reload_ms: int = 500
    wish_ms: int | None = 2_000


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
        self._pending: list[tuple[Submit, From]] = []
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
            case Call(request=AddAccounts(accounts), sender=sender):
                return await self._add_accounts(accounts, sender)
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
            case Call(request=AddAccounts(), sender=sender):
                self.node.fail(sender, BreakerOpen(self._tenant, "an account"))
                return KeepState()
        return await self._decide(event)

    async def _decide(self, event: Any) -> Transition | None:
        """What both states do alike."""
        match event:
            case Call(request=Submit() as request, sender=sender):
                return self._queue(request, sender)
            case Info(message="flush"):
                return await self._flush()
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
            case NamedTimeout():
                return await self._look_for_wish()
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

    async def _open(self, wish: Open, sender: From | None) -> Transition:
        await self._turn(Position.OPEN, wish.reason, wish.made_by, is_held=True)
        return self._reload(sender)

    def _watch(self) -> NamedTimeout:
        return NamedTimeout("wish", self._settings.wish_ms)

    async def _look_for_wish(self) -> Transition:
        wish = await self._store.wish(self.node.clock.now())
        if isinstance(wish, Open):
            return await self._open(wish, None)
        if wish is not None and self._position is Position.OPEN:
            self._wish = wish
            return self._half_open()
        return KeepState(self._watch())

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
        self._mirror = Mirror(books.accounts, books.holds)
        self._unsettled = {row.transfer.id: row for row in books.unsettled}
        unknown = [row for row in books.unsettled if row.state is RowState.UNKNOWN]
        for row in unknown:
            self._hold_back(row)
        self._unknown = len(unknown)
        self._lag = sum(row.state is RowState.NEW for row in books.unsettled)

    def _forget_unsettled(self) -> None:
        self._unsettled.clear()
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
        batch = Batch([each for request, _ in calls for each in request.transfers])
        known = await self._find(batch)
        batch.know(known)
        self._mirror.learn(known)
        if self._position is Position.CLOSED:
            after = await self._through_tigerbeetle(batch)
        else:
            after = await self._into_postgresql(batch)
        answers = iter(batch.answers())
        for request, sender in calls:
            self.node.reply(sender, tuple(next(answers) for _ in request.transfers))
        return after

    async def _find(self, batch: Batch) -> Sequence[Row]:
        """What the journal has of these transfers already."""
        return await self._store.find(batch.ids, batch.holds)

    async def _through_tigerbeetle(self, batch: Batch) -> Transition:
        sent = batch.to_send(self._mirror, self._epoch, self._sequence)
        self._sequence += len(batch.rows)
        await self._journal(batch.rows)
        if not sent:
            self._mirror.changes()
            return KeepState()
        try:
            results = await self._ask(CreateTransfers(tuple(row.transfer for row in sent)))
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
        return KeepState()

    async def _journal(self, rows: Sequence[Row]) -> None:
        """Write down what is about to be sent."""
        if rows:
            await self._store.write(Change(self._epoch, rows))

    async def _finish(self, rows: Sequence[Row]) -> None:
        """Write down what became of it."""
        await self._store.write(Change(self._epoch, rows, self._mirror.changes()))

    def _follow(self, row: Row) -> None:
        """Do in the mirror what TigerBeetle has done."""
        if row.is_booked:
            result = self._mirror.book(row.transfer)
            if result is not TransferResult.CREATED:
                raise Alarm(f"the mirror refuses what TigerBeetle has booked: {result.name}")

    async def _into_postgresql(self, batch: Batch) -> Transition:
        batch.decide(self._mirror, self._epoch, self._sequence)
        self._sequence += len(batch.rows)
        changes = self._mirror.changes()
        if batch.rows:
            await self._store.write(Change(self._epoch, batch.rows, changes))
            waiting = [row for row in batch.rows if row.state is RowState.NEW]
            self._unsettled.update((row.transfer.id, row) for row in waiting)
            self._lag += len(waiting)
        self._tell_mirror()
        return KeepState()

    # Accounts

    async def _add_accounts(self, accounts: tuple[NewAccount, ...], sender: From) -> Transition:
        if any(each.id in RESERVED for each in accounts):
            self.node.fail(sender, Unsupported("id"))
            return KeepState()
        try:
            statuses = await self._ask(CreateAccounts(accounts))
            opened = (
                each.id
                for each, status in zip(accounts, statuses, strict=True)
                if status in OPENED and not self._mirror.has(each.id)
            )
            there = tuple(dict.fromkeys(opened))
            found = await self._ask(LookUpAccounts(there)) if there else {}
        except Away as away:
            self.node.fail(sender, BreakerOpen(self._tenant, "an account"))
            return await self._fail(away.problem)
        except Alarm as alarm:
            self.node.fail(sender, Unsupported(alarm.problem))
            return KeepState()
        if any(each.balance != NO_MONEY for each in found.values()):
            self.node.fail(sender, Unsupported("an account with a history of its own"))
            return KeepState()
        new = tuple(found[account_id].account for account_id in there)
        await self._store.write(Change(self._epoch, accounts=new))
        for account in new:
            self._mirror.add_account(account, NO_MONEY)
        self.node.reply(sender, tuple(statuses))
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
        seen = {"tenant": self._tenant, "position": status.position.value, "reason": status.reason}
        self.node.telemetry.execute(("ledger", "breaker", "state"), measured, seen)
        self._tell_mirror()

    def _tell_mirror(self) -> None:
        measured = {"lag": self._lag, "unknown": self._unknown}
        self.node.telemetry.execute(
            ("ledger", "breaker", "mirror"), measured, {"tenant": self._tenant}
        )
