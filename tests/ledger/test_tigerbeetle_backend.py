"""The back end in virtual time: what it merges, what it cuts, and what it never cancels."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import msgspec
import pytest
import tigerbeetle

from actors import CallTimeout, Killed, Node
from actors.simulation import Simulation, simulate
from ledger import AccountFlag, OverLimit, Transfer, TransferFlag, TransferResult
from ledger.tigerbeetle import (
    BackendSettings,
    CreateAccounts,
    CreateTransfers,
    DropRetired,
    LookUpAccounts,
    LookUpTransfers,
    NewAccount,
    OpenChain,
    OutOfRange,
    Renew,
    TigerBeetle,
    TigerBeetleUnknown,
    UnexpectedAnswer,
    UnknownLedger,
    connect,
)
from tests.ledger.breaker.model import ModelledCluster
from tests.ledger.native_threads import native_threads

__all__ = ["native_threads"]  # a fixture, found by its name

LEDGERS = {986: 7}
STAMPED = tigerbeetle.CreateTransferResult(
    1, tigerbeetle.CreateTransferStatus.TIMESTAMP_MUST_BE_ZERO
)
ONE, TWO, POOR = (UUID(int=number) for number in (1, 2, 3))
LIMITED = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
LINKED = int(TransferFlag.LINKED)
DEADLINE_MS = 1_000
BACKEND = "tigerbeetle"
CREATED = TransferResult.CREATED

Test = Callable[["Setting"], Coroutine[Any, Any, None]]


class Setting:
    """A back end with two accounts, in front of a modelled cluster."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.cluster = ModelledCluster(node)
        self._numbers = iter(range(1_000, 100_000))

    async def start(self, settings: BackendSettings | None = None) -> None:
        settings = settings or BackendSettings(deadline_ms=DEADLINE_MS)
        backend = TigerBeetle(self.cluster.connect, LEDGERS, settings)
        await self.node.start(backend, name=BACKEND)
        new = (NewAccount(ONE, 1), NewAccount(TWO, 1), NewAccount(POOR, 1, LIMITED))
        await self.call(CreateAccounts(new))
        self.cluster.requests.clear()

    async def call(self, request: object) -> Any:
        return await self.node.call(BACKEND, request, timeout_ms=60_000)

    def transfer(self, flags: int = 0) -> Transfer:
        return Transfer(UUID(int=next(self._numbers)), ONE, TWO, 1, 1, flags)

    def transfers(self, count: int, flags: int = 0) -> tuple[Transfer, ...]:
        return tuple(self.transfer(flags) for _ in range(count))

    async def create_all(self, *requests: tuple[Transfer, ...]) -> list[Any]:
        """Ask for all of them at once."""
        calls = (self.call(CreateTransfers(each)) for each in requests)
        return await asyncio.gather(*calls, return_exceptions=True)

    def sizes(self) -> list[int]:
        """Of the requests of transfers that the cluster carried out."""
        return [size for kind, size in self.cluster.requests if kind == "create_transfers"]


def run(test: Test, *, settings: BackendSettings | None = None, choices: str = "") -> None:
    async def tree(simulation: Simulation) -> None:
        setting = Setting(simulation.node)
        await setting.start(settings)
        await test(setting)
        await simulation.node.shutdown()
        assert all(client.is_closed for client in setting.cluster.clients)

    error = simulate(tree, choices=choices).error
    if error is not None:
        raise error


def test_what_is_asked_for_during_a_request_goes_with_the_next_one() -> None:
    async def test(setting: Setting) -> None:
        answers = await setting.create_all(*(setting.transfers(2) for _ in range(10)))

        assert answers == [(CREATED, CREATED)] * 10
        assert setting.sizes() == [2, 18]

    run(test)


def test_kinds_of_requests_do_not_wait_for_each_other() -> None:
    async def test(setting: Setting) -> None:
        setting.cluster.freeze()
        creating = setting.node.spawn(lambda: setting.create_all(setting.transfers(1)))
        await setting.node.clock.sleep_ms(10)
        looking = setting.node.spawn(lambda: setting.call(LookUpAccounts((ONE,))))
        await setting.node.clock.sleep_ms(10)
        setting.cluster.heal()
        await setting.node.join(looking)
        await setting.node.join(creating)
        assert [kind for kind, _ in setting.cluster.requests] == [
            "create_transfers",
            "lookup_accounts",
        ]

    run(test)


