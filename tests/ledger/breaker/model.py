"""A TigerBeetle and a database of virtual time, and what can go wrong with them.

The cluster carries out transfers with the ledger's own core. What it does to requests is what was
seen of a real one: a frozen server carries out later what had reached it, closed clients or not; a
dead one loses what its clients do not send again; an answer may come long after its transfer.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec
import tigerbeetle

from actors import Node
from ledger import Balance, Transfer, TransferResult
from ledger.breaker import (
    Books,
    BreakerFenced,
    Change,
    JournalUnknown,
    Position,
    Row,
    RowState,
    Turn,
)
from ledger.core import AccountState, Facts, LedgerState, apply_batch
from ledger.tigerbeetle import NewAccount

AccountStatus = tigerbeetle.CreateAccountStatus
TransferStatus = tigerbeetle.CreateTransferStatus


class Health(Enum):
    WELL = "well"
    FROZEN = "frozen"
    DEAD = "dead"


@dataclass(slots=True, eq=False)
class Request:
    client: "ModelledClient"
    kind: str
    events: list[Any]
    answer: "asyncio.Future[Any]"


class ModelledCluster:
    """One TigerBeetle.

    Attributes:
        state: Its books.
        slow_ms: A request or an answer is up to this late, now and then.
        batch_max: Events of one request.
        requests: Sizes of the requests carried out, by kind.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self.state = LedgerState(facts=Facts(is_complete=True))
        self.health = Health.WELL
        self.slow_ms = 0
        self.batch_max = 8_189
        self.clients: list[ModelledClient] = []
        self.requests: list[tuple[str, int]] = []
        self._stalled: list[Request] = []
        self._unanswered: list[Callable[[], None]] = []

    def connect(self) -> "ModelledClient":
        client = ModelledClient(self)
        self.clients.append(client)
        return client

    def freeze(self) -> None:
        if self.health is Health.WELL:
            self.health = Health.FROZEN

    def kill(self) -> None:
        """What it had in memory is gone; what open clients still want, they will send again."""
        self.health = Health.DEAD

    def heal(self) -> None:
        was_dead = self.health is Health.DEAD
        self.health, self.slow_ms = Health.WELL, 0
        stalled, self._stalled = self._stalled, []
        unanswered, self._unanswered = self._unanswered, []
        for answer in unanswered:
            answer()
        for request in stalled:
            if not (was_dead and request.client.is_closed):
                self._carry_out(request)

    def evict(self) -> None:
        for client in self.clients:
            client.evict()

    def balance(self, account_id: UUID) -> Balance:
        return self.state.accounts[account_id.int].balance()

    def book_past(self, transfer: Transfer) -> None:
        """Somebody else's transfer."""
        self.state.first_timestamp += 1
        (result,) = apply_batch(self.state, [transfer], self.state.first_timestamp)
        assert result is TransferResult.CREATED, result.name
        self.state.keep()

    def send(self, request: Request) -> None:
        if len(request.events) > self.batch_max:
            raise tigerbeetle.TooMuchDataError
        self.node.clock.call_later(self._latency_ms(), lambda: self._arrive(request))

    def _latency_ms(self) -> int:
        rng = self.node.rng
        if self.slow_ms and rng.random() < 0.4:
            return rng.randrange(self.slow_ms)
        return rng.randrange(3)

    def _arrive(self, request: Request) -> None:
        if self.health is Health.WELL:
            self._carry_out(request)
        elif self.health is Health.FROZEN or not request.client.is_closed:
            self._stalled.append(request)

    def _carry_out(self, request: Request) -> None:
        if request.client.is_evicted:
            return
        self.requests.append((request.kind, len(request.events)))
        outcome = getattr(self, f"_{request.kind}")(request.events)
        self.node.clock.call_later(self._latency_ms(), lambda: self._answer(request, outcome))

    def _answer(self, request: Request, outcome: Any) -> None:
        if self.health is not Health.WELL:
            if self.health is Health.FROZEN or self.node.rng.random() < 0.5:
                self._unanswered.append(lambda: self._answer(request, outcome))
        elif not request.answer.done():
            request.answer.set_result(outcome)

    # What it can do

    def _create_accounts(self, accounts: list[Any]) -> list[Any]:
        results = []
        for each in accounts:
            status = AccountStatus.EXISTS
            if each.id not in self.state.accounts:
                account = AccountState(UUID(int=each.id), int(each.flags), ledger=each.ledger)
                self.state.accounts[each.id] = account
                status = AccountStatus.CREATED
            results.append(tigerbeetle.CreateAccountResult(1, status))
        return results

    def _create_transfers(self, structs: list[Any]) -> list[Any]:
        transfers = [ours(each) for each in structs]
        timestamp = max(self.state.first_timestamp, self.node.clock.now_ns())
        self.state.first_timestamp = timestamp
        results = apply_batch(self.state, transfers, timestamp)
        self.state.keep()
        return [
            tigerbeetle.CreateTransferResult(timestamp, TransferStatus(int(result)))
            for result in results
        ]

    def _lookup_accounts(self, ids: list[int]) -> list[Any]:
        found = []
        for key in ids:
            account = self.state.accounts.get(key)
            if account is not None:
                flags = tigerbeetle.AccountFlags(account.flags)
                counters = account.balance()
                struct = tigerbeetle.Account(key, *counters, 0, 0, 0, account.ledger, 1, flags, 1)
                found.append(struct)
        return found

    def _lookup_transfers(self, ids: list[int]) -> list[Any]:
        postings = [self.state.find(key) for key in ids]
        return [
            tigerbeetle.Transfer(
                id=each.id.int,
                debit_account_id=each.debit_account_id.int,
                credit_account_id=each.credit_account_id.int,
                amount=each.amount_cents,
                pending_id=each.pending_id.int if each.pending_id else 0,
                ledger=each.ledger,
                code=each.code,
                flags=tigerbeetle.TransferFlags(each.flags),
                timestamp=each.timestamp,
            )
            for each in postings
            if each is not None
        ]


