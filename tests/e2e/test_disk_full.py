"""The whole platform on one disk, its log too, and that disk is full for a while."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.platform_process import PlatformProcess
from tests.e2e.test_crash import assert_all_final_once, under_load
from tests.small_disk import fill, free, small_disk

MEGABYTES = 300
FULL_SECONDS = 5.0


@pytest.fixture
def disk() -> Iterator[Path]:
    with small_disk(MEGABYTES) as folder:
        yield folder


@pytest.fixture
def platform(disk: Path) -> Iterator[PlatformProcess]:
    own = PlatformProcess(disk)
    own.start()
    yield own
    own.stop()


async def test_full_disk_costs_no_acknowledged_payment_and_no_restart_of_the_platform(
    platform: PlatformProcess, disk: Path
) -> None:
    result = await under_load(
        platform,
        "full-disk",
        lambda: fill(disk),
        lambda: time.sleep(FULL_SECONDS),
        lambda: free(disk),
    )

    assert_all_final_once(platform, result)
    assert platform.metric("corrente_supervisors_gave_up_total") == 0
