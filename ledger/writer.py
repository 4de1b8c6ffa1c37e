"""The one writer of a shard. It alone changes balances, so it checks them in memory.

What arrives while a transaction is on its way to disk is the next transaction: no timers, and the
batch grows with the load. Memory is a cache of committed rows; whenever what was written is in
doubt the process ends and its restart reads the rows.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import asyncpg
import structlog

from actors import (
    TIMEOUT,
    Continue,
    ExitReason,
    From,
    GenServer,
    IdleTimeout,
    NoReply,
    TimerRef,
)
from ledger.accounts import AccountResult
from ledger.allowances import Allowances, midnight
from ledger.book import AccountBook
from ledger.core import LedgerState, expire_holds, undo_all
from ledger.decision import COMMITTED, Decision, RecentKeys, decide, no_claims
from ledger.errors import BrokenBooks, CommitUnknown, Fenced, NotOwner, OutOfSpace
from ledger.limits import problem_of, problem_of_other
from ledger.messages import (
    AccountRefused,
    BatchCommitted,
    Commit,
    CommitFor,
    Companion,
    DefineProduct,
    Entry,
    OpenAccounts,
    SetStatus,
)
from ledger.opening import NO_MONEY, add_accounts, check_holds, new_accounts, take_status
from ledger.rows import AccountRow
from ledger.store import AlreadyStored, ShardSettings, ShardStore

BATCH_ENTRIES_MAX: Final = 1_000
"""Entries of one transaction, give or take one `Commit`."""

COMMIT_TIMEOUT_MS: Final = 3_000
"""Longest transaction; less than a caller's usual deadline, so that callers learn of it."""

LOAD_TIMEOUT_MS: Final = 120_000
RETRY_FIRST_MS: Final = 50
RETRY_MAX_MS: Final = 200  # twice that with jitter: callers wait so long for a server that is back
NS_PER_MS: Final = 1_000_000
EXPIRY_WAIT_MS_MAX: Final = 3_600_000
"""The wall clock may be set: look again after an hour at the latest."""

STANDBY_MS: Final = 1_000
"""A writer that may not take its shard looks this often, with jitter, whether it may now."""

SPACE_RETRY_MS: Final = 1_000
"""While the disk is full a batch is tried this often. What waits meanwhile is one slow answer to
its callers instead of many quick ones, and failed attempts do not fill the server's log."""

DECISIONS_MAX: Final = 3
"""Times one batch may meet stored rows that it did not know; each time it learns them."""

_log = structlog.get_logger("ledger")

LOAD: Final = "load"
FLUSH: Final = "flush"
EXPIRE: Final = "expire"
RETRY: Final = "retry"
WAITS_FOR: Final = (
    OSError,  # refused, reset, timed out
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # starting up, shutting down
    asyncpg.InsufficientResourcesError,  # too many connections
    asyncpg.LockNotAvailableError,  # the older writer's last transaction
)


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """Message to the writer itself; of a connection that was given up meanwhile: meaningless."""

    store: ShardStore


