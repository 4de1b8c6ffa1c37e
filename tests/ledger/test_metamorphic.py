"""One random log of commands through the core alone and through the writer: the same books."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from actors import Clock, Node
from ledger import (
    AMOUNT_ALL,
    Account,
    AccountCode,
    AccountFlag,
    Committed,
    Entry,
    OpenAccounts,
    Refused,
    Transfer,
    TransferResult,
    hold,
    post,
    replay,
    verify,
    void,
)
from ledger.core import AccountState, LedgerState, apply, expire_holds, undo
from tests.ledger.bank import SHARD, TENANT, Bank

COMMANDS = 10_000
COMMANDS_OF_A_SOAK = 1_000_000
BATCH_MAX = 60
SECOND_NS = 1_000_000_000
LEDGER_EUR = 978
SEEDS = (4_003, 4_004)


class SteppedClock(Clock):
    """Wall time moves when the test says so; deadlines are real."""

    def __init__(self) -> None:
        super().__init__()
        self.wall_ns = 1_790_000_000 * SECOND_NS

    def now_ns(self) -> int:
        return self.wall_ns


class Commands:
    """Random commands over a few accounts and ids, so that they meet."""

    def __init__(self, seed: int, accounts: list[UUID], ids: Iterator[UUID]) -> None:
        self._random = random.Random(seed)
        self._accounts = accounts
        self._new_ids = ids
        self._used: list[UUID] = [next(ids)]

    def entry(self) -> tuple[Transfer, ...]:
        """A chain of one to four."""
        length = self._random.choice([1, 1, 1, 1, 2, 3, 4])
        return tuple(self.transfer() for _ in range(length))

    def transfer(self) -> Transfer:
        choose = self._random
        debit, credit = choose.choices(self._accounts, k=2)
        kind = choose.choices(("plain", "hold", "post", "void", "odd"), (30, 30, 20, 10, 10))[0]
        if kind == "plain":
            return Transfer(self._id(), debit, credit, choose.randint(1, 500), 2)
        if kind == "hold":
            timeout = choose.choice([0, 0, 0, 1, 3])
            return hold(
                self._id(), debit, credit, choose.randint(1, 300), 2, timeout_seconds=timeout
            )
        if kind == "post":
            return post(self._id(), self._old_id(), choose.choice([AMOUNT_ALL, 0, 5, 50]))
        if kind == "void":
            return void(self._id(), self._old_id())
        return Transfer(
            id=self._id(),
            debit_account_id=debit,
            credit_account_id=credit,
            amount_cents=choose.choice([1, 100, 2**62, 2**63, AMOUNT_ALL]),
            code=choose.randint(0, 3),
            flags=choose.choice([16, 32, 48, 18, 66, 130, 64, choose.randint(0, 511)]) & ~1,
            pending_id=choose.choice([None, None, self._old_id()]),
            timeout_seconds=choose.choice([0, 0, 0, 2]),
            ledger=choose.choice([986, 986, 986, LEDGER_EUR, 0]),
            user_data_128=choose.choice([0, 2**128 - 1]),
            user_data_64=choose.choice([0, 2**64 - 1]),
            user_data_32=choose.choice([0, 2**32 - 1]),
        )

    def _id(self) -> UUID:
        if self._random.random() < 0.1:
            return self._old_id()
        self._used.append(next(self._new_ids))
        return self._used[-1]

    def _old_id(self) -> UUID:
        return self._random.choice(self._used[-200:])


@dataclass
class Model:
    """The core with everything it ever applied as facts."""

    state: LedgerState
    ids: Iterator[UUID]

    def begin(self, now_ns: int) -> None:
        self.state.begin(now_ns)
        expire_holds(self.state, self.state.first_timestamp, lambda: next(self.ids))

    def entry(self, transfers: tuple[Transfer, ...]) -> TransferResult:
        for index, transfer in enumerate(transfers):
            timestamp = self.state.first_timestamp + len(self.state.journal)
            result = apply(self.state, transfer, timestamp)
            if result is not TransferResult.CREATED:
                for applied in reversed(transfers[:index]):
                    undo(self.state, applied.id)
                return result
        return TransferResult.CREATED


def accounts_of(node: Node) -> list[Account]:
    """Six accounts: free, limited both ways, in another currency, and one nobody opens."""
    new_id = node.ids.new_id
    limits = AccountFlag
    return [
        Account(new_id(), TENANT, AccountCode.OWN_FUNDS),
        Account(new_id(), TENANT, AccountCode.PI_ACCOUNT),
        *(
            Account(
                new_id(), TENANT, AccountCode.CUSTOMER, flags=limits.DEBITS_MUST_NOT_EXCEED_CREDITS
            )
            for _ in range(3)
        ),
        Account(
            new_id(), TENANT, AccountCode.PI_ACCOUNT, flags=limits.CREDITS_MUST_NOT_EXCEED_DEBITS
        ),
        Account(new_id(), TENANT, AccountCode.PI_ACCOUNT, ledger=LEDGER_EUR),
    ]


@pytest.mark.parametrize("seed", SEEDS)
async def test_core_and_writer_come_to_the_same_results_and_balances(
    migrated_dsn: str, seed: int
) -> None:
    await compare(migrated_dsn, seed, COMMANDS)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_core_and_writer_stay_alike_over_a_million_commands(migrated_dsn: str) -> None:
    await compare(migrated_dsn, SEEDS[0], COMMANDS_OF_A_SOAK)


async def compare(migrated_dsn: str, seed: int, commands: int) -> None:
    clock = SteppedClock()
    node = Node("metamorphic", clock=clock)
    bank = Bank(node, migrated_dsn)
    await bank.start(shard=SHARD)
    opened = accounts_of(node)
    assert await node.call(bank.writer, OpenAccounts(tuple(opened))) == Committed()
    model = Model(LedgerState(), iter(node.ids.new_id, None))
    for account in opened:
        model.state.accounts[account.id.int] = AccountState(
            account.id, int(account.flags), ledger=account.ledger
        )
    known = [account.id for account in opened]
    log = Commands(seed, [*known, *known, node.ids.new_id()], iter(node.ids.new_id, None))
    steps = random.Random(seed)
    done = 0
    seen: set[TransferResult] = set()

    while done < commands:
        clock.wall_ns += steps.choice([0, 1_000, SECOND_NS // 3, SECOND_NS])
        model.begin(clock.wall_ns)
        entries = [log.entry() for _ in range(steps.randint(1, BATCH_MAX))]
        expected = [model.entry(entry) for entry in entries]
        model.state.keep()
        answers = await bank.commit(*(Entry(entry) for entry in entries), timeout_ms=30_000)
        found = [
            answer.result if isinstance(answer, Refused) else TransferResult.CREATED
            for answer in answers
        ]
        assert found == expected
        seen.update(found)
        done += sum(map(len, entries))
        if steps.random() < 0.02:
            await bank.restart()

    balances = {key: account.balance() for key, account in model.state.accounts.items()}
    assert {account.id.int: bank.balance(account.id) for account in opened} == balances
    assert len(seen) > 25, seen
    replayed = await replay(migrated_dsn)
    report = await verify(migrated_dsn)
    await node.shutdown()
    assert replayed.differences == ()
    assert [check for check in report.checks if not check.ok] == []
