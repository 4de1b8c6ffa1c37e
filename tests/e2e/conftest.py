"""Whole platforms for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.platform_process import PlatformProcess


@pytest.fixture(scope="module")
def shared_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """One platform for the tests of a module that do not hurt it."""
    platform = PlatformProcess(tmp_path_factory.mktemp("platform"))
    platform.start()
    yield platform
    platform.stop()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform of the test's own, to be killed and started again."""
    own = PlatformProcess(tmp_path)
    own.start()
    yield own
    own.stop()
