"""The bank's own code fails on one request or deadline: that one is taken back, others go on."""

import sqlite3
from typing import Any

import pytest

from bacen.dict import DictClient, DictOutcomeUnknown
from bacen.simulator import RunningBank
from bacen.simulator.clock import BankClock
from bacen.simulator.dict import DIRECTORY, GetDirectoryStatistics
from bacen.simulator.dict.cids import Cids
from bacen.simulator.dict.claims import Claims
from bacen.simulator.dict.settings import DAY_MS
from bacen.simulator.dict.store import DictStore
from tests.bacen.simulator.dict.member import PHONE, claim, get_claim, refused, register


async def faults(bank: RunningBank) -> int:
    told = await bank.node.call(DIRECTORY, GetDirectoryStatistics(), timeout_ms=5_000)
    return int(told.faults)


def fail(*_: Any) -> None:
    raise ZeroDivisionError


async def test_request_that_the_bank_fails_on_changes_nothing(
    bank: RunningBank, first: DictClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Cids, "record", fail)  # after the entry was written
        with pytest.raises(DictOutcomeUnknown):
            await register(first, PHONE)
    seen = await faults(bank)

    assert (await register(first, PHONE)).key == PHONE
    assert seen >= 1
    assert await faults(bank) == seen


async def test_deadline_that_the_bank_fails_on_is_tried_again_and_the_others_are_kept(
    bank: RunningBank,
    first: DictClient,
    second: DictClient,
    clock: BankClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await register(first, PHONE)
    await register(first, "ana@example.com")
    bad = await claim(second, PHONE, "PORTABILITY")
    good = await claim(second, "ana@example.com", "PORTABILITY")
    cancel = Claims._cancel

    def fail_on_one(self: Claims, case: Any, *more: Any) -> Any:
        if case.id == bad.id:
            raise ZeroDivisionError
        return cancel(self, case, *more)

    with monkeypatch.context() as patched:
        patched.setattr(Claims, "_cancel", fail_on_one)
        await clock.advance(7 * DAY_MS)
        seen = [(await get_claim(first, each.id)).status for each in (bad, good)]
    await clock.advance(2 * 60_000)

    assert seen == ["OPEN", "CANCELLED"]
    assert (await get_claim(first, bad.id)).status == "CANCELLED"
    assert await faults(bank) > 0
    with refused("NotFound"):
        await get_claim(first, type(bad.id)(int=1))


async def test_disk_that_refuses_a_commit_loses_nothing_that_was_answered(
    first: DictClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(first, PHONE)
    commit, failures = DictStore.commit, []

    def refuse_once(self: DictStore) -> None:
        if not failures:
            failures.append(None)
            raise sqlite3.OperationalError
        commit(self)

    with monkeypatch.context() as patched:
        patched.setattr(DictStore, "commit", refuse_once)
        entry = await register(first, "ana@example.com")  # the client asks again

    assert failures
    assert entry.key == "ana@example.com"
    with refused("EntryAlreadyExists"):
        await register(first, PHONE)
