"""A disk that can be filled."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

BLOCK = bytes(4_096)


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of this size, empty; mounting one is for root only."""
    folder = Path(tempfile.mkdtemp(prefix="corrente-disk-"))
    size = f"size={megabytes}m,mode=0755"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    try:
        if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("a small disk cannot be mounted here: that is for root")
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        folder.rmdir()


def fill(disk: Path) -> None:
    """Leave no byte."""
    with contextlib.suppress(OSError), (disk / "ballast").open("ab", buffering=0) as file:
        while True:
            file.write(BLOCK)


def free(disk: Path) -> None:
    """Give back what `fill` took."""
    (disk / "ballast").unlink()
