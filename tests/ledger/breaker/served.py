"""A breaker on a real PostgreSQL, in front of a modelled TigerBeetle, in real time."""

from uuid import UUID

import asyncpg

from actors import Node
from ledger import Transfer, TransferResult
from ledger.breaker import (
    AddAccounts,
    AskStatus,
    Breaker,
    BreakerSettings,
    Position,
    PostgresStore,
    Standing,
    Submit,
)
from ledger.tigerbeetle import BackendSettings, NewAccount, TigerBeetle
from supervisors import Strategy, Supervisor, worker
from tests.ledger.breaker.model import ModelledCluster

TENANT = "12345678"
PI, ANA, BEA = (UUID(int=number) for number in (1, 2, 3))
ACCOUNTS = (NewAccount(PI, 2), NewAccount(ANA, 1, 2), NewAccount(BEA, 1, 2))
BOOKED = (TransferResult.CREATED, TransferResult.EXISTS)
PATIENT_MS = 20_000
"""A deadline that only a server that does not answer can miss, however slow the machine is."""


class ServedBank:
    """A breaker on a real PostgreSQL, in front of a modelled TigerBeetle."""

    def __init__(self, node: Node, dsn: str, deadline_ms: int = PATIENT_MS) -> None:
        self.node = node
        self.dsn = dsn
        self.deadline_ms = deadline_ms
        self.settings = BreakerSettings(
            failures_max=1,
            rest_ms=200,
            call_ms=2 * deadline_ms,
            retry_ms=10,
            reload_ms=50,
        )
        self.cluster = ModelledCluster(node)
        self.accounts = ACCOUNTS

    async def start(self) -> None:
        backend = BackendSettings(deadline_ms=self.deadline_ms)
        await self.node.start(
            Supervisor(
                [
                    worker(
                        "tigerbeetle",
                        lambda: TigerBeetle(self.cluster.connect, {986: 7}, backend),
                        name="tigerbeetle",
                    ),
                    worker("breaker", self.make, name="breaker"),
                ],
                strategy=Strategy.ONE_FOR_ONE,
                max_restarts=100,
                max_seconds=1,
            )
        )
        await self.call(AddAccounts(ACCOUNTS))
        for customer in (ANA, BEA):
            assert await self.settle(self.plain(PI, customer, 100)) in BOOKED

    def make(self) -> Breaker:
        return Breaker(TENANT, "tigerbeetle", PostgresStore(self.dsn, TENANT), self.settings)

    async def call(self, request: object) -> object:
        return await self.node.call("breaker", request, timeout_ms=60_000)

    async def submit(self, *transfers: Transfer) -> object:
        return await self.call(Submit(transfers))

    async def settle(self, transfer: Transfer) -> TransferResult:
        while True:
            try:
                (answer,) = await self.node.call("breaker", Submit((transfer,)))
            except Exception:  # noqa: BLE001 (whatever it was, the same id may be sent again)
                answer = Standing.UNKNOWN
            if isinstance(answer, TransferResult):
                return answer
            await self.node.clock.sleep_ms(20)

    async def closed(self) -> None:
        while (await self.call(AskStatus())).position is not Position.CLOSED:  # type: ignore[attr-defined] # a `Status`
            await self.node.clock.sleep_ms(20)

    def plain(self, debtor: UUID, creditor: UUID, amount: int) -> Transfer:
        return Transfer(self.node.ids.new_id(), debtor, creditor, amount, 1)

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def check(self) -> None:
        """Both ledgers have the same transfers and the same balances."""
        stored = await self.rows(
            "SELECT id, debits_pending, debits_posted, credits_pending, credits_posted"
            " FROM breaker_accounts"
        )
        assert {row[0]: row[1:] for row in stored} == {
            each.id: tuple(self.cluster.balance(each.id)) for each in ACCOUNTS
        }
        done = await self.rows("SELECT id FROM breaker_journal WHERE state = 'done'")
        assert {row[0] for row in done} == {
            UUID(int=key) for key in self.cluster.state.facts.transfers
        }
        open_ = "SELECT count(*) FROM breaker_journal WHERE state NOT IN ('done', 'failed')"
        assert await self.rows(open_) == [(0,)]
