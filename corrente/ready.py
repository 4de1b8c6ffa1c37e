"""The ready file: what a script must know of a program that has just begun to answer."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

RUN_FILE = "run.json"  # the ready file that every platform keeps in its home


def write_ready_file(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as JSON, whole or not at all, readable by the owner only: it has a token."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    new.replace(path)


def read_ready_file(path: Path) -> dict[str, Any]:
    """What a ready file says; FileNotFoundError where nothing runs."""
    content: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return content
