"""The breaker under thousands of schedules: freezes, kills, evictions, lost writes, crashes."""

import os

import pytest

from actors.simulation import Simulation, explore, simulate
from ledger.breaker import RowState
from tests.ledger.breaker import careless
from tests.ledger.breaker.world import MORTAL, NotHealed, World, bank, is_right

SCHEDULES = int(os.environ.get("BREAKER_SCHEDULES", "100000"))
QUICK = 400


def test_no_schedule_loses_books_twice_or_breaks_a_limit() -> None:
    report = explore(bank, is_right, seeds=range(QUICK), faults=MORTAL)

    assert report is None, str(report)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_no_schedule_of_a_hundred_thousand_loses_books_twice_or_breaks_a_limit() -> None:
    report = explore(bank, is_right, seeds=range(QUICK, QUICK + SCHEDULES), faults=MORTAL)

    assert report is None, str(report)


def test_schedules_reach_what_they_are_meant_to_test() -> None:
    """A simulation that never opens the breaker would keep every promise."""
    seen: set[object] = set()

    async def watched(simulation: Simulation) -> World:
        world = await bank(simulation)
        seen.update(turn.position for turn in world.database.turns)
        seen.update((row.route, row.state) for row in world.database.rows.values())
        seen.update(result for result in world.told.values())
        seen.update(world.log)
        return world

    assert explore(watched, is_right, seeds=range(60), faults=MORTAL) is None
    names = {getattr(each, "name", None) or each for each in seen}
    assert {"OPEN", "CLOSED", "CREATED", "EXISTS", "EXCEEDS_CREDITS"} <= names
    assert {"PENDING_TRANSFER_ALREADY_POSTED", "PENDING_TRANSFER_ALREADY_VOIDED"} <= names
    assert {"PENDING_TRANSFER_EXPIRED", "LINKED_EVENT_FAILED"} <= names
    assert {"DEBIT_ACCOUNT_ALREADY_CLOSED", "CREDIT_ACCOUNT_ALREADY_CLOSED"} <= names
    routes = {(each[0].value, each[1]) for each in seen if isinstance(each, tuple)}
    assert {("tb", RowState.DONE), ("tb", RowState.FAILED)} <= routes
    assert {("pg", RowState.DONE), ("pg", RowState.FAILED)} <= routes


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(careless.unfenced, id="no fence between two breakers"),
        pytest.param(careless.resending, id="unknown transfers booked in PostgreSQL as well"),
        pytest.param(careless.trusting, id="nothing held for unknown transfers"),
        pytest.param(careless.looking, id="lookup instead of poison"),
        pytest.param(careless.blind, id="no comparison"),
        pytest.param(careless.renaming, id="replay under new ids"),
        pytest.param(careless.late_journal, id="journal after sending"),
        pytest.param(careless.cutting, id="a chain sent in parts"),
        pytest.param(careless.leaving, id="timeouts left to TigerBeetle"),
        pytest.param(careless.forgetful, id="closed accounts not doubted"),
    ],
)
def test_each_protection_is_needed(tree: careless.Tree) -> None:
    """Without it, some schedule breaks a promise: `NotHealed` and all of `is_right` are such."""
    runs = (simulate(tree, is_right, seed=seed, faults=MORTAL) for seed in range(2_000))
    broken = next((run for run in runs if isinstance(run.error, AssertionError)), None)

    assert broken is not None


def test_money_booked_past_the_breaker_keeps_it_open() -> None:
    report = explore(careless.meddled, seeds=range(200), faults=MORTAL)

    assert report is not None
    assert isinstance(report.error, NotHealed)
    assert "differ" in str(report.error)
