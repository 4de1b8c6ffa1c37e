"""Becomes another program that ends when we do, as another user if asked.

Run by path as a script of its own, never imported by the program it serves: importing a package
would load the platform for each server it starts. The pid stays the same across the exec.

Arguments: parent pid, death signal, uid, gid (-1: keep), 1 to keep CAP_DAC_OVERRIDE, program...
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_OWN_ARGUMENTS = 5


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _prctl(libc: ctypes.CDLL, *arguments: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[1:5]]
    _check(libc.prctl(arguments[0], *padded), f"prctl {arguments[0]}")


def _raise_dac_override(libc: ctypes.CDLL) -> None:
    """Keep one capability across the exec: a file system that only root may enter stays open."""
    mask = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    _check(libc.capset(header, data), "capset")
    _prctl(libc, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _become(libc: ctypes.CDLL, uid: int, gid: int, *, keep_dac_override: bool) -> None:
    keeps = keep_dac_override and sys.platform == "linux"
    if keeps:
        # Not PR_SET_KEEPCAPS: access(2), which programs ask about their own files, looks at the
        # effective capabilities of a process without root's uid only under this bit.
        _prctl(libc, _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    os.setgroups([gid])
    if sys.platform == "linux":
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    else:
        os.setgid(gid)
        os.setuid(uid)
    if keeps:
        _raise_dac_override(libc)


def main(arguments: list[str]) -> None:
    """Change what must change, then become the program."""
    parent, death_signal, uid, gid, keep = map(int, arguments[:_OWN_ARGUMENTS])
    program = arguments[_OWN_ARGUMENTS:]
    libc = ctypes.CDLL(None, use_errno=True)
    if uid >= 0:
        _become(libc, uid, gid, keep_dac_override=bool(keep))
    if sys.platform == "linux":
        _prctl(libc, _PR_SET_PDEATHSIG, death_signal)  # after the change of user, which clears it
        if os.getppid() != parent:
            sys.exit("launcher: the parent died before its child could start")
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them; the program must not
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606 (becoming the program is what it is for)
    except OSError as error:
        sys.exit(f"launcher: {program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
