import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from config import Secrets
from corrente.servers.executables import find_nats_server
from corrente.servers.home import LOOPBACK, RESTART_DELAY_MS, kept_port, replace_file
from supervisors import ChildSpec, OsProcess, OsProcessSpec, Within, worker

USER = "corrente"
READY_TIMEOUT_MS = 15_000
STOP_TIMEOUT_MS = 10_000
SHUTDOWN = Within(STOP_TIMEOUT_MS + 5_000)
MEMORY_STORE_BYTES_MAX = 64 * 1024 * 1024
FILE_STORE_BYTES_MAX = 4 * 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NatsEndpoint:
    """What a client needs to connect to the embedded NATS.

    Attributes:
        url: `nats://127.0.0.1:port`, without credentials.
        user: User name.
        password: That user's password; kept out of the repr.
    """

    url: str
    user: str
    password: str = field(repr=False)


def nats_child(home: Path, port: int = 0) -> tuple[ChildSpec, NatsEndpoint]:
    """Specify the embedded NATS with JetStream, its streams under `home/nats`.

    It listens on 127.0.0.1 only and asks for a password, which is made once under
    `home/secrets`. What JetStream acknowledged is on disk within a second; the outbox in
    PostgreSQL is the truth.

    Args:
        home: Data folder of this installation, claimed by the caller.
        port: TCP port; 0 takes the one of last time, or a free one.

    Raises:
        ServerMissing: There is no nats-server 2.10 or newer.
        SecretExposed: The password file may be read by others.
    """
    program = find_nats_server()
    port = port or kept_port(home, "nats")
    endpoint = NatsEndpoint(f"nats://{LOOPBACK}:{port}", USER, Secrets(home).get("nats"))
    folder = home / "nats"
    settings = folder / "server.conf"

    async def prepare() -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(settings, _configuration(folder, port, endpoint))

    spec = OsProcessSpec(
        name="nats",
        argv=(str(program), "-c", str(settings)),
        prepare=prepare,
        ready=_answers(port),
        ready_timeout_ms=READY_TIMEOUT_MS,
        stop_timeout_ms=STOP_TIMEOUT_MS,
        pid_file=home / "nats.pid",
    )
    child = worker(
        "nats",
        lambda: OsProcess(spec),
        name="nats",
        shutdown=SHUTDOWN,
        restart_delay_ms=RESTART_DELAY_MS,
    )
    return child, endpoint


def _configuration(folder: Path, port: int, endpoint: NatsEndpoint) -> str:
    """Write the configuration as JSON, which NATS reads and which quotes odd paths right."""
    configuration = {
        "server_name": "corrente",
        "listen": f"{LOOPBACK}:{port}",
        "authorization": {"user": endpoint.user, "password": endpoint.password},
        "jetstream": {
            "store_dir": str(folder),
            "max_memory_store": MEMORY_STORE_BYTES_MAX,
            "max_file_store": FILE_STORE_BYTES_MAX,
            "sync_interval": "1s",
        },
        "logtime": False,
    }
    return json.dumps(configuration, indent=2, ensure_ascii=False) + "\n"


def _answers(port: int) -> Callable[[], Awaitable[bool]]:
    """Make the ready check: NATS greets a client with INFO, which tells about JetStream."""

    async def answers() -> bool:
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            return False
        try:
            greeting = await reader.readline()
            return greeting.startswith(b"INFO ") and b'"jetstream":true' in greeting
        except OSError:
            return False
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    return answers
