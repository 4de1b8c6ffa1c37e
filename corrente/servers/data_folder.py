"""The data folder of the embedded PostgreSQL: made whole or not at all, owned by the server.

`initdb` works beside the final name and is renamed when done, so that a power cut in the middle
leaves nothing that looks like data.
"""

import asyncio
import os
import shutil
from pathlib import Path

from corrente.servers.errors import InitialiseFailed, OtherVersion
from corrente.servers.executables import PostgresPrograms
from supervisors import RunAs, launch_argv

SUPERUSER = "corrente"
OPTIONS = ("--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject")


async def prepare_data_folder(data: Path, programs: PostgresPrograms, run_as: RunAs | None) -> None:
    """Make `data` if there is none, and give it to the user that the server runs as.

    Raises:
        InitialiseFailed: initdb ended with an error.
        OtherVersion: The data is of another major version.
    """
    if not _is_made(data):
        await _initialise(data, programs, run_as)
    _check_version(data, programs)
    if run_as is not None and _owner(data) != run_as.uid:
        _give(data, run_as)


async def _initialise(data: Path, programs: PostgresPrograms, run_as: RunAs | None) -> None:
    new = _empty_beside(data)
    if run_as is not None:
        _give(new, run_as)
    argv = [str(programs.initdb), "-D", str(new), "-U", SUPERUSER, *OPTIONS]
    process = await asyncio.create_subprocess_exec(
        *launch_argv(argv, run_as),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=new,  # the folder we were started in may be closed to the server's user
        env=server_environment(),
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        lines = output.decode(errors="replace").strip().splitlines() or ["no output"]
        raise InitialiseFailed(path=data, output=lines[-1])
    new.rename(data)
    _sync(data.parent)


def _is_made(data: Path) -> bool:
    return (data / "PG_VERSION").exists()


def _check_version(data: Path, programs: PostgresPrograms) -> None:
    major = int((data / "PG_VERSION").read_text().split(".")[0])
    if major != programs.major:
        raise OtherVersion(path=data, data_major=major, server_major=programs.major)


def _owner(data: Path) -> int:
    return data.stat().st_uid


def _empty_beside(data: Path) -> Path:
    """Make the folder that initdb works in, without what a run that was cut short left there."""
    new = data.with_name(data.name + ".new")
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(mode=0o700, parents=True)
    return new


def server_environment() -> dict[str, str]:
    """Return the whole environment for PostgreSQL: ours, but for what would change its ways.

    PGDATA, PGPORT and the like of an operator's shell are meant for another server, and HOME for
    another user.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C", "TZ": "UTC", "HOME": "/"}


def _give(folder: Path, run_as: RunAs) -> None:
    """Make `run_as` the owner of a folder and all in it; links are changed, not followed."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, run_as.uid, run_as.gid, follow_symlinks=False)


def _sync(folder: Path) -> None:
    """Make the entries of a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
