"""TigerBeetle follows PostgreSQL: what the shard's writer has written is carried out there as well.

Holds are there already (`Door`). The others are told by PostgreSQL, in its order: what ends a hold
was decided by facts and is never refused, and where a limit could refuse a transfer, the door asks
for a hold first. Nothing is lost by a crash: the journal knows every id that was sent.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import structlog

from actors import (
    TIMEOUT,
    ActorError,
    Continue,
    From,
    GenServer,
    IdleTimeout,
    NoReply,
    Target,
    TimerRef,
)
from ledger.book import AccountBook
from ledger.breaker.both_store import BothStore, Progress, Written
from ledger.breaker.following import followed, next_id, renamed
from ledger.breaker.messages import AddAccounts, Answer, CatchUp, Follow, Standing, Submit
from ledger.core import TRANSIENT
from ledger.errors import NothingDone, OutcomeUnknown
from ledger.transfers import LEDGER_BRL, Transfer, TransferResult

LOOK: Final = "look"
ROWS_MAX: Final = 5_000
"""Transfers of one look at the journal."""

SUBMIT_MAX: Final = 500
SUBMIT_TIMEOUT_MS: Final = 30_000
RETRY_MS: Final = 500
STUCK_MS: Final = 15_000
"""A transfer that TigerBeetle refused is tried again this often; a person should look meanwhile."""

BOOKED: Final = (TransferResult.CREATED, TransferResult.EXISTS)
BURNED: Final = TRANSIENT | {TransferResult.ID_ALREADY_FAILED}

_log = structlog.get_logger("ledger")


class Stuck(Exception):
    """TigerBeetle does not take what comes next."""

    def __init__(self, problem: str, wait_ms: int = RETRY_MS) -> None:
        super().__init__(problem)
        self.problem = problem
        self.wait_ms = wait_ms


class Follower(GenServer):
    """Brings a shard's transfers to the breaker. Casts: `Follow`; requests: `CatchUp`.

    Args:
        shard_id: Whose.
        breaker: Name or pid of the `Breaker`.
        book: Accounts of the shard.
        store: What both ledgers have.
    """

    def __init__(self, shard_id: int, breaker: Target, book: AccountBook, store: BothStore) -> None:
        self._shard_id = shard_id
        self._breaker = breaker
        self._book = book
        self._store = store
        self._accounts = 0
        self._retry: TimerRef | None = None

    async def init(self) -> Continue:
        """Begin where the last one ended."""
        self.node.on_exit(self._store.abort)
        return Continue(LOOK)

    async def handle_continue(self, argument: Any) -> NoReply:
        """Follow at the start."""
        del argument
        await self._catch_up()
        return NoReply()

    async def handle_cast(self, message: Any) -> NoReply:
        """Something was written: follow when nobody else says so."""
        if isinstance(message, Follow):
            return NoReply(IdleTimeout(0))
        return await super().handle_cast(message)  # type: ignore[return-value] # raises

    async def handle_call(self, request: Any, sender: From) -> NoReply:
        """Follow, then tell whether everything was followed that had been written."""
        if not isinstance(request, CatchUp):
            await super().handle_call(request, sender)  # raises
        is_there = await self._catch_up()
        self.node.reply(sender, is_there)
        return NoReply()

    async def handle_info(self, message: Any) -> NoReply:
        """Nobody says more, or it is time to try again."""
        if message is TIMEOUT or message == LOOK:
            await self._catch_up()
            return NoReply()
        return await super().handle_info(message)  # type: ignore[return-value] # raises

    async def terminate(self, reason: object) -> None:
        """Part from the database."""
        del reason
        await self._store.close()

    # Following

    async def _catch_up(self) -> bool:
        """Follow to the end; False when something is in the way, and another attempt is due."""
        was_stuck = self._retry is not None
        self._stop_retry()
        try:
            await self._open_accounts()
            while written := await self._store.written(await self._store.progress(), ROWS_MAX):
                await self._open_accounts()  # those that were opened just before
                for first in range(0, len(written), SUBMIT_MAX):
                    await self._submit(written[first : first + SUBMIT_MAX])
        except (ActorError, NothingDone, OutcomeUnknown) as error:
            stuck = Stuck(type(error).__name__)
        except Stuck as problem:
            stuck = problem
        else:
            self._tell(await self._store.progress())
            return True
        self._tell(await self._store.progress())
        if not was_stuck:
            _log.warning("TigerBeetle stays behind", shard=self._shard_id, problem=stuck.problem)
        self._retry = self.node.send_after(stuck.wait_ms, self.pid, LOOK)
        return False

    def _stop_retry(self) -> None:
        if self._retry is not None:
            self.node.cancel_timer(self._retry)
            self._retry = None

    async def _open_accounts(self) -> None:
        """Open accounts in TigerBeetle that it does not have yet."""
        if not self._book.is_loaded:
            raise Stuck("the shard is being loaded")
        count = len(self._book)
        if count == self._accounts:
            return
        missing = await self._store.missing_accounts(None)
        for first in range(0, len(missing), SUBMIT_MAX):
            request = AddAccounts(tuple(missing[first : first + SUBMIT_MAX]))
            await self.node.call(self._breaker, request, timeout_ms=SUBMIT_TIMEOUT_MS)
        self._accounts = count

    async def _submit(self, taken: Sequence[Written]) -> None:
        written = [each for each in taken if each.posting.ledger == LEDGER_BRL]
        if written:
            await self._carry_out(written)
        await self._store.follow(taken[-1])

    async def _carry_out(self, written: Sequence[Written]) -> None:
        postings = [each.posting for each in written]
        ids = {each.id for each in postings} | {p.pending_id for p in postings if p.pending_id}
        known = await self._store.names(ids)
        names = {own: used for own, (used, _) in known.items()}
        transfers = tuple(renamed(followed(each), names) for each in postings)
        answers: Sequence[Answer] = await self.node.call(
            self._breaker, Submit(transfers), timeout_ms=SUBMIT_TIMEOUT_MS
        )
        last = None
        for each, transfer, answer in zip(written, transfers, answers, strict=True):
            if answer not in BOOKED:
                if last is not None:
                    await self._store.follow(last)
                attempt = known.get(each.posting.id, (transfer.id, 0))[1]
                await self._refused(each.posting.id, attempt, transfer, answer)
            last = each

    async def _refused(
        self, transfer_id: UUID, attempt: int, transfer: Transfer, answer: Answer
    ) -> None:
        if isinstance(answer, Standing):
            raise Stuck(f"a transfer is {answer.value}")
        if answer in BURNED:  # that id is lost to it
            attempt += 1
            await self._store.name(transfer_id, attempt, next_id(transfer_id, attempt))
        if answer is TransferResult.ID_ALREADY_FAILED:
            raise Stuck("an id was used up", wait_ms=1)
        _log.error(
            "TigerBeetle refuses what PostgreSQL has written",
            transfer=str(transfer.id),
            result=answer.name,
        )
        seen = {"shard": self._shard_id, "problem": answer.name}
        self.node.telemetry.execute(("ledger", "follower", "refused"), {"count": 1}, seen)
        raise Stuck(f"{answer.name} for {transfer_id}", wait_ms=STUCK_MS)

    def _tell(self, progress: Progress) -> None:
        measured = {"behind": progress.behind, "sequence": progress.sequence}
        self.node.telemetry.execute(
            ("ledger", "follower", "progress"), measured, {"shard": self._shard_id}
        )
