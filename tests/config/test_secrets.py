import os
import threading
from pathlib import Path

import pytest

from config import SecretExposed, Secrets


def test_secret_is_made_once_and_read_ever_after(tmp_path: Path) -> None:
    first = Secrets(tmp_path).get("jwt")

    assert len(first) == 43
    assert Secrets(tmp_path).get("jwt") == first
    assert Secrets(tmp_path).get("nats") != first


def test_secret_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    old_mask = os.umask(0)
    try:
        Secrets(tmp_path).get("jwt")
    finally:
        os.umask(old_mask)

    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "secrets" / "jwt").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["jwt"]


def test_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    kept = Secrets(tmp_path)
    value = kept.get("jwt")
    kept.path("jwt").chmod(0o640)

    with pytest.raises(SecretExposed) as caught:
        kept.get("jwt")

    assert "0640" in str(caught.value)
    assert value not in str(caught.value)


def test_many_at_once_get_the_same_secret(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    got: list[str] = []

    def get() -> None:
        start.wait(10)
        got.append(Secrets(tmp_path).get("jwt"))

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(got) == 8
    assert len(set(got)) == 1
