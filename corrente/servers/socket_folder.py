"""Where the unix socket of PostgreSQL lies.

The data folder is best: private, and gone with the data. But a socket's path has some hundred
bytes and a DSN splits hosts at commas, so a home that is deep or oddly named gets a short folder
in the temporary directory instead, the same one each time.
"""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from corrente.servers.errors import SocketFolderRefused
from supervisors import RunAs

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_LOCK_NAME = SOCKET_NAME + ".lock"
SOCKET_PATH_BYTES_MAX = 100  # 108 on Linux, 104 on macOS, with the final zero
PLAIN = re.compile(r"[\w/. +@~-]+")


def choose_socket_folder(data: Path, run_as: RunAs | None) -> Path:
    """Return the folder for the socket of the server on `data`: that one, or a short one."""
    if _fits(data) and PLAIN.fullmatch(str(data)):
        return data
    name = "corrente-" + hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]
    candidates = [tempfile.gettempdir(), "/tmp"]  # noqa: S108 - checked in prepare
    if run_as is None and os.environ.get("XDG_RUNTIME_DIR"):
        candidates.insert(0, os.environ["XDG_RUNTIME_DIR"])  # another user could not enter it
    return next(folder for each in candidates if _fits(folder := Path(each) / name))


def prepare_socket_folder(folder: Path, uid: int, gid: int) -> None:
    """Make `folder` with mode 0700 for user `uid`.

    The temporary directory is open to all, so what is there already is used only if it is a
    real folder of that user alone.

    Raises:
        SocketFolderRefused: It is something else.
    """
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, uid, gid)
    except FileExistsError:
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and status.st_mode & 0o077 == 0
        if not private or status.st_uid != uid:
            raise SocketFolderRefused(path=folder) from None


def remove_socket_folder(folder: Path) -> None:
    """Remove what `prepare_socket_folder` made, and what a killed server left in it."""
    for name in (SOCKET_NAME, SOCKET_LOCK_NAME):
        (folder / name).unlink(missing_ok=True)
    if folder.exists():
        folder.rmdir()


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX
