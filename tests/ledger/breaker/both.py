"""A shard whose money is in two ledgers: a real PostgreSQL and a modelled TigerBeetle."""

import asyncio
from uuid import UUID

import asyncpg

from actors import ActorError, Node
from ledger import (
    AccountBook,
    Answer,
    Balance,
    BatchCommitted,
    Commit,
    Committed,
    Entry,
    Idempotency,
    LedgerError,
    OpenAccounts,
    Replayed,
    ShardWriter,
    Transfer,
    TransferCode,
    hold,
)
from ledger.breaker import (
    AskStatus,
    BothStore,
    Breaker,
    BreakerSettings,
    CatchUp,
    Door,
    Follow,
    Follower,
    Neighbours,
    Position,
    PostgresStore,
    Status,
)
from ledger.tigerbeetle import BackendSettings, TigerBeetle, ledger_numbers
from supervisors import Strategy, Supervisor, supervisor, worker
from tests.ledger.bank import FUNDS_CENTS, SHARD, TENANT, Bank
from tests.ledger.breaker.model import ModelledCluster

WRITER, DOOR, FOLLOWER, BREAKER, BACKEND = "writer", "door", "follower", "breaker", "tigerbeetle"
PATIENT_MS = 20_000
"""A deadline that only a server that does not answer can miss, however slow the machine is."""

QUICK_MS = 1_000
"""A deadline for tests in which one is missed."""

TO = Neighbours(WRITER, BREAKER, FOLLOWER)


class BothBank:
    """The processes of one shard with TigerBeetle, and its customers with `FUNDS_CENTS` each.

    Args:
        node: Where they run.
        dsn: Migrated.
        deadline_ms: Of TigerBeetle.
        failures_max: That open the breaker.
    """

    def __init__(
        self, node: Node, dsn: str, deadline_ms: int = PATIENT_MS, failures_max: int = 1
    ) -> None:
        self.node = node
        self.dsn = dsn
        self.book = AccountBook()
        self.cluster = ModelledCluster(node)
        self.bank = Bank(node, dsn, self.book)
        self.backend = BackendSettings(deadline_ms=deadline_ms)
        self.settings = BreakerSettings(
            failures_max=failures_max,
            rest_ms=200,
            call_ms=2 * deadline_ms,
            retry_ms=10,
            reload_ms=50,
        )
        self._numbers: dict[int, int] = {}

    async def start(self) -> None:
        """Start everything, open accounts, fund them, and let TigerBeetle follow."""
        connection = await asyncpg.connect(self.dsn)
        self._numbers = await ledger_numbers(connection, TENANT, [986])
        await connection.close()
        self.bank.accounts = self.bank.make_accounts()
        breaker = [
            worker(BACKEND, self._make_backend, name=BACKEND),
            worker(BREAKER, self.make_breaker, name=BREAKER),
        ]
        shard = [
            worker(WRITER, self._make_writer, name=WRITER),
            worker(DOOR, self._make_door, name=DOOR),
            worker(FOLLOWER, self._make_follower, name=FOLLOWER),
        ]
        children = [
            supervisor("breaker", breaker, strategy=Strategy.ONE_FOR_ONE, max_restarts=100),
            supervisor("shard", shard, strategy=Strategy.REST_FOR_ONE, max_restarts=100),
        ]
        await self.node.start(Supervisor(children, strategy=Strategy.ONE_FOR_ONE))

    async def fund(self) -> None:
        opened = OpenAccounts(tuple(self.bank.accounts))
        assert await self.node.call(WRITER, opened, timeout_ms=PATIENT_MS) == Committed()
        own = self.bank.accounts[0].id
        funding = tuple(
            Entry((self.plain(own, each.id, FUNDS_CENTS),)) for each in self.bank.accounts[2:]
        )
        assert set(await self.commit(*funding)) == {Committed()}
        while not await self.catch_up():
            await self.node.clock.sleep_ms(20)

    def _make_writer(self) -> ShardWriter:
        return ShardWriter(SHARD, self.dsn, self.book, on_committed=self._on_committed)

    def _on_committed(self, batch: BatchCommitted) -> None:
        del batch
        self.node.cast(FOLLOWER, Follow())

    def _make_door(self) -> Door:
        return Door(TO, self.book, self.store())

    def _make_follower(self) -> Follower:
        return Follower(SHARD.id, BREAKER, self.book, self.store())

    def _make_backend(self) -> TigerBeetle:
        return TigerBeetle(self.cluster.connect, self._numbers, self.backend)

    def make_breaker(self) -> Breaker:
        return Breaker(TENANT, BACKEND, PostgresStore(self.dsn, TENANT), self.settings)

    def store(self) -> BothStore:
        return BothStore(self.dsn, TENANT, SHARD.id)

    def plain(self, debtor: UUID, creditor: UUID, amount: int) -> Transfer:
        return Transfer(
            self.node.ids.new_id(), debtor, creditor, amount, TransferCode.BOOK_TRANSFER
        )

    def hold(self, amount: int, customer: int = 0) -> Transfer:
        new_id, pi = self.node.ids.new_id(), self.bank.pi
        return hold(new_id, self.bank.customer(customer), pi, amount, TransferCode.PIX_OUT)

    async def commit(self, *entries: Entry) -> tuple[Answer, ...]:
        answers = await self.node.call(DOOR, Commit(entries), timeout_ms=60_000)
        assert isinstance(answers, tuple)
        return answers

    async def reserve(self, *holds: Transfer) -> tuple[Answer, ...]:
        return await self.commit(*(Entry((each,)) for each in holds))

    async def until_answered(self, entry: Entry) -> Answer:
        """Ask until there is an answer: a customer with an idempotency key may."""
        while True:
            try:
                (answer,) = await self.commit(entry)
            except (ActorError, LedgerError):
                await self.node.clock.sleep_ms(20)
            else:
                return answer

    async def until_held(self, amount: int, customer: int) -> UUID:
        """Order once, as a customer does: one key, and a new hold at every attempt; its id."""
        name = str(self.node.ids.new_id())
        while True:
            held = self.hold(amount, customer)
            key = Idempotency(name, b"same", held.id)
            try:
                (answer,) = await self.commit(Entry((held,), idempotency=key))
            except (ActorError, LedgerError):
                await self.node.clock.sleep_ms(20)
            else:
                assert isinstance(answer, (Committed, Replayed)), answer
                return answer.subject_id if isinstance(answer, Replayed) else held.id

    async def catch_up(self) -> bool:
        return bool(await self.node.call(FOLLOWER, CatchUp(), timeout_ms=60_000))

    async def status(self) -> Status:
        status = await self.node.call(BREAKER, AskStatus(), timeout_ms=60_000)
        assert isinstance(status, Status)
        return status

    async def until(self, position: Position) -> None:
        while True:
            try:
                if (await self.status()).position is position:
                    return
            except ActorError:
                pass
            await self.node.clock.sleep_ms(20)

    def there(self, account_id: UUID) -> Balance:
        """What TigerBeetle has."""
        return self.cluster.balance(account_id)

    async def until_equal(self) -> None:
        """Wait until both ledgers have the same balances on every account.

        Nobody asks anything meanwhile; a test that waits for ever is ended by its timeout.
        """
        while not await self._is_equal():
            await asyncio.sleep(0.02)

    async def _is_equal(self) -> bool:
        known = self.cluster.state.accounts
        if any(each.id.int not in known for each in self.bank.accounts):
            return False
        return all(self.there(each.id) == self.book.balance(each.id) for each in self.bank.accounts)

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def check(self) -> None:
        """Each transfer is in both ledgers, once, and neither has another one."""
        await self.until_equal()
        stored = {row[0] for row in await self.rows("SELECT id FROM transfers")}
        aliases = {row[0]: row[1] for row in await self.rows(ALIASES)}
        wanted = {aliases.get(each, each) for each in stored}
        cluster = self.cluster.state.facts.transfers
        extra = {UUID(int=key) for key in cluster} - wanted
        assert wanted <= {UUID(int=key) for key in cluster}
        # What else is there is nobody's: a hold that was released.
        voided = {cluster[each.int].pending_id for each in extra}
        assert extra == {each for each in extra if each in voided or cluster[each.int].pending_id}


ALIASES = "SELECT transfer_id, used_id FROM breaker_aliases"
