"""The door to a shard whose money is in two ledgers: who reserves money asks both.

TigerBeetle decides first, through the breaker; what it grants, PostgreSQL's writer commits with
everything that belongs to it. If the writer refuses, or nobody knows what became of it, the hold is
released: a hold that PostgreSQL does not have is nobody's. What reserves nothing needs no grant and
goes to the writer at once; TigerBeetle follows (`Follower`).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog

from actors import ActorError, Continue, ExitReason, From, GenServer, NoReply, TimerRef
from ledger.accounts import AccountFlag
from ledger.book import AccountBook
from ledger.breaker.admission import (
    PENDING,
    SUBMIT_TIMEOUT_MS,
    Admission,
    Applicant,
    Neighbours,
    holds_in,
    keys_of,
)
from ledger.breaker.both_store import BothStore
from ledger.breaker.errors import Unsupported
from ledger.breaker.following import ending_id
from ledger.breaker.messages import Submit
from ledger.errors import LedgerError, OverLimit
from ledger.limits import problem_of
from ledger.messages import Commit, CommitFor
from ledger.transfers import LEDGER_BRL, Transfer, TransferFlag, TransferResult, void

BEGIN: Final = "begin"
SWEEP: Final = "sweep"
ENTRIES_MAX: Final = 500
"""Entries of one round, give or take one `Commit`."""

WAITING_MAX: Final = 20_000
"""Entries that wait while a round is under way; more are refused."""

SWEEP_MS: Final = 1_000
LOAD_TIMEOUT_MS: Final = 120_000
ATTEMPTS_MAX: Final = 100
"""Ids that a release may lose to outages."""

RESOLVING: Final = int(TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER)
DEBITS_LIMITED: Final = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
CREDITS_LIMITED: Final = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
BOOKED: Final = (TransferResult.CREATED, TransferResult.EXISTS)
ENDED: Final = (*BOOKED, TransferResult.PENDING_TRANSFER_ALREADY_VOIDED)

_log = structlog.get_logger("ledger")


@dataclass(frozen=True, slots=True)
class RoundOver:
    """Message to the door itself: what a round has left in doubt."""

    doubtful: AbstractSet[UUID]


class Door(GenServer):
    """Takes the requests of a shard's writer that are about entries: `Commit`, `CommitFor`.

    Answers are those of the writer. What TigerBeetle refuses is `Refused`; `HoldUnknown`, and a
    deadline that passed, say that it may have been written: ask again with the same idempotency
    key, or ids.

    Args:
        to: The processes around it.
        book: Accounts of the shard.
        store: What both ledgers have.
    """

    def __init__(self, to: Neighbours, book: AccountBook, store: BothStore) -> None:
        self._to = to
        self._book = book
        self._store = store
        self._waiting: list[Applicant] = []
        self._waiting_entries = 0
        self._is_busy = True
        self._doubtful: set[UUID] = set()
        self._timer: TimerRef | None = None

    async def init(self) -> Continue:
        """Start at once; what an earlier door left is looked for before anybody is let in."""
        self.node.on_exit(self._store.abort)
        return Continue(BEGIN)

    async def handle_continue(self, argument: Any) -> NoReply:
        """Look at everything once."""
        del argument
        self.node.spawn(lambda: self._sweep(None), link=True)
        return NoReply()

    async def handle_call(self, request: Any, sender: From) -> NoReply:
        """Let entries in."""
        if not isinstance(request, Commit):
            await super().handle_call(request, sender)  # raises
        self._take(request, sender)
        return NoReply()

    async def handle_cast(self, message: Any) -> NoReply:
        """Let entries in for somebody who waits elsewhere."""
        if not isinstance(message, CommitFor):
            return await super().handle_cast(message)  # type: ignore[return-value] # raises
        self._take(message.commit, message.sender)
        return NoReply()

    async def handle_info(self, message: Any) -> NoReply:
        """Begin the next round, or look after what is in doubt."""
        if isinstance(message, RoundOver):
            self._is_busy = False
            self._doubtful = set(message.doubtful)
        elif message == SWEEP:
            self._timer = None
            if not self._is_busy and self._doubtful:
                self._is_busy = True
                self.node.spawn(lambda: self._sweep(self._doubtful), link=True)
        else:
            return await super().handle_info(message)  # type: ignore[return-value] # raises
        self._begin_round()
        if self._doubtful and self._timer is None:
            self._timer = self.node.send_after(SWEEP_MS, self.pid, SWEEP)
        return NoReply()

    async def terminate(self, reason: ExitReason) -> None:
        """Part from the database."""
        del reason
        await self._store.close()

    # Letting in

    def _take(self, commit: Commit, sender: From) -> None:
        problem = problem_of(commit) or self._unsupported(commit)
        if problem is not None:
            self.node.fail(sender, problem)
        elif next(iter(holds_in(commit)), None) is None:
            self.node.cast(self._to.writer, CommitFor(commit, sender))
        elif self._waiting_entries >= WAITING_MAX:
            waiting = self._waiting_entries + len(commit.entries)
            self.node.fail(sender, OverLimit("waiting entries", waiting, WAITING_MAX))
        else:
            self._waiting.append(Applicant(commit, sender))
            self._waiting_entries += len(commit.entries)
            self._begin_round()

    def _unsupported(self, commit: Commit) -> LedgerError | None:
        for entry in commit.entries:
            for transfer in entry.transfers:
                what = self._unfit(transfer)
                if what is not None:
                    return Unsupported(what)
        return None

    def _unfit(self, transfer: Transfer) -> str | None:
        """Why TigerBeetle could come to differ from PostgreSQL, if it could."""
        if transfer.flags & RESOLVING:
            return None
        if transfer.ledger != LEDGER_BRL:
            return "ledger"
        if transfer.flags & ~PENDING:
            return "flags"
        if transfer.flags & PENDING:
            return None
        debit = self._book.account(transfer.debit_account_id)
        credit = self._book.account(transfer.credit_account_id)
        is_limited = (debit is not None and debit.flags & DEBITS_LIMITED) or (
            credit is not None and credit.flags & CREDITS_LIMITED
        )
        return "a transfer that a limit may refuse: hold, then post" if is_limited else None

    def _begin_round(self) -> None:
        if self._is_busy:
            return
        applicants = self._next_applicants()
        if applicants:
            self._is_busy = True
            admission = Admission(self.node, self._to, self._store, applicants)
            self.node.spawn(lambda: self._round(admission), link=True)

    def _next_applicants(self) -> list[Applicant]:
        """Who fits into a round; of those who share an idempotency key the first."""
        chosen: list[Applicant] = []
        left: list[Applicant] = []
        keys: set[str] = set()
        entries = 0
        for each in self._waiting:
            own = set(keys_of(each.commit))
            if entries >= ENTRIES_MAX or not keys.isdisjoint(own):
                left.append(each)
            elif not each.sender.future.done():  # who has given up is owed nothing
                chosen.append(each)
                entries += len(each.commit.entries)
            keys |= own  # also of those who wait: each key keeps its order
        self._waiting = left
        self._waiting_entries = sum(len(each.commit.entries) for each in left)
        return chosen

    async def _round(self, admission: Admission) -> None:
        """Body of a process of its own; it takes the door with it when it crashes."""
        doubtful = self._doubtful | await admission.run()
        if doubtful - self._doubtful:  # what was in doubt before waits for its time
            doubtful = await self._release(doubtful)
        self.node.send(self.pid, RoundOver(doubtful))

    # Releasing

    async def _sweep(self, ids: AbstractSet[UUID] | None) -> None:
        """Body of a process of its own: release what PostgreSQL does not have."""
        self.node.send(self.pid, RoundOver(await self._release(ids)))

    async def _release(self, ids: AbstractSet[UUID] | None) -> set[UUID]:
        """Void these holds unless PostgreSQL has them; gives those of which it is too early."""
        # What was asked of writer and breaker before, by an earlier door as well, is behind them.
        await self.node.call(self._to.writer, Commit(()), timeout_ms=LOAD_TIMEOUT_MS)
        while not await self._is_breaker_there():
            if ids is not None:
                return set(ids)
            await self.node.clock.sleep_ms(SWEEP_MS)
        unrecorded = await self._store.unrecorded(ids)
        left = {key for key, is_there in unrecorded.items() if not is_there}
        for hold_id in unrecorded.keys() - left:
            if not await self._void(hold_id):
                left.add(hold_id)
        return left

    async def _is_breaker_there(self) -> bool:
        try:
            await self.node.call(self._to.breaker, Submit(()), timeout_ms=SUBMIT_TIMEOUT_MS)
        except (ActorError, LedgerError):
            return False
        return True

    async def _void(self, hold_id: UUID) -> bool:
        for attempt in range(1, ATTEMPTS_MAX):
            ending = void(ending_id(hold_id, attempt), hold_id)
            try:
                (answer,) = await self.node.call(
                    self._to.breaker, Submit((ending,)), timeout_ms=SUBMIT_TIMEOUT_MS
                )
            except (ActorError, LedgerError):
                return False
            if answer is not TransferResult.ID_ALREADY_FAILED:
                break
        if answer in ENDED:
            _log.info("released a hold that PostgreSQL does not have", hold=str(hold_id))
        elif isinstance(answer, TransferResult):
            _log.error("a hold cannot be released", hold=str(hold_id), result=answer.name)
        return answer in ENDED
