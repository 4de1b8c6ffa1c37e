import os
import pwd
from pathlib import Path

import pytest

from corrente.servers import ForeignData, NoServerUser, SocketFolderRefused
from corrente.servers import server_user as module
from corrente.servers.server_user import choose_run_as, may_reach
from corrente.servers.socket_folder import choose_socket_folder, prepare_socket_folder
from supervisors import RunAs

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")


def account(name: str, uid: int) -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", uid, uid, "", "/", "/bin/sh"))


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> list[pwd.struct_passwd]:
    """Make this process root on a machine with three accounts, in a checkout of root's."""
    known = [account("root", 0), account("ada", 1000), account("nobody", 4242)]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwall", lambda: known)
    monkeypatch.setattr(module, "CHECKOUT", Path("/"))
    return known


def test_user_who_is_not_root_runs_the_server_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid or 4711)

    assert choose_run_as(tmp_path / "postgres", ()) is None


def test_user_who_is_not_root_cannot_take_over_foreign_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)

    with pytest.raises(ForeignData) as caught:
        choose_run_as(tmp_path, ())

    assert "\n" not in str(caught.value)


def test_root_runs_the_server_as_who_called_sudo(
    tmp_path: Path, accounts: list[pwd.struct_passwd]
) -> None:
    chosen = choose_run_as(tmp_path / "postgres", (), {"SUDO_UID": "1000"})

    assert chosen is not None
    assert (chosen.uid, chosen.gid) == (1000, 1000)


@pytest.mark.parametrize("sudo_uid", ["", "0", "4711", "-1", "ada"])
def test_root_without_a_usable_sudo_user_runs_it_as_nobody(
    sudo_uid: str, tmp_path: Path, accounts: list[pwd.struct_passwd]
) -> None:
    chosen = choose_run_as(tmp_path / "postgres", (), {"SUDO_UID": sudo_uid})

    assert chosen is not None
    assert chosen.uid == 4242


def test_root_takes_any_account_where_nobody_is_missing(
    tmp_path: Path, accounts: list[pwd.struct_passwd]
) -> None:
    del accounts[2]

    chosen = choose_run_as(tmp_path / "postgres", (), {})

    assert chosen is not None
    assert chosen.uid == 1000


def test_root_alone_on_a_machine_is_told_so(
    tmp_path: Path, accounts: list[pwd.struct_passwd]
) -> None:
    del accounts[1:]

    with pytest.raises(NoServerUser):
        choose_run_as(tmp_path / "postgres", (), {})


@as_root
def test_owner_of_the_data_stays_its_owner(
    tmp_path: Path, accounts: list[pwd.struct_passwd]
) -> None:
    os.chown(tmp_path, 4711, 4712)

    chosen = choose_run_as(tmp_path, (), {"SUDO_UID": "1000"})

    assert chosen is not None
    assert (chosen.uid, chosen.gid) == (4711, 4712)


def test_folder_that_only_its_owner_enters_is_out_of_reach_for_others(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    owner = tmp_path.stat()
    inner.parent.chmod(0o700)

    assert may_reach(inner / "not yet", owner.st_uid, owner.st_gid)
    assert not may_reach(inner / "not yet", owner.st_uid + 1, owner.st_gid + 1)


def test_capability_is_kept_only_where_it_is_needed(
    tmp_path: Path, accounts: list[pwd.struct_passwd]
) -> None:
    tmp_path.chmod(0o700)
    closed = choose_run_as(tmp_path / "inner" / "postgres", (), {})
    opened = choose_run_as(Path("/postgres-of-a-test"), (), {})

    assert closed == RunAs(uid=4242, gid=4242, keep_dac_override=True)
    assert opened == RunAs(uid=4242, gid=4242, keep_dac_override=False)


@pytest.mark.parametrize("name", ["d" * 120, "a,b", 'a"b', "ação,%20"])
def test_odd_or_deep_home_has_its_socket_in_a_short_folder(name: str, tmp_path: Path) -> None:
    folder = choose_socket_folder(tmp_path / name / "postgres", None)

    assert len(os.fsencode(folder)) < 100
    assert folder.name.startswith("corrente-")
    assert folder == choose_socket_folder(tmp_path / name / "postgres", None)
    assert folder != choose_socket_folder(tmp_path / name / "other", None)


def test_socket_folder_is_private_and_can_be_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "socket"

    prepare_socket_folder(folder, os.geteuid(), os.getegid())
    prepare_socket_folder(folder, os.geteuid(), os.getegid())

    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", ["link", "open to others", "of somebody else"])
def test_socket_folder_in_other_hands_is_refused(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "socket"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to("elsewhere")
    else:
        folder.mkdir(mode=0o700)
        folder.chmod(0o750 if kind == "open to others" else 0o700)
    uid = folder.stat().st_uid + (kind == "of somebody else")

    with pytest.raises(SocketFolderRefused):
        prepare_socket_folder(folder, uid, os.getegid())