class ModelledClient:
    """A client of the cluster, with the errors of the real one."""

    def __init__(self, cluster: ModelledCluster) -> None:
        self._cluster = cluster
        self._under_way: dict[asyncio.Future[Any], None] = {}
        self.is_closed = False
        self.is_evicted = False

    async def create_accounts(self, accounts: list[Any]) -> list[Any]:
        return await self._submit("create_accounts", accounts)

    async def create_transfers(self, transfers: list[Any]) -> list[Any]:
        return await self._submit("create_transfers", transfers)

    async def lookup_accounts(self, accounts: list[int]) -> list[Any]:
        return await self._submit("lookup_accounts", accounts)

    async def lookup_transfers(self, transfers: list[int]) -> list[Any]:
        return await self._submit("lookup_transfers", transfers)

    async def close(self) -> None:
        self.is_closed = True
        self._end_all(tigerbeetle.ClientClosedError)

    def evict(self) -> None:
        self.is_evicted = True
        self._end_all(tigerbeetle.ClientEvictedError)

    def _end_all(self, error: Callable[[], Exception]) -> None:
        for answer in self._under_way:
            if not answer.done():
                answer.set_exception(error())

    async def _submit(self, kind: str, events: list[Any]) -> list[Any]:
        if self.is_closed:
            raise tigerbeetle.ClientClosedError
        if self.is_evicted:
            raise tigerbeetle.ClientEvictedError
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._cluster.send(Request(self, kind, events, answer))
        self._under_way[answer] = None
        try:
            result: list[Any] = await answer
        finally:
            del self._under_way[answer]
        return result


def ours(struct: Any) -> Transfer:
    """A transfer of the client as the core takes it; its ledger stays TigerBeetle's."""
    return Transfer(
        UUID(int=struct.id),
        UUID(int=struct.debit_account_id),
        UUID(int=struct.credit_account_id),
        struct.amount,
        struct.code,
        int(struct.flags),
        UUID(int=struct.pending_id) if struct.pending_id else None,
        struct.timeout,
        struct.ledger,
        struct.user_data_128,
        struct.user_data_64,
        struct.user_data_32,
    )


class Loss(Enum):
    """How a write fails."""

    BEFORE = "before"
    AFTER = "after"


