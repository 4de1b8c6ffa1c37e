"""What servers share in the home folder: the claim on it, and the ports they were given."""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from corrente.servers.errors import HomeInUse

LOOPBACK = "127.0.0.1"
RESTART_DELAY_MS = 2_000  # on a full disk no server starts; all of them together try seldom enough


@contextlib.contextmanager
def claim_home(home: Path) -> Iterator[None]:
    """Hold `home` for this process alone, until the block or the process ends.

    The servers' preparation stops whatever still works on the data of this home, so only one
    Corrente may have it. The lock is the kernel's: it ends with the process, even by kill -9.

    Raises:
        HomeInUse: Another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            pid = int(holder) if holder.isdecimal() else 0
            raise HomeInUse(home=home, pid=pid) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def kept_port(home: Path, name: str) -> int:
    """Return the TCP port on 127.0.0.1 that the server `name` of this home uses.

    The same one as last time when it is free, so that a restart changes no address; else any
    free one, which is then kept. Kept in `home/ports.json`.
    """
    path = home / "ports.json"
    ports: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    port = ports.get(name, 0)
    if port == 0 or not _is_free(port):
        port = _any_free_port()
        home.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(ports | {name: port}, indent=2) + "\n")
    return port


def replace_file(path: Path, content: str, mode: int = 0o600) -> None:
    """Write a small file whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)


def _is_free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()  # with SO_REUSEADDR, as servers do
    except OSError:
        return False
    return True


def _any_free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
    return port