def test_large_request_is_sent_in_parts_and_answered_whole() -> None:
    async def test(setting: Setting) -> None:
        poor = tuple(
            msgspec.structs.replace(setting.transfer(), debit_account_id=POOR) for _ in range(3)
        )
        small, large = setting.transfers(1), (*setting.transfers(25), *poor)

        one, many = await setting.create_all(small, large)

        assert one == (CREATED,)
        assert many == (*[CREATED] * 25, *[TransferResult.EXCEEDS_CREDITS] * 3)
        assert setting.sizes() == [1, 10, 10, 8]

    run(test, settings=BackendSettings(batch_max=10))


def test_chain_is_never_cut_and_never_joined_to_another_callers_transfer() -> None:
    async def test(setting: Setting) -> None:
        chain = (*setting.transfers(3, LINKED), setting.transfer())
        first = setting.transfers(1)
        answers = await setting.create_all(first, setting.transfers(8), chain, chain[:2])

        assert answers[:3] == [(CREATED,), (CREATED,) * 8, (CREATED,) * 4]
        assert isinstance(answers[3], OpenChain)
        assert setting.sizes() == [1, 8, 4]

    run(test, settings=BackendSettings(batch_max=10))


def test_chain_that_no_request_can_hold_is_refused_and_nobody_else_is() -> None:
    async def test(setting: Setting) -> None:
        chain = (*setting.transfers(10, LINKED), setting.transfer())
        answers = await setting.create_all(setting.transfers(1), chain, setting.transfers(1))

        assert answers[0] == answers[2] == (CREATED,)
        assert isinstance(answers[1], OverLimit)

    run(test, settings=BackendSettings(batch_max=10))


