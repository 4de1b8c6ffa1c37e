"""The bank dies and starts again on its home: money, messages, deadlines are still there."""

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from actors import Killed, Node, StartFailed
from bacen.simulator import BankSettings, RunningBank, start_bank
from bacen.simulator.errors import StoreFenced
from bacen.simulator.store import Batch, Store
from tests.bacen.simulator.conftest import BALANCE_CENTS, OpenDesk, StartBank
from tests.bacen.simulator.desk import CONNECTED, PAYER, Desk, admin, outcome, settle
from tests.bacen.simulator.test_simulator_statements import order

PROGRAM = """
import asyncio, sys
from pathlib import Path
from actors import Node
from bacen.simulator import BankSettings, start_bank

async def main() -> None:
    settings = BankSettings(
        home=Path(sys.argv[1]), port=int(sys.argv[2]), connected=("12345678", "87654321"),
        pi_balance_cents=1_000_000, long_poll_ms=300,
    )
    bank = await start_bank(Node("bank"), settings)
    print(bank.url, bank.admin_url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class BankProcess:
    """The bank in a process of its own, to be killed without a word."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._port = 0
        self.url = ""
        self.admin_url = ""

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, str(self._home), str(self._port),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode()
        self.url, self.admin_url = line.split()
        self._port = int(self.url.rpartition(":")[2])

    async def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        await self._process.communicate()


async def test_killed_bank_forgets_nothing_that_it_acknowledged(
    home: Path, desks: OpenDesk
) -> None:
    bank = BankProcess(home)
    await bank.start()
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    settled, asked = payer.transfer(), payer.transfer(creditor_ispb=CONNECTED)
    body = payer.encode(payer.pacs008(settled, asked))
    await payer.client.post([body])

    await bank.kill()
    await bank.start()
    try:
        account = await admin(bank, f"accounts/{PAYER}")
        known = await admin(bank, f"payments/{settled.end_to_end_id}")
        reports = await payer.read_reports()
        (forwarded,) = await receiver.read()
        await receiver.answer(asked, "ACSP")
        later = await payer.read_reports()
        await payer.client.post([body])
        repeated = await payer.read_reports(2)
        after = await admin(bank, f"accounts/{PAYER}")
    finally:
        await bank.kill()

    assert account["balance_cents"] == BALANCE_CENTS - 1_050
    assert account["blocked_cents"] == 1_050
    assert known["status"] == "SETTLED"
    assert [each.end_to_end_id for each in reports] == [settled.end_to_end_id]
    assert forwarded.transfers[0].end_to_end_id == asked.end_to_end_id
    assert [outcome(each) for each in later] == [("ACSC",)]
    assert [outcome(each) for each in repeated] == [("ACSC",)] * 2
    assert (after["balance_cents"], after["blocked_cents"]) == (BALANCE_CENTS - 2_100, 0)


async def test_killed_bank_forgets_no_return_and_no_money_of_the_str(
    home: Path, desks: OpenDesk
) -> None:
    bank = BankProcess(home)
    await bank.start()
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    original = await settle(payer, receiver)
    one = receiver.return_of(original, amount_cents=50)
    await receiver.client.post([receiver.encode(receiver.pacs004(one))])
    funded = {"ispb": PAYER, "amount_cents": 7, "control_number": "STR20260928000000001"}
    assert await order(bank, "liquidity", funded) == 201

    await bank.kill()
    await bank.start()
    payer, receiver = desks(bank, PAYER), desks(bank, CONNECTED)
    try:
        blocked = (await admin(bank, f"accounts/{CONNECTED}"))["blocked_cents"]
        assert await order(bank, "liquidity", funded) == 201
        await payer.answer_return(one, "ACSP")
        told = await receiver.read_reports(2)
        account = await admin(bank, f"accounts/{PAYER}")
        metrics = await admin(bank, None)
    finally:
        await bank.kill()

    assert blocked == 50
    assert outcome(told[-1]) == ("ACSC",)
    assert told[-1].original_instruction_id == one.return_id
    assert account["balance_cents"] == BALANCE_CENTS - 1_050 + 50 + 7
    assert 'kind="money_missing_cents"} 0.0' in metrics


async def test_unconfirmed_message_has_the_same_id_after_a_kill(
    home: Path, desks: OpenDesk
) -> None:
    bank = BankProcess(home)
    await bank.start()
    payer = desks(bank)
    await payer.pay(payer.transfer())
    before = await payer.client.start_stream()

    await bank.kill()
    await bank.start()
    try:
        after = await payer.client.start_stream()
    finally:
        await bank.kill()

    assert len(before.messages) == 1
    assert after.messages == before.messages


async def test_confirmed_messages_do_not_come_back_after_a_restart(
    start: StartBank, desks: OpenDesk
) -> None:
    bank = await start()
    payer = desks(bank)
    await payer.pay(payer.transfer())
    await payer.read_reports()
    await payer.is_quiet()
    await bank.stop()

    again = await start()

    assert await desks(again).is_quiet()


async def test_time_limit_that_passed_while_the_bank_was_down_is_kept(
    start: StartBank, desks: OpenDesk
) -> None:
    first = await start(acceptance_timeout_ms=400)
    payer = desks(first)
    await payer.pay(payer.transfer(creditor_ispb=CONNECTED))
    await first.stop()

    second = await start(acceptance_timeout_ms=400)

    assert outcome((await desks(second).read_reports())[0]) == ("RJCT", "AB03")
    assert (await admin(second, f"accounts/{PAYER}"))["blocked_cents"] == 0


async def test_core_that_is_killed_starts_again_and_goes_on(
    bank: RunningBank, payer: Desk, desks: OpenDesk
) -> None:
    await payer.pay(payer.transfer())
    await payer.read_reports()
    settlement = bank.node.whereis("bacen.settlement")
    assert settlement is not None

    bank.node.exit(settlement, Killed())
    while bank.node.whereis("bacen.settlement") in (settlement, None):
        await asyncio.sleep(0)

    reader = desks(bank)
    await reader.pay(reader.transfer())
    assert outcome((await reader.read_reports())[0]) == ("ACSC",)
    assert (await admin(bank, f"accounts/{PAYER}"))["balance_cents"] == BALANCE_CENTS - 2_100


async def test_second_bank_on_the_same_home_is_refused(
    bank: RunningBank, home: Path, node: Node
) -> None:
    with pytest.raises(StartFailed):
        await start_bank(Node("other"), BankSettings(home=home, connected=(PAYER, CONNECTED)))

    assert (await admin(bank, f"accounts/{PAYER}"))["balance_cents"] == BALANCE_CENTS


def test_store_that_was_opened_again_refuses_the_commits_of_the_older_one(tmp_path: Path) -> None:
    older = Store(tmp_path / "bank.sqlite3")
    newer = Store(tmp_path / "bank.sqlite3")

    with pytest.raises(StoreFenced):
        older.commit(Batch(accounts=[(PAYER, 1)]))
    newer.commit(Batch(accounts=[(PAYER, 2)]))

    assert newer.accounts()[PAYER].balance_cents == 2
    older.close()
    newer.close()


def test_failed_commit_writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "bank.sqlite3")
    store.commit(Batch(accounts=[(PAYER, 5)]))

    with pytest.raises(sqlite3.IntegrityError):
        store.commit(Batch(accounts=[(PAYER, 6), (CONNECTED, -1)]))

    assert {each.ispb: each.balance_cents for each in store.accounts().values()} == {PAYER: 5}
    store.close()
