"""Whom PostgreSQL runs as when we are root, which it refuses to run as.

No account is made for it: that would change a machine we are a guest on. And the checkout, hence
the wheel with the programs, may lie in a folder that only root enters. Opening such folders to
others is not ours to do either; instead the server keeps one capability, to pass them.
"""

import os
import pwd
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from corrente.servers.errors import ForeignData, NoServerUser
from supervisors import RunAs

CHECKOUT = Path(__file__).resolve().parents[2]


def choose_run_as(
    data: Path, programs: Iterable[Path], environment: Mapping[str, str] | None = None
) -> RunAs | None:
    """Return the user to run a server as, or `None` for the one we are.

    Only root gets another user. First of these that exists: who owns `data` already; who called
    sudo; who owns this checkout; `nobody`; any other account.

    Args:
        data: Folder of the server's data, made or not.
        programs: Executables and folders that the server must reach.
        environment: Where `SUDO_UID` is looked up; the process's own by default.

    Raises:
        ForeignData: We are not root, and `data` belongs to somebody else.
        NoServerUser: There is no account but root.
    """
    our_uid = os.geteuid()
    owner = data.stat() if data.exists() else None
    if our_uid != 0:
        if owner is not None and owner.st_uid != our_uid:
            raise ForeignData(path=data, owner_uid=owner.st_uid, our_uid=our_uid)
        return None
    if owner is not None and owner.st_uid != 0:
        uid, gid = owner.st_uid, owner.st_gid
    else:
        uid, gid = _some_user(os.environ if environment is None else environment)
    reached = all(may_reach(path, uid, gid) for path in (data, *programs))
    return RunAs(uid=uid, gid=gid, keep_dac_override=not reached)


def _some_user(environment: Mapping[str, str]) -> tuple[int, int]:
    """Return uid and gid of an account other than root; initdb insists on a name for its user."""
    accounts = {user.pw_uid: user for user in reversed(pwd.getpwall()) if user.pw_uid != 0}
    named = {user.pw_name: user.pw_uid for user in accounts.values()}
    sudo_uid = environment.get("SUDO_UID", "")
    candidates = (
        int(sudo_uid) if sudo_uid.isdecimal() else None,
        CHECKOUT.stat().st_uid,
        named.get("nobody"),
        *accounts,
    )
    for uid in candidates:
        if uid in accounts:
            return uid, accounts[uid].pw_gid
    raise NoServerUser


def may_reach(path: Path, uid: int, gid: int) -> bool:
    """Tell whether a user with just this group can pass all folders above `path` and open it.

    Looks at permission bits only; what is not there yet is judged by its nearest folder.
    """
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return _allows(path, uid, gid, stat.S_IROTH | stat.S_IXOTH) and all(
        _allows(folder, uid, gid, stat.S_IXOTH) for folder in path.parents
    )


def _allows(path: Path, uid: int, gid: int, wanted: int) -> bool:
    status = path.stat()
    if status.st_uid == uid:
        wanted <<= 6
    elif status.st_gid == gid:
        wanted <<= 3
    return status.st_mode & wanted == wanted