@pytest.mark.parametrize(("limit", "first_size"), [(253, 253), (100, 63)])
def test_limit_of_the_server_is_learnt_from_its_client(limit: int, first_size: int) -> None:
    async def test(setting: Setting) -> None:
        setting.cluster.batch_max = limit

        answers = await setting.create_all(setting.transfers(600))
        again = await setting.create_all(setting.transfers(600))

        assert answers == again == [(CREATED,) * 600]
        assert setting.sizes()[0] == first_size
        assert len(setting.sizes()) == 2 * -(-600 // first_size)

    run(test)


def test_field_that_does_not_fit_fails_its_own_caller_only() -> None:
    async def test(setting: Setting) -> None:
        wide = (msgspec.structs.replace(setting.transfer(), code=1 << 16),)
        euros = (msgspec.structs.replace(setting.transfer(), ledger=978),)
        answers = await setting.create_all(setting.transfers(1), wide, euros, setting.transfers(1))

        assert answers[0] == answers[3] == (CREATED,)
        assert isinstance(answers[1], OutOfRange)
        assert isinstance(answers[2], UnknownLedger)

    run(test)


def test_overdue_request_is_unknown_and_runs_when_the_server_thaws() -> None:
    async def test(setting: Setting) -> None:
        setting.cluster.freeze()
        sent = setting.transfers(1)
        started = setting.node.clock.monotonic_ns()

        (answer,) = await setting.create_all(sent)

        assert isinstance(answer, TigerBeetleUnknown)
        assert answer.problem == "deadline"
        assert setting.node.clock.monotonic_ns() - started == DEADLINE_MS * 1_000_000
        setting.cluster.heal()
        await setting.node.clock.sleep_ms(100)
        assert setting.cluster.state.find(sent[0].id.int) is not None
        found = await setting.call(LookUpTransfers((sent[0].id, UUID(int=5))))
        assert found[sent[0].id].transfer == sent[0]
        assert list(found) == [sent[0].id]

    run(test)


def test_request_after_an_overdue_one_uses_a_new_client_and_the_old_one_stays_open() -> None:
    async def test(setting: Setting) -> None:
        setting.cluster.freeze()
        await setting.create_all(setting.transfers(1))
        setting.cluster.heal()
        assert await setting.create_all(setting.transfers(1)) == [(CREATED,)]

        old, new = setting.cluster.clients
        assert not old.is_closed
        setting.node.cast(BACKEND, DropRetired())
        await setting.node.clock.sleep_ms(10)
        assert old.is_closed
        assert not new.is_closed

    run(test)


def test_evicted_client_is_replaced_and_its_request_is_unknown() -> None:
    async def test(setting: Setting) -> None:
        setting.cluster.freeze()
        asking = setting.node.spawn(lambda: evicted(setting))
        await setting.node.clock.sleep_ms(10)
        setting.cluster.evict()
        assert not (await setting.node.join(asking)).is_abnormal
        setting.cluster.heal()
        assert await setting.create_all(setting.transfers(1)) == [(CREATED,)]

    async def evicted(setting: Setting) -> None:
        (answer,) = await setting.create_all(setting.transfers(1))
        assert isinstance(answer, TigerBeetleUnknown)
        assert answer.problem == "ClientEvictedError"

    run(test)


def test_clients_that_were_replaced_are_bounded() -> None:
    async def test(setting: Setting) -> None:
        for _ in range(10):
            await setting.create_all(setting.transfers(1))
            setting.node.cast(BACKEND, Renew())
        await setting.node.clock.sleep_ms(10)

        assert sum(not client.is_closed for client in setting.cluster.clients) == 4

    run(test)


def test_killed_back_end_leaves_no_client_open_and_its_request_still_runs() -> None:
    async def test(setting: Setting) -> None:
        setting.cluster.freeze()
        pid = setting.node.whereis(BACKEND)
        assert pid is not None
        sent = setting.transfers(1)
        asking = setting.node.spawn(lambda: setting.create_all(sent))
        await setting.node.clock.sleep_ms(10)
        setting.node.exit(pid, Killed())
        await setting.node.join(asking)
        await setting.node.clock.sleep_ms(10)

        assert all(client.is_closed for client in setting.cluster.clients)
        setting.cluster.heal()
        assert setting.cluster.state.find(sent[0].id.int) is not None

    run(test)


def test_caller_that_gives_up_early_does_not_disturb_the_others() -> None:
    async def test(setting: Setting) -> None:
        setting.cluster.freeze()
        hasty = setting.node.call(BACKEND, CreateTransfers(setting.transfers(1)), timeout_ms=100)
        with pytest.raises(CallTimeout):
            await hasty
        setting.cluster.heal()

        assert await setting.create_all(setting.transfers(2)) == [(CREATED, CREATED)]

    run(test)


def test_nothing_asked_for_is_nothing_sent() -> None:
    async def test(setting: Setting) -> None:
        assert await setting.call(CreateTransfers(())) == ()
        assert await setting.call(LookUpAccounts(())) == {}
        assert setting.cluster.requests == []

    run(test)


class OddClient:
    """Answers what no server would."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    async def create_transfers(self, transfers: list[Any]) -> list[Any]:
        del transfers
        if isinstance(self.outcome, Exception):
            raise self.outcome
        result: list[Any] = self.outcome
        return result

    async def close(self) -> None:
        raise RuntimeError("it cannot even close")


@pytest.mark.parametrize(
    ("outcome", "error", "problem"),
    [
        ([], UnexpectedAnswer, "0 results for 1 events"),
        ([STAMPED], UnexpectedAnswer, "status 3"),
        (tigerbeetle.TooMuchDataError(), UnexpectedAnswer, "one event is too much data"),
        (tigerbeetle.ClientReleaseTooHighError(), TigerBeetleUnknown, "ClientReleaseTooHighError"),
        (ValueError("?"), TigerBeetleUnknown, "ValueError"),
    ],
)
async def test_odd_answer_is_the_callers_error_and_the_back_end_lives(
    node: Node, outcome: Any, error: type[Exception], problem: str
) -> None:
    connect_odd: Any = lambda: OddClient(outcome)  # noqa: E731 (a client of one method)
    backend = await node.start(TigerBeetle(connect_odd, LEDGERS))
    for number in (1, 2):
        sent = CreateTransfers((Transfer(UUID(int=number), ONE, TWO, 1, 1),))
        with pytest.raises(error, match=problem):
            await node.call(backend, sent)
    await node.stop(backend)


async def test_official_client_without_a_server_is_an_unknown_outcome_and_closes(
    native_threads: None, node: Node
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        make = connect(0, str(nobody.getsockname()[1]))
        settings = BackendSettings(deadline_ms=200)
        backend = await node.start(TigerBeetle(make, LEDGERS, settings))
        for _ in range(2):  # the second one by a second client
            with pytest.raises(TigerBeetleUnknown, match="deadline"):
                await node.call(backend, LookUpAccounts((ONE,)))
        node.cast(backend, DropRetired())
        with pytest.raises(TigerBeetleUnknown):
            await node.call(backend, LookUpAccounts((ONE,)))
        await node.stop(backend)
