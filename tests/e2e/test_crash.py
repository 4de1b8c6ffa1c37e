"""Whatever is killed, frozen or cut under load: every payment answered 201 ends exactly once."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from corrente.demo import customers, debtor_body
from loadtest import ClosedLoop, LoadResult, run_closed_loop
from tests.e2e.platform_process import PlatformProcess

CREDITOR = {
    "creditor_account": {
        "ispb": "00000000",
        "branch": "0001",
        "account_number": "998877",
        "tax_id": "52998224725",
    }
}
PAYERS = 16
SECONDS = 3.0
ENOUGH = 200


def load(platform: PlatformProcess, run: str, seconds: float = SECONDS) -> ClosedLoop:
    return ClosedLoop(
        url=platform.ready["url"],
        token=platform.ready["token"],
        debtors=[debtor_body(account) for account in customers("12345678")[:PAYERS]],
        creditor=CREDITOR,
        payers=PAYERS,
        seconds=seconds,
        run=run,
    )


async def under_load(platform: PlatformProcess, run: str, *harm: Any) -> LoadResult:
    """Run load; in its middle, do the harm, step by step."""
    running = asyncio.ensure_future(run_closed_loop(load(platform, run)))
    await asyncio.sleep(SECONDS / 2)
    for step in harm:
        await asyncio.to_thread(step)
    return await running


def assert_all_final_once(platform: PlatformProcess, result: LoadResult) -> None:
    assert len(result.accepted) > ENOUGH
    assert len(set(result.accepted)) == len(result.accepted)
    platform.wait_final()
    assert platform.statuses(result.accepted) == {"CONFIRMED": len(result.accepted)}
    verified = platform.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "adds up" in verified.stdout


async def test_killed_platform_finishes_every_acknowledged_payment_after_its_restart(
    platform: PlatformProcess,
) -> None:
    result = await under_load(platform, "kill-platform", platform.kill)

    platform.start()

    assert_all_final_once(platform, result)


async def test_platform_killed_twice_in_a_row_still_finishes(platform: PlatformProcess) -> None:
    result = await under_load(platform, "kill-twice", platform.kill)
    platform.start()
    platform.kill()

    platform.start()

    assert_all_final_once(platform, result)


async def test_killed_postgres_costs_no_acknowledged_payment(platform: PlatformProcess) -> None:
    result = await under_load(
        platform, "kill-postgres", lambda: platform.signal("postgres", signal.SIGKILL)
    )

    assert_all_final_once(platform, result)


async def test_killed_bank_costs_no_acknowledged_payment(platform: PlatformProcess) -> None:
    result = await under_load(
        platform, "kill-bank", lambda: platform.signal("bank", signal.SIGKILL)
    )

    assert_all_final_once(platform, result)


async def test_killed_nats_holds_up_no_payment(platform: PlatformProcess) -> None:
    result = await under_load(
        platform, "kill-nats", lambda: platform.signal("nats", signal.SIGKILL)
    )

    assert_all_final_once(platform, result)
    assert not result.unknown
    assert not result.refused


@pytest.mark.parametrize("part", ["bank", "postgres"])
async def test_part_that_freezes_and_comes_back_costs_no_acknowledged_payment(
    platform: PlatformProcess, part: str
) -> None:
    result = await under_load(
        platform,
        f"freeze-{part}",
        lambda: platform.signal(part, signal.SIGSTOP),
        lambda: time.sleep(4),
        lambda: platform.signal(part, signal.SIGCONT),
    )

    assert_all_final_once(platform, result)


async def test_same_order_after_a_crash_is_the_same_payment(
    platform: PlatformProcess, tmp_path: Path
) -> None:
    order = {
        "amount": "7.77",
        "pix_key": platform.ready["key"],
        "debtor": platform.ready["debtor"],
        "idempotency_key": "across-the-crash",
    }
    client = platform.client()
    before = client.request("POST", "/api/v1/payments", order)
    client.close()
    platform.kill()
    platform.start()
    client = platform.client()

    after = client.request("POST", "/api/v1/payments", order)

    client.close()
    assert after["payment_id"] == before["payment_id"]
    assert after["end_to_end_id"] == before["end_to_end_id"]
