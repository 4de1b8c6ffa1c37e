"""A started bank behind a breaker, for tests of one rule at a time."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from actors.simulation import Simulation, simulate
from ledger import Balance, Transfer, TransferResult, hold, post, void
from ledger.breaker import (
    Answer,
    AskStatus,
    BreakerSettings,
    Position,
    Standing,
    Status,
    Submit,
)
from tests.ledger.breaker.model import ModelledCluster, ModelledDatabase
from tests.ledger.breaker.world import ANA, PI, SETTINGS, World, is_right

CREATED = TransferResult.CREATED
UNKNOWN = Standing.UNKNOWN

Test = Callable[["Bank"], Coroutine[Any, Any, None]]


class Bank(World):
    """A started world whose only customer is the test."""

    def plain(self, debtor: UUID, creditor: UUID, amount: int) -> Transfer:
        return Transfer(self.node.ids.new_id(), debtor, creditor, amount, 1)

    def hold(self, debtor: UUID, creditor: UUID, amount: int) -> Transfer:
        return hold(self.node.ids.new_id(), debtor, creditor, amount, 1)

    def post(self, held: Transfer) -> Transfer:
        return post(self.node.ids.new_id(), held.id)

    def void(self, held: Transfer) -> Transfer:
        return void(self.node.ids.new_id(), held.id)

    async def submit(self, *transfers: Transfer) -> tuple[Answer, ...]:
        answers = await self.node.call("breaker", Submit(transfers), timeout_ms=60_000)
        for transfer, answer in zip(transfers, answers, strict=True):
            if isinstance(answer, TransferResult):
                self.told[transfer.id] = answer
        assert isinstance(answers, tuple)
        return answers

    async def status(self) -> Status:
        status = await self.node.call("breaker", AskStatus(), timeout_ms=60_000)
        assert isinstance(status, Status)
        return status

    async def rest(self) -> None:
        await self.node.clock.sleep_ms(SETTINGS.rest_ms + 100)

    async def open(self) -> None:
        """A dead server opens it; what was under way is lost, and the caller told so."""
        self.cluster.kill()
        assert (await self.status()).position is Position.CLOSED
        assert await self.submit(self.plain(PI, ANA, 1)) == (UNKNOWN,)
        assert (await self.status()).position is Position.OPEN

    def mirrored(self, account_id: UUID) -> Balance:
        return self.database.accounts[account_id][1]


def run(test: Test, *, settings: BreakerSettings = SETTINGS) -> None:
    """Run a test in virtual time; at its end all promises hold if the breaker is closed."""

    async def tree(simulation: Simulation) -> None:
        node = simulation.node
        bank = Bank(node, ModelledCluster(node), ModelledDatabase(node), settings=settings)
        await bank.start()
        bank.told.clear()
        await test(bank)
        if (await bank.status()).position is Position.CLOSED:
            is_right(bank)

    error = simulate(tree, choices="").error
    if error is not None:
        raise error