@dataclass
class ModelledDatabase:
    """The tables of one tenant.

    Attributes:
        is_away: Refuses everything.
        losses: What the next writes come to.
        is_fencing: Refuses writers of an older epoch.
    """

    node: Node
    epoch: int = 0
    position: Position = Position.CLOSED
    is_held: bool = False
    reason: str = ""
    accounts: dict[UUID, tuple[NewAccount, Balance]] = field(default_factory=dict)
    lacking: set[UUID] = field(default_factory=set)
    rows: dict[UUID, Row] = field(default_factory=dict)
    endings: dict[UUID, list[UUID]] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    is_away: bool = False
    losses: list[Loss] = field(default_factory=list)
    is_fencing: bool = True

    def store(self) -> "ModelledStore":
        return ModelledStore(self)


class ModelledStore:
    """`Store` over the modelled database."""

    def __init__(self, database: ModelledDatabase) -> None:
        self._database = database

    async def take(self) -> Books:
        database = await self._reach()
        database.epoch += 1
        for row in list(database.rows.values()):
            if row.state is RowState.SENT:
                doubt = msgspec.structs.replace(row, state=RowState.UNKNOWN, is_verified=False)
                database.rows[row.transfer.id] = doubt
        rows = sorted(database.rows.values(), key=lambda row: row.sequence)
        return Books(
            database.epoch,
            database.position,
            database.is_held,
            database.reason,
            max((row.sequence for row in rows), default=0),
            list(database.accounts.values()),
            list(database.lacking),
            [row for row in rows if row.is_hold and row.is_booked and not self._ending(row)],
            [row for row in rows if not row.is_verified],
        )

    async def find(self, epoch: int, ids: Sequence[UUID], holds: Sequence[UUID]) -> Sequence[Row]:
        database = await self._reach()
        if database.is_fencing and database.epoch != epoch:
            raise BreakerFenced("tenant", epoch)
        wanted = dict.fromkeys([*ids, *holds])
        for hold_id in holds:
            hold = database.rows.get(hold_id)
            if hold is not None:
                wanted.update(dict.fromkeys(self._ending(hold)))
        return [database.rows[each] for each in wanted if each in database.rows]

    async def write(self, change: Change) -> None:
        database = await self._reach()
        loss = database.losses.pop() if database.losses else None
        if loss is Loss.BEFORE:
            raise JournalUnknown("tenant", "before")
        if database.is_fencing and database.epoch != change.epoch:
            raise BreakerFenced("tenant", change.epoch)
        self._write(change)
        if loss is Loss.AFTER:
            raise JournalUnknown("tenant", "after")
        await self._wait()

    async def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def _ending(self, hold: Row) -> list[UUID]:
        rows = self._database.rows
        endings = self._database.endings.get(hold.transfer.id, ())
        return [each for each in endings if rows[each].is_booked]

    async def _reach(self) -> ModelledDatabase:
        await self._wait()
        if self._database.is_away:
            raise JournalUnknown("tenant", "away")
        return self._database

    async def _wait(self) -> None:
        node = self._database.node
        await node.clock.sleep_ms(node.rng.randrange(2))

    def _write_accounts(self, change: Change) -> None:
        database = self._database
        for account in change.accounts:
            database.accounts[account.id] = (account, Balance(0, 0, 0, 0))
            if not change.are_there:
                database.lacking.add(account.id)
        for account_id, flags in change.flags.items():
            account, balance = database.accounts[account_id]
            database.accounts[account_id] = (replace(account, flags=flags), balance)
        if change.is_verified:
            database.lacking.clear()

    def _write(self, change: Change) -> None:
        database = self._database
        self._write_accounts(change)
        for row in change.rows:
            database.rows[row.transfer.id] = row
            if row.transfer.pending_id is not None:
                endings = database.endings.setdefault(row.transfer.pending_id, [])
                if row.transfer.id not in endings:
                    endings.append(row.transfer.id)
        for account_id, balance in change.balances.items():
            account = database.accounts[account_id][0]
            assert min(balance) >= 0, "the table refuses it"
            debits = balance.debits_pending + balance.debits_posted
            assert not account.flags & 2 or debits <= balance.credits_posted, "the table refuses it"
            database.accounts[account_id] = (account, balance)
        if change.is_verified:
            for row in list(database.rows.values()):
                if not row.is_verified:
                    state = RowState.DONE if row.state is RowState.NEW else row.state
                    changed = msgspec.structs.replace(row, state=state, is_verified=True)
                    database.rows[row.transfer.id] = changed
        if change.turn is not None:
            database.epoch += 1
            turn = change.turn
            database.position, database.is_held = turn.position, turn.is_held
            database.reason = turn.reason
            database.turns.append(turn)
