"""A bank behind a breaker, its customers, what happens to it, and what must be true at the end."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from actors import ActorError, Node, ProcessInfo, StartFailed
from actors.simulation import Faults, Simulation
from ledger import (
    AccountFlag,
    LedgerError,
    Transfer,
    TransferFlag,
    TransferResult,
    hold,
    post,
    void,
)
from ledger.breaker import (
    AddAccounts,
    AskStatus,
    Breaker,
    BreakerSettings,
    Close,
    Open,
    Position,
    RowState,
    Standing,
    Submit,
)
from ledger.core import Posting
from ledger.tigerbeetle import BackendSettings, NewAccount, TigerBeetle
from supervisors import Strategy, Supervisor, worker
from tests.ledger.breaker.model import Health, Loss, ModelledCluster, ModelledDatabase

TENANT = "12345678"
LEDGERS = {986: 7}
PI, ANA, BEA, CEU, OWN = (UUID(int=number) for number in (1, 2, 3, 4, 5))
CUSTOMERS = (ANA, BEA, CEU)
LIMITED = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
LIMITED_CREDIT = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
FUNDS = 100
SETTINGS = BreakerSettings(failures_max=3, rest_ms=5_000, call_ms=1_500, retry_ms=100)
BACKEND = BackendSettings(deadline_ms=1_000)
CLIENTS = 3
ORDERS = 4
FAULTS_MAX = 4
SPAN_MS = 20_000
"""Orders and faults fall into this time."""
CLOSED = (TransferResult.CREATED, TransferResult.EXISTS)


class NotHealed(AssertionError):
    """All is well again, and the breaker does not close."""


@dataclass
class Order:
    """What a customer wants once: retried under one id, and under a new one when that has failed.

    Attributes:
        ids: Used for it, in order.
        result: What the customer was told at last.
    """

    ids: list[UUID] = field(default_factory=list)
    result: TransferResult | None = None


@dataclass
class World:
    """Everything there is.

    Attributes:
        orders: Of all customers.
        chains: Ids of transfers that belong together.
        told: The last answer to each id.
        log: Faults, for whoever reads a failing seed.
    """

    node: Node
    cluster: ModelledCluster
    database: ModelledDatabase
    breaker_class: type[Breaker] = Breaker
    settings: BreakerSettings = SETTINGS
    orders: list[Order] = field(default_factory=list)
    chains: list[list[UUID]] = field(default_factory=list)
    told: dict[UUID, TransferResult] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def make_breaker(self, backend: str = "tigerbeetle") -> Breaker:
        return self.breaker_class(TENANT, backend, self.database.store(), self.settings)

    def make_backend(self) -> TigerBeetle:
        return TigerBeetle(self.cluster.connect, LEDGERS, BACKEND)

    async def start(self) -> None:
        while not await self.has_started():
            pass
        accounts = [NewAccount(PI, 2), *(NewAccount(each, 1, LIMITED) for each in CUSTOMERS)]
        accounts.append(NewAccount(OWN, 3, LIMITED_CREDIT))
        await self.until_done(AddAccounts(tuple(accounts)))
        await self.pay(Order(), lambda i: Transfer(i, OWN, PI, FUNDS, 1))
        for customer in CUSTOMERS:
            await self.pay(Order(), lambda i, to=customer: Transfer(i, PI, to, FUNDS, 1))

    async def has_started(self) -> bool:
        """False when somebody was killed before the tree stood."""
        children = [
            worker("tigerbeetle", self.make_backend, name="tigerbeetle"),
            worker("breaker", self.make_breaker, name="breaker"),
        ]
        tree = Supervisor(
            children, strategy=Strategy.ONE_FOR_ONE, max_restarts=1_000, max_seconds=1
        )
        try:
            await self.node.start(tree)
        except StartFailed:
            return False
        return True

    async def until_done(self, request: object, name: str = "breaker") -> Any:
        """Repeat a request until it is answered."""
        while True:
            try:
                return await self.node.call(name, request, timeout_ms=2_000)
            except (ActorError, LedgerError):
                await self.node.clock.sleep_ms(50 + self.node.rng.randrange(300))

    async def settle(self, transfer: Transfer) -> TransferResult:
        """Ask under one id until there is a result."""
        while True:
            name = "rival" if self.node.whereis("rival") and self.node.rng.random() < 0.5 else ""
            try:
                (answer,) = await self.node.call(
                    name or "breaker", Submit((transfer,)), timeout_ms=2_000
                )
            except (ActorError, LedgerError):
                answer = Standing.UNKNOWN
            if isinstance(answer, TransferResult):
                if self.told.get(transfer.id) is not TransferResult.CREATED:
                    self.told[transfer.id] = answer
                return answer
            await self.node.clock.sleep_ms(50 + self.node.rng.randrange(1_000))

    async def pay(self, order: Order, make: Callable[[UUID], Transfer]) -> bool:
        """Carry out an order; True when it is booked."""
        self.orders.append(order)
        for _ in range(3):
            transfer_id = self.node.ids.new_id()
            order.ids.append(transfer_id)
            order.result = await self.settle(make(transfer_id))
            if order.result is not TransferResult.ID_ALREADY_FAILED:
                break
        return order.result in CLOSED

    # Customers

    async def customer(self) -> None:
        rng, clock = self.node.rng, self.node.clock
        for _ in range(ORDERS):
            await clock.sleep_ms(rng.randrange(2 * SPAN_MS // ORDERS))
            await self.order()

    async def order(self) -> None:
        rng, clock = self.node.rng, self.node.clock
        debtor, creditor = rng.sample((PI, OWN, *CUSTOMERS), 2)
        amount = rng.choice((5, 30, 60, FUNDS))
        kind = rng.random()
        if kind < 0.35:
            await self.pay(Order(), partial(plain, debtor, creditor, amount))
        elif kind < 0.55:
            await self.pay_chain(debtor, creditor, amount)
        elif kind < 0.62:
            await self.close_account(rng.choice(CUSTOMERS))
        else:
            order = Order()
            seconds = rng.choice((0, 0, 1, 4, 15))
            if await self.pay(order, partial(held, debtor, creditor, amount, seconds)):
                await clock.sleep_ms(rng.randrange(SPAN_MS // 4))
                if seconds and rng.random() < 0.5:
                    return  # it ends by itself
                await self.end_hold(order.ids[-1], amount)

    async def pay_chain(self, debtor: UUID, creditor: UUID, amount: int) -> None:
        """All or nothing: money that goes on at once, and perhaps a hold with its end."""
        rng, new_id = self.node.rng, self.node.ids.new_id
        third = rng.choice([each for each in (PI, *CUSTOMERS) if each not in {debtor, creditor}])
        chain = [
            plain(debtor, creditor, amount, new_id()),
            plain(creditor, third, amount, new_id()),
        ]
        if rng.random() < 0.4:
            chain.append(held(third, debtor, amount, 0, new_id()))
            chain.append(post(new_id(), chain[-1].id))
        await self.settle_chain([*map(linked, chain[:-1]), chain[-1]])

    async def settle_chain(self, chain: list[Transfer]) -> None:
        self.chains.append([each.id for each in chain])
        while True:
            try:
                answers = await self.node.call("breaker", Submit(tuple(chain)), timeout_ms=2_000)
            except (ActorError, LedgerError):
                answers = ()
            if answers and all(isinstance(answer, TransferResult) for answer in answers):
                for each, answer in zip(chain, answers, strict=True):
                    if self.told.get(each.id) is not TransferResult.CREATED:
                        self.told[each.id] = answer
                return
            await self.node.clock.sleep_ms(50 + self.node.rng.randrange(1_000))

    async def close_account(self, customer: UUID) -> None:
        """Nothing moves on it until it is opened again."""
        order = Order()
        if await self.pay(order, partial(closing, customer, PI)):
            await self.node.clock.sleep_ms(self.node.rng.randrange(SPAN_MS // 4))
            await self.pay(Order(), lambda transfer_id: void(transfer_id, order.ids[-1]))

    async def end_hold(self, hold_id: UUID, amount: int) -> None:
        """Post or void; now and then somebody else does at the same time."""
        rng = self.node.rng
        ways = [lambda i: post(i, hold_id), lambda i: void(i, hold_id)]
        ways.append(lambda i: post(i, hold_id, amount // 2))
        chosen = rng.sample(ways, 2 if rng.random() < 0.3 else 1)
        pids = [self.node.spawn(lambda way=way: self.pay(Order(), way)) for way in chosen]
        for pid in pids:
            await self.node.join(pid)

    # Misfortune

    async def misfortune(self) -> None:
        rng, clock = self.node.rng, self.node.clock
        for _ in range(1 + rng.randrange(FAULTS_MAX)):
            await clock.sleep_ms(rng.randrange(2 * SPAN_MS // FAULTS_MAX))
            fault = rng.choice(FAULTS)
            self.log.append(fault.__name__)
            await fault(self)
        self.database.is_away = False
        self.database.losses.clear()
        self.cluster.heal()

    async def is_closed(self) -> None:
        """Wait for the way back, which takes a rest or two."""
        for _ in range(8):
            status = await self.until_done(AskStatus())
            if status.position is Position.CLOSED:
                return
            if status.is_held and status.reason != "drill":
                raise NotHealed(status.reason)
            if status.is_held:  # whoever opened it was not told that it did not close
                await self.until_done(Close("drill is over", "somebody"))
            await self.node.clock.sleep_ms(SETTINGS.rest_ms)
        raise NotHealed(status.reason)


def plain(debtor: UUID, creditor: UUID, amount: int, transfer_id: UUID) -> Transfer:
    return Transfer(transfer_id, debtor, creditor, amount, 1)


def held(debtor: UUID, creditor: UUID, amount: int, seconds: int, transfer_id: UUID) -> Transfer:
    return hold(transfer_id, debtor, creditor, amount, 1, timeout_seconds=seconds)


def closing(debtor: UUID, creditor: UUID, transfer_id: UUID) -> Transfer:
    flags = int(TransferFlag.PENDING | TransferFlag.CLOSING_DEBIT)
    return Transfer(transfer_id, debtor, creditor, 0, 1, flags)


def linked(transfer: Transfer) -> Transfer:
    return msgspec.structs.replace(transfer, flags=transfer.flags | TransferFlag.LINKED)


def duration_ms(world: World) -> int:
    return world.node.rng.choice((300, 1_200, 2_500, 8_000, 20_000))


async def freeze(world: World) -> None:
    world.cluster.freeze()
    await world.node.clock.sleep_ms(duration_ms(world))
    world.cluster.heal()


async def kill(world: World) -> None:
    world.cluster.kill()
    await world.node.clock.sleep_ms(duration_ms(world))
    world.cluster.heal()


async def slow_down(world: World) -> None:
    world.cluster.slow_ms = world.node.rng.choice((500, 3_000, 8_000))
    await world.node.clock.sleep_ms(duration_ms(world))
    world.cluster.slow_ms = 0


async def evict(world: World) -> None:
    world.cluster.evict()


async def lose_database(world: World) -> None:
    world.database.is_away = True
    await world.node.clock.sleep_ms(world.node.rng.randrange(3_000))
    world.database.is_away = False


async def lose_writes(world: World) -> None:
    rng = world.node.rng
    world.database.losses = [rng.choice(tuple(Loss)) for _ in range(1 + rng.randrange(3))]


async def start_rival(world: World) -> None:
    """A second program believes that it is the one."""
    node = world.node
    if node.whereis("rival") is None:
        if node.whereis("rival tigerbeetle") is None:
            await node.start(world.make_backend(), name="rival tigerbeetle", link=False)
        with suppress(StartFailed):  # it was killed before it had begun
            await node.start(world.make_breaker("rival tigerbeetle"), name="rival", link=False)


async def operate(world: World) -> None:
    """A person opens the breaker, and closes it again."""
    await world.until_done(Open("drill", "somebody"))
    await world.node.clock.sleep_ms(duration_ms(world))
    for _ in range(8):  # who opened it sees to it that it closes
        status = await world.until_done(Close("drill is over", "somebody"))
        if status.position is Position.CLOSED:
            break
        await world.node.clock.sleep_ms(SETTINGS.rest_ms)


async def open_account(world: World) -> None:
    """A new customer, who can wait."""
    account = NewAccount(world.node.ids.new_id(), 1, LIMITED)
    world.node.spawn(lambda: world.until_done(AddAccounts((account,))), link=False)


FAULTS = (
    freeze,
    freeze,
    kill,
    slow_down,
    evict,
    lose_database,
    lose_writes,
    start_rival,
    operate,
    open_account,
)


def mortal(info: ProcessInfo) -> bool:
    return info.name in ("breaker", "tigerbeetle", "rival")


MORTAL = Faults(crashes=2, may_crash=mortal, steps_max=20_000)


async def live(
    simulation: Simulation,
    breaker_class: type[Breaker] = Breaker,
    *,
    is_fencing: bool = True,
    meddle: Callable[[World], Any] | None = None,
) -> World:
    """One life of the bank: its customers are served to the end, whatever happens."""
    node = simulation.node
    world = World(node, ModelledCluster(node), ModelledDatabase(node), breaker_class)
    world.database.is_fencing = is_fencing
    await world.start()
    pids = [node.spawn(world.customer) for _ in range(CLIENTS)]
    pids.append(node.spawn(world.misfortune))
    if meddle is not None:
        pids.append(node.spawn(lambda: meddle(world)))
    for pid in pids:
        await node.join(pid)
    await node.clock.sleep_ms(10_000)  # what is still on its way arrives
    await world.is_closed()
    await node.clock.sleep_ms(16_000)  # the last holds end by themselves
    await world.is_closed()
    await world.until_done(Submit(()))
    return world


async def bank(simulation: Simulation) -> World:
    return await live(simulation)


def is_right(world: World) -> None:
    """The promises of the breaker."""
    journal, cluster = world.database.rows, world.cluster.state.facts.transfers
    assert world.cluster.health is Health.WELL
    # No loss: what was acknowledged is in the books, and what was refused is not.
    for transfer_id, result in world.told.items():
        assert (transfer_id.int in cluster) == (result in CLOSED), (transfer_id, result.name)
    # No double: an order is carried out at most once, under whichever of its ids.
    for order in world.orders:
        assert sum(each.int in cluster for each in order.ids) <= 1
    # All or nothing: no chain was cut.
    for chain in world.chains:
        assert sum(each.int in cluster for each in chain) in {0, len(chain)}
    # In time: no hold that ends by itself is open.
    for row in journal.values():
        assert not (row.expires_at and row.transfer.id.int in world.cluster.state.holds)
    # One truth: journal and TigerBeetle have the same transfers, and the same balances.
    done = {row.transfer.id.int for row in journal.values() if row.state is RowState.DONE}
    assert done == set(cluster)
    assert all(row.state in (RowState.DONE, RowState.FAILED) for row in journal.values())
    for account_id, (account, mirrored) in world.database.accounts.items():
        assert mirrored == world.cluster.balance(account_id), account_id
        assert account.flags == world.cluster.state.accounts[account_id.int].flags
    limits_are_kept(world)
    sums_are_equal(world, list(cluster.values()))


def limits_are_kept(world: World) -> None:
    for account in world.cluster.state.accounts.values():
        debits = account.debits_pending + account.debits_posted
        credits_ = account.credits_pending + account.credits_posted
        assert not account.flags & LIMITED or debits <= account.credits_posted
        assert not account.flags & LIMITED_CREDIT or credits_ <= account.debits_posted


def sums_are_equal(world: World, postings: list[Posting]) -> None:
    balances = [account.balance() for account in world.cluster.state.accounts.values()]
    sums = [sum(counter) for counter in zip(*balances, strict=True)]
    assert (sums[0], sums[1]) == (sums[2], sums[3])
    endings = [each.pending_id for each in postings if each.pending_id is not None]
    assert len(endings) == len(set(endings)), "a hold ends once"