class ShardWriter(GenServer):
    """Commits the entries of one shard in groups: one PostgreSQL transaction a group.

    Requests: `Commit`, `OpenAccounts`. While PostgreSQL is away at the start they wait in the
    mailbox. If it goes away later, or a transaction takes longer than `COMMIT_TIMEOUT_MS`, the
    process ends; callers get `CalleeDied`, which says that the outcome is unknown, and ask again
    with the same ids. When the disk is full, callers get `OutOfSpace`, and the writer goes on when
    there is space again.

    Who may write: the lease is a number, `shards.epoch`. Taking the shard raises it; a transaction
    under an older one is refused by the database, and its writer ends with `Fenced`. So that two
    programs cannot take a shard from each other for ever:

    - only the owner named in `shards.owner` may take it (`assign_shard` changes the name);
    - a program that has held the shard, and finds on a restart that another one has taken it
      since, does not take it back, even under the same name. The program started last wins.

    A writer that may not take its shard stands by: it refuses with `NotOwner` and looks every
    `STANDBY_MS` whether it may. A restart in one program is never refused: the `AccountBook`
    remembers the name under which this program holds the lease.

    Args:
        shard: Which shard, for which tenant and owner.
        dsn: PostgreSQL with the ledger's tables (`migrate`).
        book: Read view; the same one for each restart.
        companion: Writes the entries' records in the ledger's transaction.
        on_committed: Told of each durable batch; must be quick and not raise.
    """

    def __init__(
        self,
        shard: ShardSettings,
        dsn: str,
        book: AccountBook,
        companion: Companion | None = None,
        *,
        on_committed: Callable[[BatchCommitted], None] | None = None,
    ) -> None:
        self._shard = shard
        self._dsn = dsn
        self._book = book
        self._companion = companion
        self._claims = companion.claims if companion is not None else no_claims
        self._on_committed = on_committed
        self._store: ShardStore | None = None
        self._state = LedgerState()
        self._allowances = Allowances(book.products)
        self._recent = RecentKeys()
        self._pending: list[tuple[Commit, From]] = []
        self._pending_entries = 0
        self._standby: NotOwner | None = None
        self._expiry: tuple[int, TimerRef] | None = None
        self._is_full = False
        self._retry: TimerRef | None = None

    async def init(self) -> Continue:
        """Start at once; connecting and loading follow."""
        self.node.on_exit(self._release)
        self._book.clear()
        return Continue(LOAD)

    async def handle_continue(self, argument: Any) -> NoReply:
        """Load the shard, or commit a batch that is full."""
        if argument == LOAD:
            await self._load()
        else:
            await self._flush()
        return self._rest()

    async def handle_call(self, request: Any, sender: From) -> NoReply:
        """Queue entries for the next transaction; open accounts at once."""
        if self._standby is not None:
            self.node.fail(sender, NotOwner(self._standby.shard_id, self._standby.owner))
        elif isinstance(request, Commit):
            self._queue(request, sender)
        elif (problem := problem_of_other(request)) is not None:
            self.node.fail(sender, problem)
        elif isinstance(request, OpenAccounts):
            await self._open_accounts(request, sender)
        elif isinstance(request, SetStatus):
            await self._set_status(request, sender)
        elif isinstance(request, DefineProduct):
            await self._define_product(request, sender)
        else:
            await super().handle_call(request, sender)  # raises
        return self._soon()

    async def handle_cast(self, message: Any) -> NoReply:
        """Queue entries for somebody who waits elsewhere."""
        if not isinstance(message, CommitFor):
            return await super().handle_cast(message)  # type: ignore[return-value] # raises
        if self._standby is not None:
            self.node.fail(message.sender, self._standby)
        else:
            self._queue(message.commit, message.sender)
        return self._soon()

    async def handle_info(self, message: Any) -> NoReply:
        """Commit when the mailbox is empty; end when the connection is gone."""
        if message is TIMEOUT:
            await self._flush()
        elif isinstance(message, ConnectionLost):
            if message.store is self._store:
                raise CommitUnknown(self._shard.id, "the idle connection was lost")
        elif message == LOAD:
            return NoReply(Continue(LOAD))
        elif message == EXPIRE:
            self._expiry = None
            await self._flush()
        elif message == RETRY:
            self._retry = None
            await self._flush()
        else:
            await super().handle_info(message)
        return self._rest()

    async def terminate(self, reason: ExitReason) -> None:
        """Part from PostgreSQL in good form, unless there is a doubt about the connection."""
        store, self._store = self._store, None
        if store is not None and not reason.is_abnormal:
            await store.close()
        elif store is not None:
            store.abort()

    def _queue(self, commit: Commit, sender: From) -> None:
        problem = problem_of(commit)
        if self._is_full and self._pending_entries >= BATCH_ENTRIES_MAX:
            self.node.fail(sender, OutOfSpace(self._shard.id))
        elif problem is None:
            self._pending.append((commit, sender))
            self._pending_entries += len(commit.entries)
        else:
            self.node.fail(sender, problem)

    def _soon(self) -> NoReply:
        """Commit when the mailbox is empty, or now when the batch is full."""
        is_batch = self._pending_entries >= BATCH_ENTRIES_MAX and self._retry is None
        return NoReply(Continue(FLUSH)) if is_batch else self._rest()

    def _rest(self) -> NoReply:
        """Commit what waits when the mailbox is empty, unless it must wait for space."""
        is_due = self._pending and self._retry is None
        return NoReply(IdleTimeout(0)) if is_due else NoReply()

    # Start

    async def _load(self) -> None:
        delay_ms = RETRY_FIRST_MS
        while problem := await self._try_to_load():
            if delay_ms < RETRY_MAX_MS:  # said twice, not several times a second
                _log.warning("waiting for PostgreSQL", shard=self._shard.id, error=problem)
            wait_ms = delay_ms + self.node.rng.randrange(delay_ms)
            await self.node.clock.sleep_ms(wait_ms)
            delay_ms = min(2 * delay_ms, RETRY_MAX_MS)

    async def _try_to_load(self) -> str:
        """What is waited for; nothing when the shard is loaded, or this writer stands by."""
        self._release()
        try:
            await self._connect_and_load()
        except NotOwner as refusal:
            self._release()
            self._standby = refusal
            wait_ms = STANDBY_MS + self.node.rng.randrange(STANDBY_MS)
            self.node.send_after(wait_ms, self.pid, LOAD)
        except WAITS_FOR as error:
            if isinstance(error, asyncpg.InterfaceError) and not self._is_disconnected():
                raise  # a mistake in a statement, not an absence
            if isinstance(error, asyncpg.DiskFullError):
                self._alarm(entries=0)
            return type(error).__name__
        return ""

    async def _connect_and_load(self) -> None:
        book, shard = self._book, self._shard
        self._store = store = await ShardStore.connect(self._dsn, shard, self._tell_lost)
        deadline = self.node.clock.call_later(LOAD_TIMEOUT_MS, store.abort)
        try:
            await store.check_durability()
            await store.make_partitions(self.node.clock.now())
            if book.holder is None:
                book.holder = f"{shard.owner}/{self.node.ids.token(12)}"
            await store.take_lease(book.holder, has_held=book.has_held)
            book.has_held = True
            book.clear()
            state = LedgerState(first_timestamp=store.last_timestamp)
            allowances = Allowances(book.products)
            book.products.update((each.code, each) for each in await store.products())
            take = partial(add_accounts, state, book, allowances)
            state.add_holds(await store.load(take, self._companion))
            self._state, self._allowances = state, allowances
            await self._load_day(store)
        finally:
            deadline.cancel()
        check_holds(shard.id, state)
        self._standby = None
        book.is_loaded = True
        self._watch_expiry()

    async def _load_day(self, store: ShardStore) -> None:
        """Sum up what counts for the limits of this day, if there are any."""
        if self._allowances.has_day_limits:
            now = max(self._state.first_timestamp, self.node.clock.now_ns())
            self._allowances.load_day(now, await store.spent_since(midnight(now)))

    def _tell_lost(self, store: ShardStore) -> None:
        self.node.send(self.pid, ConnectionLost(store))

    def _is_disconnected(self) -> bool:
        return self._store is None or self._store.is_closed

    def _release(self) -> None:
        """Let the connection go, without a wait: also run when the process is killed."""
        store, self._store = self._store, None
        if store is not None:
            store.abort()

    # Commit

    async def _flush(self) -> None:
        if self._retry is not None:
            return
        # One request is enough to find out whether there is space again; the others follow it.
        tried = 1 if self._is_full else len(self._pending)
        batch, self._pending = self._pending[:tried], self._pending[tried:]
        self._pending_entries = sum(len(commit.entries) for commit, _ in self._pending)
        if not batch and not self._is_expiry_due():
            self._watch_expiry()
            return
        started_ns = self.node.clock.monotonic_ns()
        entries = [entry for commit, _ in batch for entry in commit.entries]
        try:
            decision = await self._write(entries)
        except Fenced as fenced:  # for certain nothing was done: better than a dead callee
            for _, sender in batch:
                self.node.fail(sender, Fenced(fenced.shard_id, fenced.epoch))
            raise
        except OutOfSpace:
            self._no_space(batch)
            return
        answers = iter(decision.answers)
        for commit, sender in batch:
            self.node.reply(sender, tuple(next(answers) for _ in commit.entries))
        self._report(decision, started_ns)
        self._watch_expiry()

    def _no_space(self, batch: list[tuple[Commit, From]]) -> None:
        """Take the batch back and refuse it, and whatever waits behind it."""
        undo_all(self._state)
        self._state.settle()
        refused = [*batch, *self._pending]
        self._pending, self._pending_entries = [], 0
        for _, sender in refused:
            self.node.fail(sender, OutOfSpace(self._shard.id))
        self._alarm(sum(len(commit.entries) for commit, _ in refused))
        self._retry = self.node.send_after(SPACE_RETRY_MS, self.pid, RETRY)

    def _alarm(self, entries: int) -> None:
        if not self._is_full:
            _log.error("no space left for the ledger", shard=self._shard.id)
        self._is_full = True
        self.node.telemetry.execute(
            ("ledger", "space", "missing"), {"entries": entries}, {"shard": self._shard.id}
        )

    def _space_again(self) -> None:
        if self._is_full:
            self._is_full = False
            _log.warning("space again for the ledger", shard=self._shard.id)

    def _is_expiry_due(self) -> bool:
        due = self._state.next_expiry()
        return due is not None and due <= self.node.clock.now_ns()

    def _watch_expiry(self) -> None:
        """Have the next hold that ends by itself ended in time, also when nobody asks anything."""
        due = self._state.next_expiry()
        if self._expiry is not None:
            if self._expiry[0] == due:
                return
            self.node.cancel_timer(self._expiry[1])
            self._expiry = None
        if due is not None:
            wait_ms = max(0, due - self.node.clock.now_ns()) // NS_PER_MS + 1
            timer = self.node.send_after(min(wait_ms, EXPIRY_WAIT_MS_MAX), self.pid, EXPIRE)
            self._expiry = (due, timer)

    async def _write(self, entries: list[Entry]) -> Decision:
        """Decide and make durable; afterwards memory and rows are equal again."""
        store, state = self._store, self._state
        assert store is not None, "a loaded writer has a connection"
        deadline = self.node.clock.call_later(COMMIT_TIMEOUT_MS, store.abort)
        try:
            state.begin(self.node.clock.now_ns())
            for _ in range(DECISIONS_MAX):
                expire_holds(state, state.first_timestamp, self.node.ids.new_id)
                decision = decide(state, entries, self._recent, self._claims, self._allowances)
                if not decision.is_doubtful and await self._make_durable(store, decision):
                    return decision
                undo_all(state)
                state.facts = await store.facts(entries)
                self._recent.update(state.facts.keys)
        finally:
            deadline.cancel()
        raise BrokenBooks(self._shard.id, "a batch keeps meeting rows that it does not find")

    async def _make_durable(self, store: ShardStore, decision: Decision) -> bool:
        """Commit; False when the batch met stored rows that memory did not know."""
        state = self._state
        if decision.has_effects or state.journal or state.failed:
            at = self.node.clock.now()
            try:
                sequence = await store.commit(state, decision, self._companion, at)
            except AlreadyStored:
                return False
            self._space_again()
            self._book.publish(state.touched, state.flag_changes())
            self._recent.update(decision.keys)
            if self._companion is not None:
                self._companion.committed(decision.records)
            if self._on_committed is not None:
                self._on_committed(BatchCommitted(self._shard.id, decision.events, sequence))
        decision.transfers = len(state.journal)
        self._allowances.settle()
        state.settle()
        return True

    def _report(self, decision: Decision, started_ns: int) -> None:
        self.node.telemetry.execute(
            ("ledger", "batch", "committed"),
            {
                "entries": len(decision.answers),
                "transfers": decision.transfers,
                "duration_ns": self.node.clock.monotonic_ns() - started_ns,
            },
            {"shard": self._shard.id},
        )

    # Accounts

    async def _open_accounts(self, request: OpenAccounts, sender: From) -> None:
        store, book = self._store, self._book
        assert store is not None, "a loaded writer has a connection"
        fresh = new_accounts(request.accounts, book, self._shard.tenant)
        if isinstance(fresh, AccountRefused):
            self.node.reply(sender, fresh)
            return
        try:
            is_durable = await self._commit_alone(
                sender, store, store.open_accounts(fresh, self.node.clock.now())
            )
        except AlreadyStored as stored:
            taken = stored.constraint == "accounts_number"
            result = AccountResult.NUMBER_TAKEN if taken else AccountResult.EXISTS_IN_ANOTHER_SHARD
            self.node.reply(sender, AccountRefused(result, fresh[0].id))
            return
        if not is_durable:
            return
        rows = [AccountRow(account, NO_MONEY) for account in fresh]
        add_accounts(self._state, book, self._allowances, rows)
        self.node.reply(sender, COMMITTED)

    async def _set_status(self, request: SetStatus, sender: From) -> None:
        if self._book.account(request.account_id) is None:
            self.node.reply(sender, AccountRefused(AccountResult.NOT_FOUND, request.account_id))
            return
        store = self._store
        assert store is not None, "a loaded writer has a connection"
        work = store.set_status(request, self.node.clock.now())
        if not await self._commit_alone(sender, store, work):
            return
        take_status(self._state, self._book, request.account_id, request.status)
        self.node.reply(sender, COMMITTED)

    async def _define_product(self, request: DefineProduct, sender: From) -> None:
        product, products = request.product, self._book.products
        if products.get(product.code) != product:
            store = self._store
            assert store is not None, "a loaded writer has a connection"
            work = store.add_product(request, self.node.clock.now())
            if not await self._commit_alone(sender, store, work):
                return
            counted_days = self._allowances.has_day_limits
            products[product.code] = product
            if not counted_days:
                await self._load_day(store)
        self.node.reply(sender, COMMITTED)

    async def _commit_alone(
        self, sender: From, store: ShardStore, work: Coroutine[Any, Any, None]
    ) -> bool:
        """Commit what is no batch; False when it could not be, and its caller has been told."""
        deadline = self.node.clock.call_later(COMMIT_TIMEOUT_MS, store.abort)
        try:
            await work
        except Fenced as fenced:
            self.node.fail(sender, Fenced(fenced.shard_id, fenced.epoch))
            raise
        except OutOfSpace as full:
            self.node.fail(sender, OutOfSpace(full.shard_id))
            self._alarm(entries=0)
            return False
        finally:
            deadline.cancel()
        self._space_again()
        return True
